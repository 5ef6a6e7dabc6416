"""What a connected database has differently from the models, for people who look after it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from django.contrib.postgres.indexes import PostgresIndex
from django.db import connections, models

from apps.mirror.models import MirrorModel
from apps.mirror.shape import SOURCE, Shape, mirrored_columns, mirrored_models

_INDEXES: Final = """
SELECT t.relname, m.amname, i.indpred IS NOT NULL,
       array(SELECT a.attname FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum ORDER BY k.place)::text[]
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam
WHERE t.relname = ANY (%s) AND pg_catalog.pg_table_is_visible(t.oid) AND i.indisvalid AND i.indexprs IS NULL
"""


@dataclass(frozen=True)
class TypeDifference:
    """A column whose type is not the one that the model expects, both in PostgreSQL's words."""

    table: str
    column: str
    expected: str
    found: str


@dataclass(frozen=True)
class MissingIndex:
    """An index that would make pages faster, and the statement that makes it without locking the table."""

    table: str
    name: str
    statement: str


@dataclass(frozen=True)
class Differences:
    """Everything that differs. `missing_indexes` is advice: it does not count as a difference.

    `required_columns` are columns that no model knows and that must be given a value: rows cannot be added here.
    """

    missing_tables: list[str] = field(default_factory=list)
    missing_columns: dict[str, list[str]] = field(default_factory=dict)
    extra_columns: dict[str, list[str]] = field(default_factory=dict)
    required_columns: dict[str, list[str]] = field(default_factory=dict)
    types: list[TypeDifference] = field(default_factory=list)
    missing_indexes: list[MissingIndex] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing_tables or self.missing_columns or self.extra_columns or self.types)

    def as_json(self) -> dict[str, Any]:
        """Lists and dictionaries of strings; `same` says whether anything differs."""
        return {"same": not self, **asdict(self)}


def differences(shape: Shape) -> Differences:
    """How `shape` differs from the models. Tables that no model knows are none of our business."""
    expected = mirrored_columns()
    found = Differences(missing_tables=[table for table in expected if table not in shape.tables])
    for table, columns in shape.tables.items():
        if gap := shape.gaps.get(table):
            found.missing_columns[table] = sorted(gap)
        if extra := [name for name in columns if name not in expected[table]]:
            found.extra_columns[table] = sorted(extra)
            if required := [name for name in extra if columns[name].not_null and not columns[name].has_default]:
                found.required_columns[table] = sorted(required)
        found.types.extend(
            TypeDifference(table, name, kind, columns[name].type)
            for name, kind in expected[table].items()
            if name in columns and columns[name].type != kind
        )
    found.missing_indexes.extend(_missing_indexes(shape))
    return found


def _missing_indexes(shape: Shape) -> list[MissingIndex]:
    connection = connections[SOURCE]
    present: dict[str, list[tuple[str, bool, list[str]]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES, [list(shape.tables)])
        for table, method, partial, columns in cursor.fetchall():
            present.setdefault(table, []).append((method, partial, columns))
    missing = []
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for model in mirrored_models():
            table = model._meta.db_table
            if table not in shape.tables:
                continue
            for index in model._meta.indexes:
                columns = _columns_of(model, index)
                if shape.gaps.get(table, frozenset()).intersection(columns):
                    continue
                if not any(_serves(index, columns, *candidate) for candidate in present.get(table, [])):
                    statement = str(index.create_sql(model, editor, concurrently=True))
                    missing.append(MissingIndex(table, index.name, statement))
    return missing


def _columns_of(model: type[MirrorModel], index: models.Index) -> list[str]:
    return [str(model._meta.get_field(name).column) for name, _ in index.fields_orders]  # type: ignore[union-attr]


def _serves(index: models.Index, columns: list[str], method: str, partial: bool, candidate: list[str]) -> bool:
    """Whether an index that is there does what `index` would: the same method, and our columns first in it."""
    wanted = index.suffix if isinstance(index, PostgresIndex) else "btree"
    if method != wanted or (partial and index.condition is None):
        return False
    return candidate[: len(columns)] == columns
