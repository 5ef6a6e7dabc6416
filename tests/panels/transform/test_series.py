"""Time series from one shape into another, and labels as columns."""

from __future__ import annotations

from typing import Any

from apps.panels.frames import Field, Frame
from tests.panels.transform.shapes import columns, frame, table, transformed

WIDE = frame("A", title="wide", time=[1, 2, 3], count=[10, 20, 30], more=[2, 3, 4])
LONG = frame("X", title="long", time=[1, 1, 2, 2], value=[10, 20, 30, 40], region=["a", "b", "a", "b"])
TEXT = frame("B", text=["a"])


def shapes(frames: tuple[Frame, ...]) -> list[tuple[str, dict[str, str], list[Any], list[Any]]]:
    return [(f.fields[1].name, dict(f.fields[1].labels), f.fields[0].values, f.fields[1].values) for f in frames]


def test_a_frame_for_each_series() -> None:
    frames = transformed("prepareTimeSeries", {"format": "multi"}, WIDE, TEXT)
    assert shapes(frames) == [("count", {}, [1, 2, 3], [10, 20, 30]), ("more", {}, [1, 2, 3], [2, 3, 4])]
    assert {(f.name, f.ref_id, f.meta["type"]) for f in frames} == {("wide", "A", "timeseries-multi")}


def test_texts_are_labels_of_their_rows() -> None:
    for name in ("multi", "many"):
        assert shapes(transformed("prepareTimeSeries", {"format": name}, LONG)) == [
            ("value", {"region": "a"}, [1, 2], [10, 30]),
            ("value", {"region": "b"}, [1, 2], [20, 40]),
        ]


LABELLED = Frame(
    (
        Field("time", "time", [2, 1, None]),
        Field("cpu", "number", [20, 10, 0], {"host": "b"}),
        Field("cpu", "number", [2, 1, 0], {"host": "a"}),
        Field("mem", "number", [200, 100, 0], {"host": "a"}),
    )
)


def test_a_row_for_each_set_of_labels_oldest_first() -> None:
    assert table("prepareTimeSeries", {"format": "long"}, LABELLED) == {
        "time": [1, 1, 2, 2],
        "cpu": [1, 10, 2, 20],
        "mem": [100, None, 200, None],
        "host": ["a", "b", "a", "b"],
    }


def test_labels_stay_with_their_series() -> None:
    assert shapes(transformed("prepareTimeSeries", {"format": "multi"}, LABELLED)) == [
        ("cpu", {"host": "a"}, [1, 2], [1, 2]),
        ("cpu", {"host": "b"}, [1, 2], [10, 20]),
        ("mem", {"host": "a"}, [1, 2], [100, 200]),
    ]


def test_one_wide_table() -> None:
    other = frame("B", time=[2, 4], other=[7, 8])
    assert table("prepareTimeSeries", {}, frame("A", time=[1, 2], x=[1, 2]), TEXT, other) == {
        "time": [1, 2, 4],
        "x": [1, 2, None],
        "other": [None, 7, 8],
    }
    assert transformed("prepareTimeSeries", {}, TEXT) == ()


def labelled(values: list[Any], **labels: str) -> Frame:
    config = {"displayName": "Custom", "displayNameFromDS": "Other", "unit": "s"}
    return Frame((Field("time", "time", [1000, 2000]), Field("Value", "number", values, labels, config)), "A", "A")


def test_labels_become_columns() -> None:
    assert table("labelsToFields", {}, labelled([1, 2], location="inside", feelsLike="ok")) == {
        "time": [1000, 2000],
        "A": [1, 2],
        "location": ["inside", "inside"],
        "feelsLike": ["ok", "ok"],
    }


def test_a_label_may_name_the_values() -> None:
    (result,) = transformed("labelsToFields", {"valueLabel": "name"}, labelled([1, 2], location="in", name="Request"))
    assert [(field.name, field.values) for field in result.fields] == [
        ("time", [1000, 2000]),
        ("Request", [1, 2]),
        ("location", ["in", "in"]),
    ]
    assert result.fields[1].config == {"unit": "s"}


def test_some_labels() -> None:
    (result,) = transformed("labelsToFields", {"keepLabels": ["a"]}, labelled([1, 2], a="1", b="2"))
    assert [field.name for field in result.fields] == ["time", "Value", "a"]


def test_frames_stay_apart() -> None:
    frames = transformed("labelsToFields", {}, labelled([1, 2], host="a"), labelled([3, 4], host="b"))
    assert [columns(frame)["host"] for frame in frames] == [["a", "a"], ["b", "b"]]


def test_labels_as_rows() -> None:
    frames = transformed("labelsToFields", {"mode": "rows"}, LABELLED)
    assert [(f.name, columns(f)) for f in frames[:2]] == [
        ("cpu b", {"label": ["host"], "value": ["b"]}),
        ("cpu a", {"label": ["host"], "value": ["a"]}),
    ]
