"""Many rows into few."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panels.frames import Field, Frame
from tests.panels.transform.shapes import frame, table, transformed

MESSAGES = frame(
    time=[3000, 4000, 5000, 6000, 7000, 8000],
    message=["one", "two", "two", "three", "three", "three"],
    values=[1, 2, 2, 3, 3, 3],
)


def group(*names: str, **calculations: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: {"operation": "groupby", "aggregations": []} for name in names}
    fields |= {name: {"operation": "aggregate", "aggregations": list_} for name, list_ in calculations.items()}
    return {"fields": fields}


def test_group_by() -> None:
    assert table("groupBy", group("message", time=["count", "last"], values=["sum"]), MESSAGES) == {
        "message": ["one", "two", "three"],
        "time (count)": [1, 2, 3],
        "time (last)": [3000, 5000, 8000],
        "values (sum)": [1, 4, 9],
    }


def test_group_by_keeps_the_types_that_calculations_keep() -> None:
    (result,) = transformed("groupBy", group("message", time=["count", "last"]), MESSAGES)
    assert [field.type for field in result.fields] == ["string", "number", "time"]


def test_group_by_several_columns() -> None:
    rows = frame(a=["x", "x", "y", "x"], b=[1, 2, 1, 1], c=[10, 20, 30, 40])
    assert table("groupBy", group("a", "b", c=["sum"]), rows) == {
        "a": ["x", "x", "y"],
        "b": [1, 2, 1],
        "c (sum)": [50, 20, 30],
    }


def test_group_by_nothing_changes_nothing() -> None:
    assert transformed("groupBy", group(values=["sum"]), MESSAGES) == (MESSAGES,)
    assert transformed("groupBy", group("message"), MESSAGES, frame(x=[1])) != (MESSAGES,)


TWO = frame("A", time=[1, 2, 3], cpu=[1, 9, 2], mem=[5, None, 7])


def test_reduce_to_a_row_for_each_column() -> None:
    assert table("reduce", {"reducers": ["max", "lastNotNull"]}, TWO) == {
        "Field": ["cpu", "mem"],
        "Max": [9, 7],
        "Last *": [2, 7],
    }


def test_reduce_with_labels_apart() -> None:
    fields = tuple(Field("cpu", "number", [n], {"host": host}) for n, host in enumerate("ab"))
    assert table("reduce", {"reducers": ["max"], "labelsToFields": True}, Frame(fields)) == {
        "Field": ["cpu", "cpu"],
        "host": ["a", "b"],
        "Max": [0, 1],
    }


def test_reduce_in_place() -> None:
    assert table("reduce", {"mode": "reduceFields", "reducers": ["mean"]}, TWO) == {"cpu": [4], "mem": [6]}
    assert table("reduce", {"mode": "reduceFields", "reducers": ["max"], "includeTimeField": True}, TWO) == {
        "time": [3],
        "cpu": [9],
        "mem": [7],
    }


def test_reduce_some_columns() -> None:
    options = {"reducers": ["sum"], "fields": {"id": "byName", "options": "cpu"}}
    assert table("reduce", options, TWO) == {"Field": ["cpu"], "Total": [12]}


def test_reduce_of_nothing() -> None:
    assert transformed("reduce", {"reducers": ["sum"]}, frame(time=[1])) == ()


@pytest.mark.parametrize(("empty", "filler"), [(None, None), ("null", None), ("zero", 0), ("true", None)])
def test_a_matrix(empty: str | None, filler: Any) -> None:
    rows = frame(day=["mo", "tu", "mo"], host=["a", "a", "b"], runs=[1, 2, 3])
    options = {"columnField": "host", "rowField": "day", "valueField": "runs", "emptyValue": empty}
    assert table("groupingToMatrix", options, rows) == {"day\\host": ["mo", "tu"], "a": [1, 2], "b": [3, filler]}


def test_a_matrix_of_texts_has_empty_ones() -> None:
    rows = frame(day=["mo", "tu"], host=["a", "b"], runs=["x", "y"])
    options = {"columnField": "host", "rowField": "day", "valueField": "runs"}
    assert table("groupingToMatrix", options, rows)["a"] == ["x", ""]


def test_partition() -> None:
    rows = frame(host=["a", "b", "a"], runs=[1, 2, 3])
    parts = transformed("partitionByValues", {"fields": ["host"]}, rows)
    assert [(part.name, [field.name for field in part.fields], part.fields[0].values) for part in parts] == [
        ("a", ["runs"], [1, 3]),
        ("b", ["runs"], [2]),
    ]
    options = {"fields": ["host"], "keepFields": True, "naming": {"withNames": True}}
    parts = transformed("partitionByValues", options, rows)
    assert [(part.name, len(part.fields)) for part in parts] == [("host=a", 2), ("host=b", 2)]
