"""Metrics for programs: the numbers of the dashboards that ship, by the very SQL of their panels.

A metric names a panel of a shipped dashboard and says what its columns are called in the API. The SQL comes from the
file, not from the registry, where somebody may have edited it: what programs read keeps its meaning. Whose rows are
counted is decided as for every panel, by the login that the query runs with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

from django.conf import settings

from apps.dashboards.bodies import parsed
from apps.panels.cache import keep_seconds, steady
from apps.panels.compose import build_statement
from apps.panels.document import Dashboard, read_dashboard
from apps.panels.interval import BadDurationError, Interval, calculate_interval, format_duration, parse_duration
from apps.panels.opening import LOWEST_INTERVAL
from apps.panels.run import Query, Result, Who, run
from apps.panels.timerange import Calendar, TimeRange, parse_range, zone_named
from apps.panels.variables import Option, Selection

ALL: Final = "(all)"
"""What the shipped dashboards' SQL takes for "whatever it is"."""
MOST_POINTS: Final = 10_000
"""The most intervals that a range may have."""
POINTS: Final = 100
"""About how many there are where the address does not say."""
SINCE: Final = "now-24h"


@dataclass(frozen=True)
class Metric:
    """A panel's query as a metric. `columns` maps the query's columns to the members of a row, in order; a metric whose
    first one is `time` goes by intervals. `filters` are the dashboard's variables that narrow it."""

    name: str
    about: str
    file: str
    panel: int
    columns: Mapping[str, str]
    filters: Sequence[str] = ("team", "host", "device")

    @property
    def by_interval(self) -> bool:
        """Whether a row stands for an interval."""
        return "time" in self.columns.values()


_OVERVIEW: Final = "virtualpytest-overview.json"
_HEALTH: Final = "system/system-health.json"

METRICS: Final = (
    Metric(
        "success-rate",
        "How many of the script runs that ended in an interval succeeded, in percent.",
        _OVERVIEW,
        9,
        {"time": "time", "Success rate": "success_rate"},
    ),
    Metric(
        "runs",
        "Script runs that started in an interval, by how they ended.",
        _OVERVIEW,
        7,
        {"time": "time", "Passed": "passed", "Failed": "failed", "Without an end": "without_end"},
    ),
    Metric(
        "durations",
        "How long script runs took that started in an interval, in milliseconds: mean, median and 95th percentile.",
        _OVERVIEW,
        10,
        {"time": "time", "Average": "mean_ms", "Median": "p50_ms", "95th percentile": "p95_ms"},
    ),
    Metric(
        "campaigns",
        "Each campaign's runs in the range: how many, how they ended, how long they took.",
        _OVERVIEW,
        14,
        {
            "Campaign": "campaign",
            "Runs": "runs",
            "Succeeded": "succeeded",
            "Failed": "failed",
            "Success rate": "success_rate",
            "Average time": "mean_ms",
            "Last start": "last_started_at",
        },
        ("team", "host", "device", "campaign"),
    ),
    Metric(
        "device-health",
        "Each device that reported within a day: whether it still does, and its latest measurements.",
        _HEALTH,
        11,
        {
            "Device": "device",
            "Model": "model",
            "Host": "host",
            "State": "state",
            "Last report": "last_report_seconds",
            "Capture": "capture",
            "Monitor": "monitor",
            "CPU": "cpu_percent",
            "Memory": "memory_percent",
            "Temperature": "cpu_temperature_celsius",
        },
    ),
    Metric(
        "alerts",
        "Alerts that began in an interval, by type, without those that were discarded.",
        _HEALTH,
        7,
        {"time": "time", "metric": "incident_type", "value": "count"},
    ),
)


class BadIntervalError(ValueError):
    """The interval cannot be."""


@dataclass(frozen=True)
class Asked:
    """What an address asks of a metric. `interval` is a duration such as `1h`, or empty; `values` are the chosen values
    of the filters."""

    from_: str = ""
    to: str = ""
    zone: str = ""
    interval: str = ""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A metric's rows, for the range and interval that they were asked with."""

    range: TimeRange
    interval: Interval
    rows: Sequence[Mapping[str, Any]]
    age_seconds: float
    notices: Sequence[str]


def read(metric: Metric, asked: Asked, who: Who, *, now: datetime, cancelled: Callable[[], bool] | None) -> Answer:
    """The metric as of `now`, for what `who` may see.

    Raises BadTimeError, BadIntervalError, and PanelError where the query fails or may not run.
    """
    zone = zone_named(asked.zone or "utc")
    calendar = Calendar(zone)
    time_range = parse_range(asked.from_ or SINCE, asked.to or "now", now=now, calendar=calendar)
    if time_range.is_relative:
        # Whoever asks in the same moments shares the answer.
        moment = datetime.fromtimestamp(steady(now.timestamp(), time_range.span_seconds), UTC)
        time_range = parse_range(asked.from_ or SINCE, asked.to or "now", now=moment, calendar=calendar)
    interval = _interval(asked.interval, time_range)
    sql = _sql(metric.file, metric.panel).replace("$__interval", interval.text)
    selections = {name: _selection(name, asked.values.get(name, ())) for name in ("team", "host", "device", "campaign")}
    statement = build_statement(sql, selections, time_range, interval, {}, zone=zone)
    query = Query(statement.sql, f"metrics/{metric.name}", keep_seconds(time_range.span_seconds))
    result = run(query, who=who, cancelled=cancelled)
    return Answer(time_range, interval, _rows(metric, result), result.age_seconds, result.notices)


def _interval(text: str, time_range: TimeRange) -> Interval:
    if not text:
        return calculate_interval(time_range, POINTS, LOWEST_INTERVAL)
    try:
        milliseconds = parse_duration(text)
    except BadDurationError as error:
        raise BadIntervalError(str(error)) from None
    if milliseconds < 1000:
        raise BadIntervalError("it is at least 1s")
    if time_range.span_seconds * 1000 / milliseconds > MOST_POINTS:
        raise BadIntervalError(f"the range has more than {MOST_POINTS} of them; take a longer one, or a shorter range")
    return Interval(milliseconds, format_duration(milliseconds))


def _selection(name: str, values: Sequence[str]) -> Selection:
    """The values as the dashboards' variables hold them: a list that is quoted value by value."""
    return Selection(name, tuple(Option(value, value) for value in values or (ALL,)), is_list=True, quotes=True)


def _rows(metric: Metric, result: Result) -> list[dict[str, Any]]:
    names = [metric.columns.get(column.name) for column in result.columns]
    return [
        {name: _plain(name, value) for name, value in zip(names, row, strict=True) if name is not None}
        for row in result.rows
    ]


def _plain(name: str, value: Any) -> Any:
    if name == "time" and isinstance(value, int | float | Decimal):
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(value))).isoformat()
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case float() if not math.isfinite(value):
            return None
    return value


@cache
def _sql(file: str, number: int) -> str:
    panel = _document(file).panel(number)
    assert panel is not None  # noqa: S101 -- a test looks at each
    return panel.targets[0].raw_sql


@cache
def _document(file: str) -> Dashboard:
    path = settings.ROOT / "grafana_config" / "dashboards" / file
    return read_dashboard(parsed(path.read_bytes()))
