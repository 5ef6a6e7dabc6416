"""Only the SQL of registered dashboards, with nothing but values filled in."""

from __future__ import annotations

import json
from typing import Any

import pglast
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pglast.stream import RawStream

from apps.grafana.sql_guard import Template, template_of
from apps.panels.document import read_dashboard
from apps.panels.variables import Variable

BODY: dict[str, Any] = {
    "title": "t",
    "uid": "t",
    "panels": [],
    "templating": {
        "list": [
            {"name": "host", "type": "query", "query": "SELECT 1", "multi": True, "includeAll": True},
            {"name": "device", "type": "query", "query": "SELECT 1"},
            {"name": "n", "type": "textbox", "query": "5"},
            {"name": "order", "type": "custom", "query": "name,started_at DESC,count(*)"},
            {"name": "every", "type": "interval", "query": "1m,5m,1h", "auto": True},
            {"name": "part", "type": "constant", "query": "team_id IS NOT NULL"},
            {"name": "all", "type": "query", "query": "SELECT 1", "includeAll": True, "allValue": "SELECT name FROM t"},
        ]
    },
}
VARIABLES: tuple[Variable, ...] = read_dashboard(BODY).variables


def template(sql: str) -> Template:
    return template_of(sql, VARIABLES)


GOOD = [
    ("SELECT 1", "SELECT 1"),
    ("SELECT $__timeFrom()", "SELECT $__timeFrom()"),
    ("SELECT * FROM t WHERE host IN ($host)", "SELECT * FROM t WHERE host IN ('a')"),
    ("SELECT * FROM t WHERE host IN ($host)", "SELECT * FROM t WHERE host IN ('a','b','O''Brien')"),
    ("SELECT * FROM t WHERE host IN (${host:sqlstring})", "SELECT * FROM t WHERE host IN ('a', 'b')"),
    ("SELECT * FROM t WHERE id IN ($host)", "SELECT * FROM t WHERE id IN (1,2,-3,4.5)"),
    ("SELECT * FROM t WHERE d = '$device'", "SELECT * FROM t WHERE d = 'O''Brien; DROP TABLE t --'"),
    ("SELECT * FROM t WHERE d = '[[device]]'", "SELECT * FROM t WHERE d = 'x'"),
    ("SELECT * FROM t WHERE d LIKE '%$device%_$n'", "SELECT * FROM t WHERE d LIKE '%a%_b'"),
    ("SELECT * FROM t LIMIT $n", "SELECT * FROM t LIMIT 10"),
    ("SELECT * FROM t WHERE x > $n", "SELECT * FROM t WHERE x > -10.5"),
    ("SELECT * FROM t ORDER BY $order", "SELECT * FROM t ORDER BY started_at DESC"),
    ('SELECT * FROM t ORDER BY "$order"', 'SELECT * FROM t ORDER BY "name"'),
    ("SELECT * FROM t WHERE $part", "SELECT * FROM t WHERE team_id IS NOT NULL"),
    ("SELECT * FROM t WHERE d IN ($all)", "SELECT * FROM t WHERE d IN (SELECT name FROM t)"),
    ("SELECT $__timeGroup(t,'$__interval')", "SELECT $__timeGroup(t,'1m')"),
    ("SELECT $__timeGroup(t,$__interval)", "SELECT $__timeGroup(t,30s)"),
    ("SELECT $__timeGroup(t,$__interval)", "SELECT $__timeGroup(t,$__interval)"),
    ("SELECT $__timeGroup(t,'$every') WHERE a='$device'", "SELECT $__timeGroup(t,'5m') WHERE a='x)'"),
    ("SELECT $__timeGroup(t,$every)", "SELECT $__timeGroup(t,2h)"),
    ("SELECT * FROM t WHERE x > $__from", "SELECT * FROM t WHERE x > 1700000000000"),
    ("SELECT * FROM t WHERE u = '${__user.login}'", "SELECT * FROM t WHERE u = 'vera@portal'"),
    ("SELECT * FROM t WHERE n LIKE '$__searchFilter'", "SELECT * FROM t WHERE n LIKE 'ab%'"),
    ("SELECT crosstab('SELECT a FROM t WHERE d = ''$device''')", "SELECT crosstab('SELECT a FROM t WHERE d = ''x''')"),
    ("SELECT crosstab($$SELECT a WHERE d = '$device'$$)", "SELECT crosstab($$SELECT a WHERE d = 'x'$$)"),
    ("SELECT 1 -- for $device", "SELECT 1 -- for me"),
    ("SELECT 1 /* $device */ + 1", "SELECT 1 /* me */ + 1"),
    ("SELECT E'a\\n$device'", "SELECT E'a\\n$device'"),
    ("SELECT $1, $unknown", "SELECT $1, $unknown"),
]


@pytest.mark.parametrize(("sql", "sent"), GOOD)
def test_what_grafanas_pages_make_of_a_query_goes_through(sql: str, sent: str) -> None:
    assert template(sql).matches(sent)


IN_CODE = "SELECT * FROM t WHERE host IN ($host)"
IN_TEXT = "SELECT * FROM t WHERE d = '$device'"
IN_CALL = "SELECT $__timeGroup(t,'$every') FROM t WHERE $__timeFilter(coalesce(t, '$device'))"
NESTED = "SELECT crosstab('SELECT a FROM t WHERE d = ''$device''')"
BAD = [
    # other text
    (IN_CODE, "SELECT * FROM pg_authid"),
    (IN_CODE, "SELECT * FROM u WHERE host IN ('a')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a') "),
    (IN_CODE, "SELECT  * FROM t WHERE host IN ('a')"),
    (IN_CODE, "select * FROM t WHERE host IN ('a')"),
    (IN_CODE, ""),
    # code in a hole
    (IN_CODE, "SELECT * FROM t WHERE host IN (SELECT passwd FROM pg_shadow)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a') OR true OR host IN ('a')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a') UNION SELECT * FROM (VALUES ('a'))"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a'||(SELECT 'x'))"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (host)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (NULL)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a'::text)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (CAST('a' AS regclass))"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (regclass 'a')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a',)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a' 'b')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (-'a')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (1-2)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (1e5)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ()"),
    (IN_CODE, 'SELECT * FROM t WHERE host IN ("host")'),
    (IN_CODE, "SELECT * FROM t WHERE host IN ((1))"),
    # comments
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a'/**/)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a'--\n)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a')--"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a' /*)*/ OR 1=1)"),
    (IN_CODE, "/* */SELECT * FROM t WHERE host IN ('a')"),
    # several statements
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a'); SELECT 1"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a');"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a'); SELECT * FROM t WHERE host IN ('a')"),
    # other kinds of literals
    (IN_CODE, "SELECT * FROM t WHERE host IN (E'a')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (E'\\' OR 1=1 --')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (U&'\\0061')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (U&'a' UESCAPE '!')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ($$a$$)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ($x$a$x$)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (B'1')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (X'1F')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (N'a')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a'\n'b')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('a)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('\\')"),
    # unicode that looks alike, and halves of characters
    (IN_CODE, "SELECT * FROM t WHERE host IN (\u2019a\u2019)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (\uff07a\uff07)"),
    (IN_CODE, "SELECT * FROM t WHERE host IN\u00a0('a')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('\ud800')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('\0')"),
    # out of a literal
    (IN_TEXT, "SELECT * FROM t WHERE d = 'a' OR 'b'='b'"),
    (IN_TEXT, "SELECT * FROM t WHERE d = 'a'||current_user||'b'"),
    (IN_TEXT, "SELECT * FROM t WHERE d = 'a' --'"),
    (IN_TEXT, "SELECT * FROM t WHERE d = E'a'"),
    (IN_TEXT, "SELECT * FROM t WHERE d = 'a\\'"),
    (IN_TEXT, "SELECT * FROM t WHERE d = 'a'\n'b'; --'"),
    # macros: Grafana expands them in the text, also inside literals
    (IN_TEXT, "SELECT * FROM t WHERE d = '$__timeFrom()'"),
    (IN_TEXT, "SELECT * FROM t WHERE d = '$__timeFilter( OR 1=1)'"),
    (IN_TEXT, "SELECT * FROM t WHERE d = '$__interval'"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ('$__timeFrom()')"),
    (IN_CODE, "SELECT * FROM t WHERE host IN ($__timeFrom())"),
    (IN_CODE, "SELECT * FROM t WHERE host IN (1m)"),
    (IN_CALL, "SELECT $__timeGroup(t,'1m)') FROM t WHERE $__timeFilter(coalesce(t, 'x'))"),
    (IN_CALL, "SELECT $__timeGroup(t,'1m'') OR (''') FROM t WHERE $__timeFilter(coalesce(t, 'x'))"),
    (IN_CALL, "SELECT $__timeGroup(t,'1m') FROM t WHERE $__timeFilter(coalesce(t, 'x) OR (1=1'))"),
    (IN_CALL, "SELECT $__timeGroup(t,'1m') FROM t WHERE $__timeFilter(coalesce(t, 'a,b'))"),
    # names
    ('SELECT "$device" FROM t', 'SELECT "password" FROM t'),
    ("SELECT * FROM t ORDER BY $order", "SELECT * FROM t ORDER BY password"),
    ("SELECT * FROM t ORDER BY $order", "SELECT * FROM t ORDER BY name, password"),
    ("SELECT * FROM results_$device", "SELECT * FROM results_secret"),
    ("SELECT * FROM $device", "SELECT * FROM secret"),
    ("SELECT a $n FROM t", "SELECT a -1 FROM t"),
    # queries in literals
    (NESTED, "SELECT crosstab('SELECT a FROM t WHERE d = ''x'' OR true')"),
    (NESTED, "SELECT crosstab('SELECT a FROM t WHERE d = '''' UNION SELECT b FROM u --''')"),
    ("SELECT f($$SELECT '$device'$$)", "SELECT f($$SELECT ''||pg_sleep(9)||''$$)"),
    ("SELECT f('select a where b = $n')", "SELECT f('select a where b = 1 or true')"),
    ("SELECT f('/* */ (select $device)')", "SELECT f('/* */ (select passwd from pg_shadow)')"),
    ("SELECT f(E'select \\'$device\\'')", "SELECT f(E'select \\'\\' or true --\\'')"),
    ("DO $$ BEGIN PERFORM '$device'; END $$", "DO $$ BEGIN PERFORM ''; PERFORM pg_sleep(9); END $$"),
    # comments of the template
    ("SELECT 1 -- for $device", "SELECT 1 -- for me\n, secret"),
    ("SELECT 1 /* $device */ + 1", "SELECT 1 /* me */ , secret /* */ + 1"),
    # a value that would become the name of a macro
    ("SELECT $$device(1)", "SELECT $__timeFrom(1)"),
]


@pytest.mark.parametrize(("sql", "sent"), BAD)
def test_what_is_anything_else_does_not(sql: str, sent: str) -> None:
    assert not template(sql).matches(sent)


SHAPES = [
    IN_CODE,
    IN_TEXT,
    NESTED,
    "SELECT a, $n FROM t WHERE d LIKE '%$device%' AND host IN ($host) LIMIT $n",
    "SELECT count(*) FROM t WHERE '(all)' IN ($host) OR host = ANY(ARRAY[$host]) -- $device",
]
SQL_PIECES = st.sampled_from(
    [
        "'", "''", "\\", "\\'", "--", "\n", "/*", "*/", ";", "$$", "$x$", "$__timeFrom()", " OR 1=1", ")", "(", ",",
        "E'", "U&'", "::text", "||", " UNION SELECT 1 ", "a", "1", "-", ".", " ", "\u2019", '"', "$host", "select ",
    ]
)  # fmt: skip
HOSTILE = st.lists(SQL_PIECES, max_size=6).map("".join)


PLACES = {"location", "stmt_len", "stmt_location", "rexpr_list_start", "rexpr_list_end", "list_start", "list_end"}


def shape(sql: str) -> object:
    """The parse tree with each constant made the same: what a value may not change."""
    statements = pglast.parse_sql(sql.replace("$__timeFrom()", "'2020'"))

    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            if node.get("@") == "A_Const":
                return "constant"
            return {key: plain(value) for key, value in node.items() if key not in PLACES}
        if isinstance(node, list | tuple):
            items = [plain(item) for item in node]
            # A list of values may be as long as it likes.
            return [item for index, item in enumerate(items) if item != "constant" or "constant" not in items[:index]]
        return node

    return plain([statement(skip_none=True) for statement in statements])


@given(sql=st.sampled_from(SHAPES), values=st.lists(HOSTILE, min_size=6, max_size=6), raw=st.booleans())
@example(sql=IN_TEXT, values=["' OR 'a'='a", "", "", "", "", ""], raw=True)
def test_whatever_goes_through_has_the_registered_shape(sql: str, values: list[str], raw: bool) -> None:
    one = template(sql)
    parts = iter(values)

    def fill(text: str) -> str:
        return text if raw else text.replace("'", "''")

    sent = one.marked
    for index, hole in enumerate(one.holes):
        value = fill(next(parts, ""))
        sent = sent.replace(f"\0{index}\0", value if hole.name != "host" or raw else f"'{value}'")
    if one.matches(sent):
        expected = shape(sql.replace("$host", "'x'").replace("$n", "1").replace("$device", "x"))
        assert shape(sent) == expected, json.dumps(sent)


@given(values=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="$\\\0")), min_size=1))
def test_every_value_that_grafana_quotes_goes_through(values: list[str]) -> None:
    quoted = ",".join("'" + value.replace("'", "''") + "'" for value in values)
    assert template(IN_CODE).matches(f"SELECT * FROM t WHERE host IN ({quoted})")
    inside = values[0].replace("'", "''")
    assert template(IN_TEXT).matches(f"SELECT * FROM t WHERE d = '{inside}'")


@given(sql=st.sampled_from(SHAPES), piece=SQL_PIECES, where=st.floats(0, 1))
def test_a_piece_put_anywhere_changes_no_shape(sql: str, piece: str, where: float) -> None:
    plain = sql.replace("$host", "'x'").replace("$n", "1").replace("$device", "x")
    at = int(where * len(plain))
    sent = plain[:at] + piece + plain[at:]
    if template(sql).matches(sent):
        assert shape(sent) == shape(plain)


def test_long_lists_are_compared_quickly() -> None:
    many = ",".join(f"'device {number}'" for number in range(5000))
    assert template(IN_CODE).matches(f"SELECT * FROM t WHERE host IN ({many})")
    assert not template(IN_CODE).matches(f"SELECT * FROM t WHERE host IN ({many},host)")


def test_the_printer_agrees_that_the_corpus_is_sql() -> None:
    """The evasions are worth refusing: most of them PostgreSQL would have run."""
    runnable = 0
    for _, sent in BAD:
        try:
            runnable += bool(RawStream()(sent))
        except (pglast.Error, UnicodeEncodeError, ValueError):
            continue
    assert runnable > len(BAD) / 2
