"""Which tables and columns a query names, found by its tokens alone: no database is asked.

It is a reading, not a parse: enough to warn before a query runs. The database has the last word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from apps.panels.sqltext import Kind, Token, significant

Catalogue: TypeAlias = Mapping[str, Collection[str]]
"""Table or view -> its columns."""

_RESERVED: Final = frozenset(
    word
    for line in (
        "all analyse analyze and any array as asc asymmetric between both by case cast collate column cross",
        "current_date current_role current_time current_timestamp current_user cube default desc distinct do",
        "else end escape except exists extract false fetch filter first following for from full group",
        "grouping groups having ilike in inner intersect interval into is isnull join last lateral leading",
        "left like limit localtime localtimestamp materialized natural not notnull null nulls offset on only",
        "or order ordinality outer over overlaps partition preceding range recursive right rollup row rows",
        "select session_user sets similar some symmetric table tablesample then ties to trailing true",
        "unbounded union unique user using values variadic when where window with within without zone at time",
        "precision varying epoch year month week day hour minute second milliseconds microseconds dow doy",
        "isodow isoyear quarter century decade millennium timezone date timestamp timestamptz",
    )
    for word in line.split()
)
_OF_TIME: Final = frozenset({"date", "day", "hour", "month", "week", "year", "time", "timestamp", "first", "last"})
_NOT_AN_ALIAS: Final = _RESERVED - _OF_TIME
_FROM_INSIDE: Final = frozenset({"extract", "substring", "trim", "overlay", "position"})
"""Functions whose arguments hold a FROM that names no table."""
_ENDS_FROM: Final = frozenset({
    ")", "where", "group", "having", "window", "order", "limit", "offset", "fetch", "for", "union", "intersect",
    "except",
})  # fmt: skip
_SYSTEM: Final = frozenset({"pg_catalog", "information_schema"})


@dataclass
class Names:
    """What a query names. `columns` are the bare names that nothing in the query itself explains."""

    tables: set[str] = field(default_factory=set)
    qualified: set[tuple[str, str]] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    aliases: dict[str, set[str]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    """Names that the query makes itself: of WITH, of subqueries, of results."""
    places: set[int] = field(default_factory=set)
    """Where among the tokens a source's name begins."""


def names_of(sql: str) -> Names:
    """The names in a query whose variables and macros may still stand in it. Raises SqlTextError."""
    parts = [token for token in significant(sql) if token.kind is not Kind.COMMENT]
    names = Names()
    _made(parts, names)
    _tables(parts, names)
    _columns(parts, names)
    return names


def missing(sql: str, catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """Tables and columns (`table.column`, or bare) that a query names and `catalogue` does not have, each sorted.

    Bare names are judged only where every table of the query is known. Raises SqlTextError.
    """
    names = names_of(sql)
    tables = sorted(names.tables - set(catalogue) - names.made)
    known = {table: set(catalogue[table]) for table in names.tables if table in catalogue}
    columns: set[str] = set()
    for owner, column in names.qualified:
        of = names.aliases.get(owner)
        if of and of <= known.keys() and not any(column in known[table] for table in of):
            columns.update(f"{table}.{column}" for table in of)
    if not tables and known:
        every = set().union(*known.values())
        columns |= names.columns - every - names.made - set(names.aliases) - set(known)
    return tables, sorted(columns)


def _word(token: Token | None) -> str:
    """The name that a token is, lower case unless quoted; empty when it is none."""
    if token is None:
        return ""
    if token.kind is Kind.WORD:
        return token.text.lower()
    if token.kind is Kind.IDENTIFIER:
        return token.text[1:-1].replace('""', '"')
    return ""


def _at(parts: Sequence[Token], index: int) -> Token | None:
    return parts[index] if 0 <= index < len(parts) else None


def _text(parts: Sequence[Token], index: int) -> str:
    token = _at(parts, index)
    return token.text.lower() if token else ""


def _closing(parts: Sequence[Token], index: int) -> int:
    """The index of the bracket that closes the one at `index`, or the end."""
    depth = 0
    for position in range(index, len(parts)):
        depth += (parts[position].text == "(") - (parts[position].text == ")")
        if depth == 0:
            return position
    return len(parts)


def _made(parts: Sequence[Token], names: Names) -> None:
    for index, token in enumerate(parts):
        name = _word(token)
        if not name or (token.kind is Kind.WORD and name in _NOT_AN_ALIAS):
            continue
        before, after = _text(parts, index - 1), index + 1
        if before == "as" and _text(parts, after) != "(":
            names.made.add(name)
            continue
        if _text(parts, after) == "(":
            end = _closing(parts, after)
            heads = before in {"with", "recursive", ","} and _text(parts, end + 1) == "as" and _opens(parts, end + 2)
            if heads or before in {"as", ")"}:
                names.made.add(name)
                names.made.update(_word(part) for part in parts[after + 1 : end])
        if _text(parts, after) == "as" and _opens(parts, after + 1):
            names.made.add(name)
        if _is_operand(parts, index - 1) and _text(parts, after) not in {".", "("}:
            names.made.add(name)
    names.made.discard("")


def _opens(parts: Sequence[Token], index: int) -> bool:
    """Whether the query of a WITH begins there."""
    while _text(parts, index) in {"not", "materialized"}:
        index += 1
    return _text(parts, index) == "("


def _is_operand(parts: Sequence[Token], index: int) -> bool:
    """Whether a value or a source ends there, so that a name right after it is an alias."""
    token = _at(parts, index)
    if token is None or token.kind is Kind.SYMBOL:
        return token is not None and token.text == ")"
    return token.kind is not Kind.WORD or token.text.lower() not in _NOT_AN_ALIAS or token.text.lower() == "end"


def _tables(parts: Sequence[Token], names: Names) -> None:
    inside: list[str] = []
    for index, token in enumerate(parts):
        if token.text == "(":
            inside.append(_text(parts, index - 1))
        elif token.text == ")" and inside:
            inside.pop()
        elif token.kind is Kind.WORD and token.text.lower() in {"from", "join"}:
            starts = token.text.lower() == "join" or (
                not (inside and inside[-1] in _FROM_INSIDE) and _text(parts, index - 1) != "distinct"
            )
            if starts:
                _sources(parts, index + 1, names)


def _sources(parts: Sequence[Token], index: int, names: Names) -> None:
    """The sources of a FROM or JOIN from `index` on, with their aliases."""
    while True:
        while _text(parts, index) in {"lateral", "only"}:
            index += 1
        table = ""
        if _text(parts, index) == "(":
            index = _closing(parts, index) + 1
        else:
            names.places.add(index)
            path = [_word(_at(parts, index))]
            index += 1
            while path[-1] and _text(parts, index) == ".":
                path.append(_word(_at(parts, index + 1)))
                index += 2
            if _text(parts, index) == "(":
                index = _closing(parts, index) + 1
            elif path[-1] and not (len(path) > 1 and path[-2] in _SYSTEM) and not path[-1].startswith("pg_"):
                table = path[-1]
        if table and table not in names.made:
            names.tables.add(table)
            names.aliases.setdefault(table, set()).add(table)
        if _text(parts, index) == "as":
            index += 1
        token = _at(parts, index)
        alias = _word(token)
        if alias and token is not None and (token.kind is Kind.IDENTIFIER or alias not in _NOT_AN_ALIAS):
            names.aliases.setdefault(alias, set()).add(table or alias)
            index += 1
            if _text(parts, index) == "(":
                index = _closing(parts, index) + 1
        index = _next_source(parts, index)
        if index == len(parts):
            return


def _next_source(parts: Sequence[Token], index: int) -> int:
    """Behind the comma that begins the FROM's next source, conditions of joins passed over; the end where none is."""
    while index < len(parts) and _text(parts, index) not in _ENDS_FROM:
        if _text(parts, index) == ",":
            return index + 1
        index = _closing(parts, index) + 1 if _text(parts, index) == "(" else index + 1
    return len(parts)


def _columns(parts: Sequence[Token], names: Names) -> None:
    for index, token in enumerate(parts):
        name = _word(token)
        before, after = _text(parts, index - 1), _text(parts, index + 1)
        if not name or (token.kind is Kind.WORD and name in _RESERVED):
            continue
        if after == ".":
            owned = _word(_at(parts, index + 2))
            if owned and index not in names.places and _text(parts, index + 3) not in {".", "("} and before != ".":
                names.qualified.add((name, owned))
            continue
        variable = before in {"$", "{"} or (before == ":" and _text(parts, index - 2) != ":")
        type_name = before == ":" or before == "::"
        if before == "." or variable or type_name or after == "(" or (before == "as" and token.kind is Kind.WORD):
            continue
        names.columns.add(name)
