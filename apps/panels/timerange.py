"""The time range of a dashboard: what people write (`now-6h`, `now-1d/d`, a date, epoch milliseconds) as two instants.

The grammar is that of Grafana's time picker: `now` or a date and `||`, then any number of `+1h`, `-2d` and `/d`. A
rounding goes to the start of its unit at the range's beginning and to its last millisecond at the end. Days, weeks,
months, quarters and years count in the viewer's time zone (a day may have 23 or 25 hours); hours and less are absolute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_STEP: Final = re.compile(r"([+-])(\d{0,10})(fQ|fy|[yMwdhmsQ])|/(fQ|fy|[yMwdhmsQ])", re.ASCII)
_EPOCH: Final = re.compile(r"-?\d{1,15}", re.ASCII)
_COMPACT: Final = re.compile(r"\d{8}(T\d{6})?", re.ASCII)
_MILLISECOND: Final = timedelta(milliseconds=1)
_ABSOLUTE: Final = {"h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_MONTHS: Final = {"M": 1, "Q": 3, "fQ": 3, "y": 12, "fy": 12}


class BadTimeError(ValueError):
    """A time cannot be understood. `parameter` names what held it (`from`, `to`, `timezone`, `timeFrom`, ...)."""

    def __init__(self, parameter: str, text: str) -> None:
        self.parameter = parameter
        super().__init__(text)


@dataclass(frozen=True)
class Calendar:
    """How days and years are counted: the time zone, the first day of the week (0 is Monday; Grafana's English default
    is Sunday), and the month that a fiscal year starts with (1 is January)."""

    zone: tzinfo = UTC
    week_start: int = 6
    fiscal_start: int = 1


@dataclass(frozen=True)
class TimeRange:
    """Two instants in UTC, start <= end, and the texts that they came from."""

    start: datetime
    end: datetime
    raw_from: str
    raw_to: str

    @property
    def is_relative(self) -> bool:
        """Whether the range moves with the clock."""
        return "now" in self.raw_from or "now" in self.raw_to

    @property
    def span_seconds(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds()

    @property
    def start_ms(self) -> int:
        """The start in milliseconds since 1970."""
        return epoch_ms(self.start)

    @property
    def end_ms(self) -> int:
        """The end in milliseconds since 1970."""
        return epoch_ms(self.end)


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since 1970, cut off downwards."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // _MILLISECOND


def zone_named(name: str, browser: str = "") -> tzinfo:
    """The time zone that a dashboard names: `utc`, `browser` or nothing (the viewer's, else UTC), or `Europe/Zurich`.

    Raises BadTimeError, parameter `timezone`.
    """
    wanted = browser if name in {"", "browser"} else name
    if wanted.lower() in {"", "utc", "browser"}:
        return UTC
    try:
        return ZoneInfo(wanted)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadTimeError(
            "timezone", f"{wanted[:60]!r} is no time zone; write one like Europe/Zurich, or utc"
        ) from None


def parse_range(
    from_: str, to: str, *, now: datetime, zone: tzinfo = UTC, calendar: Calendar | None = None
) -> TimeRange:
    """The range that two texts mean at the instant `now` for a viewer in `zone` (`calendar` says more and wins).

    Raises BadTimeError naming `from` or `to`, also when the range ends before it starts.
    """
    counted = calendar or Calendar(zone)
    start = parse_time(from_, now=now, calendar=counted, round_up=False, parameter="from")
    end = parse_time(to, now=now, calendar=counted, round_up=True, parameter="to")
    if start > end:
        raise BadTimeError("from", f"The range starts after it ends: from {from_[:40]} to {to[:40]}")
    return TimeRange(start, end, from_, to)


def parse_time(text: str, *, now: datetime, calendar: Calendar, round_up: bool, parameter: str) -> datetime:
    """The instant, in UTC, that a text means. `round_up` lets `/d` mean the unit's last millisecond.

    Raises BadTimeError naming `parameter`.
    """
    bare = re.sub(r"\s(?=[-+/|])|(?<=[-+/|])\s", "", text.strip())
    try:
        if bare.startswith("now"):
            return _moved(now, bare[3:], calendar, round_up)
        date, found, steps = bare.partition("||")
        instant = _fixed(date, calendar.zone)
        return _moved(instant, steps, calendar, round_up) if found else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadTimeError(
            parameter, f"{text[:60]!r} is no time; write it like now-6h, now/d, 2026-03-01 12:00 or epoch milliseconds"
        ) from None


def panel_range(
    time_range: TimeRange, time_from: str, time_shift: str, *, now: datetime, calendar: Calendar | None = None
) -> TimeRange:
    """The range of a panel with a time of its own: `time_from` (`2h`, `1d/d`; only where the dashboard's range is
    relative) replaces the range, `time_shift` (`1d`) then moves it back.

    Raises BadTimeError naming `timeFrom` or `timeShift`.
    """
    counted = calendar or Calendar()
    shown = time_range
    if time_from and time_range.is_relative:
        ahead = time_from.startswith("+")
        text = time_from if time_from.startswith("now") else f"now{time_from}" if ahead else f"now-{time_from}"
        raw_from, raw_to = ("now", text) if ahead else (text, "now")
        start = parse_time(raw_from, now=now, calendar=counted, round_up=False, parameter="timeFrom")
        end = parse_time(raw_to, now=now, calendar=counted, round_up=True, parameter="timeFrom")
        if start > end:
            raise BadTimeError("timeFrom", f"{time_from[:40]!r} ends before it starts")
        shown = TimeRange(start, end, raw_from, raw_to)
    if time_shift:
        try:
            start = _moved(shown.start, f"-{time_shift.strip()}", counted, round_up=False)
            end = _moved(shown.end, f"-{time_shift.strip()}", counted, round_up=True)
        except (ValueError, OverflowError):
            raise BadTimeError("timeShift", f"{time_shift[:40]!r} is no duration; write it like 1d") from None
        shown = TimeRange(start, end, str(epoch_ms(start)), str(epoch_ms(end)))
    return shown


def _fixed(text: str, zone: tzinfo) -> datetime:
    if _COMPACT.fullmatch(text):
        return datetime.strptime(text, "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d").replace(tzinfo=zone)
    if _EPOCH.fullmatch(text):
        return datetime(1970, 1, 1, tzinfo=UTC) + int(text) * _MILLISECOND
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)


def _moved(instant: datetime, steps: str, calendar: Calendar, round_up: bool) -> datetime:
    moved = instant.astimezone(UTC)
    position = 0
    while position < len(steps):
        step = _STEP.match(steps, position)
        if not step:
            raise ValueError(steps)
        sign, count, unit, rounded = step.groups()
        if rounded:
            start = _start(moved, rounded, calendar)
            moved = _added(start, 1, rounded, calendar) - _MILLISECOND if round_up else start
        else:
            moved = _added(moved, int(f"{sign}{count or 1}"), unit, calendar)
        position = step.end()
    return moved


def _added(instant: datetime, count: int, unit: str, calendar: Calendar) -> datetime:
    """`instant` and `count` units; the clock on the wall keeps its time over days and longer."""
    if unit in _ABSOLUTE:
        return instant + count * _ABSOLUTE[unit]
    wall = instant.astimezone(calendar.zone).replace(tzinfo=None)
    if unit in _MONTHS:
        year, month = divmod(wall.year * 12 + wall.month - 1 + count * _MONTHS[unit], 12)
        wall = wall.replace(year=year, month=month + 1, day=min(wall.day, _days_in(year, month + 1)))
    else:
        wall += timedelta(days=count * (7 if unit == "w" else 1))
    return wall.replace(tzinfo=calendar.zone).astimezone(UTC)


def _start(instant: datetime, unit: str, calendar: Calendar) -> datetime:
    local = instant.astimezone(calendar.zone)
    if unit in _ABSOLUTE:
        past = timedelta(microseconds=local.microsecond)
        past += timedelta(seconds=local.second) if unit in "mh" else timedelta()
        past += timedelta(minutes=local.minute) if unit == "h" else timedelta()
        return instant - past
    midnight = datetime(local.year, local.month, local.day)  # noqa: DTZ001 -- the zone comes last
    if unit == "w":
        midnight -= timedelta(days=(midnight.weekday() - calendar.week_start) % 7)
    elif unit != "d":
        first = calendar.fiscal_start if unit.startswith("f") else 1
        back = 0 if unit == "M" else (midnight.month - first) % _MONTHS[unit]
        year, month = divmod(midnight.year * 12 + midnight.month - 1 - back, 12)
        midnight = midnight.replace(year=year, month=month + 1, day=1)
    return midnight.replace(tzinfo=calendar.zone).astimezone(UTC)


def _days_in(year: int, month: int) -> int:
    following = datetime(year + month // 12, month % 12 + 1, 1)  # noqa: DTZ001 -- a calendar day only
    return (following - timedelta(days=1)).day
