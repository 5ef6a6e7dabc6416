"""Several frames into one."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panels.frames import Field, Frame
from tests.panels.transform.shapes import columns, frame, table, transformed

EVEN = frame("A", time=[3000, 4000, 5000, 6000], temperature=[10.3, 10.4, 10.5, 10.6])
ODD = frame("B", time=[7000, 3000, 5000], humidity=[70, 30, 50])


def test_an_outer_join_has_every_key_once_in_order() -> None:
    assert table("joinByField", {"byField": "time"}, EVEN, ODD) == {
        "time": [3000, 4000, 5000, 6000, 7000],
        "temperature": [10.3, 10.4, 10.5, 10.6, None],
        "humidity": [30, None, 50, None, 70],
    }


def test_the_old_name_and_the_time_by_itself() -> None:
    assert table("seriesToColumns", {}, EVEN, ODD)["humidity"] == [30, None, 50, None, 70]


def test_an_inner_join_has_the_keys_that_all_have() -> None:
    assert table("joinByField", {"byField": "time", "mode": "inner"}, EVEN, ODD) == {
        "time": [3000, 5000],
        "temperature": [10.3, 10.5],
        "humidity": [30, 50],
    }


def test_an_inner_join_pairs_all_rows_of_a_key() -> None:
    people = frame("A", city=["x", "x", "y"], who=["a", "b", "c"])
    sales = frame("B", city=["x", "x", "z"], sold=[1, 2, 3])
    assert table("joinByField", {"byField": "city", "mode": "inner"}, people, sales) == {
        "city": ["x", "x", "x", "x"],
        "who": ["a", "a", "b", "b"],
        "sold": [1, 2, 1, 2],
    }


def test_a_tabular_outer_join_keeps_what_has_no_partner() -> None:
    people = frame("A", city=["x", "x", "y"], who=["a", "b", "c"])
    sales = frame("B", city=["x", "z"], sold=[1, 3])
    assert table("joinByField", {"byField": "city", "mode": "outerTabular"}, people, sales) == {
        "city": ["x", "x", "y", "z"],
        "who": ["a", "b", "c", None],
        "sold": [1, 1, None, 3],
    }


def test_frames_without_the_column_are_left_out() -> None:
    assert list(table("joinByField", {"byField": "time"}, EVEN, frame("B", x=[1]), ODD)) == [
        *("time", "temperature", "humidity")
    ]


def test_one_frame_alone_stays_as_it_is() -> None:
    alone = frame(key=["a", "a"], x=[1, 2])
    assert transformed("joinByField", {"byField": "key"}, alone) == (alone,)


def test_named_frames_name_their_columns() -> None:
    value = [
        Frame((Field("Time", "time", [1]), Field("Value", "number", [n])), name=name) for n, name in enumerate("ab")
    ]
    (joined,) = transformed("joinByField", {}, *value)
    assert [(field.name, field.labels) for field in joined.fields[1:]] == [("a", {"name": "a"}), ("b", {"name": "b"})]


def test_texts_join_in_peoples_order() -> None:
    one, two = frame("A", host=["h10", "h2"], x=[1, 2]), frame("B", host=["h1"], y=[3])
    assert table("joinByField", {"byField": "host"}, one, two)["host"] == ["h1", "h2", "h10"]


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ({"time": [1], "x": [1]}, {"time": [2], "x": [-1]}, {"time": [1, 2], "x": [1, -1]}),
        (
            {"time": [100, 150, 200], "x": [1, 4, 5]},
            {"time": [100, 125, 126], "x": [-1, 2, 3]},
            {"time": [100, 150, 200, 100, 125, 126], "x": [1, 4, 5, -1, 2, 3]},
        ),
        (
            {"time": [1, 2], "x": [1, 2]},
            {"time": [1, 3], "y": [7, 8]},
            {"time": [1, 2, 3], "x": [1, 2, None], "y": [7, None, 8]},
        ),
        ({"time": [1, 1], "x": [2, 2]}, {"time": [1], "x": [None]}, {"time": [1, 1], "x": [2, None]}),
    ],
)
def test_merge(first: dict[str, Any], second: dict[str, Any], merged: dict[str, Any]) -> None:
    assert table("merge", {}, frame("A", **first), frame("B", **second)) == merged


COUNTRIES = ["United States", "United States", "Mexico", "Germany", "Canada", "Canada"]
AGES = ["50 or over", "35 - 49", "0 - 17", "35 - 49", "35 - 49", "25 - 34"]
SUMS = [998, 1193, 1675, 146, 166, 219]
BY_COUNTRY = frame("A", country=COUNTRIES, age=AGES, sum=SUMS)
BY_AGE = frame("B", age=["0 - 17", "18 - 24", "25 - 34", "35 - 49", "50 or over"], count=[1, 3, 2, 4, 2])


def test_merge_gives_every_row_its_partner() -> None:
    assert table("merge", {}, BY_COUNTRY, BY_AGE) == {
        "country": [*COUNTRIES, None],
        "age": [*AGES, "18 - 24"],
        "sum": [*SUMS, None],
        "count": [2, 4, 1, 4, 4, 2, 3],
    }


def test_merge_the_other_way_round() -> None:
    assert table("merge", {}, BY_AGE, BY_COUNTRY) == {
        "age": ["0 - 17", "18 - 24", "25 - 34", "35 - 49", "50 or over", "35 - 49", "35 - 49"],
        "count": [1, 3, 2, 4, 2, None, None],
        "country": ["Mexico", None, "Canada", "United States", "United States", "Germany", "Canada"],
        "sum": [1675, None, 219, 1193, 998, 146, 166],
    }


def test_merge_needs_something_in_common() -> None:
    frames = (frame("A", x=[1]), frame("B", y=[2]))
    assert transformed("merge", {}, *frames) == frames


def test_merge_drops_labels_and_names_on_the_screen() -> None:
    def one(host: str) -> Frame:
        value = Field("Value", "number", [1], {"host": host}, {"displayName": host, "unit": "s"})
        return Frame((Field("Time", "time", [1 if host == "a" else 2]), value))

    (result,) = transformed("merge", {}, one("a"), one("b"))
    assert columns(result) == {"Time": [1, 2], "Value": [1, 1]}
    assert (result.fields[1].labels, result.fields[1].config) == ({}, {"unit": "s"})


def test_merge_leaves_empty_frames_out() -> None:
    assert transformed("merge", {}, EVEN, Frame()) == (EVEN,)


def test_concatenate_fills_up() -> None:
    assert table("concatenate", {}, EVEN, frame("B", x=[1])) == {
        **columns(EVEN),
        "x": [1, None, None, None],
    }


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["a · x", "b · x"]),
        ({"frameNameMode": "drop"}, ["x", "x"]),
        ({"frameNameMode": "label", "frameNameLabel": "of"}, ["x a", "x b"]),
    ],
)
def test_concatenate_speaks_of_the_frames(options: dict[str, Any], names: list[str]) -> None:
    (result,) = transformed("concatenate", options, frame("A", title="a", x=[1]), frame("B", title="b", x=[2]))
    assert [name for field in result.fields for name in columns(result.with_fields([field]))] == names


def test_concatenate_calls_a_bare_value_after_its_frame() -> None:
    (result,) = transformed("concatenate", {}, frame("A", title="a", Value=[1]), frame("B", title="b", Value=[2]))
    assert [field.name for field in result.fields] == ["a", "b"]


def test_series_to_rows_newest_first() -> None:
    assert table("seriesToRows", {}, EVEN, ODD) == {
        "Time": [7000, 6000, 5000, 5000, 4000, 3000, 3000],
        "Metric": ["humidity", "temperature", "temperature", "humidity", "temperature", "temperature", "humidity"],
        "Value": [70, 10.6, 10.5, 50, 10.4, 10.3, 30],
    }


def test_series_to_rows_needs_times_and_several_frames() -> None:
    bare = frame(x=[1])
    assert transformed("seriesToRows", {}, EVEN, bare) == (EVEN, bare)
    assert transformed("seriesToRows", {}, EVEN) == (EVEN,)
