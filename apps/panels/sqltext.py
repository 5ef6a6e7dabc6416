"""SQL split into tokens the way PostgreSQL's own scanner does it (src/backend/parser/scan.l), whitespace included.

Enough to know, for every character, whether it is code or part of a literal, a quoted identifier or a comment:
`'..'` with doubled quotes, `E'..'` with backslashes, `B'..'`, `X'..'`, `N'..'`, `U&'..'`, `$tag$..$tag$`, `".."`,
`--` and nested `/* */`, and literals that go on after a line break. `standard_conforming_strings` must be on, as it is
by default.

`\\0` followed by a number and `\\0` marks a hole, a place where a value will come (`apps.panels.interpolate`); SQL can
hold no zero byte. A hole in a literal belongs to the literal's token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple


class Kind(Enum):
    """What a token is."""

    SPACE = "space"
    COMMENT = "comment"
    WORD = "word"
    NUMBER = "number"
    SYMBOL = "symbol"
    STRING = "string"
    ESCAPE_STRING = "escape string"
    BIT_STRING = "bit string"
    UNICODE_STRING = "unicode string"
    DOLLAR_STRING = "dollar string"
    IDENTIFIER = "quoted identifier"
    UNICODE_IDENTIFIER = "unicode identifier"
    HOLE = "hole"


class Token(NamedTuple):
    """A piece of SQL. The tokens of a text, joined, are the text."""

    kind: Kind
    text: str


class SqlTextError(ValueError):
    """A text is no complete SQL: something that was opened is not closed, or there are several statements."""


HOLE: Final = re.compile(r"\0(\d+)\0", re.ASCII)
"""The mark of a hole; its group is the hole's number."""

_LETTER: Final = r"A-Za-z_\x80-\U0010ffff"
_SCAN: Final = re.compile(
    r"(?P<SPACE>[ \t\n\r\f\v]+)"
    r"|(?P<HOLE>\0[0-9]+\0)"
    r"|(?P<COMMENT>--[^\n\r]*)"
    r"|(?P<block>/\*)"
    r"|(?P<STRING>[nN]?'(?:[^']++|'')*+')"
    r"|(?P<ESCAPE_STRING>[eE]'(?:[^'\\]++|\\.|'')*+')"
    r"|(?P<BIT_STRING>[bBxX]'[^']*+')"
    r"|(?P<UNICODE_STRING>[uU]&'(?:[^']++|'')*+')"
    r'|(?P<IDENTIFIER>"(?:[^"]++|"")*+")'
    r'|(?P<UNICODE_IDENTIFIER>[uU]&"(?:[^"]++|"")*+")'
    r"|(?P<quote>(?:[nNeEbBxX]|[uU]&)?'|(?:[uU]&)?\")"
    rf"|(?P<WORD>[{_LETTER}][{_LETTER}0-9$]*)"
    r"|(?P<NUMBER>[0-9]+)"
    rf"|(?P<dollar>\$(?:[{_LETTER}][{_LETTER}0-9]*)?\$)"
    r"|(?P<zero>\0)"
    r"|(?P<SYMBOL>.)",
    re.DOTALL,
)
"""One token, or the start of one (in small letters), at a position; the group's name is its kind."""
_KINDS: Final = {kind.name: kind for kind in Kind}
_CONTINUATION: Final = re.compile(
    r"(?:[ \t\f\v]|--[^\n\r\0]*+)*+[\n\r](?:[ \t\n\r\f\v]|--[^\n\r\0]*+[\n\r])*+'", re.DOTALL
)
_CONTINUED: Final = {
    Kind.STRING: re.compile(r"(?:[^']++|'')*+'"),
    Kind.ESCAPE_STRING: re.compile(r"(?:[^'\\]++|\\.|'')*+'", re.DOTALL),
    Kind.BIT_STRING: re.compile(r"[^']*+'"),
    Kind.UNICODE_STRING: re.compile(r"(?:[^']++|'')*+'"),
}
_COMMENTER: Final = re.compile(r"/\*\s*[\w.%-]+='[^'$\0]*'(?:\s*,\s*[\w.%-]+='[^'$\0]*')*\s*\*/")

_MOST_KEPT: Final = 10_000
"""The longest text, in characters, whose tokens are kept."""


def tokens(sql: str) -> Iterator[Token]:
    """The tokens of `sql` in order. Raises SqlTextError when a literal, an identifier or a comment is not closed."""
    return iter(_kept(sql) if len(sql) <= _MOST_KEPT else _scanned(sql))


@lru_cache(maxsize=128)
def _kept(sql: str) -> tuple[Token, ...]:
    # Each query is split several times on its way, and the same ones come again with every refresh.
    return _scanned(sql)


def _scanned(sql: str) -> tuple[Token, ...]:
    found: list[Token] = []
    position = 0
    while position < len(sql):
        match = _SCAN.match(sql, position)
        assert match is not None and match.lastgroup is not None  # noqa: S101, PT018 -- the last group takes anything
        kind = _KINDS.get(match.lastgroup)
        if kind is None:
            kind, end = _opened(sql, match)
        elif sql[match.end() - 1] == "'" and kind in _CONTINUED:
            end = _end_of_literal(sql, kind, match.end())
        else:
            end = match.end()
        found.append(Token(kind, sql[position:end]))
        position = end
    return tuple(found)


def significant(sql: str) -> list[Token]:
    """The tokens of `sql` but whitespace. Raises SqlTextError."""
    return [token for token in tokens(sql) if token.kind is not Kind.SPACE]


def strip_comments(sql: str) -> str:
    """`sql` without its comments, as newer Grafanas strip them before they expand macros. What remains means the same.

    A tracing comment (SQLCommenter, `/*key='value'*/`) stays unless it holds a macro or a variable.
    Raises SqlTextError.
    """
    kept: list[str] = []
    found = list(tokens(sql))
    for index, token in enumerate(found):
        if token.kind is not Kind.COMMENT or _COMMENTER.fullmatch(token.text):
            kept.append(token.text)
        elif not _is_gap(found, index - 1) and not _is_gap(found, index + 1):
            kept.append(" ")
    return "".join(kept)


def single_statement(sql: str) -> str:
    """`sql` without the semicolons, whitespace and line comments that end it.

    Raises SqlTextError when another statement follows a semicolon, when there is none at all, or for unclosed text.
    """
    parts = [token for token in significant(sql) if token.kind is not Kind.COMMENT]
    while parts and parts[-1].text == ";":
        parts.pop()
    if not parts:
        raise SqlTextError("The query is empty")
    if any(token.kind is Kind.SYMBOL and token.text == ";" for token in parts):
        raise SqlTextError("The query holds several statements; a panel runs one")
    kept = [token.text for token in tokens(sql) if token != Token(Kind.SYMBOL, ";")]
    while kept[-1].isspace() or kept[-1].startswith("--"):
        kept.pop()
    return "".join(kept)


def quote_literal(text: str) -> str:
    """A string literal that is `text`, whatever the server's `standard_conforming_strings` says."""
    doubled = text.replace("'", "''")
    if "\\" in doubled:
        escaped = doubled.replace("\\", "\\\\")
        return f"E'{escaped}'"
    return f"'{doubled}'"


def quote_identifier(text: str) -> str:
    """A quoted identifier that is `text`."""
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _is_gap(found: list[Token], index: int) -> bool:
    return not 0 <= index < len(found) or found[index].kind in {Kind.SPACE, Kind.COMMENT}


def _opened(sql: str, start: re.Match[str]) -> tuple[Kind, int]:
    """The kind and the end of a token of which `start` is only the first part."""
    if start.lastgroup == "block":
        return Kind.COMMENT, start.start() + len(_block_comment(sql, start.start()))
    if start.lastgroup == "dollar":
        end = sql.find(start.group(), start.end())
        if end >= 0:
            return Kind.DOLLAR_STRING, end + len(start.group())
        raise SqlTextError(f"{start.group()} at character {start.start() + 1} is never closed")
    if start.lastgroup == "quote":
        raise SqlTextError(f"A quote that opens at character {start.start() + 1} is never closed")
    raise SqlTextError("The query holds a zero byte")


def _end_of_literal(sql: str, kind: Kind, end: int) -> int:
    """Where a literal ends that may go on in quotes on a following line."""
    pattern = _CONTINUED[kind]
    while gap := _CONTINUATION.match(sql, end):
        rest = pattern.match(sql, gap.end())
        if not rest:
            raise SqlTextError(f"A quote that opens at character {gap.end()} is never closed")
        end = rest.end()
    return end


def _block_comment(sql: str, position: int) -> str:
    depth = 0
    for mark in re.finditer(r"/\*|\*/", sql[position:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return sql[position : position + mark.end()]
    raise SqlTextError(f"A comment that opens at character {position + 1} is never closed")
