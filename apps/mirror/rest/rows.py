"""Rows of a query set as JSON texts that the database wrote, and what the schema says of them.

A list of a hundred rows spends its time in turning columns into Python objects and these into JSON. PostgreSQL writes
the same JSON itself in a fraction of that (docs/decisions/0011-api.md has the numbers), so a row leaves the database as
the text that the client gets. Moments are ISO 8601 in UTC, numbers what the column holds, JSON columns as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Expression, QuerySet, TextField
from django.db.models.expressions import Combinable
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


class JsonText(Expression):
    """`row_to_json` over columns of the query's own table and over `extra` expressions, as text.

    `columns` maps names of the answer to fields of the model. Where the query joins, the columns stay the table's own.
    """

    output_field = TextField()

    def __init__(self, columns: Mapping[str, models.Field[Any, Any]], extra: Mapping[str, Combinable]) -> None:
        super().__init__()
        self.columns = columns
        self.names = list(extra)
        self.extra: list[Any] = list(extra.values())

    def get_source_expressions(self) -> list[Any]:
        return self.extra

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.extra = list(exprs)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        quote = connection.ops.quote_name
        table = quote(compiler.query.get_initial_alias())
        parts, params = [], []
        for name, field in self.columns.items():
            zone = " AT TIME ZONE 'UTC'" if isinstance(field, NaiveUTCDateTimeField) else ""
            parts.append(f"{table}.{quote(field.column)}{zone} AS {quote(name)}")
        for name, expression in zip(self.names, self.extra, strict=True):
            sql, values = compiler.compile(expression)
            parts.append(f"{sql} AS {quote(name)}")
            params.extend(values)
        columns = ", ".join(parts)
        return f"(SELECT row_to_json(answer)::text FROM (SELECT {columns}) answer)", params  # noqa: S608 -- names of ours


@dataclass(frozen=True)
class RowShape:
    """Which columns of a model an answer has, under which names, and with which computed values after them.

    `fields` are attribute names of the model, which are the names in the answer too.
    """

    model: type[models.Model]
    fields: tuple[str, ...]
    extra: tuple[str, ...] = ()

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

    def texts(self, rows: QuerySet[Any], extra: Mapping[str, Combinable], missing: Iterable[str]) -> QuerySet[Any, Any]:
        """The rows as JSON texts, without the names in `missing`. One query, when they are read."""
        left_out = set(missing)
        columns = {name: field for name, field in self.columns.items() if name not in left_out}
        return rows.values_list(JsonText(columns, extra), flat=True)

    def masked(self, texts: Sequence[str]) -> Sequence[str]:
        """The texts with what is secret by its name, at any depth of JSON that others wrote, hidden.

        Almost no page holds such a name, so it is looked for in the page as a whole before any row is read.
        """
        if not self.json_names:
            return texts
        page = "".join(texts).lower()
        if not any(word in page for word in SECRET_WORDS):
            return texts
        return [self._masked(text) for text in texts]

    def _masked(self, text: str) -> str:
        row = orjson.loads(text)
        for name in self.json_names:
            if row.get(name) is not None:
                row[name] = without_secrets(row[name])
        return orjson.dumps(row).decode()


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
            return JsonValue(**common)
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
