"""Variables of a dashboard: what a document declares, which options there are, and what is chosen.

    options = options_from_rows(variable, ["host_name"], rows)
    selection = choose(variable, options, requested=["host-1", "host-2"])   # of the address: ?var-host=host-1&...

A value of the address that is not among the options is refused, unless the variable lets people type: then it is data
like any other. What may stand in a query as SQL is what the dashboard's author wrote there (`Authored`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from apps.panels.datasource import DataSource, data_source
from apps.panels.interval import calculate_interval
from apps.panels.json_reader import Reader
from apps.panels.timerange import TimeRange

ALL: Final = "$__all"
"""The value that stands for all options."""
ALL_TEXT: Final = "All"
AUTO_INTERVAL: Final = "$__auto_interval_"
"""With the variable's name behind it: the value of an interval variable that follows the range."""
MAX_VALUE: Final = 10_000
"""The longest value, in characters, that an address may bring."""

_PATTERN: Final = re.compile(r"/(.*?)(?<!\\)/([gimuy]*)", re.DOTALL)
_MAX_SEARCHED: Final = 2_000


class Authored(Enum):
    """How far the dashboard's author wrote a value, and so whether it may be SQL where a query has it bare."""

    NO = "it came from the database or from a person"
    WORD = "one of the author's choices: a name or keyword stays one"
    SQL = "the author's own text: a piece of SQL stays one"


class UnknownValueError(ValueError):
    """An address brings a value that a variable does not have. `parameter` is the address's (`var-host`)."""

    def __init__(self, name: str, text: str) -> None:
        self.parameter = f"var-{name}"
        super().__init__(text)


@dataclass(frozen=True)
class Option:
    """A choice: what people read, and the value that goes into a query."""

    text: str
    value: str


@dataclass(frozen=True)
class Variable:
    """A variable as the document declares it. `kind` is Grafana's type (query, custom, constant, textbox, interval,
    datasource, adhoc, switch, groupby); `refresh` is 0 never, 1 on load, 2 when the time range changes; `hide` is
    0 shown, 1 without its label, 2 hidden; `current` is what the document says is chosen; `auto_count` and
    `auto_minimum` belong to an interval variable that can follow the range (`auto`)."""

    name: str
    kind: str
    label: str = ""
    query: str = ""
    options: tuple[Option, ...] = ()
    multi: bool = False
    include_all: bool = False
    all_value: str = ""
    regex: str = ""
    sort: int = 0
    refresh: int = 0
    hide: int = 0
    current: tuple[Option, ...] = ()
    datasource: DataSource | None = None
    description: str = ""
    skip_url: bool = False
    allow_custom: bool = False
    auto: bool = False
    auto_count: int = 30
    auto_minimum: str = "10s"

    @property
    def is_typed(self) -> bool:
        """Whether people may type a value that is no option."""
        return self.kind == "textbox" or self.allow_custom

    @property
    def is_supported(self) -> bool:
        """Whether the engine can fill it in; an ad hoc filter, for one, is only shown."""
        return self.kind in {"query", "custom", "constant", "textbox", "interval", "datasource", "switch"}

    @property
    def authored(self) -> Authored:
        """How far the author wrote this variable's options."""
        if self.kind == "constant":
            return Authored.SQL
        return Authored.WORD if self.kind in {"custom", "interval", "datasource", "switch"} else Authored.NO


@dataclass(frozen=True)
class Selection:
    """What is chosen of one variable. An empty `chosen` is an empty list: `NULL` in a query.

    `is_list` says that the variable holds several values, `quotes` that Grafana quotes them in SQL by itself (multi or
    with All), `custom_all` is the text that stands for All instead of the options.
    """

    name: str
    chosen: tuple[Option, ...] = ()
    is_all: bool = False
    is_list: bool = False
    quotes: bool = False
    custom_all: str = ""
    authored: Authored = Authored.NO

    @property
    def values(self) -> tuple[str, ...]:
        """The chosen values; all options where All is chosen."""
        return tuple(option.value for option in self.chosen)

    @property
    def text(self) -> str:
        """The choice for people: `All`, or the texts with ` + ` between them."""
        return ALL_TEXT if self.is_all else " + ".join(option.text for option in self.chosen)

    @property
    def url_values(self) -> tuple[str, ...]:
        """The values of the address's `var-NAME` parameters that choose this again."""
        return (ALL,) if self.is_all else self.values or ("",)

    @classmethod
    def of(cls, name: str, *values: str, authored: Authored = Authored.NO) -> Selection:
        """One value, or a list of several, whose texts are the values."""
        several = len(values) > 1
        return cls(name, tuple(Option(value, value) for value in values), False, several, several, "", authored)


Selections = Mapping[str, Selection]
"""What is chosen, by the variables' names."""


def read_variable(reader: Reader) -> Variable:
    """The variable that an entry of a document's `templating.list` declares."""
    query = reader.fields.get("query")
    if isinstance(query, dict):
        inside = reader.inside("query")
        query = inside.text("rawSql") or inside.text("query")
    elif isinstance(query, int | float) and not isinstance(query, bool):
        query = str(query)
    return Variable(
        name=reader.text("name"),
        kind=reader.text("type", "query"),
        label=reader.text("label"),
        query=query if isinstance(query, str) else "",
        options=tuple(
            Option(option.text("text"), option.text("value"))
            for option in reader.objects("options")
            if option.fields.get("value") != ALL
        ),
        multi=reader.flag("multi"),
        include_all=reader.flag("includeAll"),
        all_value=reader.text("allValue"),
        regex=reader.text("regex"),
        sort=reader.integer("sort"),
        refresh=reader.integer("refresh"),
        hide=reader.integer("hide"),
        current=_current(reader.mapping("current")),
        datasource=data_source(reader.fields.get("datasource")),
        description=reader.text("description"),
        skip_url=reader.flag("skipUrlSync"),
        allow_custom=reader.flag("allowCustomValue"),
        auto=reader.flag("auto"),
        auto_count=max(1, reader.integer("auto_count", 30)),
        auto_minimum=reader.text("auto_min", "10s"),
    )


def _current(current: dict[str, object]) -> tuple[Option, ...]:
    value, text = current.get("value"), current.get("text")
    values = value if isinstance(value, list) else [] if value is None else [value]
    texts = text if isinstance(text, list) else [text]
    if len(texts) != len(values):
        texts = values
    return tuple(Option(str(each_text), str(each)) for each_text, each in zip(texts, values, strict=True))


def static_options(variable: Variable) -> tuple[Option, ...]:
    """The options that need no query: those that the author wrote, in the document's order (regex and sort apply to
    queries alone). A query variable that never refreshes has those that the document stores."""
    if variable.kind == "custom":
        return _written(variable.query)
    if variable.kind == "interval":
        first = (Option("auto", f"{AUTO_INTERVAL}{variable.name}"),) if variable.auto else ()
        return (*first, *_written(variable.query))
    if variable.kind == "constant":
        return (Option(variable.query, variable.query),)
    if variable.kind == "textbox":
        return (Option(variable.query, variable.query),) if variable.query else variable.current[:1]
    return variable.options


def options_from_rows(
    variable: Variable, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> tuple[Option, ...]:
    """The options that the rows of a variable's query are, after its regex and in its order.

    Columns `__text` and `__value` give both where they are there; otherwise every value of every column is an option.
    Nulls are left out; of options with the same text the first stays. Raises ValueError for a regex that is none.
    """
    named = [columns.index(name) for name in ("__text", "__value") if name in columns]
    found: list[Option] = []
    for row in rows:
        if not named:
            found += [Option(_as_text(cell), _as_text(cell)) for cell in row if cell is not None]
        elif cells := [row[index] for index in named if row[index] is not None]:
            found.append(Option(_as_text(cells[0]), _as_text(cells[-1])))
    if variable.regex:
        found = _matching(found, variable.regex)
    unique: dict[str, Option] = {}
    for option in found:
        unique.setdefault(option.text, option)
    return tuple(_sorted(unique.values(), variable.sort))


def choose(variable: Variable, options: Sequence[Option], requested: Sequence[str] | None = None) -> Selection:
    """What is chosen of `variable`: the values `requested` by an address, else what the document says as far as it is
    still an option, else All where there is one, else the first option.

    Raises UnknownValueError for a requested value that is neither an option nor allowed to be typed, for several values
    of a variable that holds one, and for text that no query can hold.
    """
    if variable.kind == "constant" or variable.skip_url:
        requested = None
    if requested is None:
        return _chosen_by_document(variable, options)
    wanted = [value for value in dict.fromkeys(requested) if value != ""]
    for value in wanted:
        if len(value) > MAX_VALUE or not _is_storable(value):
            raise UnknownValueError(variable.name, f"A value of {variable.name} is too long or holds a zero byte")
    if variable.include_all and any(value in (ALL, ALL_TEXT) and not _has(options, value) for value in wanted):
        return _everything(variable, options)
    if len(wanted) > 1 and not variable.multi:
        raise UnknownValueError(variable.name, f"{variable.name} holds one value, the address has {len(wanted)}")
    return _selection(variable, options, [_requested(variable, options, value) for value in wanted])


def follow_range(variable: Variable, selection: Selection, time_range: TimeRange) -> Selection:
    """The selection of an interval variable with `auto` replaced by the interval that suits the range.

    Raises BadDurationError for the variable's minimum.
    """
    auto = f"{AUTO_INTERVAL}{variable.name}"
    if auto not in selection.values:
        return selection
    interval = calculate_interval(time_range, variable.auto_count, variable.auto_minimum)
    return replace(selection, chosen=(Option("auto", interval.text),))


def in_order(variables: Sequence[Variable]) -> tuple[Variable, ...]:
    """The variables so that each comes after those that its query, regex or data source names.

    Variables that name each other in a circle keep the document's order (`circular` tells which).
    """
    waiting = {variable.name: variable for variable in variables}
    ordered: list[Variable] = []
    while waiting:
        ready = [each for each in waiting.values() if not dependencies(each, waiting)]
        for variable in ready or [next(iter(waiting.values()))]:
            ordered.append(waiting.pop(variable.name))
    return tuple(ordered)


def circular(variables: Sequence[Variable]) -> tuple[str, ...]:
    """The names of the variables that depend on themselves, through others or directly."""
    named = {variable.name: variable for variable in variables}
    needs = {name: dependencies(variable, named, itself=True) for name, variable in named.items()}

    def reaches(start: str) -> bool:
        seen: set[str] = set()
        waiting = set(needs[start])
        while waiting:
            name = waiting.pop()
            if name == start:
                return True
            seen.add(name)
            waiting |= needs[name] - seen
        return False

    return tuple(name for name in named if reaches(name))


def dependencies(variable: Variable, names: Iterable[str], *, itself: bool = False) -> frozenset[str]:
    """Those of `names` that the variable's query, regex or data source uses."""
    text = "\n".join((variable.query, variable.regex, variable.datasource.uid if variable.datasource else ""))
    used = {name for match in VARIABLE.finditer(text) if (name := match["plain"] or match["square"] or match["brace"])}
    return frozenset(name for name in names if name in used and (itself or name != variable.name))


VARIABLE: Final = re.compile(
    r"\$(?P<plain>\w+)"
    r"|\[\[(?P<square>\w+?)(?::(?P<square_form>\w+))?\]\]"
    r"|\$\{(?P<brace>\w+)(?:\.(?P<path>[^:^}]+))?(?::(?P<form>[^}]+))?\}",
    re.ASCII,
)
"""A use of a variable: `$name`, `[[name:format]]` or `${name.path:format}`."""


def _chosen_by_document(variable: Variable, options: Sequence[Option]) -> Selection:
    if variable.kind == "constant":
        return _selection(variable, options, options[:1])
    current = [option.value for option in variable.current]
    if variable.include_all and (ALL in current or not current):
        return _everything(variable, options)
    by_value = {option.value: option for option in options}
    if variable.is_typed:
        kept = [by_value.get(option.value, option) for option in variable.current]
    else:
        kept = [by_value[value] for value in current if value in by_value]
    if kept:
        return _selection(variable, options, kept if variable.multi else kept[:1])
    if variable.include_all:
        return _everything(variable, options)
    return _selection(variable, options, options[:1])


def _everything(variable: Variable, options: Sequence[Option]) -> Selection:
    return Selection(
        variable.name,
        tuple(option for option in options if option.value != ALL),
        is_all=True,
        is_list=True,
        quotes=True,
        custom_all=variable.all_value,
        authored=variable.authored,
    )


def _selection(variable: Variable, options: Sequence[Option], chosen: Sequence[Option]) -> Selection:
    return Selection(
        variable.name,
        tuple(chosen),
        is_list=variable.multi,
        quotes=variable.multi or variable.include_all,
        authored=variable.authored if set(chosen) <= set(options) else Authored.NO,
    )


def _requested(variable: Variable, options: Sequence[Option], value: str) -> Option:
    for option in options:
        if option.value == value:
            return option
    for option in options:
        if option.text == value:
            return option
    if variable.is_typed:
        return Option(value, value)
    raise UnknownValueError(variable.name, f"{value[:80]!r} is not among the values of {variable.name}")


def _has(options: Sequence[Option], value: str) -> bool:
    return any(option.value == value for option in options)


def _is_storable(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _written(query: str) -> tuple[Option, ...]:
    """`a, b\\,c, Label : value` as options: a comma separates, `\\,` is a comma."""
    options = []
    for part in re.findall(r"(?:\\,|[^,])+", query):
        text = part.replace("\\,", ",").strip()
        labelled = re.fullmatch(r"(.+?)\s:\s(.+)", text, re.DOTALL)
        label, value = labelled.groups() if labelled else (text, text)
        options.append(Option(label.strip(), value.strip()))
    return tuple(options)


def _as_text(cell: object) -> str:
    """A cell as Grafana's JSON shows it."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


def _matching(options: Iterable[Option], regex: str) -> list[Option]:
    """The options that a variable's regex (`/pattern/flags`, or the pattern alone) finds, cut to what it captures."""
    pattern, every = _compiled(regex)
    kept: list[Option] = []
    for option in options:
        searched = option.value[:_MAX_SEARCHED]
        found = list(pattern.finditer(searched)) if every else [match for match in [pattern.search(searched)] if match]
        if not found:
            continue
        named = pattern.groupindex
        if "text" in named or "value" in named:
            text = next((match["text"] for match in found if "text" in named and match["text"]), "")
            value = next((match["value"] for match in found if "value" in named and match["value"]), "")
            kept.append(Option(text or value, value or text))
        elif pattern.groups:
            kept += [Option(captured, captured) for match in found if (captured := match[1]) is not None]
        else:
            kept.append(option)
    return kept


def _compiled(regex: str) -> tuple[re.Pattern[str], bool]:
    """A JavaScript regex as Python's, and whether it looks for every match. Raises ValueError."""
    delimited = _PATTERN.fullmatch(regex.strip())
    source, flags = delimited.groups() if delimited else (f"^{regex}$", "")
    source = re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", source)
    source = re.sub(r"\\k<(\w+)>", r"(?P=\1)", source).replace("\\/", "/")
    try:
        return re.compile(source, re.IGNORECASE if "i" in flags else 0), "g" in flags
    except re.error as error:
        raise ValueError(f"The regex {regex[:80]!r} cannot be read: {error}") from None


def _leading_number(option: Option) -> tuple[int, float]:
    found = re.search(r"\d+", option.text, re.ASCII)
    return (1, float(found.group())) if found else (0, 0.0)


def _natural(option: Option) -> list[tuple[int, float, str]]:
    parts = re.split(r"(\d+)", option.text.casefold())
    return [(0, float(part), "") if part.isdecimal() else (1, 0.0, part) for part in parts if part]


_ORDERS: Final[Mapping[int, Callable[[Option], Any]]] = {  # keys of one order compare with each other, hence Any
    1: lambda option: option.text,
    2: _leading_number,
    3: lambda option: option.text.casefold(),
    4: _natural,
}


def _sorted(options: Iterable[Option], sort: int) -> list[Option]:
    """1 and 2 by text, 3 and 4 by the first number, 5 and 6 whatever the case, 7 and 8 natural; even ones backwards."""
    order = _ORDERS.get((sort + 1) // 2)
    return sorted(options, key=order, reverse=sort % 2 == 0) if order else list(options)
