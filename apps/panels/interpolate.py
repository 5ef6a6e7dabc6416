"""Variables filled into SQL and into other texts.

In SQL a value stays a value. The text is split into tokens first, so each hole knows where it stands, and what is
filled in is made to fit there:

* in code, a list becomes quoted literals, an empty list `NULL`, a number stays a number and any other value is a quoted
  literal, whatever format the author chose; only what the author wrote (`Authored`) may be a name or a piece of SQL;
* in a literal, a dollar-quoted text or a quoted identifier, the formatted text is escaped for just that, also where the
  literal is itself a query (`crosstab('SELECT ...')`);
* comments go, with the holes in them.

At last the result is split again and must have exactly the tokens that were meant; a template that would glue a value
to its neighbours fails closed. `docs/decisions/0006-panel-sql.md` has the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

from apps.panels.formats import FORMAT_NAMES, format_selection
from apps.panels.sqltext import (
    HOLE,
    Kind,
    SqlTextError,
    Token,
    quote_identifier,
    quote_literal,
    significant,
    strip_comments,
    tokens,
)
from apps.panels.variables import VARIABLE, Authored, Option, Selection, Selections

Global = str | int | float | None | Sequence[str] | Mapping[str, "Global"]
"""A built-in variable: a value, or its fields (`${__user.login}`); the field `""` is the value without a path."""
Globals = Mapping[str, Global]


class InterpolationError(ValueError):
    """A query in which a variable cannot be filled in safely. `variable` is its name, where one is at fault."""

    def __init__(self, text: str, variable: str = "") -> None:
        self.variable = variable
        super().__init__(text)


@dataclass(frozen=True)
class Hole:
    """A place for a value: what is chosen there, and the format with its arguments (empty: the default)."""

    selection: Selection
    form: str = ""
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Template:
    """SQL whose variables are marks (`apps.panels.sqltext.HOLE`), and what belongs there."""

    text: str
    holes: tuple[Hole, ...]
    zone: tzinfo = UTC

    def plain(self, text: str) -> str:
        """`text`, a part of the template, with the values as they are: for reading an argument, never for SQL."""
        return HOLE.sub(lambda mark: _formatted(self, mark), text)


_NUMBER: Final = re.compile(r"(?!-0(?:\.0*)?\Z)-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?", re.ASCII)
_NAME: Final = re.compile(
    r"\*|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\s+(?:asc|desc))?(?:\s+nulls\s+(?:first|last))?", re.ASCII | re.IGNORECASE
)
_PART_OF_A_WORD: Final = re.compile(r"[A-Za-z0-9_]+")
_WORD_END: Final = re.compile(r"[A-Za-z0-9_$\x80-\U0010ffff]")
_OPEN_BEFORE: Final = frozenset(" \t\n\r\f\v(,[=")
_OPEN_AFTER: Final = frozenset(" \t\n\r\f\v(),;]:")
_BRACKETS: Final = {")": "(", "]": "["}
_LIST_FORMATS: Final = frozenset({"", "csv", "raw", "sqlstring", "singlequote", "doublequote"})
_QUERY: Final = re.compile(
    r"""(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*
    (?:select\b|values\s*\(|table\s+[\w"\x00]|explain\b|with\s+(?:recursive\s+)?["\w\x00]+\s*(?:\(|as\b))""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_DEEPEST: Final = 4


def interpolate_sql(sql: str, selections: Selections, built_in: Globals | None = None, *, zone: tzinfo = UTC) -> str:
    """`sql` with its variables filled in, without comments. Unknown names stay as they are written.

    Macros are not expanded: `apps.panels.compose.build_statement` does both, in the order that is safe. Raises
    InterpolationError.
    """
    return fill(without_comments(make_template(sql, selections, built_in, zone=zone)))


def make_template(sql: str, selections: Selections, built_in: Globals | None = None, *, zone: tzinfo = UTC) -> Template:
    """`sql` with marks for those variables that `selections` or `built_in` know. Raises InterpolationError."""
    if "\0" in sql:
        raise InterpolationError("The query holds a zero byte")
    holes: list[Hole] = []

    def marked(match: re.Match[str]) -> str:
        hole = _hole(match, selections, built_in or {})
        if hole is None:
            return match.group()
        texts = (hole.selection.custom_all, hole.selection.text, *hole.selection.values)
        if any("\0" in text for text in texts):
            raise InterpolationError("A value holds a zero byte", hole.selection.name)
        holes.append(hole)
        return f"\0{len(holes) - 1}\0"

    return Template(VARIABLE.sub(marked, sql), tuple(holes), zone)


def without_comments(template: Template) -> Template:
    """The template without its comments. Raises InterpolationError when it is no complete SQL."""
    try:
        return Template(strip_comments(template.text), template.holes, template.zone)
    except SqlTextError as error:
        raise InterpolationError(str(error)) from None


def fill(template: Template) -> str:
    """The SQL of a template without comments, its values in place. Raises InterpolationError."""
    return _fill(template, depth=0)


def interpolate_text(
    text: str,
    selections: Selections,
    built_in: Globals | None = None,
    *,
    default: str = "glob",
    escape: Callable[[str], str] | None = None,
    zone: tzinfo = UTC,
) -> str:
    """A title, a link or Markdown with its variables filled in, each in the format that it names or in `default`
    (Grafana takes `text` for titles); `escape` is put on each filled in text. Unknown names stay as they are written.

    The result is text: what shows it must escape it, or pass `escape`.
    """

    def filled(match: re.Match[str]) -> str:
        hole = _hole(match, selections, built_in or {})
        if hole is None:
            return match.group()
        value = format_selection(hole.selection, hole.form or default, hole.arguments, zone)
        return escape(value) if escape else value

    return VARIABLE.sub(filled, text)


def names_in(text: str) -> frozenset[str]:
    """The names of all variables that a text uses, known or not (also `$1` and macros, which look the same)."""
    return frozenset(_name(match) for match in VARIABLE.finditer(text))


def _name(match: re.Match[str]) -> str:
    name: str = match["plain"] or match["square"] or match["brace"]
    return name


def _hole(match: re.Match[str], selections: Selections, built_in: Globals) -> Hole | None:
    name, path = _name(match), match["path"] or ""
    selection = selections.get(name)
    if selection is None and name in built_in:
        selection = _of_global(name, built_in[name], path)
    elif selection is not None and path in {"text", "value"}:
        selection = _field_of(selection, path)
    if selection is None:
        return None
    form, *arguments = (match["square_form"] or match["form"] or "").split(":")
    return Hole(selection, form, tuple(arguments))


def _field_of(selection: Selection, path: str) -> Selection:
    """`${name.text}`: the texts in place of the values."""
    if path == "value":
        return selection
    chosen = tuple(Option(option.text, option.text) for option in selection.chosen)
    return Selection(selection.name, chosen, selection.is_all, selection.is_list, selection.quotes)


def _of_global(name: str, value: Global, path: str) -> Selection | None:
    for step in re.findall(r"""\[["']?(.*?)["']?\]|([^.\[\]]+)""", path):
        if not isinstance(value, Mapping) or (key := step[0] or step[1]) not in value:
            return None
        value = value[key]
    if isinstance(value, Mapping):
        value = value.get("")
    if value is None:
        return Selection(name)
    values = [str(value)] if isinstance(value, str | int | float) else [str(each) for each in value]
    authored = Authored.SQL if name == "__interval" else Authored.NO
    several = len(values) > 1
    return Selection(name, tuple(Option(each, each) for each in values), False, several, several, "", authored)


def _formatted(template: Template, mark: re.Match[str]) -> str:
    """The text of a hole that stands in a literal. Nothing quotes by itself there: the literal's quotes do."""
    hole = template.holes[int(mark[1])]
    return format_selection(hole.selection, hole.form or "csv", hole.arguments, template.zone)


@dataclass
class _Output:
    """The SQL as it grows: pieces that must each come out of the scanner as the tokens that they are alone."""

    pieces: list[str] = field(default_factory=list)
    meant: list[list[Token] | None] = field(default_factory=list)
    """The tokens of each piece, where they are known."""
    glue: bool = False

    def add(self, text: str, token: Token | None = None) -> None:
        """Add a text, which is all of `token` or anything."""
        if self.glue:
            self.pieces[-1] += text
            self.meant[-1] = None
        else:
            self.pieces.append(text)
            self.meant.append(None if token is None else [] if token.kind is Kind.SPACE else [token])
        self.glue = False

    def checked(self) -> str:
        """The text, if splitting it gives the tokens of its pieces. Raises InterpolationError."""
        text = "".join(self.pieces)
        try:
            pairs = zip(self.pieces, self.meant, strict=True)
            meant = [token for piece, known in pairs for token in (significant(piece) if known is None else known)]
            if significant(text) == meant:
                return text
        except SqlTextError:
            pass
        raise InterpolationError(
            "A variable stands where its value would run into the text around it; put a space there"
        )


def _fill(template: Template, depth: int) -> str:
    if depth > _DEEPEST:
        raise InterpolationError("Queries in literals are nested too deeply")
    try:
        found = list(tokens(template.text))
    except SqlTextError as error:
        raise InterpolationError(str(error)) from None
    output = _Output()
    for index, token in enumerate(found):
        if token.kind is Kind.HOLE:
            before = found[index - 1].text[-1] if index else " "
            after = found[index + 1].text[0] if index + 1 < len(found) else " "
            _fill_code(template, token, before, after, output)
        elif HOLE.search(token.text) and token.kind is not Kind.COMMENT:
            output.add(_LITERALS[token.kind](template, token, depth))
        else:
            output.add(token.text, token)
    return output.checked()


def _fill_code(template: Template, token: Token, before: str, after: str, output: _Output) -> None:
    hole = template.holes[int(token.text.strip("\0"))]
    parts = _code(hole, template.zone)
    starts_in_word = _WORD_END.match(before) is not None
    ends_in_word = _WORD_END.match(after) is not None
    if (starts_in_word or ends_in_word) and _may_glue(hole, parts):
        output.glue = starts_in_word
        output.add(parts[0])
        output.glue = ends_in_word
        return
    if before not in _OPEN_BEFORE:
        output.add(" ")
    for index, part in enumerate(parts):
        if index:
            output.add(",")
        output.add(part)
    if after not in _OPEN_AFTER:
        output.add(" ")


def _may_glue(hole: Hole, parts: Sequence[str]) -> bool:
    """Whether a value may become a part of the name that it touches (`results_$year`): only the author's own may."""
    authored = hole.selection.authored is not Authored.NO
    return authored and len(parts) == 1 and _PART_OF_A_WORD.fullmatch(parts[0]) is not None


def _code(hole: Hole, zone: tzinfo) -> list[str]:
    """What a hole among code becomes, the elements of a list one by one."""
    selection, form = hole.selection, hole.form
    if selection.custom_all and form != "text":
        return [_authored_sql(selection.custom_all)]
    if not selection.chosen and not (selection.is_all and form == "text"):
        return ["NULL"]
    if form not in FORMAT_NAMES | {""}:
        form = "glob"
    if form == "glob" and not selection.is_list:
        form = "raw"
    if form == "join" and "".join(hole.arguments).strip() in {"", ","}:
        form = "raw"
    if form not in _LIST_FORMATS:
        return [_atom(format_selection(selection, form, hole.arguments, zone), Authored.NO)]
    if form == "doublequote":
        return [quote_identifier(value) for value in selection.values]
    if form in {"sqlstring", "singlequote"} or (form == "" and selection.quotes):
        return [quote_literal(value) for value in selection.values]
    return [_atom(value, selection.authored) for value in selection.values]


def _atom(value: str, authored: Authored) -> str:
    """A value among code: a number or what the author may write there as it is, else a literal."""
    if _NUMBER.fullmatch(value):
        return f"({value})" if value.startswith("-") else value
    if authored is Authored.WORD and _NAME.fullmatch(value):
        return value
    return _authored_sql(value) if authored is Authored.SQL else quote_literal(value)


def _authored_sql(value: str) -> str:
    """A piece of SQL that the author wrote, if it leaves nothing open; else a literal."""
    try:
        found = significant(value)
    except SqlTextError:
        return quote_literal(value)
    opened: list[str] = []
    for token in found:
        if token.kind is Kind.COMMENT or token.text == ";":
            return quote_literal(value)
        if token.kind is Kind.SYMBOL and token.text in "([":
            opened.append(token.text)
        elif token.kind is Kind.SYMBOL and token.text in ")]" and (not opened or opened.pop() != _BRACKETS[token.text]):
            return quote_literal(value)
    return value if found and not opened else quote_literal(value)


def _nested(template: Template, body: str, depth: int) -> str:
    """A literal's content with its values: as SQL when it reads as a query, for then something may run it."""
    if not _QUERY.match(body):
        return HOLE.sub(lambda mark: _formatted(template, mark), body)
    return _fill(without_comments(Template(body, template.holes, template.zone)), depth + 1)


def _fill_string(template: Template, token: Token, depth: int) -> str:
    start = token.text.index("'")
    body = token.text[start + 1 : -1]
    if re.search(r"(?<!')(?:'')*'(?!')", body):  # goes on after a line break: its quotes are not all doubled
        raise _refused(template, token, "in a literal that goes on after a line break")
    filled = _nested(template, body.replace("''", "'"), depth).replace("'", "''")
    return f"{token.text[:start]}'{filled}'"


def _fill_escape_string(template: Template, token: Token, depth: int) -> str:
    if _QUERY.match(token.text[2:]):
        raise _refused(template, token, "in a query that is written as E'...'; use dollar quotes there")

    def filled(match: re.Match[str]) -> str:
        if match["escaped"] is None:
            mark = HOLE.fullmatch(match.group())
            text = _formatted(template, mark) if mark else ""
            return text.replace("\\", "\\\\").replace("'", "''")
        if match["escaped"] == "\0":
            raise _refused(template, token, "behind a backslash")
        return match.group()

    return re.sub(rf"\\(?P<escaped>.)|{HOLE.pattern}", filled, token.text, flags=re.DOTALL)


def _fill_bit_string(template: Template, token: Token, depth: int) -> str:
    filled = HOLE.sub(lambda mark: _formatted(template, mark), token.text)
    if not re.fullmatch(r"[bBxX]'[0-9A-Fa-f]*'", filled):
        raise _refused(template, token, "in a bit string, which takes digits only")
    return filled


def _fill_dollar_string(template: Template, token: Token, depth: int) -> str:
    tag = token.text[: token.text.index("$", 1) + 1]
    body = _nested(template, token.text[len(tag) : -len(tag)], depth)
    count = 0
    while f"{body}{tag}".find(tag) != len(body):
        count += 1
        tag = f"$text{count}$"
    return f"{tag}{body}{tag}"


def _fill_identifier(template: Template, token: Token, depth: int) -> str:
    return HOLE.sub(lambda mark: _formatted(template, mark).replace('"', '""'), token.text)


def _refuse(template: Template, token: Token, depth: int) -> str:
    raise _refused(template, token, "in a literal or name that starts with U&")


def _refused(template: Template, token: Token, where: str) -> InterpolationError:
    mark = HOLE.search(token.text)
    name = template.holes[int(mark[1])].selection.name if mark else ""
    return InterpolationError(f"The variable {name} cannot stand {where}", name)


_LITERALS: Final[Mapping[Kind, Callable[[Template, Token, int], str]]] = {
    Kind.STRING: _fill_string,
    Kind.ESCAPE_STRING: _fill_escape_string,
    Kind.BIT_STRING: _fill_bit_string,
    Kind.DOLLAR_STRING: _fill_dollar_string,
    Kind.IDENTIFIER: _fill_identifier,
    Kind.UNICODE_STRING: _refuse,
    Kind.UNICODE_IDENTIFIER: _refuse,
}
