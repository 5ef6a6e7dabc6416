"""What the connected database really has of the mirrored tables.

Installations differ: tables and columns are missing, others are added. One query of the catalogue finds out, once per
process. What was missing is looked for again after a minute, since somebody may be adding it; what was there is
believed until a query fails on it (then the SQL compiler calls `forget`).

A table or column that the role may not read counts as missing: to the pages it is the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, cast

from django.apps import apps
from django.db import ProgrammingError, connections
from django.db.models import Model

if TYPE_CHECKING:
    from apps.mirror.models import MirrorModel

SOURCE: Final = "source"
"""The database alias of the mirrored tables."""
LOOK_AGAIN_SECONDS: Final = 60.0

_CATALOGUE = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef OR a.attidentity <> ''
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relname = ANY (%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_catalog.pg_table_is_visible(c.oid)
  AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
ORDER BY c.relname, a.attnum
"""


class TableMissingError(ProgrammingError):
    """A row was to be written into a table that the connected database does not have."""


@dataclass(frozen=True)
class Column:
    """A column as the catalogue has it; `type` in PostgreSQL's own words, such as `character varying`."""

    type: str
    not_null: bool
    has_default: bool


@dataclass(frozen=True)
class Shape:
    """The mirrored tables that exist and are readable, with all their columns, also those that no model knows.

    `gaps` holds, for each mirrored table that is not complete, the names of the columns that are missing; a table that
    is missing itself has all of them there, and is not in `tables`.
    """

    tables: Mapping[str, Mapping[str, Column]]
    gaps: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        gaps = {
            table: missing
            for table, columns in mirrored_columns().items()
            if (missing := frozenset(columns) - frozenset(self.tables.get(table, ())))
        }
        object.__setattr__(self, "gaps", gaps)


_known: dict[str, tuple[Shape, float]] = {}
"""Alias -> shape and the moment of the look. Threads may look at the same time: the last one's answer stays, and all
are right."""


def mirrored_models() -> list[type[MirrorModel]]:
    """All mirrored models, in the order of their declaration."""
    return cast("list[type[MirrorModel]]", list(apps.get_app_config("mirror").get_models()))


@cache
def mirrored_columns() -> dict[str, dict[str, str]]:
    """Table -> column -> type, as the models declare them, in PostgreSQL's own words."""
    connection = connections[SOURCE]
    tables = {}
    for model in mirrored_models():
        tables[model._meta.db_table] = {
            str(column.column): str(column.db_type(connection)).replace("varchar", "character varying")
            for column in model._meta.local_concrete_fields
        }
    return tables


def shape_of(alias: str = SOURCE) -> Shape:
    """The shape of the database behind `alias`; at most one query a minute. Raises OperationalError when it is away."""
    known = _known.get(alias)
    if known is not None:
        shape, looked = known
        if not shape.gaps or time.monotonic() - looked < LOOK_AGAIN_SECONDS:
            return shape
    shape = _look(alias)
    _known[alias] = shape, time.monotonic()
    return shape


def forget(alias: str = SOURCE) -> None:
    """Look again at the next question."""
    _known.pop(alias, None)


def missing_tables(shape: Shape | None = None) -> list[type[MirrorModel]]:
    """The models whose table the connected database lacks."""
    shape = shape or shape_of()
    return [model for model in mirrored_models() if model._meta.db_table not in shape.tables]


def has_table(model: type[Model]) -> bool:
    """Whether the connected database has the model's table."""
    return model._meta.db_table in shape_of().tables


def missing_columns(model: type[Model]) -> frozenset[str]:
    """The columns of `model` that the connected database lacks: all of them where the table is missing."""
    return shape_of().gaps.get(model._meta.db_table, frozenset())


def has_field(model: type[Model], name: str) -> bool:
    """Whether the column of the field `name` is there. Raises FieldDoesNotExist for a name that is no column."""
    return getattr(model._meta.get_field(name), "column", None) not in missing_columns(model)


def _look(alias: str) -> Shape:
    connection = connections[alias]
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    tables: dict[str, dict[str, Column]] = {}
    # The driver's own cursor: this question belongs to no page, so no page's query count or log shows it.
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(_CATALOGUE, [list(mirrored_columns())])
        for table, column, *properties in cursor.fetchall():
            tables.setdefault(table, {})[column] = Column(*properties)
    return Shape(tables)
