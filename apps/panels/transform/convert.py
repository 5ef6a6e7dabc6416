"""Columns of another type."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from apps.panels.date_parsing import parse_date
from apps.panels.dates import format_date
from apps.panels.fields.javascript import text_of, to_number
from apps.panels.fields.matchers import has_name
from apps.panels.frames import Field, FieldType
from apps.panels.transform.base import Frames, Options, TransformError, objects

_ISO = "YYYY-MM-DDTHH:mm:ssZ"


def convert_field_type(options: Options, frames: Frames) -> Frames:
    """Columns by name as time, number, text, boolean or JSON; what cannot be converted is missing.

    Dates without a zone are in the conversion's `timezone`, else UTC.
    """
    for conversion in objects(options.get("conversions")):
        if conversion.get("targetField"):
            name = str(conversion["targetField"])
            frames = [
                frame.with_fields(
                    _converted(field, conversion) if has_name(field, frame, frames, name) else field
                    for field in frame.fields
                )
                for frame in frames
            ]
    return frames


def _converted(field: Field, conversion: Options) -> Field:
    wanted = conversion.get("destinationType")
    convert = _CONVERTERS.get(str(wanted))
    if convert is None:
        raise TransformError(f"The type {wanted!r} is not known.")
    kind, to = convert
    return replace(field, type=kind, values=to(field, conversion), frame_type="")


def _times(field: Field, conversion: Options) -> list[Any]:
    pattern, zone = str(conversion.get("dateFormat") or ""), _zone(conversion)
    factor = 1000 if pattern == "X" else 1

    def time(value: Any) -> float | None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value * factor if field.type != "time" and math.isfinite(value) else value
        return parse_date(value, zone, pattern) if isinstance(value, str) else None

    return [time(value) for value in field.values]


def _numbers(field: Field, conversion: Options) -> list[Any]:
    def number(value: Any) -> float | None:
        found = to_number(value.replace(",", "") if isinstance(value, str) else value)
        return found if math.isfinite(found) else None

    return [number(value) for value in field.values]


def _texts(field: Field, conversion: Options) -> list[Any]:
    pattern, zone, glue = str(conversion.get("dateFormat") or _ISO), _zone(conversion), conversion.get("joinWith")

    def text(value: Any) -> str | None:
        if value is None:
            return None
        if field.type == "time":
            return format_date(value, pattern, zone)
        if isinstance(value, list) and glue:
            return str(glue).join(text_of(item) for item in value)
        return text_of(value)

    return [text(value) for value in field.values]


def _booleans(field: Field, conversion: Options) -> list[Any]:
    # As JavaScript sees it: every text but the empty one is true, even "false".
    return [bool(value) and value == value for value in field.values]


def _objects(field: Field, conversion: Options) -> list[Any]:
    def parsed(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None

    return [parsed(value) for value in field.values]


def _zone(conversion: Options) -> dt.tzinfo:
    name = str(conversion.get("timezone") or "utc")
    if name in ("utc", "browser"):
        return dt.UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise TransformError(f"The time zone {name!r} is not known.") from error


_CONVERTERS: Mapping[str, tuple[FieldType, Callable[[Field, Options], list[Any]]]] = {
    "time": ("time", _times),
    "number": ("number", _numbers),
    "string": ("string", _texts),
    "boolean": ("boolean", _booleans),
    "other": ("other", _objects),
    # An enumeration only gives texts an order; they are shown as they are.
    "enum": ("string", _texts),
}
