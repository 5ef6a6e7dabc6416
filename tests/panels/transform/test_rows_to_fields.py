"""Each row as a column of its own."""

from __future__ import annotations

from typing import Any

from tests.panels.transform.shapes import frame, transformed


def turned(options: dict[str, Any], **data: Any) -> list[tuple[str, Any, dict[str, str], dict[str, Any]]]:
    (result,) = transformed("rowsToFields", options, frame("A", title="", **data))
    return [(f.name, f.values[0], dict(f.labels), dict(f.config)) for f in result.fields]


def mapping(field: str, key: str, **arguments: Any) -> dict[str, Any]:
    return {"fieldName": field, "handlerKey": key, "handlerArguments": arguments}


def test_the_first_text_names_and_the_first_number_counts() -> None:
    assert turned({}, sensor=["in", "out"], temp=[20, 5]) == [("in", 20, {}, {}), ("out", 5, {}, {})]


def test_columns_called_like_settings_are_settings() -> None:
    data: dict[str, Any] = {
        "name": ["a", "b"],
        "value": [1, 2],
        "Max": [10, None],
        "unit": ["s", "bytes"],
        "Color": ["red", "#fff"],
        "DisplayName": ["A", None],
    }
    assert turned({}, **data) == [
        ("a", 1, {}, {"max": 10, "unit": "s", "color": {"mode": "fixed", "fixedColor": "red"}, "displayName": "A"}),
        ("b", 2, {}, {"unit": "bytes", "color": {"mode": "fixed", "fixedColor": "#fff"}}),
    ]


def test_the_rest_are_labels() -> None:
    assert turned({}, sensor=["in"], temp=[20], room=["hall"], floor=[3]) == [
        ("in", 20, {"room": "hall", "floor": "3"}, {})
    ]


def test_mappings_say_what_a_column_is() -> None:
    options = {
        "mappings": [
            mapping("room", "field.name"),
            mapping("limit", "threshold1", threshold={"color": "orange"}),
            mapping("low", "min"),
            mapping("noise", "__ignore"),
        ]
    }
    data: dict[str, Any] = {
        "sensor": ["in"],
        "room": ["hall"],
        "limit": [30],
        "low": ["-5"],
        "noise": [7],
        "temp": [20],
    }
    steps = [{"value": None, "color": "green"}, {"value": 30, "color": "orange"}]
    assert turned(options, **data) == [
        ("hall", 20, {"sensor": "in"}, {"thresholds": {"mode": "absolute", "steps": steps}, "min": -5})
    ]


def test_without_a_name_or_a_value_nothing_turns() -> None:
    bare = frame(x=[1])
    assert transformed("rowsToFields", {}, bare) == (bare,)


def test_a_column_that_is_ignored_is_not_taken_by_itself() -> None:
    options = {"mappings": [mapping("name", "__ignore"), mapping("value", "__ignore")]}
    assert turned(options, name=["x"], value=[1], city=["Rome"], other=[20]) == [("Rome", 20, {}, {})]


def test_a_number_may_be_a_name() -> None:
    options = {"mappings": [mapping("id", "field.name"), mapping("value", "field.value")]}
    assert [name for name, *_ in turned(options, id=[10, 20], value=[1, 2])] == ["10", "20"]
