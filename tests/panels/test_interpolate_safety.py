"""A value that is filled into SQL stays a value: whatever it holds, however it is formatted, wherever it stands.

Proved twice: PostgreSQL's own grammar reads the same statement with a harmless and with a hostile value in it, and a
real server gives the value back unchanged.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pglast.parser import ParseError, parse_sql_json, scan

from apps.panels.compose import build_statement
from apps.panels.document import read_dashboard
from apps.panels.formats import FORMAT_NAMES
from apps.panels.interpolate import InterpolationError, interpolate_sql
from apps.panels.interval import Interval
from apps.panels.timerange import TimeRange
from apps.panels.variables import Authored, Option, Selection

STATEMENTS = (
    "DROP TABLE treasure",
    "INSERT INTO treasure VALUES (2)",
    "DELETE FROM treasure",
    "SELECT pg_sleep(9)",
    "COMMIT",
    "OR 1=1",
    "UNION SELECT secret FROM treasure",
    "UNION ALL SELECT NULL::text",
)
OPENINGS = (
    "",
    "'",
    "''",
    "'''",
    "\\'",
    "\\\\'",
    "\\",
    '"',
    '""',
    "')",
    "'))",
    "');",
    "' ",
    "';",
    '";',
    "*/",
    "*/'",
    "\n",
    "\n'",
    "\r\n--\n'",
    "$$",
    "$$;",
    "$q$",
    "$q$)",
    "$text1$",
    "$",
    "]]",
    "}",
    ")",
    "%'",
    "_'",
    "{",
    "E'",
    "U&'",
    "\u2019",
    "\u02bc'",
    "\uff07",
    "\t'",
    "1;",
)
ENDINGS = ("", " --", " /*", " '", "; --", " $$")
ODD = (
    "x",
    "O'Hara",
    "back\\slash",
    "ends with \\",
    "a,b",
    "a|b",
    "100%",
    "under_score",
    "NULL",
    "null",
    "TRUE",
    "0",
    "-1",
    "1e9",
    "007",
    "0x1F",
    "1.5",
    "-0",
    "$v",
    "${v}",
    "[[v]]",
    "$__timeFilter(x)",
    "$__all",
    "/*",
    "*/",
    "--",
    "-- \n",
    "/* /*",
    ";",
    ",",
    "(",
    ")",
    "''||pg_sleep(9)||''",
    "' || (SELECT secret FROM treasure) || '",
    "current_user",
    "version()",
    "(SELECT 1)",
    "*",
    "a b",
    " ",
    "\n",
    "'\n'",
    "\\x27",
    "\\047",
    "\\u0027",
    "\u00a0",
    "\u200b",
    "😀'",
    "ÿ'",
    "e'\\'' OR 1=1 --",
    "select ''",
    "x" * 300,
    "'" * 31,
)
ATTACKS = [f"{a}{b}{c}" for a, b, c in itertools.product(OPENINGS, STATEMENTS[:3], ENDINGS[:3])]
ATTACKS += [f"{a} {b}{c}" for a, b, c in itertools.product(OPENINGS[1:20], STATEMENTS[3:], ENDINGS[3:])]
PAYLOADS = [*ODD, *ATTACKS]

FORMS = ["", *sorted(FORMAT_NAMES), "join:;", "join:'", "date:YYYY", "customqueryparam:a:b", "nosuchformat"]
USES = [
    "$v",
    "[[v]]",
    *(f"${{v:{form}}}" if form else "${v}" for form in FORMS),
    *(f"[[v:{form}]]" for form in ("csv", "raw", "regex")),
]

CODE = (
    "SELECT a FROM t WHERE b IN (HOLE)",
    "SELECT a FROM t WHERE b = HOLE",
    "SELECT a FROM t WHERE b=HOLE AND c>HOLE",
    "SELECT HOLE, 1",
    "SELECT a FROM t WHERE b ~ HOLE OR c LIKE HOLE || '%'",
    "SELECT ARRAY[HOLE]",
    "SELECT f(HOLE)",
    "SELECT 1 -HOLE+ 2",
    "SELECT 1/HOLE",
    "SELECT a FROM t WHERE ('HOLE' = '' OR b IN (HOLE))",
    "SELECT a FROM t WHERE b = ANY(ARRAY[HOLE]) LIMIT 5",
    "SELECT a -- HOLE\nFROM t",
    "SELECT a /* HOLE /* HOLE */ */ FROM t",
    "SELECT HOLE::text",
    "SELECT x.a FROM (SELECT HOLE AS a) x",
)
LITERALS = (
    "SELECT a FROM t WHERE b = 'HOLE'",
    "SELECT a FROM t WHERE b LIKE '%HOLE%'",
    "SELECT 'it''s HOLE''s'",
    "SELECT N'HOLE'",
    "SELECT E'\\n HOLE'",
    "SELECT E'it\\'s HOLE'",
    "SELECT $$HOLE$$",
    "SELECT $q$ 'HOLE' \"HOLE $q$",
    "SELECT a FROM t WHERE 'HOLE' = ''",
    "SELECT '/* HOLE'",
    "SELECT '-- HOLE' /* ' */",
    "SELECT $$ a $x$ HOLE$$ || 'HOLE'",
    "SELECT crosstab('SELECT a FROM t WHERE b = ''HOLE''')",
    "SELECT crosstab($$ SELECT a FROM t WHERE b = 'HOLE' AND c IN (HOLE) $$)",
)
NAMES = ('SELECT "HOLE" FROM t', 'SELECT t."aHOLE" AS "HOLE b" FROM t')
FAIL_CLOSED = (
    "SELECT X'HOLE'",
    "SELECT B'HOLE'",
    "SELECT U&'HOLE'",
    'SELECT U&"HOLE"',
    "SELECT E'\\HOLE'",
    "SELECT E'a'\nHOLE",
    "SELECT 'a'\n'HOLE'",
    "SELECT 'a' -- c\n HOLE",
    "SELECT HOLE\n'a'",
    "SELECT HOLE\nHOLE",
    "SELECT E'SELECT HOLE'",
)
GLUED = (
    "SELECT aHOLE",
    "SELECT EHOLE",
    "SELECT 'a'HOLE",
    "SELECT HOLE'a'",
    "SELECT HOLEHOLE",
    "SELECT 1HOLE",
    "SELECT xHOLEx",
    "SELECT U&HOLE",
    "SELECT bHOLE",
    'SELECT "a"HOLE',
    "SELECT $HOLE$",
    "SELECT $aHOLE$ $$",
    "SELECT -HOLE",
    "SELECT /HOLE*",
    "SELECT $1HOLE",
    "SELECT '\\'HOLE",
)


def _one(value: str) -> list[Selection]:
    """The ways in which one value can be chosen: of a single variable, of one with All, of a list."""
    option = (Option(value, value),)
    return [
        Selection("v", option),
        Selection("v", option, quotes=True),
        Selection("v", (*option, Option("b", "b")), is_list=True, quotes=True),
    ]


def _shape(sql: str, *, names: bool) -> str:
    """The statement as PostgreSQL's grammar reads it, without places and without what constants (and names) hold;
    empty when it is no statement."""
    try:
        tree: str = parse_sql_json(sql)
    except ParseError:
        return ""
    shape = _PLACE.sub("", _CONSTANT.sub("constant", tree))
    return _NAME.sub("name", shape) if names else shape


_STRING = r'"(?:[^"\\]|\\.)*"'
_CONSTANT = re.compile(rf'"A_Const":\{{(?:[^{{}}"]|{_STRING}|\{{(?:[^{{}}"]|{_STRING})*\}})*\}}')
_PLACE = re.compile(r',?"(?:stmt_len|\w*location|(?:rexpr_)?list_(?:start|end))":\d+')
_NAME = re.compile(rf'"String":\{{"sval":{_STRING}\}}|"name":{_STRING}')


def _inside_literals(sql: str) -> list[str]:
    """The queries that stand in the statement's literals."""
    found = re.findall(r'"sval":"(\s*SELECT a FROM(?:[^"\\]|\\.)*)"', parse_sql_json(sql))
    return [json.loads(f'"{text}"') for text in found]


def _shapes(sql: str, *, names: bool) -> list[str]:
    """The shape of a statement and of the queries in its literals."""
    outer = _shape(sql, names=names)
    return [outer, *(_shape(inner, names=names) for inner in _inside_literals(sql) if outer)] if outer else [""]


def _check(template: str, payloads: Sequence[str], use: str, *, names: bool) -> None:
    """With each of the payloads the template has the shape that it has with a harmless value."""
    sql = template.replace("HOLE", use)
    names = names or "doublequote" in use
    meant = [_shapes(interpolate_sql(sql, {"v": harmless}), names=names) for harmless in _one("x")]
    for payload in payloads:
        for shapes, hostile in zip(meant, _one(payload), strict=True):
            assert _shapes(interpolate_sql(sql, {"v": hostile}), names=names) == shapes, (template, use, payload)


def _some(payloads: Sequence[str], number: int, step: int) -> Sequence[str]:
    """Payloads so that all of them meet each context, and each format a good part."""
    return payloads[number % step :: step]


@pytest.mark.parametrize("template", CODE + LITERALS)
def test_the_statement_has_the_same_shape_with_every_value_in_every_format(template: str) -> None:
    for number, use in enumerate(USES):
        _check(template, [*_some(ODD, number, 6), *_some(ATTACKS, number, 24)], use, names=False)


@pytest.mark.parametrize("template", NAMES)
def test_a_value_in_a_quoted_identifier_stays_one_name(template: str) -> None:
    for number, use in enumerate(USES):
        _check(template, _some(PAYLOADS, number, 16), use, names=True)


@pytest.mark.parametrize("template", FAIL_CLOSED)
def test_where_a_value_cannot_be_kept_apart_no_statement_comes_out(template: str) -> None:
    for payload in PAYLOADS:
        if re.fullmatch(r"[0-9A-Fa-f]*", payload):  # digits may stand in a bit string
            continue
        for hostile in _one(payload):
            with contextlib.suppress(InterpolationError):
                filled = interpolate_sql(template.replace("HOLE", "$v"), {"v": hostile})
                assert not _shape(filled, names=False), (template, payload, filled)


@pytest.mark.parametrize("template", GLUED)
def test_a_value_that_touches_a_name_or_a_quote_never_becomes_part_of_it(template: str) -> None:
    for payload in PAYLOADS:
        sql = template.replace("HOLE", "${v}")
        with contextlib.suppress(InterpolationError):
            filled = interpolate_sql(sql, {"v": Selection.of("v", payload)})
            assert _words(filled) <= {*_words(sql.replace("${v}", " ")), "null"}, (template, payload, filled)


def _words(sql: str) -> set[str]:
    """What PostgreSQL's scanner takes for something else than a constant or a mark, comments too."""
    constants = {"SCONST", "ICONST", "FCONST"}
    return {
        sql[token.start : token.end + 1].lower()
        for token in scan(sql)
        if token.name not in constants and not (token.name.startswith("ASCII_") and token.name != "ASCII_59")
    }


SHIPPED = sorted((Path(__file__).parents[2] / "grafana_config" / "dashboards").rglob("*.json"))
DAY = TimeRange(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC), "", "")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_queries_of_the_dashboards_that_ship_keep_their_shape(path: Path) -> None:
    dashboard = read_dashboard(json.loads(path.read_text()))
    names = [variable.name for variable in dashboard.variables]
    queries = [target.raw_sql for panel in dashboard.panels for target in panel.targets]
    queries += [variable.query for variable in dashboard.variables if variable.kind == "query"]
    assert queries
    for number, query in enumerate(queries):

        def built(chosen: Selection, query: str = query) -> list[str]:
            sql = build_statement(query, dict.fromkeys(names, chosen), DAY, Interval(60_000, "1m")).sql
            return _shapes(sql, names=False)

        meant = [built(harmless) for harmless in _one("x")]
        assert [""] not in meant
        for payload in _some(PAYLOADS, number, 60):
            assert [built(hostile) for hostile in _one(payload)] == meant, (query, payload)


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30) | st.lists(
    st.sampled_from(
        [
            "'",
            '"',
            "\\",
            "$",
            "$$",
            "$q$",
            "--",
            "/*",
            "*/",
            "\n",
            ";",
            "%",
            ",",
            "{",
            "}",
            "E'",
            " OR 1=1",
            "a",
            "1",
            "-",
        ]
    )
).map("".join)


@pytest.fixture
def _treasure(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE treasure (secret text)")
        cursor.execute("INSERT INTO treasure VALUES ('gold')")
        cursor.execute(
            "CREATE FUNCTION pg_temp.run(query text) RETURNS text LANGUAGE plpgsql AS "
            "$$ DECLARE answer text; BEGIN EXECUTE query INTO answer; RETURN answer; END $$"
        )


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.execute("SELECT count(*), min(secret) FROM treasure")
        assert cursor.fetchone() == (1, "gold")
    return rows


@pytest.mark.usefixtures("_treasure")
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT)
def test_a_server_gives_a_single_value_back_as_it_was(value: str) -> None:
    chosen = {"v": Selection.of("v", value)}
    sql = (
        "SELECT ('$v'), ($v)::text, (${v:raw})::text, ${v:sqlstring}, ${v:singlequote}, E'${v:csv}', $q$${v:raw}$q$, "
        "N'[[v]]', $v || '', ('x' || $v), ('$v' = '${v}')::text -- $v\n/* $v */"
    )
    assert _rows(interpolate_sql(sql, chosen)) == [(value,) * 9 + (f"x{value}", "true")]


@pytest.mark.usefixtures("_treasure")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXT, max_size=4))
def test_a_server_gives_a_list_back_as_it_was(values: list[str]) -> None:
    options = tuple(Option(value, value) for value in values)
    chosen = {"v": Selection("v", options, is_list=True, quotes=True)}
    meant: list[str | None] = [*values] or [None]
    rows = _rows(interpolate_sql("SELECT unnest(ARRAY[$v]::text[]), '${v:csv}'", chosen))
    assert rows == [(value, ",".join(values)) for value in meant]
    for use in ("[[v]]", "${v:sqlstring}", "${v:singlequote}", "${v}"):
        assert [row[0] for row in _rows(interpolate_sql(f"SELECT unnest(ARRAY[{use}]::text[])", chosen))] == meant
    found = interpolate_sql(
        "SELECT h FROM (VALUES ('host'), ('other')) t(h) WHERE '${v:csv}' = '' OR h IN ($v)", chosen
    )
    assert len(_rows(found)) == (2 if ",".join(values) == "" else len({"host", "other"} & set(values)))


@pytest.mark.usefixtures("_treasure")
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT)
def test_a_query_in_a_literal_that_a_function_runs_keeps_the_value_too(value: str) -> None:
    chosen = {"v": Selection.of("v", value)}
    for sql in (
        "SELECT pg_temp.run($$ SELECT '$v' $$)",
        "SELECT pg_temp.run('SELECT ''$v'' ')",
        "SELECT pg_temp.run('WITH a AS (SELECT ($v)::text) TABLE a')",
        "SELECT pg_temp.run($q$ VALUES (E'${v:csv}' || $$$$) -- $v$q$)",
    ):
        assert _rows(interpolate_sql(sql, chosen)) == [(value,)]


def test_hundreds_of_payloads_are_tried() -> None:
    assert len(set(PAYLOADS)) > 500


def test_what_the_author_wrote_may_be_sql_only_when_it_leaves_nothing_open() -> None:
    for payload in PAYLOADS:
        written = Selection.of("v", payload, authored=Authored.SQL)
        try:
            filled = interpolate_sql("SELECT a FROM t WHERE b IN ($v) AND c = 'kept'", {"v": written})
        except InterpolationError:
            continue
        assert filled.endswith(") AND c = 'kept'")
        assert "--" not in re.sub(r"E?'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"|\$\$.*?\$\$", "", filled)
