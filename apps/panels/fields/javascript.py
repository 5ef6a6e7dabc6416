"""What JavaScript makes of numbers, texts and patterns: Grafana's output depends on it."""

from __future__ import annotations

import functools
import json
import math
import re
from decimal import Decimal
from typing import Any

_SLASHED = re.compile(r"/(.*)/([a-z]*)\Z", re.DOTALL)
_NAMED_GROUP = re.compile(r"\(\?<(?![=!])")
_REPLACEMENT = re.compile(r"\$(?:(\$)|(&)|(\d{1,2})|<([^>]*)>)")
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\Z", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.IGNORECASE)


class PatternError(ValueError):
    """A regular expression of a dashboard that cannot be read; the text names it."""


def number_text(value: float) -> str:
    """A number as `String(number)` writes it."""
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
    size = abs(value)
    if size == 0:
        return "0"
    if 1e-6 <= size < 1e21:
        return str(int(value)) if value == int(value) else format(Decimal(repr(value)), "f")
    mantissa, _, exponent = repr(float(value)).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def text_of(value: Any) -> str:
    """A value as text: nothing for null, JSON for objects, items joined by commas for lists."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return ", ".join(text_of(item) for item in value)
    return json.dumps(value, ensure_ascii=False)


def to_number(value: Any) -> float:
    """A value as a number, NaN when it is none; true is 1, an empty text is no number."""
    if isinstance(value, bool):
        return 1 if value else 0
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.match(text):
            return float(text)
        if text in ("Infinity", "+Infinity", "-Infinity"):
            return -math.inf if text[0] == "-" else math.inf
    return math.nan


def leading_number(value: Any) -> float:
    """`parseFloat`: the number that a text begins with, NaN when there is none."""
    if isinstance(value, str):
        match = _LEADING_NUMBER.match(value)
        return float(match[1]) if match else math.nan
    return math.nan if isinstance(value, bool) else to_number(value)


def round_half_up(value: float) -> int:
    return math.floor(value + 0.5)


@functools.lru_cache(maxsize=512)
def compile_pattern(text: str, *, anchored: bool = True) -> re.Pattern[str]:
    """A regular expression as dashboards write it: `/body/flags`, or a bare body.

    A bare body is matched as a whole when `anchored`, as Grafana does. Raises PatternError.
    """
    slashed = _SLASHED.match(text)
    if slashed:
        body, letters = slashed[1], slashed[2]
    else:
        body, letters = (f"^{text}\\Z" if anchored else text), ""
    flags = 0
    for letter in letters:
        flags |= _FLAGS.get(letter, 0)
    try:
        return re.compile(_NAMED_GROUP.sub("(?P<", body).replace("\\/", "/"), flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"The regular expression {text!r} cannot be read: {error}.") from error


def is_global(text: str) -> bool:
    """Does `/body/flags` ask for every match to be replaced?"""
    slashed = _SLASHED.match(text)
    return slashed is not None and "g" in slashed[2]


def substitute(pattern: re.Pattern[str], template: str, text: str, *, every: bool) -> str:
    """`String.replace` with `$1`, `$<name>`, `$&` and `$$` in the template."""

    def fill(match: re.Match[str]) -> str:
        def part(hole: re.Match[str]) -> str:
            if hole[1]:
                return "$"
            if hole[2]:
                return match[0]
            if hole[3]:
                number = int(hole[3])
                return (match[number] or "") if 0 < number <= match.re.groups else hole[0]
            return (match[hole[4]] or "") if hole[4] in match.re.groupindex else hole[0]

        return _REPLACEMENT.sub(part, template)

    return pattern.sub(fill, text, count=0 if every else 1)
