"""Rows of a query set as JSON texts that the database wrote, and what the schema says of them.

A list of a hundred rows spends its time in turning columns into Python objects and these into JSON. PostgreSQL writes
the same JSON itself in a fraction of that (docs/decisions/0011-api.md has the numbers), so a row leaves the database as
the text that the client gets. Moments are ISO 8601 in UTC, numbers what the column holds, JSON columns as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import orjson
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers

from apps.accounts.audit import without_secrets
from apps.mirror import shape, states
from apps.mirror.fields import NaiveUTCDateTimeField
from apps.mirror.models import MirrorModel

SECRET_WORDS: Final = (
    "passw", "pwd", "secret", "token", "credential", "private_key", "privatekey", "api_key", "apikey", "access_key",
    "accesskey", "authorization", "cookie",
)  # fmt: skip
"""Lower-case words of which one is in every name that `without_secrets` hides."""

Computed = Callable[[datetime], Mapping[str, Any]]
"""The expressions of values that no column holds, as of a moment, by name."""


@dataclass(frozen=True)
class Since:
    """A moment by its distance from the one at which it is asked for."""

    distance: timedelta


@dataclass(frozen=True)
class Select:
    """What stands between SELECT and FROM: a row as a JSON text, and once more the text of its JSON columns.

    The second is what may hold secrets, which are looked for in every page. What is a moment in the SQL of a computed
    value is kept as its distance from the moment at which it was made, so that one text serves every request.
    """

    sql: str
    params: tuple[Any, ...]

    @classmethod
    def of(cls, columns: Mapping[str, models.Field[Any, Any]], computed: Computed, rows: QuerySet[Any]) -> Select:
        """Compile it once. `computed` gives the expressions as of a moment."""
        compiler = rows.query.get_compiler(rows.db)
        quote = compiler.connection.ops.quote_name
        table = quote(compiler.query.get_initial_alias())
        now = timezone.now()
        parts: list[str] = []
        params: list[Any] = []
        for name, field in columns.items():
            zone = " AT TIME ZONE 'UTC'" if isinstance(field, NaiveUTCDateTimeField) else ""
            parts.append(f"{table}.{quote(field.column)}{zone} AS {quote(name)}")
        for name, expression in computed(now).items():
            sql, values = compiler.compile(expression.resolve_expression(compiler.query))
            parts.append(f"{sql} AS {quote(name)}")
            params.extend(Since(value - now) if isinstance(value, datetime) else value for value in values)
        members = ", ".join(parts)
        text = f"(SELECT row_to_json(answer)::text FROM (SELECT {members}) answer)"  # noqa: S608 -- names of ours
        json_columns = [one.column for one in columns.values() if isinstance(one, models.JSONField)]
        foreign = [f"{table}.{quote(column)}::text" for column in json_columns]
        joined = f"concat({', '.join(foreign)})" if foreign else "''"
        return cls(f"{text}, {joined}", tuple(params))

    def params_at(self, now: datetime) -> list[Any]:
        """The parameters of its SQL as of `now`."""
        return [now + value.distance if isinstance(value, Since) else value for value in self.params]


@dataclass(frozen=True)
class RowShape:
    """Which columns of a model an answer has, under which names, and with which computed values after them.

    `fields` are attribute names of the model, which are the names in the answer too.
    """

    model: type[models.Model]
    fields: tuple[str, ...]
    _selects: dict[tuple[str, ...], Select] = dataclasses.field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, models.Field[Any, Any]]:
        """The model's field for each name, in the answer's order."""
        known: dict[str, models.Field[Any, Any]] = {one.attname: one for one in self.model._meta.concrete_fields}
        return {name: known[name] for name in self.fields}

    @cached_property
    def json_names(self) -> tuple[str, ...]:
        """Names whose values are JSON that others wrote."""
        return tuple(name for name, field in self.columns.items() if isinstance(field, models.JSONField))

    def missing(self) -> list[str]:
        """Names whose column the connected database lacks."""
        if not issubclass(self.model, MirrorModel):
            return []
        gaps = shape.missing_columns(self.model)
        return [name for name, field in self.columns.items() if field.column in gaps] if gaps else []

    def texts(
        self,
        rows: QuerySet[Any],
        computed: Computed,
        missing: Sequence[str],
        *,
        key: Sequence[str] = (),
        descending: bool = False,
        limit: int = 1,
    ) -> list[str]:
        """At most `limit` of the rows as JSON texts, in the order of `key`, without the names in `missing`. One query.

        The ORM says which rows; their order, number and members are written here, which takes a third of the time. Its
        compiler still knows what the connected database lacks.
        """
        query = rows.query
        compiler = query.get_compiler(rows.db)
        quote = compiler.connection.ops.quote_name
        table = quote(query.get_initial_alias())
        select = self._select(tuple(missing), computed)
        way = " DESC" if descending else ""
        order = ", ".join(f"{table}.{quote(str(self.columns[name].column))}{way}" for name in key)

        def run() -> list[str]:
            conditions, values = "", []
            with suppress(FullResultSet):
                conditions, values = compiler.compile(query.where)
            sources, more = compiler.get_from_clause()
            sql = f"SELECT {select.sql} FROM {' '.join(sources)}"  # noqa: S608 -- values are parameters
            if conditions:
                sql += f" WHERE {conditions}"
            if order:
                sql += f" ORDER BY {order}"
            with compiler.connection.cursor() as cursor:
                cursor.execute(f"{sql} LIMIT {int(limit)}", [*select.params_at(timezone.now()), *more, *values])
                return self._masked(cursor.fetchall())

        try:
            # The portal's own compilers look at the database's shape anew where it was another than they knew.
            return getattr(compiler, "tried_twice", _once)(run)
        except EmptyResultSet:
            return []

    def _select(self, missing: tuple[str, ...], computed: Computed) -> Select:
        if missing not in self._selects:
            columns = {name: field for name, field in self.columns.items() if name not in missing}
            self._selects[missing] = Select.of(columns, computed, self.model._default_manager.all())
        return self._selects[missing]

    def _masked(self, rows: Sequence[tuple[str, str]]) -> list[str]:
        """The rows' texts with what is secret by its name, at any depth of JSON that others wrote, hidden.

        Almost no page holds such a name, so it is looked for in all rows at once before any of them is read.
        """
        foreign = "".join([text for _, text in rows]).lower()
        if not any(word in foreign for word in SECRET_WORDS):
            return [text for text, _ in rows]
        return [self._without_secrets(text) for text, _ in rows]

    def _without_secrets(self, text: str) -> str:
        row = orjson.loads(text)
        for name in self.json_names:
            if row.get(name) is not None:
                row[name] = without_secrets(row[name])
        return orjson.dumps(row).decode()


def _once(run: Callable[[], list[str]]) -> list[str]:
    return run()


class JsonValue(serializers.JSONField):
    """Any JSON, as it was written."""


def serializer_of(name: str, shape_: RowShape, extra: Mapping[str, serializers.Field[Any, Any, Any, Any]]) -> Any:
    """A serializer class that describes the rows for the schema; it never renders one."""
    members: dict[str, Any] = {}
    for attname, field in shape_.columns.items():
        members[attname] = _described(field)
    members |= extra
    members["__doc__"] = " ".join((shape_.model.__doc__ or "").split())
    return type(name, (serializers.Serializer,), members)


def state_field() -> serializers.Field[Any, Any, Any, Any]:
    """How a run is, worked out when it is asked for."""
    return serializers.ChoiceField(choices=states.STATES, help_text="Worked out from the other columns.")


def _described(field: models.Field[Any, Any]) -> serializers.Field[Any, Any, Any, Any]:
    # A column of the platform may be missing, and then its name is too: nothing but the key is promised.
    common: dict[str, Any] = {
        "help_text": str(field.help_text),
        "allow_null": field.null or isinstance(field, models.ForeignKey),
        "required": bool(field.primary_key),
    }
    inner = field.target_field if isinstance(field, models.ForeignKey) else field
    match inner:
        case ArrayField():
            base = inner.base_field
            child = serializers.UUIDField() if isinstance(base, models.UUIDField) else serializers.CharField()
            return serializers.ListField(child=child, **common)
        case models.JSONField():
            return JsonValue(**{**common, "allow_null": False})  # null is JSON, too
        case models.UUIDField():
            return serializers.UUIDField(**common)
        case models.DateTimeField():
            return serializers.DateTimeField(**common)
        case models.BooleanField():
            return serializers.BooleanField(**common)
        case models.IntegerField():
            return serializers.IntegerField(**common)
        case models.FloatField():
            return serializers.FloatField(**common)
    return serializers.CharField(**common)
