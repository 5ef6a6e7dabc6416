"""Texts as moments, by ISO 8601 or by the patterns that Grafana takes from moment.js."""

from __future__ import annotations

import datetime as dt
import functools
import re

from apps.panels.dates import MONTHS, NAMED_PATTERNS, TOKEN
from apps.panels.frames import epoch_ms

_EPOCH_TEXT = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")
_LOOKS = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d\d)",
    **dict.fromkeys(("MM", "M"), r"(?P<month>\d\d?)"),
    **dict.fromkeys(("MMMM", "MMM"), r"(?P<name>[a-z]{3,9})"),
    **dict.fromkeys(("DD", "D", "Do"), r"(?P<day>\d\d?)(?:st|nd|rd|th)?"),
    **dict.fromkeys(("dddd", "ddd", "dd"), r"[a-z]+"),
    **dict.fromkeys(("HH", "H", "hh", "h"), r"(?P<hour>\d\d?)"),
    **dict.fromkeys(("mm", "m"), r"(?P<minute>\d\d?)"),
    **dict.fromkeys(("ss", "s"), r"(?P<second>\d\d?)"),
    **{"S" * size: r"(?P<fraction>\d{1,9})" for size in range(1, 10)},
    **dict.fromkeys(("A", "a"), r"(?P<half>am|pm)"),
    **dict.fromkeys(("ZZ", "Z"), r"(?P<zone>Z|[+-]\d\d:?\d\d)"),
}
"""How the parts of a pattern look in a text."""


def parse_date(text: str, zone: dt.tzinfo = dt.UTC, pattern: str = "") -> float | None:
    """Epoch milliseconds of a date or time by a moment.js pattern, without one by ISO 8601; None for another text.

    It is in `zone` unless it names one itself. What follows the part that the pattern speaks of does not matter.
    """
    text = text.strip()
    if pattern in ("X", "x"):
        return float(text) * (1000 if pattern == "X" else 1) if _EPOCH_TEXT.fullmatch(text) else None
    try:
        moment = _by_pattern(text, pattern) if pattern else dt.datetime.fromisoformat(text)
    except (ValueError, re.error):
        return None
    return epoch_ms(moment if moment.tzinfo else moment.replace(tzinfo=zone))


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Raises re.error for a pattern that names a part twice."""
    pattern = NAMED_PATTERNS.get(pattern, pattern)
    parts = []
    place = 0
    for hole in TOKEN.finditer(pattern):
        literal = hole[1] if hole[0].startswith("[") else hole[0]
        parts += [re.escape(pattern[place : hole.start()]), _LOOKS.get(hole[0]) or re.escape(literal)]
        place = hole.end()
    return re.compile("".join(parts) + re.escape(pattern[place:]), re.IGNORECASE | re.ASCII)


def _by_pattern(text: str, pattern: str) -> dt.datetime:
    """Raises ValueError for another text, or where there is no year."""
    found = _compiled(pattern).match(text)
    if not found:
        raise ValueError(text)
    part = {name: value for name, value in found.groupdict().items() if value is not None}
    if "short_year" in part:
        # As moment.js: up to 68 it is this century.
        part["year"] = ("20" if int(part["short_year"]) <= 68 else "19") + part["short_year"]
    if "year" not in part:
        raise ValueError(text)
    hour = int(part.get("hour", 0))
    if "half" in part:
        hour = hour % 12 + (12 if part["half"].lower() == "pm" else 0)
    return dt.datetime(
        int(part["year"]),
        _month(part["name"]) if "name" in part else int(part.get("month", 1)),
        int(part.get("day", 1)),
        hour,
        int(part.get("minute", 0)),
        int(part.get("second", 0)),
        int(part.get("fraction", "").ljust(6, "0")[:6]),
        _zone(part["zone"]) if "zone" in part else None,
    )


def _month(name: str) -> int:
    starts = [month[:3].lower() for month in MONTHS]
    return starts.index(name[:3].lower()) + 1


def _zone(text: str) -> dt.tzinfo:
    if text.upper() == "Z":
        return dt.UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return dt.timezone(dt.timedelta(minutes=-minutes if text[0] == "-" else minutes))
