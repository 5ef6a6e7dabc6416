"""Columns worked out of others."""

from __future__ import annotations

import math
from typing import Any

import pytest

from apps.panels.transform import apply
from tests.panels.transform.shapes import columns, frame, table, transformed

A = frame("A", time=[1000, 2000], A=[1, 100])
BC = frame("B", time=[1000, 2000], B=[2, 200], C=[3, 300], D=["first", "second"], E=[True, False])


def calculated(mode: str, settings: Any, *frames: Any, **options: Any) -> dict[str, list[Any]]:
    key = {"reduceRow": "reduce", "cumulativeFunctions": "cumulative", "windowFunctions": "window"}.get(mode, mode)
    return table("calculateField", {"mode": mode, key: settings, "replaceFields": True, **options}, *frames)


def test_a_sum_over_the_row_of_all_frames() -> None:
    assert table("calculateField", {"alias": "The Total"}, A, BC) == {
        **columns(A),
        **columns(BC),
        "The Total": [6, 600],
    }


def test_other_columns_can_go() -> None:
    assert calculated("reduceRow", {"reducer": "mean"}, A, BC) == {"time": [1000, 2000], "Mean": [2, 200]}
    assert calculated("reduceRow", {"reducer": "mean"}, A, BC, timeSeries=True) == {
        "time": [1000, 2000],
        "Mean": [2, 200],
    }


def test_some_columns_of_a_row() -> None:
    assert calculated("reduceRow", {"reducer": "mean", "include": ["B"]}, BC)["Mean"] == [2, 200]
    assert calculated("reduceRow", {"reducer": "allValues", "include": ["B", "C"]}, BC)["All values"] == [
        [2, 3],
        [200, 300],
    ]


@pytest.mark.parametrize(
    ("left", "operator", "right", "expected"),
    [
        ("B", "+", "C", {"B + C": [5, 500]}),
        ("B", "-", "C", {"B - C": [-1, -100]}),
        ("B", "*", "2", {"B * 2": [4, 400]}),
        ("C", "/", "2", {"C / 2": [1.5, 150]}),
        ({"matcher": {"id": "byName", "options": "B"}}, "+", {"fixed": "2"}, {"B + 2": [4, 202]}),
        ({"fixed": "10"}, "-", {"matcher": {"id": "byName", "options": "B"}}, {"10 - B": [8, -190]}),
        ("E", "*", "1", {"E * 1": [1, 0]}),
        ({"matcher": {"id": "byType", "options": "number"}}, "+", "2", {"B + 2": [4, 202], "C + 2": [5, 302]}),
        ({"matcher": {"id": "byType", "options": "number"}}, "+", "C", {"B + C": [5, 500], "C + C": [6, 600]}),
    ],
)
def test_two_sides(left: Any, operator: str, right: Any, expected: dict[str, list[Any]]) -> None:
    found = calculated("binary", {"left": left, "operator": operator, "right": right}, BC)
    assert found == {"time": [1000, 2000], **expected}


def test_a_constant_needs_no_join() -> None:
    settings = {"left": {"matcher": {"id": "byType", "options": "number"}}, "operator": "+", "right": {"fixed": "2"}}
    frames = transformed("calculateField", {"mode": "binary", "binary": settings, "replaceFields": True}, A, BC)
    assert [list(columns(frame)) for frame in frames] == [["time", "A + 2"], ["time", "B + 2", "C + 2"]]


def test_what_is_missing_stays_missing_and_nothing_divides_by_zero() -> None:
    rows = frame(a=[1, None, 1, 0, -1], b=[2, 2, 0, 0, 0])
    values = calculated("binary", {"left": "a", "operator": "/", "right": "b"}, rows)["a / b"]
    assert values[:3] == [0.5, None, math.inf]
    assert math.isnan(values[3])
    assert values[4] == -math.inf


def test_a_column_that_is_not_there_adds_nothing() -> None:
    settings = {"left": "nothing", "operator": "+", "right": "B"}
    assert transformed("calculateField", {"mode": "binary", "binary": settings}, BC) == (BC,)
    assert transformed("calculateField", {"mode": "binary", "binary": settings, "replaceFields": True}, BC) == ()


@pytest.mark.parametrize(
    ("operator", "values"),
    [("abs", [1.5, 2.5]), ("floor", [-2, 2]), ("ceil", [-1, 3]), ("exp", [math.exp(-1.5), math.exp(2.5)])],
)
def test_one_side(operator: str, values: list[float]) -> None:
    rows = frame(a=[-1.5, 2.5])
    found = calculated("unary", {"fieldName": "a", "operator": operator}, rows)
    assert found == {f"{operator}(a)": values}


def test_logarithms_and_powers_of_anything() -> None:
    rows = frame(a=[1, 0, -1, None])
    values = calculated("unary", {"fieldName": "a", "operator": "ln"}, rows)["ln(a)"]
    assert values[:2] == [0, -math.inf]
    assert math.isnan(values[2])
    assert values[3] is None
    assert calculated("unary", {"fieldName": "a", "operator": "exp"}, frame(a=[9999]))["exp(a)"] == [math.inf]


def test_row_numbers() -> None:
    assert calculated("index", {}, BC) == {"Row": [0, 1]}
    (result,) = transformed("calculateField", {"mode": "index", "index": {"asPercentile": True}}, frame(x=range(4)))
    assert result.fields[1].values == [0, 0.25, 0.5, 0.75]
    assert result.fields[1].config == {"unit": "percentunit"}


@pytest.mark.parametrize(
    ("reducer", "values", "expected"),
    [("sum", [1, 2, 3], [1, 3, 6]), ("mean", [1, 2, 3], [1, 1.5, 2]), ("sum", [1, None, 2, 3], [1, 1, 3, 6])],
)
def test_running_totals(reducer: str, values: list[Any], expected: list[float]) -> None:
    found = calculated("cumulativeFunctions", {"field": "x", "reducer": reducer}, frame(x=values))
    assert found == {f"cumulative {reducer}(x)": expected}


@pytest.mark.parametrize(
    ("align", "size", "mode", "reducer", "values", "expected"),
    [
        ("centered", 1, "percentage", "mean", [1, 2, 3], [1.5, 2, 2.5]),
        ("centered", 0.5, "percentage", "mean", [1, 2, 3], [1, 1.5, 2.5]),
        ("centered", 5, "percentage", "mean", [1, 2, 3], [2, 2, 2]),
        ("centered", 0.75, "percentage", "mean", [1, 2, 3, 4], [1.5, 2, 3, 3.5]),
        ("centered", 0.75, "percentage", "mean", [1, None, 2, 7], [1, 1.5, 4.5, 4.5]),
        ("centered", 0.75, "percentage", "mean", [None, None], [None, None]),
        ("trailing", 1, "percentage", "mean", [1, 2, 3], [1, 1.5, 2]),
        ("trailing", 2, "fixed", "mean", [1, None, 3, 4, 5], [1, 1, 3, 3.5, 4.5]),
        ("trailing", 1, "percentage", "variance", [1, 2, 3], [0, 0.25, 2 / 3]),
        ("centered", 1, "percentage", "stdDev", [1, 2, 3], [0.5, math.sqrt(2 / 3), 0.5]),
        ("centered", 0.75, "percentage", "stdDev", [1, None, 2, 3], [0, 0.5, 0.5, 0.5]),
        ("trailing", 2, "fixed", "mean", [], []),
    ],
)
def test_moving_windows(
    align: str, size: float, mode: str, reducer: str, values: list[Any], expected: list[float | None]
) -> None:
    settings = {"field": "x", "windowSize": size, "windowSizeMode": mode, "windowAlignment": align, "reducer": reducer}
    found = calculated("windowFunctions", settings, frame(x=values))
    assert found == {f"{align} moving {reducer}(x)": pytest.approx(expected)}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "windowFunctions", "window": {"windowSize": 0}}, "larger than nothing"),
        ({"mode": "windowFunctions", "window": {"reducer": "max"}}, "'max'"),
        ({"mode": "cumulativeFunctions", "cumulative": {"reducer": "max"}}, "'max'"),
        ({"mode": "binary", "binary": {"operator": "%"}}, "'%'"),
        ({"mode": "unary", "unary": {"operator": "cube"}}, "'cube'"),
    ],
)
def test_what_cannot_be_calculated_is_named(options: dict[str, Any], said: str) -> None:
    frames, notices = apply([{"id": "calculateField", "options": options}], [BC])
    assert frames == (BC,)
    assert said in notices[0]
