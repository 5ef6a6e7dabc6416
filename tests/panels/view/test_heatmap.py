"""Heatmaps."""

from __future__ import annotations

from typing import Any

from tests.panels.view.drawn import HOUR, START, drawn, frame

TIMES = [START, START + HOUR]


def cells(view: Any) -> list[tuple[float, str, str]]:
    return [((one.start - START) / HOUR, view.rows[one.row], one.text) for one in view.cells]


def test_the_buckets_of_a_query_are_the_rows() -> None:
    view = drawn("heatmap", frame(time=TIMES, fast=[3.0, 0.0], slow=[1.0, 2.0]), options={"color": {"scheme": "Blues"}})
    assert cells(view) == [(0, "fast", "3"), (0, "slow", "1"), (1, "slow", "2")]
    assert view.cells[0].end - view.cells[0].start == HOUR
    assert [one.color for one in view.cells[:2]] == ["#08519c", "#deebf7"]


def test_values_are_counted_in_buckets_that_are_made() -> None:
    calculation = {"xBuckets": {"mode": "size", "value": "1h"}, "yBuckets": {"mode": "size", "value": "10"}}
    view = drawn(
        "heatmap",
        frame(time=[START, START + 1, START + HOUR], ms=[1.0, 9.0, 25.0]),
        options={"calculate": True, "calculation": calculation},
        defaults={"unit": "ms"},
    )
    assert cells(view) == [(0, "0 ms", "2"), (1, "20 ms", "1")]
    assert view.rows == ("0 ms", "10 ms", "20 ms")


def test_buckets_are_chosen_where_the_panel_says_nothing_or_nonsense() -> None:
    rows = frame(time=TIMES, ms=[0.0, 100.0])
    for size in ("", "0", "-5", "1e-12", "x", "5 parsecs"):
        calculation = {"yBuckets": {"mode": "size", "value": size}}
        view = drawn("heatmap", rows, options={"calculate": True, "calculation": calculation})
        assert view.rows[:3] == ("0", "10", "20")


def test_opacity_tells_more_from_less() -> None:
    options = {"color": {"mode": "opacity", "fill": "dark-orange", "exponent": 1}}
    view = drawn("heatmap", frame(time=TIMES, n=[1.0, 2.0]), options=options)
    assert [one.color.rpartition(") ")[2] for one in view.cells] == ["10%, transparent)", "100%, transparent)"]


def test_data_without_numbers_says_so() -> None:
    assert drawn("heatmap", frame(name=["a"])).text == "A heatmap needs a time and numbers"
