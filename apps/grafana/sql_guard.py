"""Whether SQL that somebody sends is that of a registered dashboard, with nothing but values filled in.

Grafana's pages fill the variables of a query in the browser and send the whole SQL, so its data source would run
anything. Here the registered text, with a hole for each variable, and the SQL that was sent are split into PostgreSQL's
tokens (`apps.panels.sqltext`) and compared token by token. All text must be equal; a hole takes

* in code: a number, string literals with commas between, a length of time for `$__interval`, or what the dashboard's
  author wrote as a choice of that variable;
* in a literal or a comment: any text that leaves it the one literal or comment that it is. A literal that is itself a
  query (`crosstab('SELECT ...')`), or holds quotes, is compared in the same way;
* in a quoted name: the author's choices.

No value holds a dollar sign, with which Grafana's macros begin: they are expanded in the text, also inside literals.
None holds a backslash, whose meaning hangs on the server. A value among a macro's arguments is plain words and digits.
Whatever is not clearly this is no match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from apps.panels.sqltext import HOLE, Kind, SqlTextError, Token, tokens
from apps.panels.variables import ALL, VARIABLE, Authored, Variable, static_options

GLOBALS: Final = frozenset(
    {
        "__from",
        "__to",
        "__interval",
        "__interval_ms",
        "__range",
        "__range_ms",
        "__range_s",
        "__rate_interval",
        "__dashboard",
        "__user",
        "__org",
        "__name",
        "__timezone",
        "__searchFilter",
    }
)
"""Grafana's own variables, which its pages fill in; the other names that begin so are macros."""
LONGEST: Final = 200_000
"""Characters of SQL that are looked at."""
DEEPEST: Final = 3
"""Queries in literals of queries in literals."""

_UNITS: Final = frozenset({"ms", "s", "m", "h", "d", "w", "M", "y"})
_SPANS: Final = frozenset({"__interval", "__range", "__rate_interval"})
_OPEN_CALL: Final = re.compile(r"\$[_a-zA-Z0-9]+\([^)]*")
_DOLLAR_BEFORE: Final = re.compile(r"\$[_a-zA-Z0-9]*\0\d+\0")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_ .:+-]*", re.ASCII)
_QUERY_WORDS: Final = frozenset(
    {"select", "values", "table", "explain", "with", "insert", "update", "delete", "merge", "do", "call", "execute"}
)
_BEFORE_MINUS: Final = frozenset({"(", ",", "=", "<", ">", "and", "or", "between", "then", "else", "when", "select"})
"""Tokens after which a minus is a sign and no operator."""
_TEXTS: Final = frozenset({Kind.STRING, Kind.ESCAPE_STRING, Kind.DOLLAR_STRING, Kind.COMMENT, Kind.IDENTIFIER})


@dataclass(frozen=True)
class Hole:
    """A place for a variable's value: as it is written, and the author's choices."""

    written: str
    name: str
    choices: tuple[str, ...] = ()
    is_span: bool = False
    """Whether it takes a length of time, such as 5m."""
    in_call: bool = False
    """Whether it stands among the arguments of a macro."""


@dataclass(frozen=True)
class Template:
    """A registered query. `sql` is its text as it stands in the dashboard."""

    sql: str
    marked: str = ""
    holes: tuple[Hole, ...] = ()
    _ends: tuple[str, str] = field(default=("", ""), compare=False)

    @cached_property
    def tokens(self) -> tuple[Token, ...] | None:
        """The tokens of the marked text; None where it is no complete SQL, which then matches only itself."""
        try:
            return tuple(tokens(self.marked))
        except SqlTextError:
            return None

    def matches(self, sent: str) -> bool:
        """Whether `sent` is this query with values in its holes, or just as it is written."""
        if sent == self.sql:
            return True
        start, end = self._ends
        if not self.holes or not sent.startswith(start) or not sent.endswith(end):
            return False
        if self.tokens is None or len(sent) > LONGEST or "\0" in sent:
            return False
        try:
            sent.encode()
            return _same(self.tokens, tuple(tokens(sent)), self.holes, 0)
        except (SqlTextError, UnicodeEncodeError):  # incomplete SQL, or halves of characters
            return False


def template_of(sql: str, variables: Iterable[Variable] = ()) -> Template:
    """The template of a query of a dashboard that has these variables."""
    if "\0" in sql:
        return Template(sql)
    declared = {variable.name: variable for variable in variables}
    holes: list[Hole] = []

    def mark(match: re.Match[str]) -> str:
        name = match["plain"] or match["square"] or match["brace"]
        variable = declared.get(name)
        if variable is not None:
            holes.append(Hole(match.group(), name, _choices(variable), variable.kind == "interval"))
        elif name in GLOBALS:
            holes.append(Hole(match.group(), name, is_span=name in _SPANS))
        else:
            return match.group()
        return f"\0{len(holes) - 1}\0"

    marked = VARIABLE.sub(mark, sql)
    if _DOLLAR_BEFORE.search(marked):  # a value could become the name of a macro: this text matches itself alone
        return Template(sql)
    inside = {int(hole[1]) for call in _OPEN_CALL.finditer(marked) for hole in HOLE.finditer(call.group())}
    placed = tuple(replace(one, in_call=index in inside) for index, one in enumerate(holes))
    start, _, _ = marked.partition("\0")
    _, _, end = marked.rpartition("\0")
    return Template(sql, marked, placed, (start, end))


def _choices(variable: Variable) -> tuple[str, ...]:
    """The texts that the author wrote for a variable: they may stand in SQL as they are."""
    written: list[str] = []
    if variable.authored is not Authored.NO:
        written += [option.value for option in static_options(variable)]
    if variable.include_all and variable.all_value:
        written.append(variable.all_value)
    return tuple(dict.fromkeys(text for text in written if text and text != ALL and "\0" not in text))


def _same(wanted: Sequence[Token], sent: Sequence[Token], holes: Sequence[Hole], depth: int) -> bool:
    """Whether `sent` is `wanted` with its holes filled: all ends that are possible are followed side by side."""
    ends = {0}
    for token in wanted:
        if token.kind is Kind.HOLE:
            hole = _hole(token, holes)
            ends = {end for start in ends for end in _filled(hole, sent, start)}
        else:
            ends = {start + 1 for start in ends if start < len(sent) and _agrees(token, sent[start], holes, depth)}
        if not ends:
            return False
    return len(sent) in ends


def _hole(token: Token, holes: Sequence[Hole]) -> Hole:
    return holes[int(token.text.strip("\0"))]


def _filled(hole: Hole, sent: Sequence[Token], start: int) -> Iterator[int]:
    """Where a hole in code can end that begins at `start`."""
    yield from _after_text(hole.written, sent, start)
    ends = set(_item(hole, sent, start))
    seen: set[int] = set()
    while ends - seen:
        end = (ends - seen).pop()
        seen.add(end)
        yield end
        if hole.in_call or end >= len(sent) or sent[end].text != ",":
            continue
        following = end + 1
        if following < len(sent) and sent[following].kind is Kind.SPACE:
            following += 1
        ends |= set(_item(hole, sent, following))


def _item(hole: Hole, sent: Sequence[Token], start: int) -> Iterator[int]:
    """Where one value can end."""
    for choice in hole.choices:
        yield from _after_text(choice, sent, start)
    if start >= len(sent):
        return
    first = sent[start]
    if first.kind is Kind.STRING:
        body = _body(first)
        if body is None or body[0] or not _is_value(body[1]):
            return
        if not hole.in_call or _PLAIN.fullmatch(body[1]):
            yield start + 1
        return
    if first == Token(Kind.SYMBOL, "-"):
        if _before(sent, start) not in _BEFORE_MINUS:
            return
        start += 1
    if start >= len(sent) or sent[start].kind is not Kind.NUMBER:
        return
    yield start + 1
    following = sent[start + 1 : start + 3]
    if len(following) == 2 and following[0].text == "." and following[1].kind is Kind.NUMBER:
        yield start + 3
    if following and following[0].text in _UNITS and hole.is_span:
        yield start + 2


def _before(sent: Sequence[Token], start: int) -> str:
    """The token before, in small letters; whitespace and comments do not count."""
    behind = (sent[index] for index in range(start - 1, -1, -1))
    return next((one.text.lower() for one in behind if one.kind not in {Kind.SPACE, Kind.COMMENT}), "(")


def _is_value(text: str) -> bool:
    return "$" not in text and "\\" not in text


def _after_text(text: str, sent: Sequence[Token], start: int) -> Iterator[int]:
    """The end of exactly this text, if it stands at `start`."""
    try:
        wanted = tuple(tokens(text))
    except SqlTextError:
        return
    if wanted and tuple(sent[start : start + len(wanted)]) == wanted:
        yield start + len(wanted)


def _agrees(wanted: Token, sent: Token, holes: Sequence[Hole], depth: int) -> bool:
    """Whether one token, which may have holes inside, is the other."""
    marks = list(HOLE.finditer(wanted.text))
    if not marks:
        return wanted == sent
    inside = [holes[int(mark[1])] for mark in marks]
    if wanted.kind is not sent.kind or wanted.kind not in _TEXTS:
        return False
    if sent.text == HOLE.sub(lambda mark: holes[int(mark[1])].written, wanted.text):
        return True
    if wanted.kind is Kind.IDENTIFIER:
        return _is_choice(wanted, sent, holes)
    if wanted.kind is Kind.DOLLAR_STRING or (wanted.kind is not Kind.COMMENT and _is_query(wanted)):
        return _nested(wanted, sent, holes, depth)
    pieces = HOLE.split(wanted.text)[::2]
    values = _between(pieces, sent.text)
    if values is None or not all(map(_is_value, values)):
        return False
    return not any(hole.in_call for hole in inside) or all(_PLAIN.fullmatch(value) for value in values)


def _is_choice(wanted: Token, sent: Token, holes: Sequence[Hole]) -> bool:
    """Whether a quoted name with one hole has one of the author's choices there."""
    marks = list(HOLE.finditer(wanted.text))
    if len(marks) != 1:
        return False
    choices = holes[int(marks[0][1])].choices
    before, _, after = HOLE.split(wanted.text)
    return any(sent.text == before + choice.replace('"', '""') + after for choice in choices)


def _is_query(token: Token) -> bool:
    """Whether something may run a literal's content: then its values must be values there too."""
    body = token.text[token.text.index("'") + 1 : -1]
    if "'" in body or "\\" in body:
        return True
    try:
        words = (one.text for one in tokens(body) if one.kind not in {Kind.SPACE, Kind.COMMENT} and one.text != "(")
        return next(words, "").lower() in _QUERY_WORDS
    except SqlTextError:
        return True


def _nested(wanted: Token, sent: Token, holes: Sequence[Hole], depth: int) -> bool:
    """Compare the texts inside two literals as SQL."""
    if depth >= DEEPEST or wanted.kind is Kind.ESCAPE_STRING:
        return False
    bodies = [_body(token) for token in (wanted, sent)]
    if bodies[0] is None or bodies[1] is None or bodies[0][0] != bodies[1][0]:
        return False
    try:
        inside = [tuple(tokens(body[1])) for body in bodies if body is not None]
    except SqlTextError:
        return False
    return _same(inside[0], inside[1], holes, depth + 1)


def _body(token: Token) -> tuple[str, str] | None:
    """How a literal is quoted, and its content; None where it goes on after a line break."""
    if token.kind is Kind.DOLLAR_STRING:
        tag = token.text[: token.text.index("$", 1) + 1]
        return tag, token.text[len(tag) : -len(tag)]
    start = token.text.index("'")
    body = token.text[start + 1 : -1]
    if re.search(r"(?<!')(?:'')*'(?!')", body):
        return None
    return token.text[:start], body.replace("''", "'")


def _between(pieces: Sequence[str], text: str) -> list[str] | None:
    """What stands between the pieces of a literal; None where they are not all there in this order.

    Where there are several ways to see it, each of them leaves the same one literal.
    """
    first, *middle, last = pieces
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return None
    rest = text[len(first) : len(text) - len(last)]
    values = []
    for piece in middle:
        value, found, rest = rest.partition(piece)
        if piece and not found:
            return None
        if not piece:
            value, rest = "", value + rest
        values.append(value)
    return [*values, rest]
