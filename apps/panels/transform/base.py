"""What every transformation is and uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.panels.fields.names import display_name
from apps.panels.frames import Field, FieldType, Frame

Options = Mapping[str, Any]
Frames = Sequence[Frame]
Transform = Callable[[Options, Frames], Frames]


class TransformError(ValueError):
    """A transformation cannot be done with these options or this data; the text is for the panel's viewer."""


def shown_as(field: Field, name: str) -> Field:
    """The field under another name on the screen; its name in the data stays, so that both can be referred to."""
    return replace(field, config={**field.config, "displayName": name})


def find_field(frame: Frame, name: str, frames: Frames = ()) -> Field | None:
    """The field with this name on the screen, else with this name in the data."""
    shown = next((field for field in frame.fields if display_name(field, frame, frames) == name), None)
    return shown or next((field for field in frame.fields if field.name == name), None)


def type_of(values: Iterable[Any], fallback: FieldType = "string") -> FieldType:
    """The type of all known values, `other` when they differ; the fallback when there are none."""
    types = {_value_type(value) for value in values if value is not None}
    return types.pop() if len(types) == 1 else "other" if types else fallback


def _value_type(value: Any) -> FieldType:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
    return "other"


def common_type(fields: Iterable[Field]) -> FieldType:
    """The type of a column that is made of several: theirs, or `other` when they differ."""
    types = {field.type for field in fields}
    return types.pop() if len(types) == 1 else "other"


def row_key(value: Any) -> Any:
    """A value that can be a member of a set and differs where the values differ."""
    return (type(value).__name__, repr(value)) if isinstance(value, bool | list | dict) else value


def mapping(value: Any) -> Mapping[str, Any]:
    """Options that should be an object; an empty one for everything else."""
    return value if isinstance(value, Mapping) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:
    """Options that should be a list of objects."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def texts(value: Any) -> list[str]:
    """Options that should be a list of texts."""
    return [str(item) for item in value] if isinstance(value, list | tuple) else []
