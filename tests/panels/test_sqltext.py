"""SQL is split where PostgreSQL's own scanner splits it (libpg_query carries that scanner)."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pglast.parser import ParseError, scan

from apps.panels.sqltext import (
    Kind,
    SqlTextError,
    quote_identifier,
    quote_literal,
    significant,
    single_statement,
    strip_comments,
    tokens,
)

PIECES = (
    "'",
    "''",
    '"',
    '""',
    "\\",
    "\\'",
    "--",
    "/*",
    "*/",
    "$$",
    "$a$",
    "$1",
    "$",
    "\n",
    "\r",
    " ",
    "\t",
    "E'",
    "e'",
    "B'",
    "X'",
    "N'",
    "U&'",
    'U&"',
    "u&",
    "a",
    "e",
    "x",
    "a$b",
    "_1",
    "1",
    "1.5",
    "1e",
    "0x1F",
    "+",
    "-",
    "*",
    "/",
    "=",
    "<",
    ";",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    ":",
    "::",
    "@",
    "|",
    "&",
    "SELECT",
    "FROM t",
    "'it''s'",
    "'a'\n'b'",
    "E'a'\n'\\''",
    "E'\\''",
    "/* /* */ */",
    "-- x\n",
)
OPAQUE = {
    "SCONST": Kind.STRING,
    "BCONST": Kind.BIT_STRING,
    "XCONST": Kind.BIT_STRING,
    "USCONST": Kind.UNICODE_STRING,
    "UIDENT": Kind.UNICODE_IDENTIFIER,
    "SQL_COMMENT": Kind.COMMENT,
    "C_COMMENT": Kind.COMMENT,
}
STRINGS = {Kind.STRING, Kind.ESCAPE_STRING, Kind.DOLLAR_STRING}


def _theirs(sql: str) -> list[tuple[int, int, str]]:
    """What PostgreSQL's scanner holds for no code: start, end (exclusive) and what it is."""
    found = []
    for token in scan(sql):
        text = sql[token.start : token.end + 1]
        if token.name in OPAQUE:
            found.append((token.start, token.end + 1, OPAQUE[token.name].value))
        elif text.startswith('"'):
            found.append((token.start, token.end + 1, Kind.IDENTIFIER.value))
    return found


def _ours(sql: str) -> list[tuple[int, int, str]]:
    found, position = [], 0
    for token in tokens(sql):
        kind = Kind.STRING if token.kind in STRINGS else token.kind
        if kind in {*OPAQUE.values(), Kind.IDENTIFIER}:
            found.append((position, position + len(token.text), kind.value))
        position += len(token.text)
    assert position == len(sql)
    return found


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_literals_identifiers_and_comments_are_where_postgresql_sees_them(sql: str) -> None:
    try:
        theirs = _theirs(sql)
    except ParseError as error:
        assume("unterminated" not in str(error))
        return
    assert _ours(sql) == [
        # N'..' is two tokens for PostgreSQL, the keyword and the literal
        (start - (sql[start - 1 : start] in {"N", "n"} and _is_alone(sql, start - 1)), end, kind)
        for start, end, kind in theirs
    ]


def _is_alone(sql: str, position: int) -> bool:
    return any(token.start == token.end == position for token in scan(sql))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
def test_what_postgresql_finds_unterminated_is_refused(sql: str) -> None:
    try:
        scan(sql)
    except ParseError as error:
        assume("unterminated" in str(error))
        with pytest.raises(SqlTextError):
            list(tokens(sql))


@pytest.mark.parametrize(
    ("sql", "stripped"),
    [
        ("SELECT 1 -- a comment", "SELECT 1 "),
        ("SELECT /* a comment */ 1", "SELECT  1"),
        ("SELECT/**/1", "SELECT 1"),
        ("SELECT 1--x\n+ 2", "SELECT 1\n+ 2"),
        ("a/* /* b */ */c", "a c"),
        ("SELECT '-- no', \"/* no */\", $$ -- no $$", "SELECT '-- no', \"/* no */\", $$ -- no $$"),
        ("1 /*app='grafana',source='bi'*/", "1 /*app='grafana',source='bi'*/"),
        ("1 /*app='$__interval'*/", "1 "),
    ],
)
def test_comments_are_stripped_and_nothing_else(sql: str, stripped: str) -> None:
    assert strip_comments(sql) == stripped


@pytest.mark.parametrize(
    "sql", ["SELECT 1; SELECT 2", "SELECT 1;;x", "a;/* */b", ";", " -- x", "", "SELECT $$;$$; $$", "SELECT E'\\';'; 1"]
)
def test_more_or_less_than_one_statement_is_refused(sql: str) -> None:
    with pytest.raises(SqlTextError):
        single_statement(sql)


def test_one_statement_loses_only_its_end() -> None:
    assert single_statement("SELECT ';', \";\" -- ;\n FROM t ; -- bye ;\n;\n") == "SELECT ';', \";\" -- ;\n FROM t"
    assert single_statement("SELECT 1; /*k='v'*/ ") == "SELECT 1 /*k='v'*/"


@pytest.mark.django_db
@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20))
def test_a_quoted_text_comes_back_whatever_the_server_makes_of_backslashes(text: str) -> None:
    with connection.cursor() as cursor:
        for setting in ("on", "off"):
            cursor.execute("SET LOCAL escape_string_warning = off")
            cursor.execute(f"SET LOCAL standard_conforming_strings = {setting}")
            cursor.execute(f"SELECT {quote_literal(text)}")
            assert cursor.fetchone() == (text,)


def test_a_quoted_identifier_is_one_token() -> None:
    assert [token.kind for token in significant(quote_identifier('a"; DROP TABLE t; --'))] == [Kind.IDENTIFIER]
