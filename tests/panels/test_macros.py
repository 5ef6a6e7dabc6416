"""The macros expand as those of Grafana's PostgreSQL data source."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.panels.compose import build_statement, globals_for, variable_query
from apps.panels.interpolate import InterpolationError
from apps.panels.interval import Interval
from apps.panels.macros import Fill, MacroError, expand_macros
from apps.panels.timerange import TimeRange
from apps.panels.variables import Authored, Selection

TEN_MINUTES = Interval(600_000, "10m")


def _range(start: str, end: str) -> TimeRange:
    return TimeRange(datetime.fromisoformat(start), datetime.fromisoformat(end), start, end)


RANGE = _range("2018-04-12T18:00:00Z", "2018-04-12T18:05:00Z")
GROUP = "floor(extract(epoch from time_column)/300)*300"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select $__time(time_column)", 'select time_column AS "time"'),
        ("select min($__time(time_column))", 'select min(time_column AS "time")'),
        ("select $__timeEpoch(time_column)", 'select extract(epoch from time_column) as "time"'),
        (
            "WHERE $__timeFilter(time_column)",
            "WHERE time_column BETWEEN '2018-04-12T18:00:00Z' AND '2018-04-12T18:05:00Z'",
        ),
        ("select $__timeFrom()", "select '2018-04-12T18:00:00Z'"),
        ("select $__timeTo()", "select '2018-04-12T18:05:00Z'"),
        ("SELECT $__timeGroup(time_column,'5m'), value", f'SELECT {GROUP} AS "time", value'),
        ("SELECT $__timeGroup(time_column,'5m') as time, value", f"SELECT {GROUP} as time, value"),
        ("SELECT $__timeGroup(time_column,'5m')", f"SELECT {GROUP}"),
        ("SELECT $__timeGroup(time_column , '5m')", f"SELECT {GROUP}"),
        ("SELECT $__timeGroupAlias(time_column,'5m')", f'SELECT {GROUP} AS "time"'),
        ("SELECT $__timeGroupAlias(time_column , '5m')", f'SELECT {GROUP} AS "time"'),
        ("select $__unixEpochFilter(time)", "select time >= 1523556000 AND time <= 1523556300"),
        ("select $__unixEpochFrom(), $__unixEpochTo()", "select 1523556000, 1523556300"),
        (
            "select $__unixEpochNanoFilter(time)",
            "select time >= 1523556000000000000 AND time <= 1523556300000000000",
        ),
        ("select $__unixEpochNanoFrom()", "select 1523556000000000000"),
        ("select $__unixEpochNanoTo()", "select 1523556300000000000"),
        (
            "SELECT $__unixEpochGroup(time_column+time_adjustment,'5m')",
            "SELECT floor((time_column+time_adjustment)/300)*300",
        ),
        (
            "SELECT $__unixEpochGroupAlias(time_column+time_adjustment,'5m')",
            'SELECT floor((time_column+time_adjustment)/300)*300 AS "time"',
        ),
        ("select $__interval ", "select 1m "),
        ("select $__interval_ms ", "select 60000 "),
        ("SELECT $__timeGroupAlias(time,$__interval)", 'SELECT floor(extract(epoch from time)/60)*60 AS "time"'),
        ("SELECT $__timeGroup(t,'20ms')", "SELECT floor(extract(epoch from t)/0.02)*0.02"),
        ("SELECT $__timeGroup(t,'12d')", "SELECT floor(extract(epoch from t)/1.0368e+06)*1.0368e+06"),
        ("$__timeGroup(a,'5m') x, $__timeGroup(a,'5m')", "floor(extract(epoch from a)/300)*300 x, "
         "floor(extract(epoch from a)/300)*300"),
    ],
)  # fmt: skip
def test_expansions(sql: str, expected: str) -> None:
    assert expand_macros(sql, RANGE).sql == expected


@pytest.mark.parametrize(("interval", "bucket"), [("5m", "300.000s"), ("12d", "1036800.000s"), ("20ms", "0.020s")])
def test_timescale_groups_by_its_own_function(interval: str, bucket: str) -> None:
    expanded = expand_macros(f"GROUP BY $__timeGroup(time_column,'{interval}')", RANGE, timescale=True)
    assert expanded.sql == f"GROUP BY time_bucket('{bucket}',time_column)"


@pytest.mark.parametrize("end", ["1965-02-03T08:00:00Z", "1980-02-03T08:00:00Z"])
def test_times_before_1970_are_negative_and_not_clamped(end: str) -> None:
    early = _range("1960-02-01T07:00:00Z", end)
    to = int(early.end.timestamp())
    assert expand_macros("$__timeFilter(t)", early).sql == f"t BETWEEN '1960-02-01T07:00:00Z' AND '{end}'"
    assert expand_macros("$__unixEpochFilter(t)", early).sql == f"t >= -312915600 AND t <= {to}"
    assert expand_macros("$__unixEpochNanoFilter(t)", early).sql == f"t >= -312915600000000000 AND t <= {to}000000000"


def test_fractions_of_a_second_are_kept_without_trailing_zeros() -> None:
    early = _range("1960-02-01T07:00:00.5Z", "1980-02-03T08:00:00.123456Z")
    expected = "t BETWEEN '1960-02-01T07:00:00.5Z' AND '1980-02-03T08:00:00.123456Z'"
    assert expand_macros("$__timeFilter(t)", early).sql == expected


@pytest.mark.parametrize(
    ("argument", "fill"),
    [
        ("NULL", Fill("null", 300)), ("previous", Fill("previous", 300)), ("0", Fill("value", 300, 0.0)),
        ("1.5", Fill("value", 300, 1.5)),
    ],
)  # fmt: skip
def test_the_third_argument_says_how_to_fill(argument: str, fill: Fill) -> None:
    for macro in ("__timeGroup", "__timeGroupAlias", "__unixEpochGroup", "__unixEpochGroupAlias"):
        assert expand_macros(f"SELECT ${macro}(t,'5m',{argument})", RANGE).fill == fill
    assert expand_macros("SELECT $__timeGroup(t,'5m')", RANGE).fill is None


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT $__timefilter(t)", r"Unknown macro \$__timefilter"),
        ("SELECT $nonsense(t)", r"Unknown macro \$nonsense"),
        ("SELECT $__timeFilter()", "needs a column"),
        ("SELECT $__timeGroup(t)", "needs a column and an interval"),
        ("SELECT $__timeGroup(t,'often')", "no duration"),
        ("SELECT $__timeGroup(t,'0s')", "longer than nothing"),
        ("SELECT $__timeGroup(t,'5m',none)", "Error parsing fill value"),
    ],
)
def test_wrong_macros_are_named(sql: str, says: str) -> None:
    with pytest.raises(MacroError, match=says):
        expand_macros(sql, RANGE)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT $__interval /*app='grafana',source='bi'*/", "SELECT 10m /*app='grafana',source='bi'*/"),
        ("SELECT 1 /*i='$__interval'*/", "SELECT 1"),
        ("SELECT 1 /*k='$__timeFilter(t'*/ WHERE (x = 1)", "SELECT 1  WHERE (x = 1)"),
        ("SELECT 1 -- a comment", "SELECT 1"),
        ("SELECT /* a comment */ 1", "SELECT  1"),
        ("SELECT $__timeFrom() -- $__nonsense(", "SELECT '2018-04-12T18:00:00Z'"),
        ("SELECT 1;  ; -- end", "SELECT 1"),
    ],
)
def test_comments_go_before_macros_are_expanded(sql: str, expected: str) -> None:
    assert build_statement(sql, {}, RANGE, TEN_MINUTES).sql == expected


def test_macros_take_variables_as_arguments_and_variables_may_be_function_names() -> None:
    chosen = {
        "every": Selection.of("every", "5m"),
        "agg": Selection.of("agg", "max", authored=Authored.WORD),
        "col": Selection.of("col", "started_at", authored=Authored.WORD),
    }
    statement = build_statement(
        "SELECT $__timeGroup($col, '$every', previous), $agg(x) FROM t WHERE $__timeFilter($col)",
        chosen,
        RANGE,
        TEN_MINUTES,
    )
    assert statement.sql == (
        'SELECT floor(extract(epoch from started_at)/300)*300 AS "time", max(x) FROM t '
        "WHERE started_at BETWEEN '2018-04-12T18:00:00Z' AND '2018-04-12T18:05:00Z'"
    )
    assert statement.fill == Fill("previous", 300)


def test_a_macro_in_a_value_is_not_expanded() -> None:
    chosen = {"v": Selection.of("v", "$__timeFrom() $__timeFilter(x) $other(y)")}
    statement = build_statement("SELECT '$v', $v", chosen, RANGE, TEN_MINUTES)
    literal = "'$__timeFrom() $__timeFilter(x) $other(y)'"
    assert statement.sql == f"SELECT {literal}, {literal}"


def test_a_value_that_is_no_interval_cannot_be_a_macros_argument() -> None:
    chosen = {"v": Selection.of("v", "1m') OR 1=1 --")}
    with pytest.raises(MacroError, match="no duration"):
        build_statement("SELECT $__timeGroup(t, '$v')", chosen, RANGE, TEN_MINUTES)


def test_a_panel_runs_one_statement() -> None:
    for sql in ("SELECT 1; SELECT 2", "SELECT ';'; SELECT 2", ";", "", "-- nothing"):
        with pytest.raises(InterpolationError):
            build_statement(sql, {}, RANGE, TEN_MINUTES)
    assert build_statement("SELECT ';' ; ", {}, RANGE, TEN_MINUTES).sql == "SELECT ';'"


def test_globals_and_the_search_of_a_variables_query() -> None:
    built_in = globals_for(
        RANGE, TEN_MINUTES, dashboard={"uid": "u1", "title": "Overview"}, user={"id": 7, "login": "o'hara"},
        organisation="Lab", zone_name="utc",
    )  # fmt: skip
    sql = (
        "SELECT $__from, ${__to:date:seconds}, '$__interval', $__interval_ms, '${__dashboard.uid}', "
        "'${__user.login}', $__user"
    )
    assert build_statement(sql, {}, RANGE, TEN_MINUTES, built_in).sql == (
        "SELECT 1523556000000, 1523556300, '10m', 600000, 'u1', 'o''hara', 7"
    )
    searched = variable_query("SELECT n FROM t WHERE n LIKE '$__searchFilter'", {}, RANGE, TEN_MINUTES, typed="a'b")
    assert searched.sql == "SELECT n FROM t WHERE n LIKE 'a''b%'"
