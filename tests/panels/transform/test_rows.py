"""Which rows there are, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.panels.transform.shapes import frame, table, transformed

ROWS = frame(
    time=[1, 2, 3, 4],
    name=["lab 10", "lab 2", None, "Lab 1"],
    value=[5, None, 20, -1],
    ok=[True, False, True, None],
)


def condition(field: str, kind: str, **options: Any) -> dict[str, Any]:
    return {"fieldName": field, "config": {"id": kind, "options": options}}


@pytest.mark.parametrize(
    ("test", "kept"),
    [
        (condition("value", "isNull"), [2]),
        (condition("value", "isNotNull"), [1, 3, 4]),
        (condition("value", "equal", value="5"), [1]),
        (condition("value", "notEqual", value=5), [2, 3, 4]),
        (condition("name", "equal", value="lab 2"), [2]),
        (condition("ok", "equal", value="true"), [1, 3]),
        (condition("value", "greater", value=5), [3]),
        (condition("value", "greaterOrEqual", value=5), [1, 3]),
        (condition("value", "lower", value=0), [4]),
        (condition("value", "lowerOrEqual", value="-1"), [4]),
        (condition("value", "between", **{"from": -1, "to": 20}), [1]),
        (condition("name", "regex", value="^lab"), [1, 2]),
        (condition("name", "regex", value="/^lab/i"), [1, 2, 4]),
        (condition("name", "substring", value="LAB 1"), [1, 4]),
        (condition("name", "notSubstring", value="lab 1"), [2, 3]),
        (condition("nothing", "isNull"), []),
    ],
)
def test_conditions(test: dict[str, Any], kept: list[int]) -> None:
    assert table("filterByValue", {"type": "include", "match": "all", "filters": [test]}, ROWS)["time"] == kept


@pytest.mark.parametrize(
    ("kind", "match", "kept"),
    [
        ("include", "any", [1, 2, 3]),
        ("include", "all", [3]),
        ("exclude", "any", [4]),
        ("exclude", "all", [1, 2, 4]),
    ],
)
def test_several_conditions(kind: str, match: str, kept: list[int]) -> None:
    filters = [condition("value", "greater", value=5), condition("ok", "isNotNull")]
    assert table("filterByValue", {"type": kind, "match": match, "filters": filters}, ROWS)["time"] == kept


def test_without_conditions_all_rows_stay() -> None:
    assert transformed("filterByValue", {"type": "include", "filters": []}, ROWS) == (ROWS,)


@pytest.mark.parametrize(
    ("field", "descending", "order"),
    [
        ("value", False, [4, 1, 3, 2]),
        ("value", True, [3, 1, 4, 2]),
        ("name", False, [4, 2, 1, 3]),
        ("name", True, [1, 2, 4, 3]),
        ("nothing", True, [1, 2, 3, 4]),
    ],
)
def test_sort(field: str, descending: bool, order: list[int]) -> None:
    assert table("sortBy", {"sort": [{"field": field, "desc": descending}]}, ROWS)["time"] == order


@pytest.mark.parametrize(
    ("size", "kept"), [(2, [1, 2]), ("3", [1, 2, 3]), (-1, [4]), (0, []), (9, [1, 2, 3, 4]), (-9, [1, 2, 3, 4])]
)
def test_limit(size: Any, kept: list[int]) -> None:
    assert table("limit", {"limitField": size}, ROWS)["time"] == kept


def test_ten_rows_unless_told() -> None:
    assert transformed("limit", {}, frame(x=range(99)))[0].length == 10
