"""Grafana's calculations."""

from __future__ import annotations

import math
from typing import Any

import pytest

from apps.panels.fields.reducers import REDUCERS, reduce_field, reduce_values, reducer_name
from apps.panels.frames import Field

WITH_GAPS = [None, 200, 100, None]


@pytest.mark.parametrize(
    ("reducer", "values", "expected"),
    [
        ("first", WITH_GAPS, None),
        ("firstNotNull", WITH_GAPS, 200),
        ("last", WITH_GAPS, None),
        ("lastNotNull", WITH_GAPS, 100),
        ("min", WITH_GAPS, 100),
        ("max", WITH_GAPS, 200),
        ("mean", [10, 20], 15),
        ("mean", WITH_GAPS, 150),
        ("median", [3, 1, 2], 2),
        ("median", [4, 1, 2, 3], 2.5),
        ("sum", WITH_GAPS, 300),
        ("count", WITH_GAPS, 2),
        ("countAll", WITH_GAPS, 4),
        ("range", [4, 9, 1], 8),
        ("step", [100, 200, 300, 400], 100),
        ("delta", [100, 200, 300, 400], 300),
        ("delta", [5, 10, 3, 6], 11),
        ("delta", [5, 10, 3], 8),
        ("diff", [10, 5, 30], 20),
        ("diffperc", [50, 75], 0.5),
        ("diffperc", [None, 200, None], 0),
        ("diffperc", [0, 5], None),
        ("logmin", [0, -3, 2, 5], 2),
        ("allIsZero", [0, 0], True),
        ("allIsZero", [None, None], False),
        ("allIsZero", [], False),
        ("allIsNull", [None], True),
        ("allIsNull", [], True),
        ("allIsNull", [0], False),
        ("changeCount", [1, 1, 2, 1], 2),
        ("distinctCount", [1, 2, 2, 3, 1], 3),
        ("distinctCount", [True, 1, "1"], 3),
        ("uniqueValues", [1, 2, 2, 3, 1], [1, 2, 3]),
        ("uniqueValues", [{"a": 1}, {"a": 1}], [{"a": 1}]),
        ("allValues", [1, None], [1, None]),
        ("variance", [1, 2, 3, 4], 1.25),
        ("stdDev", [2, 4, 4, 4, 5, 5, 7, 9], 2),
        ("p50", list(range(101)), 50),
        ("p95", list(range(101)), 95),
        ("mean", [], None),
        ("max", ["a", None, True], None),
        ("lastNotNull", ["a", "b", None], "b"),
        ("count", ["a", None], 1),
        ("avg", [1, 3], 2),
        ("current", [1, 3, None], 3),
        ("total", [1, 3], 4),
        ("nosuch", [1, 3, None], 3),
    ],
)
def test_calculations(reducer: str, values: list[Any], expected: Any) -> None:
    assert reduce_values(values, reducer) == expected


def test_what_is_no_number_does_not_spoil_a_mean() -> None:
    assert reduce_values([1, math.nan, 3], "mean") == 2


def test_every_calculation_copes_with_any_column() -> None:
    for values in ([], [None], [None, 1, None], ["a", ""], [True, False], [{"a": 1}], [math.inf, -math.inf, 1]):
        for reducer in REDUCERS:
            reduce_values(values, reducer)


def test_several_at_once_and_what_nulls_mean() -> None:
    field = Field("x", "number", [1, None, 3], config={"nullValueMode": "null as zero"})
    assert reduce_field(field, ["min", "last", "count"]) == {"min": 0, "last": 3, "count": 3}
    field = Field("x", "number", [1, 3, None], config={"nullValueMode": "ignore"})
    assert reduce_field(field, ["last"]) == {"last": 3}


def test_names_are_those_of_grafana() -> None:
    assert [reducer_name(name) for name in ("lastNotNull", "sum", "p95", "total")] == [
        *("Last *", "Total", "95th %", "Total")
    ]
