"""Dates and times as text, by the patterns that Grafana takes from moment.js."""

from __future__ import annotations

import datetime as dt
import functools
import math
import re
from collections.abc import Callable, Mapping

_Part = str | Callable[[dt.datetime], object]

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
TOKEN = re.compile(
    r"\[([^\]]*)\]|LTS|LT|L{1,4}|l{1,4}|YYYY|YY|Y|Qo|Q|MMMM|MMM|MM|Mo|M|DDDD|DDDo|DDD|DD|Do|D|dddd|ddd|dd|do|d|E|e"
    r"|GGGG|GG|WW|W|ww|w|HH|H|hh|h|kk|k|mm|m|ss|s|S{1,9}|ZZ|Z|zz|z|A|a|X|x"
)
_LOCAL = {
    "LT": "h:mm A",
    "LTS": "h:mm:ss A",
    "L": "MM/DD/YYYY",
    "LL": "MMMM D, YYYY",
    "LLL": "MMMM D, YYYY h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "l": "M/D/YYYY",
    "ll": "MMM D, YYYY",
    "lll": "MMM D, YYYY h:mm A",
    "llll": "ddd, MMM D, YYYY h:mm A",
}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NAMED_PATTERNS = {"iso": "YYYY-MM-DDTHH:mm:ss.SSSZ"}

FULL_DATE = "YYYY-MM-DD HH:mm:ss"
FULL_DATE_MS = "YYYY-MM-DD HH:mm:ss.SSS"


def to_datetime(epoch_ms: float, zone: dt.tzinfo = dt.UTC) -> dt.datetime | None:
    """The moment in a zone; None outside the years 1 to 9999."""
    try:
        return (_EPOCH + dt.timedelta(milliseconds=epoch_ms)).astimezone(zone)
    except (OverflowError, ValueError):
        return None


def format_date(epoch_ms: float, pattern: str = FULL_DATE, zone: dt.tzinfo = dt.UTC) -> str:
    """Epoch milliseconds by a moment.js pattern, English names; "Invalid date" outside the years 1 to 9999."""
    moment = to_datetime(epoch_ms, zone)
    if moment is None:
        return "Invalid date"
    return "".join([part if isinstance(part, str) else str(part(moment)) for part in _parts(pattern)])


@functools.lru_cache(maxsize=256)
def _parts(pattern: str) -> tuple[_Part, ...]:
    """A pattern taken apart: texts, and functions that write a part of a date."""
    pattern = NAMED_PATTERNS.get(pattern, pattern)
    parts: list[_Part] = []
    place = 0
    for hole in TOKEN.finditer(pattern):
        parts.append(pattern[place : hole.start()])
        place = hole.end()
        token = hole[0]
        if token.startswith("["):
            parts.append(hole[1])
        elif token in _LOCAL:
            parts += _parts(_LOCAL[token])
        elif token[0] == "S":
            parts.append(functools.partial(_fraction, digits=len(token)))
        else:
            parts.append(_PARTS[token])
    return (*parts, pattern[place:])


def _fraction(moment: dt.datetime, *, digits: int) -> str:
    return f"{moment.microsecond:06d}".ljust(9, "0")[:digits]


def time_ago(epoch_ms: float, now_ms: float) -> str:
    """ "3 hours ago", "in 2 days": moment.js's words and limits; "Invalid date" for what is no moment."""
    if not math.isfinite(epoch_ms):
        return "Invalid date"
    seconds = abs(now_ms - epoch_ms) / 1000
    words = _rough(seconds)
    return f"in {words}" if epoch_ms > now_ms else f"{words} ago"


def _rough(seconds: float) -> str:
    minutes, hours, days = round(seconds / 60), round(seconds / 3600), round(seconds / 86400)
    months, years = round(seconds / 86400 / 30.436875), round(seconds / 86400 / 365.2425)
    if round(seconds) < 45:
        return "a few seconds"
    for count, limit, unit in (
        (minutes, 45, "minute"),
        (hours, 22, "hour"),
        (days, 26, "day"),
        (months, 11, "month"),
    ):
        if count <= 1:
            return f"{'an' if unit == 'hour' else 'a'} {unit}"
        if count < limit:
            return f"{count} {unit}s"
    return "a year" if years <= 1 else f"{years} years"


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _offset(moment: dt.datetime, colon: str) -> str:
    minutes = round((moment.utcoffset() or dt.timedelta()).total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


def _week(moment: dt.datetime) -> int:
    """The week of the year that begins on Sunday and holds 1 January."""
    first = moment.replace(month=1, day=1)
    return (moment.timetuple().tm_yday - 1 + first.isoweekday() % 7) // 7 + 1


_PARTS: Mapping[str, Callable[[dt.datetime], object]] = {
    "YYYY": lambda m: f"{m.year:04d}",
    "YY": lambda m: f"{m.year % 100:02d}",
    "Y": lambda m: m.year,
    "Q": lambda m: (m.month + 2) // 3,
    "Qo": lambda m: _ordinal((m.month + 2) // 3),
    "MMMM": lambda m: MONTHS[m.month - 1],
    "MMM": lambda m: MONTHS[m.month - 1][:3],
    "MM": lambda m: f"{m.month:02d}",
    "Mo": lambda m: _ordinal(m.month),
    "M": lambda m: m.month,
    "DDDD": lambda m: f"{m.timetuple().tm_yday:03d}",
    "DDDo": lambda m: _ordinal(m.timetuple().tm_yday),
    "DDD": lambda m: m.timetuple().tm_yday,
    "DD": lambda m: f"{m.day:02d}",
    "Do": lambda m: _ordinal(m.day),
    "D": lambda m: m.day,
    "dddd": lambda m: _DAYS[m.isoweekday() % 7],
    "ddd": lambda m: _DAYS[m.isoweekday() % 7][:3],
    "dd": lambda m: _DAYS[m.isoweekday() % 7][:2],
    "do": lambda m: _ordinal(m.isoweekday() % 7),
    "d": lambda m: m.isoweekday() % 7,
    "e": lambda m: m.isoweekday() % 7,
    "E": lambda m: m.isoweekday(),
    "GGGG": lambda m: f"{m.isocalendar().year:04d}",
    "GG": lambda m: f"{m.isocalendar().year % 100:02d}",
    "WW": lambda m: f"{m.isocalendar().week:02d}",
    "W": lambda m: m.isocalendar().week,
    "ww": lambda m: f"{_week(m):02d}",
    "w": _week,
    "HH": lambda m: f"{m.hour:02d}",
    "H": lambda m: m.hour,
    "hh": lambda m: f"{m.hour % 12 or 12:02d}",
    "h": lambda m: m.hour % 12 or 12,
    "kk": lambda m: f"{m.hour or 24:02d}",
    "k": lambda m: m.hour or 24,
    "mm": lambda m: f"{m.minute:02d}",
    "m": lambda m: m.minute,
    "ss": lambda m: f"{m.second:02d}",
    "s": lambda m: m.second,
    "ZZ": lambda m: _offset(m, ""),
    "Z": lambda m: _offset(m, ":"),
    "zz": lambda m: m.tzname() or "",
    "z": lambda m: m.tzname() or "",
    "A": lambda m: "PM" if m.hour >= 12 else "AM",
    "a": lambda m: "pm" if m.hour >= 12 else "am",
    "X": lambda m: int(m.timestamp()),
    "x": lambda m: int(m.timestamp() * 1000),
}
