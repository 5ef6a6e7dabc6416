"""Which fields an override or a transformation speaks of (Grafana's field matchers)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apps.panels.fields.javascript import PatternError, compile_pattern, to_number
from apps.panels.fields.names import display_name
from apps.panels.fields.reducers import reduce_field
from apps.panels.frames import Field, Frame

FieldMatcher = Callable[[Field, Frame, Sequence[Frame]], bool]


class MatcherError(ValueError):
    """A matcher that is not known or cannot be read; the text is for the dashboard's author."""


def field_matcher(config: Mapping[str, Any]) -> FieldMatcher:
    """The matcher of `{"id": …, "options": …}`. Raises MatcherError."""
    kind = str(config.get("id") or "")
    make = _MATCHERS.get(kind)
    if make is None:
        raise MatcherError(f"The field matcher {kind!r} is not known.")
    try:
        return make(config.get("options"))
    except PatternError as error:
        raise MatcherError(str(error)) from error


def has_name(field: Field, frame: Frame, frames: Sequence[Frame], name: str) -> bool:
    """Is this the field's name in the data or on the screen?"""
    return field.name == name or display_name(field, frame, frames) == name


def _by_name(options: Any) -> FieldMatcher:
    name = str(options or "")
    return lambda field, frame, frames: has_name(field, frame, frames, name)


def _by_names(options: Any) -> FieldMatcher:
    settings = options if isinstance(options, Mapping) else {"names": options}
    names = {str(name) for name in settings.get("names") or ()}
    exclude = settings.get("mode") == "exclude"

    def match(field: Field, frame: Frame, frames: Sequence[Frame]) -> bool:
        found = field.name in names or display_name(field, frame, frames) in names
        return found != exclude

    return match


def _by_pattern(options: Any) -> FieldMatcher:
    pattern = compile_pattern(str(options or ""))
    return lambda field, frame, frames: pattern.search(display_name(field, frame, frames)) is not None


def _by_pattern_or_names(options: Any) -> FieldMatcher:
    settings = options if isinstance(options, Mapping) else {}
    matchers = [_by_names(settings.get("names"))]
    if settings.get("pattern"):
        matchers.append(_by_pattern(settings["pattern"]))
    return lambda field, frame, frames: any(match(field, frame, frames) for match in matchers)


def _by_type(options: Any) -> FieldMatcher:
    return lambda field, frame, frames: field.type == options


def _by_types(options: Any) -> FieldMatcher:
    types = set(options or ())
    return lambda field, frame, frames: field.type in types


def _by_ref_id(options: Any) -> FieldMatcher:
    return lambda field, frame, frames: frame.ref_id == options


def _first(options: Any) -> FieldMatcher:
    return lambda field, frame, frames: bool(frame.fields) and frame.fields[0] is field


def _first_time(options: Any) -> FieldMatcher:
    return lambda field, frame, frames: next((f for f in frame.fields if f.type == "time"), None) is field


def _numeric(options: Any) -> FieldMatcher:
    return _by_type("number")


def _time(options: Any) -> FieldMatcher:
    return _by_type("time")


def _always(options: Any) -> FieldMatcher:
    return lambda field, frame, frames: True


def _never(options: Any) -> FieldMatcher:
    return lambda field, frame, frames: False


def _invert(options: Any) -> FieldMatcher:
    inner = field_matcher(options or {})
    return lambda field, frame, frames: not inner(field, frame, frames)


def _any_of(options: Any) -> FieldMatcher:
    inner = [field_matcher(option) for option in options or ()]
    return lambda field, frame, frames: any(match(field, frame, frames) for match in inner)


def _all_of(options: Any) -> FieldMatcher:
    inner = [field_matcher(option) for option in options or ()]
    return lambda field, frame, frames: all(match(field, frame, frames) for match in inner)


_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "gt": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "gte": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "lt": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "lte": lambda a, b: a <= b,
}


def compare(operator: str, left: Any, right: Any) -> bool:
    """A comparison of numbers by its sign; false when a side is no number or the sign is not known."""
    a, b = to_number(left), to_number(right)
    test = _COMPARE.get(operator)
    return test is not None and not math.isnan(a) and not math.isnan(b) and test(a, b)


def _by_value(options: Any) -> FieldMatcher:
    settings = options if isinstance(options, Mapping) else {}
    reducer = str(settings.get("reducer") or "lastNotNull")
    operator = str(settings.get("op") or ">=")

    def match(field: Field, frame: Frame, frames: Sequence[Frame]) -> bool:
        if field.type != "number":
            return False
        value = reduce_field(field, [reducer])[reducer]
        return compare(operator, value, settings.get("value", 0))

    return match


_MATCHERS: Mapping[str, Callable[[Any], FieldMatcher]] = {
    "byName": _by_name,
    "byNames": _by_names,
    "byRegexp": _by_pattern,
    "byRegexpOrNames": _by_pattern_or_names,
    "byType": _by_type,
    "byTypes": _by_types,
    "byFrameRefID": _by_ref_id,
    "byValue": _by_value,
    "numeric": _numeric,
    "time": _time,
    "first": _first,
    "firstTimeField": _first_time,
    "alwaysMatch": _always,
    "anyMatch": _any_of,
    "allMatch": _all_of,
    "invertMatch": _invert,
    "neverMatch": _never,
}
