"""Columns of another type."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panels.frames import Field, FieldType, Frame
from apps.panels.transform import apply
from tests.panels.transform.shapes import transformed

MOMENT = 1_596_271_723_000  # 2020-08-01T08:48:43Z


def converted(kind: FieldType, value: Any, to: str, **settings: Any) -> Any:
    conversion = {"targetField": "x", "destinationType": to, **settings}
    frame = Frame((Field("x", kind, [value]),))
    (result,) = transformed("convertFieldType", {"conversions": [conversion]}, frame)
    return result.fields[0].values[0]


@pytest.mark.parametrize(
    ("kind", "value", "to", "expected"),
    [
        ("string", "1,234.5", "number", 1234.5),
        ("string", " 7 ", "number", 7),
        ("string", "", "number", None),
        ("string", "seven", "number", None),
        ("string", None, "number", None),
        ("boolean", True, "number", 1),
        ("number", 5, "string", "5"),
        ("number", 5.5, "string", "5.5"),
        ("boolean", False, "string", "false"),
        ("string", "as it is", "string", "as it is"),
        ("other", {"a": [1]}, "string", '{"a": [1]}'),
        ("number", None, "string", None),
        ("time", MOMENT, "string", "2020-08-01T08:48:43+00:00"),
        ("number", 0, "boolean", False),
        ("number", 2, "boolean", True),
        ("string", "", "boolean", False),
        ("string", "false", "boolean", True),
        ("number", None, "boolean", False),
        ("string", '{"a": [1]}', "other", {"a": [1]}),
        ("string", "{", "other", None),
        ("number", MOMENT, "time", MOMENT),
        ("string", "2020-08-01T08:48:43Z", "time", MOMENT),
        ("string", "2020-08-01 10:48:43+02:00", "time", MOMENT),
        ("string", "soon", "time", None),
        ("boolean", True, "time", None),
        ("string", "up", "enum", "up"),
    ],
)
def test_conversions(kind: FieldType, value: Any, to: str, expected: Any) -> None:
    assert converted(kind, value, to) == expected


def test_dates_by_pattern_and_zone() -> None:
    assert converted("string", "1.8.2020 10:48:43", "time", dateFormat="D.M.YYYY H:mm:ss") == MOMENT + 2 * 3_600_000
    zone = {"dateFormat": "D.M.YYYY H:mm:ss", "timezone": "Europe/Zurich"}
    assert converted("string", "1.8.2020 10:48:43", "time", **zone) == MOMENT
    assert converted("time", MOMENT, "string", **zone) == "1.8.2020 10:48:43"
    assert converted("number", MOMENT / 1000, "time", dateFormat="X") == MOMENT
    assert converted("time", MOMENT, "time", dateFormat="X") == MOMENT


def test_lists_are_joined() -> None:
    assert converted("other", ["a", 1], "string", joinWith=" / ") == "a / 1"


def test_the_column_is_of_its_new_type() -> None:
    frame = Frame((Field("x", "string", ["1"], frame_type="string"), Field("y", "string", ["1"])))
    (result,) = transformed(
        "convertFieldType", {"conversions": [{"targetField": "x", "destinationType": "number"}]}, frame
    )
    assert [(field.type, field.go_type) for field in result.fields] == [("number", "float64"), ("string", "string")]


@pytest.mark.parametrize(("to", "zone", "said"), [("magic", "utc", "'magic'"), ("time", "Mars/Base", "'Mars/Base'")])
def test_what_is_not_known_is_named(to: str, zone: str, said: str) -> None:
    conversion = {"targetField": "x", "destinationType": to, "timezone": zone}
    frame = Frame((Field("x", "string", ["1"]),))
    _, notices = apply([{"id": "convertFieldType", "options": {"conversions": [conversion]}}], [frame])
    assert said in notices[0]
