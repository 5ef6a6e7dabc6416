"""Value mappings: a text, a colour or an icon instead of a value. The first mapping that fits wins."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.panels.fields.javascript import (
    PatternError,
    compile_pattern,
    is_global,
    leading_number,
    substitute,
    text_of,
    to_number,
)


@dataclass(frozen=True)
class MappingResult:
    """What replaces a value; None leaves that part as it is."""

    text: str | None = None
    color: str | None = None
    icon: str | None = None
    index: int | None = None


def map_value(mappings: Sequence[Mapping[str, Any]], value: Any) -> MappingResult | None:
    """The result of the first mapping that fits, of the kinds value, range, regex and special."""
    for mapping in mappings:
        options = mapping.get("options")
        if not isinstance(options, Mapping):
            continue
        match mapping.get("type"):
            case "value":
                found = None if value is None else options.get(text_of(value))
            case "range":
                found = options.get("result") if _in_range(options, value) else None
            case "regex":
                found = _by_pattern(options, value)
            case "special":
                found = options.get("result") if _is_special(options.get("match"), value) else None
            case _:
                found = None
        if isinstance(found, Mapping):
            return MappingResult(
                text=None if found.get("text") is None else text_of(found["text"]),
                color=found.get("color") or None,
                icon=found.get("icon") or None,
                index=found.get("index"),
            )
    return None


def _in_range(options: Mapping[str, Any], value: Any) -> bool:
    if value is None:
        return False
    number = leading_number(value)
    low, high = _limit(options.get("from")), _limit(options.get("to"))
    return not math.isnan(number) and (low is None or number >= low) and (high is None or number <= high)


def _limit(value: Any) -> float | None:
    number = to_number(value)
    return None if math.isnan(number) else number


def _by_pattern(options: Mapping[str, Any], value: Any) -> Mapping[str, Any] | None:
    # Grafana tries patterns on texts only: a boolean or a number never fits, whatever it looks like.
    if not isinstance(value, str):
        return None
    source = str(options.get("pattern", ""))
    try:
        pattern = compile_pattern(source)
    except PatternError:
        return None
    if not pattern.search(value):
        return None
    result = dict(options.get("result") or {})
    if result.get("text") is not None:
        result["text"] = substitute(pattern, str(result["text"]), value, every=is_global(source))
    return result


def _is_special(kind: Any, value: Any) -> bool:
    is_nan = isinstance(value, float) and math.isnan(value)
    match kind:
        case "null":
            return value is None
        case "nan":
            return is_nan
        case "null+nan":
            return value is None or is_nan
        case "true":
            return value is True or value == "true"
        case "false":
            return value is False or value == "false"
        case "empty":
            return isinstance(value, str) and not value
    return False
