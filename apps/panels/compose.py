"""From a panel's SQL, as its author wrote it, to the one statement that runs: comments, macros and variables, in the
order in which no value can become a macro or SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from urllib.parse import urlencode

from apps.panels.interpolate import Globals, InterpolationError, Template, fill, make_template, without_comments
from apps.panels.interval import Interval
from apps.panels.macros import Fill, expand_macros
from apps.panels.sqltext import SqlTextError, single_statement
from apps.panels.timerange import TimeRange
from apps.panels.variables import Selections


@dataclass(frozen=True)
class Statement:
    """One SQL statement without a final semicolon, and how its rows fill groups of time that have none."""

    sql: str
    fill: Fill | None = None


def build_statement(
    raw_sql: str,
    selections: Selections,
    time_range: TimeRange,
    interval: Interval,
    built_in: Globals | None = None,
    *,
    timescale: bool = False,
    zone: tzinfo = UTC,
) -> Statement:
    """The statement that `raw_sql` means for a selection, a range and an interval between points.

    Raises InterpolationError (also when there are several statements, none, or something is not closed) and MacroError.
    """
    template = without_comments(make_template(raw_sql, selections, built_in, zone=zone))
    expanded = expand_macros(template.text, time_range, interval, timescale=timescale, plain=template.plain)
    sql = fill(Template(expanded.sql, template.holes, zone))
    try:
        return Statement(single_statement(sql), expanded.fill)
    except SqlTextError as error:
        raise InterpolationError(str(error)) from None


def variable_query(
    raw_sql: str,
    selections: Selections,
    time_range: TimeRange,
    interval: Interval,
    built_in: Globals | None = None,
    *,
    typed: str = "",
) -> Statement:
    """The statement of a variable's query; `$__searchFilter` is what a person typed into its search, with `%` behind.

    Raises as `build_statement`.
    """
    return build_statement(
        raw_sql, selections, time_range, interval, {**(built_in or {}), "__searchFilter": f"{typed}%"}
    )


def globals_for(
    time_range: TimeRange, interval: Interval, *, dashboard: Globals, user: Globals, organisation: str, zone_name: str
) -> Globals:
    """The built-in variables of a dashboard: `dashboard` has uid and title, `user` id, login and email."""
    start, end = time_range.start_ms, time_range.end_ms
    return {
        "__from": start,
        "__to": end,
        "__interval": interval.text,
        "__interval_ms": int(interval.milliseconds),
        "__dashboard": {"": dashboard.get("title"), "name": dashboard.get("title"), **dashboard},
        "__org": {"": 1, "id": 1, "name": organisation},
        "__user": {"": user.get("id"), **user},
        "__timezone": zone_name,
        "__url_time_range": urlencode({"from": time_range.raw_from, "to": time_range.raw_to}),
    }
