"""The macros of Grafana's PostgreSQL data source (`$__timeFilter(column)` and the others), expanded in SQL text.

Names are case-sensitive and arguments hold no closing parenthesis, as there. The dashboard's variables must be marks by
then (`apps.panels.interpolate.make_template`), never values: what is in a value must not be expanded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from apps.panels.interval import BadDurationError, Interval, parse_duration
from apps.panels.timerange import TimeRange, epoch_ms

_CALL: Final = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)", re.ASCII)
_MINUTE: Final = Interval(60_000, "1m")


class MacroError(ValueError):
    """A macro is unknown or has wrong arguments."""


@dataclass(frozen=True)
class Fill:
    """How groups of time without rows are filled: with nulls, with the value before, or with `value`; `seconds` is
    the length of a group."""

    mode: Literal["null", "previous", "value"]
    seconds: float
    value: float | None = None


@dataclass(frozen=True)
class Expanded:
    """SQL without macros, and the fill mode that one of them asked for."""

    sql: str
    fill: Fill | None = None


def expand_macros(
    sql: str,
    time_range: TimeRange,
    interval: Interval = _MINUTE,
    *,
    timescale: bool = False,
    plain: Callable[[str], str] = str,
) -> Expanded:
    """`sql` with all macros expanded for the range and the interval between points. `timescale` groups by TimescaleDB's
    `time_bucket`; `plain` gives the value of an argument that holds a mark.

    Raises MacroError, also for `$word(` that is no macro.
    """
    for name, text in (
        ("$__interval_ms", _go_float(interval.milliseconds)),
        ("$__interval", interval.text),
        ("$__unixEpochFrom()", str(_seconds(time_range.start))),
        ("$__unixEpochTo()", str(_seconds(time_range.end))),
    ):
        sql = sql.replace(name, text)
    fills: list[Fill] = []

    def expanded(match: re.Match[str]) -> str:
        name = match[1]
        if name in {"__timeGroup", "__unixEpochGroup"}:
            first = sql.index(match.group()) + len(match.group())
            name += "Alias" if sql[first : first + 1] == "," else ""
        call = _Call(name, [part.strip(" ") for part in match[2].split(",")], time_range, timescale, plain, fills)
        macro = _MACROS.get(name)
        if macro is None:
            raise MacroError(f"Unknown macro ${match[1][:60]}")
        return macro(call)

    text = _CALL.sub(expanded, sql)
    return Expanded(text, fills[-1] if fills else None)


@dataclass(frozen=True)
class _Call:
    name: str
    arguments: list[str]
    time_range: TimeRange
    timescale: bool
    plain: Callable[[str], str]
    fills: list[Fill]

    @property
    def column(self) -> str:
        if not self.arguments[0]:
            raise MacroError(f"${self.name} needs a column")
        return self.arguments[0]

    def group_seconds(self) -> float:
        """The length of a group; notes the fill mode of a third argument."""
        if len(self.arguments) < 2:
            raise MacroError(f"${self.name} needs a column and an interval, and may have a fill value")
        try:
            seconds = parse_duration(self.plain(self.arguments[1]).replace("'", "")) / 1000
        except BadDurationError as error:
            raise MacroError(f"${self.name}: {error}") from None
        if seconds <= 0:
            raise MacroError(f"${self.name} needs an interval that is longer than nothing")
        if len(self.arguments) > 2:
            self.fills.append(_fill(self.plain(self.arguments[2]), seconds))
        return seconds


def _fill(text: str, seconds: float) -> Fill:
    if text == "NULL":
        return Fill("null", seconds)
    if text == "previous":
        return Fill("previous", seconds)
    try:
        return Fill("value", seconds, float(text))
    except ValueError:
        raise MacroError(f"Error parsing fill value {text[:40]!r}: write NULL, previous or a number") from None


def _rfc3339(instant: datetime) -> str:
    """UTC with as many decimals as it needs."""
    at = instant.astimezone(UTC)
    fraction = f".{at.microsecond:06}".rstrip("0") if at.microsecond else ""
    return f"{at.year:04}-{at:%m-%dT%H:%M:%S}{fraction}Z"


def _seconds(instant: datetime) -> int:
    return epoch_ms(instant) // 1000


def _nanoseconds(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def _go_float(number: float) -> str:
    """A number as Go prints it with `%v`: 300, 0.02, 1.0368e+06."""
    exact = Decimal(repr(float(number)))
    power = exact.adjusted()
    if -4 <= power < 6:
        return f"{exact.normalize():f}"
    digits = exact.scaleb(-power).normalize()
    return f"{digits:f}e{power:+03}"


def _time_filter(call: _Call) -> str:
    start, end = _rfc3339(call.time_range.start), _rfc3339(call.time_range.end)
    return f"{call.column} BETWEEN '{start}' AND '{end}'"


def _time_group(call: _Call) -> str:
    seconds = call.group_seconds()
    if call.timescale:
        return f"time_bucket('{seconds:.3f}s',{call.column})"
    length = _go_float(seconds)
    return f"floor(extract(epoch from {call.column})/{length})*{length}"


def _epoch_group(call: _Call) -> str:
    length = _go_float(call.group_seconds())
    return f"floor(({call.column})/{length})*{length}"


def _epoch_filter(unit: Callable[[datetime], int]) -> Callable[[_Call], str]:
    def macro(call: _Call) -> str:
        column, span = call.column, call.time_range
        return f"{column} >= {unit(span.start)} AND {column} <= {unit(span.end)}"

    return macro


_MACROS: Final[Mapping[str, Callable[[_Call], str]]] = {
    "__time": lambda call: f'{call.column} AS "time"',
    "__timeEpoch": lambda call: f'extract(epoch from {call.column}) as "time"',
    "__timeFilter": _time_filter,
    "__timeFrom": lambda call: f"'{_rfc3339(call.time_range.start)}'",
    "__timeTo": lambda call: f"'{_rfc3339(call.time_range.end)}'",
    "__timeGroup": _time_group,
    "__timeGroupAlias": lambda call: f'{_time_group(call)} AS "time"',
    "__unixEpochFilter": _epoch_filter(_seconds),
    "__unixEpochNanoFilter": _epoch_filter(_nanoseconds),
    "__unixEpochNanoFrom": lambda call: str(_nanoseconds(call.time_range.start)),
    "__unixEpochNanoTo": lambda call: str(_nanoseconds(call.time_range.end)),
    "__unixEpochGroup": _epoch_group,
    "__unixEpochGroupAlias": lambda call: f'{_epoch_group(call)} AS "time"',
}
MACRO_NAMES: Final = frozenset({*_MACROS, "__interval", "__interval_ms", "__unixEpochFrom", "__unixEpochTo"})
"""The macros that are known, without their dollar sign."""
