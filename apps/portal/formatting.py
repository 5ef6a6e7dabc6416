"""Durations, ages, numbers and instants as people read them. Pure functions: no Django, no clock of their own.

Numbers and units are set apart by a narrow no-break space (U+202F), so that neither wraps without the other. What is
unknown (`None`, not a number) is an em dash, never a zero.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

Number = int | float | Decimal

UNKNOWN = "—"
THIN = "\u202f"
MINUS = "\u2212"

_COMPACT_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BYTE_STEPS = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_LONG_STEPS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def duration(milliseconds: Number | None) -> str:
    """Milliseconds as at most two units: `340 ms`, `4.2 s`, `1 m 12 s`, `2 h 5 m`, `3 d 4 h`."""
    if milliseconds is None or not math.isfinite(milliseconds):
        return UNKNOWN
    value = float(milliseconds)
    sign = MINUS if value < 0 else ""
    value = abs(value)
    if round(value) < 1000:
        digits = 1 if 0 < value < 10 and not value.is_integer() else 0
        return f"{sign}{value:.{digits}f}{THIN}ms"
    if round(value / 1000, 1) < 10:
        return f"{sign}{value / 1000:.1f}{THIN}s"
    seconds = round(value / 1000)
    for position, (size, unit) in enumerate(_LONG_STEPS):
        if seconds < size:
            continue
        whole, rest = divmod(seconds, size)
        text = f"{sign}{whole}{THIN}{unit}"
        if position + 1 == len(_LONG_STEPS):
            return text
        smaller_size, smaller_unit = _LONG_STEPS[position + 1]
        smaller = rest // smaller_size
        return f"{text} {smaller}{THIN}{smaller_unit}" if smaller else text
    raise AssertionError("a duration of ten seconds and more has a unit")


def milliseconds(value: timedelta) -> float:
    """A timedelta as milliseconds."""
    return value / timedelta(milliseconds=1)


def age(then: datetime, now: datetime) -> str:
    """How long ago `then` is at `now` (both aware): `just now`, `42 s ago`, `5 min ago`, `3 h ago`, `in 2 d`.

    The page's script words it in the same way when it keeps the text fresh.
    """
    seconds = (now - then).total_seconds()
    distance = abs(seconds)
    if distance < 10:
        return "just now"
    if distance < 60:
        amount = f"{distance:.0f}{THIN}s"
    elif distance < 3_600:
        amount = f"{distance // 60:.0f}{THIN}min"
    elif distance < 48 * 3_600:
        amount = f"{distance // 3_600:.0f}{THIN}h"
    elif distance < 60 * 86_400:
        amount = f"{distance // 86_400:.0f}{THIN}d"
    else:
        amount = f"{distance // (30.44 * 86_400):.0f}{THIN}months"
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def instant(value: datetime, zone: tzinfo) -> str:
    """An aware instant in full with its zone: `23 Nov 2026, 14:05:12 UTC`."""
    local = value.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S %Z}"


def number(value: Number | None, decimals: int | None = None) -> str:
    """Thousands in groups: `12 480`, `3.75`. Without `decimals`, a fraction keeps three significant digits or fewer."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if decimals is None:
        decimals = 0 if value == int(value) else max(0, min(3, 2 - _magnitude(float(value))))
        text = f"{value:,.{decimals}f}"
        text = text.rstrip("0").rstrip(".") if decimals else text
    else:
        text = f"{value:,.{decimals}f}"
    return _signed(text.replace(",", THIN))


def compact(value: Number | None) -> str:
    """A large number in short: `980`, `12.5 k`, `3.2 M`."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    for size, letter in _COMPACT_STEPS:
        if abs(float(value)) >= size:
            return f"{number(float(value) / size)}{THIN}{letter}"
    return number(value)


def percent(ratio: Number | None, decimals: int = 1) -> str:
    """A ratio (0 to 1) as a percentage: `94.2 %`. Never rounded up to 100 nor down to 0 while something is missing."""
    if ratio is None or not math.isfinite(ratio):
        return UNKNOWN
    step = 10.0**-decimals
    value = float(ratio) * 100
    if 0 < value < 100:
        value = min(max(value, step), 100 - step)
    text = f"{value:.{decimals}f}"
    if decimals:
        text = text.rstrip("0").rstrip(".")
    return f"{_signed(text)}{THIN}%"


def points(difference: Number | None, decimals: int = 1) -> str:
    """A difference of two ratios as signed percentage points: `+1.5 pt`, `−3 pt`."""
    if difference is None or not math.isfinite(difference):
        return UNKNOWN
    text = f"{float(difference) * 100:+.{decimals}f}"
    if decimals:
        text = text.rstrip("0").rstrip(".")
    return f"{_signed('0' if text in {'+0', '-0'} else text)}{THIN}pt"


def file_size(count: Number | None) -> str:
    """Bytes in binary units: `512 B`, `3.4 MiB`."""
    if count is None or not math.isfinite(count):
        return UNKNOWN
    for size, unit in _BYTE_STEPS:
        if abs(float(count)) >= size:
            return f"{number(float(count) / size)}{THIN}{unit}"
    return f"{number(count)}{THIN}B"


def _magnitude(value: float) -> int:
    """The power of ten of the first digit."""
    return math.floor(math.log10(abs(value))) if value else 0


def _signed(text: str) -> str:
    return text.replace("-", MINUS)
