"""Frames as tests write and read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.panels.fields.names import display_name
from apps.panels.frames import Field, FieldType, Frame
from apps.panels.transform import apply


def frame(ref_id: str = "A", *, title: str = "", **columns: Sequence[Any]) -> Frame:
    """A frame of columns: those called like a time are times, the others as their first value."""
    return Frame(
        tuple(Field(key, _type(key, values), list(values)) for key, values in columns.items()), ref_id, name=title
    )


def _type(name: str, values: Sequence[Any]) -> FieldType:
    if name.casefold() in ("time", "when"):
        return "time"
    match next((value for value in values if value is not None), 0):
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
    return "other"


def columns(frame: Frame, frames: Sequence[Frame] = ()) -> dict[str, list[Any]]:
    """Names on the screen and values."""
    return {display_name(field, frame, frames): field.values for field in frame.fields}


def transformed(name: str, options: Mapping[str, Any], *frames: Frame) -> tuple[Frame, ...]:
    result, notices = apply([{"id": name, "options": options}], frames)
    assert notices == ()
    return result


def table(name: str, options: Mapping[str, Any], *frames: Frame) -> dict[str, list[Any]]:
    """The columns of the one frame that comes out."""
    (result,) = transformed(name, options, *frames)
    return columns(result)
