"""Which rows there are, and in which order."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apps.panels.fields.javascript import PatternError, compile_pattern, text_of, to_number
from apps.panels.fields.matchers import compare
from apps.panels.frames import Frame
from apps.panels.transform.base import Frames, Options, TransformError, find_field, mapping, objects

Test = Callable[[Any], bool]

_DIGITS = re.compile(r"(\d+)")


def filter_by_value(options: Options, frames: Frames) -> Frames:
    """Keeps or drops the rows whose values pass tests; where a column is not there, no row passes."""
    exclude = options.get("type") == "exclude"
    combine = any if options.get("match", "any") == "any" else all
    filters = [
        (str(item.get("fieldName") or ""), _test(mapping(item.get("config"))))
        for item in objects(options.get("filters"))
    ]

    def filtered(frame: Frame) -> Frame:
        tests: list[tuple[Sequence[Any], Test]] = []
        for name, test in filters:
            field = find_field(frame, name, frames)
            tests.append((range(frame.length), _never) if field is None else (field.values, test))
        rows = range(frame.length)
        return frame.take([row for row in rows if combine(test(values[row]) for values, test in tests) != exclude])

    return [filtered(frame) for frame in frames] if filters else frames


def sort_by(options: Options, frames: Frames) -> Frames:
    """Sorts by one column: numbers and times by size, texts as people do (run 2 before run 10); nulls come last."""
    sort = next(iter(objects(options.get("sort"))), {})
    name, descending = str(sort.get("field") or ""), bool(sort.get("desc"))

    def sorted_(frame: Frame) -> Frame:
        field = find_field(frame, name, frames) if name else None
        if field is None:
            return frame
        values = field.values
        known = [row for row in range(frame.length) if values[row] is not None]
        nulls = [row for row in range(frame.length) if values[row] is None]
        known.sort(key=lambda row: sort_key(values[row]), reverse=descending)
        return frame.take(known + nulls)

    return [sorted_(frame) for frame in frames]


def limit(options: Options, frames: Frames) -> Frames:
    """The first so many rows (10 unless told), the last ones for a negative number."""
    number = to_number(options.get("limitField", 10))
    if math.isnan(number):
        raise TransformError("The limit is not a number.")
    size = int(number)
    return [
        frame.take(range(frame.length)[:size] if size >= 0 else range(frame.length)[size:])
        if frame.length > abs(size)
        else frame
        for frame in frames
    ]


def sort_key(value: Any) -> tuple[Any, ...]:
    """A key that orders values of a column: numbers first, then texts with numbers inside them by size."""
    if isinstance(value, int | float):
        return (0, -math.inf if math.isnan(value) else value)
    parts = _DIGITS.split(text_of(value).casefold())
    return (1, [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts if part])


def _test(config: Mapping[str, Any]) -> Test:
    options = mapping(config.get("options"))
    wanted = options.get("value")
    match config.get("id"):
        case "isNull":
            return lambda value: value is None
        case "isNotNull":
            return lambda value: value is not None
        case "equal":
            return lambda value: _same(value, wanted)
        case "notEqual":
            return lambda value: not _same(value, wanted)
        case "greater" | "greaterOrEqual" | "lower" | "lowerOrEqual" as kind:
            sign = {"greater": ">", "greaterOrEqual": ">=", "lower": "<", "lowerOrEqual": "<="}[kind]
            return lambda value: value is not None and compare(sign, value, wanted)
        case "between":
            low, high = options.get("from"), options.get("to")
            return lambda value: value is not None and compare(">", value, low) and compare("<", value, high)
        case "regex":
            return _pattern_test(str(wanted or ""))
        case "substring":
            return lambda value: text_of(wanted).casefold() in text_of(value).casefold()
        case "notSubstring":
            return lambda value: text_of(wanted).casefold() not in text_of(value).casefold()
    raise TransformError(f"The condition {config.get('id')!r} is not known.")


def _never(value: Any) -> bool:
    return False


def _pattern_test(source: str) -> Test:
    try:
        pattern = compile_pattern(source, anchored=False)
    except PatternError as error:
        raise TransformError(str(error)) from error
    return lambda value: value is not None and pattern.search(text_of(value)) is not None


def _same(value: Any, wanted: Any) -> bool:
    if value is None or wanted is None:
        return value is wanted
    if isinstance(value, int | float) and not isinstance(value, bool):
        return to_number(wanted) == value
    return text_of(value) == text_of(wanted)
