"""What a kind is in the connected database: which columns are really there, of which type, under which rules.

The catalogue decides, not the model: installations differ, and some add columns of their own. Looked at once per shape
of the database (`apps.mirror.shape`), by one query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any, Final, Required, TypedDict
from uuid import UUID

import msgspec
from django.db import connections
from msgspec import Meta, Raw

from apps.accounts.problems import Problem
from apps.ingest.kinds import SERVER_COLUMNS, Kind
from apps.mirror.shape import SOURCE, Shape, mirrored_columns, shape_of

LONGEST_NAME: Final = 255
"""Characters of a text that an index holds: an index entry has room for 2,700 bytes, and two names must fit."""
LARGEST_MEASURE: Final = 1e15
ALERT_KEY: Final = ("host_name", "device_id", "incident_type")
"""Of these only one alert at a time is active."""
_INTEGERS: Final = {"smallint": 15, "integer": 31, "bigint": 63}

_CATALOGUE: Final = """
SELECT json_build_object(
  'defaults', (SELECT json_object_agg(attname, pg_get_expr(adbin, adrelid)) FROM pg_attrdef
     JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = c.oid AND attgenerated = ''),
  'serial', (SELECT json_agg(attname) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
     AND (attidentity <> '' OR attgenerated <> ''
       OR pg_get_serial_sequence(c.oid::regclass::text, attname) IS NOT NULL)),
  'indexed', (SELECT json_agg(DISTINCT attname) FROM pg_index
     JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey::int2[]) WHERE indrelid = c.oid),
  'rules', (SELECT json_agg(json_build_object('name', conname, 'type', contype,
       'columns', (SELECT json_agg(attname ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS k(number, place)
          JOIN pg_attribute ON attrelid = conrelid AND attnum = number),
       'check', pg_get_expr(conbin, conrelid), 'table', confrelid::regclass::text,
       'target', (SELECT json_agg(attname ORDER BY place) FROM unnest(confkey) WITH ORDINALITY AS k(number, place)
          JOIN pg_attribute ON attrelid = confrelid AND attnum = number)))
     FROM pg_constraint WHERE conrelid = c.oid AND contype IN ('c', 'f', 'p', 'u')),
  'unique', (SELECT json_agg(json_build_object('name', i.relname, 'columns',
       (SELECT json_agg(attname ORDER BY place) FROM unnest(indkey::int2[]) WITH ORDINALITY AS k(number, place)
          JOIN pg_attribute ON attrelid = indrelid AND attnum = number)))
     FROM pg_index JOIN pg_class i ON i.oid = indexrelid
     WHERE indrelid = c.oid AND indisunique AND indpred IS NULL AND indexprs IS NULL),
  'triggers', (SELECT json_agg(DISTINCT proname) FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid
     WHERE tgrelid = c.oid AND NOT tgisinternal AND tgenabled <> 'D'))::text
FROM pg_class c WHERE c.oid = %s::regclass
"""


class TableAbsent(Problem):
    """The connected database has no table for this kind of row."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(
            HTTPStatus.NOT_FOUND,
            "The table is not there",
            f"The connected database has no table {kind.table}, or does not let the portal use it, so {kind.name}"
            " cannot be stored. manage.py check_source lists what is missing.",
            kind=kind.name,
        )


@dataclass(frozen=True)
class Column:
    """A column as rows may fill it. `type` in PostgreSQL's words; `default` is its SQL."""

    name: str
    type: str
    required: bool
    default: str | None = None
    not_null: bool = False
    indexed: bool = False

    @property
    def is_json(self) -> bool:
        return self.type in {"jsonb", "json"}

    @property
    def is_time(self) -> bool:
        return self.type.startswith("timestamp")

    @property
    def python(self) -> Any:
        """The type that a value is checked against; None for a type that cannot be written here."""
        return _python(self.type, self.indexed)

    @property
    def expected(self) -> str:
        """What to write, in words."""
        base = self.type.removesuffix("[]")
        word = _WORDS.get(base.partition("(")[0], base)
        if base.partition("(")[0] in _TEXTS:
            longest = _longest(base, self.indexed)
            word += f" of at most {longest} characters" if longest else ""
        return f"a list, each item {word}" if self.type.endswith("[]") else word


@dataclass(frozen=True)
class Rule:
    """A constraint: `type` is c (check), f (foreign key), p or u (unique)."""

    name: str
    type: str
    columns: tuple[str, ...]
    check: str = ""
    table: str = ""
    target: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A kind in the connected database."""

    kind: Kind
    columns: Mapping[str, Column]
    absent: Mapping[str, Column]
    """Columns of the model that the table lacks: taken, checked, and left out."""
    clocks: Mapping[str, Column]
    """Columns that the database's clock fills: the same."""
    rules: Mapping[str, Rule]
    triggers: frozenset[str]

    @cached_property
    def known(self) -> Mapping[str, Column]:
        return {**self.clocks, **self.absent, **self.columns}

    @cached_property
    def decoder(self) -> msgspec.json.Decoder[dict[str, Any]]:
        """Of one new row."""
        return _decoder(self.kind.name, self.known.values())

    @cached_property
    def batch_decoder(self) -> msgspec.json.Decoder[list[dict[str, Any]]]:
        """Of many new rows in an array."""
        return msgspec.json.Decoder(list[self.decoder.type])  # type: ignore[name-defined]

    @cached_property
    def change_decoder(self) -> msgspec.json.Decoder[dict[str, Any]]:
        """Of one change: the key and what PATCH may set, all of it optional."""
        return _decoder(f"change of {self.kind.name}", self.changeable.values(), change=True)

    @cached_property
    def changeable(self) -> Mapping[str, Column]:
        """What a change may say: the key, and the columns of `finish`."""
        names = {*self.kind.key, *self.kind.finish, *(ALERT_KEY if self.kind.rule == "alerts" else ()), *self.clocks}
        return {name: column for name, column in self.known.items() if name in names}

    @cached_property
    def json_columns(self) -> tuple[str, ...]:
        return tuple(name for name, column in self.known.items() if column.is_json)

    @cached_property
    def time_columns(self) -> tuple[str, ...]:
        return tuple(name for name, column in self.known.items() if column.is_time)

    def has(self, name: str) -> bool:
        """Whether the table has this column."""
        return name in self.columns

    @property
    def keeps_updated_at(self) -> bool:
        """Whether the table says when a row was last changed."""
        return "updated_at" in self.clocks

    def record(self, names: Iterable[str]) -> str:
        """The columns of a record made from JSON."""
        return ", ".join(f"{quoted(name)} {self.columns[name].type}" for name in names)


def quoted(name: str) -> str:
    """An identifier as SQL, in a text with parameters."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def literal(text: str) -> str:
    """A text as SQL, in a text with parameters."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


_plans: dict[str, tuple[Shape, Plan]] = {}


def plan_of(kind: Kind) -> Plan:
    """The plan for the database as it is known to be. Raises TableAbsent, and OperationalError when it is away."""
    shape = shape_of(SOURCE)
    known = _plans.get(kind.name)
    if known is None or known[0] is not shape:
        _plans[kind.name] = known = shape, _look(kind, shape)
    return known[1]


def _look(kind: Kind, shape: Shape) -> Plan:
    table = shape.tables.get(kind.table)
    if table is None:
        raise TableAbsent(kind)
    catalogue = _ask(kind.table)
    defaults, serial = catalogue["defaults"] or {}, set(catalogue["serial"] or ())
    indexed = set(catalogue["indexed"] or ())
    ours = {*kind.key, kind.team} if not kind.owner else set(kind.key)
    columns, clocks = {}, {}
    for name, found in table.items():
        if name in serial or _python(found.type, False) is None:
            continue
        if name in SERVER_COLUMNS:
            clocks[name] = Column(name, found.type, False)
            continue
        required = found.not_null and not found.has_default and name not in ours
        needed = required or name in {kind.host, kind.owner} or (bool(kind.update) and name in kind.key)
        columns[name] = Column(name, found.type, needed, defaults.get(name), found.not_null, name in indexed)
    absent = {
        name: Column(name, type_, False) for name, type_ in mirrored_columns()[kind.table].items() if name not in table
    }
    rules = {one["name"]: Rule(one["name"], "u", tuple(one["columns"] or ())) for one in catalogue["unique"] or ()}
    for one in catalogue["rules"] or ():
        rules[one["name"]] = Rule(
            one["name"], one["type"], tuple(one["columns"] or ()), one["check"] or "", one["table"] or "",
            tuple(one["target"] or ()),
        )  # fmt: skip
    return Plan(kind, columns, absent, clocks, rules, frozenset(catalogue["triggers"] or ()))


def _ask(table: str) -> dict[str, Any]:
    connection = connections[SOURCE]
    connection.ensure_connection()
    # The driver's own cursor: this question belongs to no request.
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(_CATALOGUE, [quoted(table)])  # a table of a model: no per cent sign is in its name
        found: dict[str, Any] = msgspec.json.decode(cursor.fetchone()[0])
    return found


# Types --------------------------------------------------------------------------------------------------------------

_TEXTS: Final = frozenset({"text", "character varying", "character"})
_WORDS: Final = {
    "uuid": "a UUID", "text": "a text", "character varying": "a text", "character": "a text",
    "boolean": "true or false", "smallint": "a whole number", "integer": "a whole number",
    "bigint": "a whole number", "numeric": "a number", "double precision": "a number", "real": "a number",
    "timestamp with time zone": "a date and time such as 2026-03-01T12:00:00+00:00",
    "timestamp without time zone": "a date and time such as 2026-03-01T12:00:00+00:00",
    "jsonb": "any JSON", "json": "any JSON",
}  # fmt: skip


def _longest(type_: str, indexed: bool) -> int | None:
    declared = re.search(r"\((\d+)\)", type_)
    limits = [int(declared[1])] if declared else []
    limits += [LONGEST_NAME] * indexed
    return min(limits, default=None)


def _python(type_: str, indexed: bool) -> Any:
    if type_.endswith("[]"):
        item: Any = _python(type_.removesuffix("[]"), True)
        return None if item is None else list.__class_getitem__(item)
    base = type_.partition("(")[0]
    if base in _INTEGERS:
        most = 2 ** _INTEGERS[base]
        return Annotated[int, Meta(ge=-most, le=most - 1)]
    if base in _TEXTS:
        longest = _longest(type_, indexed)
        return Annotated[str, Meta(max_length=longest)] if longest else str
    if base in {"numeric", "double precision", "real"}:
        digits = re.search(r"\((\d+),(\d+)\)", type_)
        # Below the largest value by half of the last place, which would be rounded up.
        most = LARGEST_MEASURE
        if digits:
            before, after = int(digits[1]) - int(digits[2]), int(digits[2])
            most = float(Decimal(10) ** before - Decimal(6) / Decimal(10) ** (after + 1))
        return Annotated[float, Meta(ge=-most, le=most)]
    if base.startswith("timestamp"):
        return datetime
    return {"uuid": UUID, "boolean": bool, "jsonb": Raw, "json": Raw}.get(base)


def _decoder(name: str, columns: Iterable[Column], *, change: bool = False) -> msgspec.json.Decoder[dict[str, Any]]:
    fields: dict[str, Any] = {
        # Raw takes null by itself.
        column.name: column.python
        if column.is_json
        else Required[column.python]
        if column.required and not change
        else column.python | None
        for column in columns
    }
    return msgspec.json.Decoder(TypedDict(name, fields, total=False))  # type: ignore[operator]
