"""Durations as dashboards write them (`30s`, `1d`, `1h30m`), and the interval between two points of a series.

The steps are those of Grafana's front end: what a panel asks for depends on its range and on how many points it shows.
A month is 30 days and a year 365, as in Grafana's table of intervals.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from apps.panels.timerange import TimeRange

DEFAULT_POINTS: Final = 500
"""How many points a panel has when neither it nor the page says so."""

_UNITS: Final = {
    "ns": 1e-6,
    "us": 1e-3,
    "µs": 1e-3,
    "μs": 1e-3,
    "ms": 1.0,
    "s": 1e3,
    "m": 60e3,
    "h": 3600e3,
    "d": 86400e3,
    "w": 7 * 86400e3,
    "M": 30 * 86400e3,
    "y": 365 * 86400e3,
}
_DURATION: Final = re.compile(r"(?:(\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})(ns|us|µs|μs|ms|[smhdwMy]))", re.ASCII)
_LONGEST: Final = 1000 * _UNITS["y"]

_DAY: Final = 86_400_000
_STEPS: Final = (
    (10, 1),
    (15, 10),
    (35, 20),
    (75, 50),
    (150, 100),
    (350, 200),
    (750, 500),
    (1_500, 1_000),
    (3_500, 2_000),
    (7_500, 5_000),
    (12_500, 10_000),
    (17_500, 15_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (_DAY, _DAY // 2),
    (7 * _DAY, _DAY),
    (21 * _DAY, 7 * _DAY),
    (42 * _DAY, 30 * _DAY),
)
"""(exclusive upper bound, interval), both in milliseconds."""


class BadDurationError(ValueError):
    """A text is no duration."""


@dataclass(frozen=True)
class Interval:
    """The time between two points: milliseconds, and the text that `$__interval` becomes (`1m`)."""

    milliseconds: float
    text: str


def parse_duration(text: str) -> float:
    """Milliseconds of `5m`, `1h30m`, `1.5s`, `20ms`, `12d`; a bare number is seconds; a leading `<` or `>` is ignored.

    Raises BadDurationError.
    """
    bare = text.strip().lstrip("<>").strip()
    if re.fullmatch(r"\d{1,15}(?:\.\d{1,15})?", bare, re.ASCII):
        bare += "s"
    parts = _DURATION.findall(bare)
    if not parts or "".join(map("".join, parts)) != bare:
        raise BadDurationError(f"{text[:40]!r} is no duration; write it like 30s, 5m, 1h or 1d")
    milliseconds: float = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if milliseconds > _LONGEST:
        raise BadDurationError(f"{text[:40]!r} is longer than 1000 years")
    return milliseconds


def format_duration(milliseconds: float) -> str:
    """The duration in its largest whole unit, cut off: 61 s is `1m`, 367 days are `1y`."""
    for unit in ("y", "d", "h", "m", "s"):
        if milliseconds >= _UNITS[unit]:
            return f"{int(milliseconds // _UNITS[unit])}{unit}"
    return f"{max(1, int(milliseconds))}ms"


def round_interval(milliseconds: float) -> int:
    """The interval, in milliseconds, that stands for a distance between points: the first step that it lies below."""
    for bound, interval in _STEPS:
        if milliseconds < bound:
            return interval
    return int(_UNITS["y"])


def calculate_interval(time_range: TimeRange, max_data_points: int | None, minimum: str = "") -> Interval:
    """The interval of a panel that shows `max_data_points` of the range, at least `minimum` (a duration, may be empty).

    Raises BadDurationError for the minimum.
    """
    length = (time_range.end - time_range.start) / timedelta(milliseconds=1)
    points = max_data_points if max_data_points and max_data_points > 0 else DEFAULT_POINTS
    lowest = parse_duration(minimum) if minimum.strip() else 1.0
    milliseconds = max(float(round_interval(length / points)), lowest)
    if milliseconds.is_integer():
        milliseconds = math.floor(milliseconds)
    return Interval(milliseconds, format_duration(milliseconds))
