"""Variables in SQL become what Grafana makes of them, wherever that is safe; elsewhere what was meant."""

from __future__ import annotations

import pytest

from apps.panels.interpolate import InterpolationError, interpolate_sql
from apps.panels.variables import Authored, Option, Selection

HOSTS = Selection("v", (Option("a", "a"), Option("b'c", "b'c")), is_list=True, quotes=True)
ALL = Selection("v", HOSTS.chosen, is_all=True, is_list=True, quotes=True)
EMPTY = Selection("v", is_list=True, quotes=True)
ONE = Selection.of("v", "O'Hara")
NUMBER = Selection.of("v", "42")


@pytest.mark.parametrize(
    ("sql", "chosen", "expected"),
    [
        ("h IN ($v)", HOSTS, "h IN ('a','b''c')"),
        ("h IN (${v:csv})", HOSTS, "h IN ('a','b''c')"),
        ("h IN ([[v]])", ALL, "h IN ('a','b''c')"),
        ("h IN (${v:sqlstring})", HOSTS, "h IN ('a','b''c')"),
        ("h IN (${v:singlequote})", HOSTS, "h IN ('a','b''c')"),
        ("h IN ($v)", EMPTY, "h IN (NULL)"),
        ("h IN (${v:sqlstring})", EMPTY, "h IN (NULL)"),
        ("'${v:csv}' = '' OR h IN ($v)", EMPTY, "'' = '' OR h IN (NULL)"),
        ("'${v:csv}' = '' OR h IN ($v)", HOSTS, "'a,b''c' = '' OR h IN ('a','b''c')"),
        ("h = '$v'", ONE, "h = 'O''Hara'"),
        ("h = $v", ONE, "h = 'O''Hara'"),
        ("h LIKE '%${v}%'", ONE, "h LIKE '%O''Hara%'"),
        ("h ~ '${v:regex}'", HOSTS, "h ~ '(a|b''c)'"),
        ("h ~ ${v:regex}", HOSTS, "h ~ '(a|b''c)'"),
        ("LIMIT $v", NUMBER, "LIMIT 42"),
        ("n > -$v", NUMBER, "n > - 42"),
        ("id = $v", Selection("v", NUMBER.chosen, quotes=True), "id = '42'"),
        ("n = $v", Selection.of("v", "-7"), "n = (-7)"),
        ("h = $v", Selection.of("v", "a\\b"), "h = E'a\\\\b'"),
        ('"$v"', Selection.of("v", 'a"b'), '"a""b"'),
        ("${v:doublequote}", HOSTS, '"a","b\'c"'),
        ("$$x $v$$", Selection.of("v", "$$"), "$text1$x $$$text1$"),
        ("h = $v -- $v", ONE, "h = 'O''Hara' "),
        ("h = $other AND $1", ONE, "h = $other AND $1"),
    ],
)
def test_values_in_sql(sql: str, chosen: Selection, expected: str) -> None:
    assert interpolate_sql(sql, {"v": chosen}) == expected


@pytest.mark.parametrize(
    ("sql", "value", "authored", "expected"),
    [
        ("$v(n)", "max", Authored.WORD, "max(n)"),
        ("ORDER BY $v", "started_at DESC", Authored.WORD, "ORDER BY started_at DESC"),
        ("ORDER BY $v", "started_at; DROP TABLE t", Authored.WORD, "ORDER BY 'started_at; DROP TABLE t'"),
        ("ORDER BY $v", "pg_sleep(9)", Authored.WORD, "ORDER BY 'pg_sleep(9)'"),
        ("WHERE $v", "a = 1 AND b IN (2)", Authored.SQL, "WHERE a = 1 AND b IN (2)"),
        ("WHERE ($v)", "a) OR (b", Authored.SQL, "WHERE ('a) OR (b')"),
        ("FROM runs_$v", "2026", Authored.WORD, "FROM runs_2026"),
    ],
)
def test_what_the_author_wrote_may_be_more_than_a_value(
    sql: str, value: str, authored: Authored, expected: str
) -> None:
    assert interpolate_sql(sql, {"v": Selection.of("v", value, authored=authored)}) == expected


def test_a_custom_all_is_the_authors() -> None:
    custom = Selection("v", is_all=True, is_list=True, quotes=True, custom_all="SELECT name FROM hosts")
    assert interpolate_sql("h IN ($v)", {"v": custom}) == "h IN (SELECT name FROM hosts)"
    open_end = Selection("v", is_all=True, is_list=True, quotes=True, custom_all="'x') OR (1=1")
    assert interpolate_sql("h IN ($v)", {"v": open_end}) == "h IN ('''x'') OR (1=1')"


def test_what_cannot_be_filled_in_safely_names_the_variable() -> None:
    with pytest.raises(InterpolationError) as caught:
        interpolate_sql("SELECT U&'$v'", {"v": ONE})
    assert caught.value.variable == "v"
    with pytest.raises(InterpolationError, match="zero byte"):
        interpolate_sql("SELECT $v", {"v": Selection.of("v", "a\0b")})
    with pytest.raises(InterpolationError, match="never closed"):
        interpolate_sql("SELECT '$v", {"v": ONE})
