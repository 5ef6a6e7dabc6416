"""SQL for a source that lacks some of the mirrored tables and columns: what is missing reads as NULL.

The models describe every table and column that any installation has; `apps.mirror.shape` knows what this one has.
Only the alias `source` is treated, and only tables with a gap; everything else is Django's SQL, untouched.

Reading. Where a query names a table with a gap, in FROM or JOIN, it gets a derived table instead:

    FROM (SELECT "id", "name", NULL::text AS "status" FROM "device") "device"     -- a column is missing
    FROM (SELECT NULL::uuid AS "id", NULL::text AS "name" WHERE false) "campaigns"   -- the table is missing

so that filters, orders, values, joins, sub-queries, aggregates and locks need no knowledge of the gap. PostgreSQL
pulls such a sub-select up into the query: plans and indexes stay those of the plain table. An inner join by a missing
column, or behind such a join, becomes a left join: a run must not vanish since its team cannot be found.

Writing. UPDATE and DELETE name the table itself; a missing column in their conditions and values is rendered as
NULL, one that is to be set is left out, and with nothing left, or no table, no row is touched. INSERT leaves missing
columns out and returns None for them; into a missing table it raises `TableMissingError`. A column that no model knows,
and that must not be NULL, makes an INSERT fail with the database's own message.

When a statement fails since a table or column is not there (or not allowed) after all, the shape is looked at again,
and outside a transaction the statement is tried once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import ProgrammingError
from django.db.models import Field
from django.db.models.expressions import Col
from django.db.models.sql import compiler as django_compiler
from django.db.models.sql.constants import INNER, LOUTER
from django.db.models.sql.datastructures import BaseTable, Join

from apps.mirror.shape import SOURCE, TableMissingError, forget, mirrored_columns, shape_of

SHAPE_ERRORS = frozenset({"42703", "42P01", "42501"})
"""SQLSTATE of undefined_column, undefined_table and insufficient_privilege."""

T = TypeVar("T")

if TYPE_CHECKING:
    Base = django_compiler.SQLCompiler  # a mixin's `super()` is one of Django's compilers
else:
    Base = object


class Reduced(Base):
    """What all compilers share: the gaps of a table, and the second try."""

    def gap(self, table: str) -> frozenset[str]:
        """The missing columns of `table`; empty for a complete one and for tables that are not mirrored."""
        if self.connection.alias != SOURCE or table not in mirrored_columns():
            return frozenset()
        return shape_of().gaps.get(table, frozenset())

    def is_missing(self, table: str) -> bool:
        """Whether the table as such is missing."""
        return bool(self.gap(table)) and table not in shape_of().tables

    def tried_twice(self, execute: Callable[[], T]) -> T:
        """What `execute` returns, after a fresh look where it failed on the shape of the database."""
        try:
            return execute()
        except ProgrammingError as error:
            if self.connection.alias != SOURCE or getattr(error.__cause__, "pgcode", None) not in SHAPE_ERRORS:
                raise
            forget()
            if self.connection.in_atomic_block:
                raise
            return execute()

    def execute_sql(self, *args: Any, **kwargs: Any) -> Any:
        run = super().execute_sql
        return self.tried_twice(lambda: run(*args, **kwargs))


class ReducedRead(Reduced):
    """Derived tables in FROM and JOIN."""

    def compile(self, node: Any) -> Any:
        sql, params = super().compile(node)
        if self.connection.alias != SOURCE or not isinstance(node, BaseTable | Join):
            return sql, params
        quoted = self.quote_name_unless_alias(node.table_name)
        if isinstance(node, Join):
            join_type = LOUTER if node.join_type == INNER and self.is_uncertain(node) else node.join_type
            sql = f"{join_type}{sql.removeprefix(node.join_type)}"
            head = f"{join_type} "
        else:
            head = ""
        if gap := self.gap(node.table_name):
            alias = f" {quoted}" if node.table_alias == node.table_name else ""
            rest = sql.removeprefix(head + quoted)
            sql = f"{head}({self.derived(node.table_name, gap)}){alias}{rest}"
        return sql, params

    def collapse_group_by(self, expressions: Any, having: Any) -> Any:
        """Group by every column where a gap is: only a table's own primary key stands for its other columns."""
        if any(self.gap(node.table_name) for node in self.query.alias_map.values()):
            return expressions
        return super().collapse_group_by(expressions, having)

    def derived(self, table: str, gap: frozenset[str]) -> str:
        """A SELECT with every column that the model has, the missing ones NULL of their type."""
        quote = self.connection.ops.quote_name
        columns = ", ".join(
            f"NULL::{kind} AS {quote(name)}" if name in gap else quote(name)
            for name, kind in mirrored_columns()[table].items()
        )
        return f"SELECT {columns} " + ("WHERE false" if self.is_missing(table) else f"FROM {quote(table)}")

    def is_uncertain(self, node: Any) -> bool:
        """Whether a join goes, here or on the way here, by a column that is missing."""
        while isinstance(node, Join):
            parent = self.query.alias_map[node.parent_alias]
            near, far = self.gap(parent.table_name), self.gap(node.table_name)
            pairs = node.join_fields  # type: ignore[attr-defined]
            if any(left.column in near or right.column in far for left, right in pairs):
                return True
            node = parent
        return False


class ReducedWrite(Reduced):
    """NULL for the missing columns of the table that is written."""

    def compile(self, node: Any) -> Any:
        if isinstance(node, Col) and node.target.column in self.gap(node.target.model._meta.db_table):
            return f"NULL::{mirrored_columns()[node.target.model._meta.db_table][node.target.column]}", []
        return super().compile(node)


class SQLCompiler(ReducedRead, django_compiler.SQLCompiler):
    """SELECT."""


class SQLAggregateCompiler(ReducedRead, django_compiler.SQLAggregateCompiler):
    """An aggregate over a sub-query."""


class SQLInsertCompiler(ReducedWrite, django_compiler.SQLInsertCompiler):
    """INSERT."""

    def as_sql(self) -> Any:  # type: ignore[override]
        table = self.query.get_meta().db_table
        if self.is_missing(table):
            raise TableMissingError(f'the connected database has no table "{table}", or does not let this role read it')
        gap = self.gap(table)
        if gap:
            self.query.fields = self.present(self.query.fields, gap)
            self.query.update_fields = self.present(self.query.update_fields, gap)  # type: ignore[attr-defined]
        return super().as_sql()

    def execute_sql(self, returning_fields: Sequence[Field[Any, Any]] | None = None) -> Any:  # type: ignore[override]
        gap = self.gap(self.query.get_meta().db_table)
        if not gap or not returning_fields:
            return super().execute_sql(returning_fields)
        present = self.present(returning_fields, gap)
        rows = super().execute_sql(present) or [()] * len(self.query.objs)
        return [
            tuple(found.get(field.column) for field in returning_fields)
            for row in rows
            for found in [{field.column: value for field, value in zip(present, row, strict=True)}]
        ]

    @staticmethod
    def present(fields: Iterable[Field[Any, Any]], gap: frozenset[str]) -> list[Field[Any, Any]]:
        """The fields whose column is there."""
        return [field for field in fields if field.column not in gap]


class SQLUpdateCompiler(ReducedWrite, django_compiler.SQLUpdateCompiler):
    """UPDATE."""

    def as_sql(self) -> Any:  # type: ignore[override]
        table = self.query.get_meta().db_table
        if self.is_missing(table):
            return "", ()
        if gap := self.gap(table):
            values = self.query.values  # type: ignore[attr-defined]
            self.query.values = [value for value in values if value[0].column not in gap]  # type: ignore[attr-defined]
        return super().as_sql()


class SQLDeleteCompiler(ReducedWrite, django_compiler.SQLDeleteCompiler):
    """DELETE."""

    def as_sql(self) -> Any:  # type: ignore[override]
        return ("", ()) if self.is_missing(self.query.get_meta().db_table) else super().as_sql()
