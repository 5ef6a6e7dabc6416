"""Rows of a mirrored table as CSV or JSON, streamed, so that a hundred thousand of them need no memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from apps.mirror.shape import missing_columns

Format = Literal["csv", "json"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "json")
MOST_ROWS: Final = 100_000
"""The most rows that one file holds; its end says when there were more."""
CHUNK: Final = 2000
"""Rows that are fetched at a time."""


def export(rows: QuerySet[Any], form: Format) -> StreamingHttpResponse:
    """The rows in their order with all columns that the connected database has, as an attachment.

    A JSON file is an object with `table`, `exported_at`, `rows` and `complete`; a CSV file that was cut says so in its
    last line. JSON and arrays stand in CSV as JSON.
    """
    model = rows.model
    gaps = missing_columns(model)
    names = [field.attname for field in model._meta.concrete_fields if field.column not in gaps]
    lines = _csv(rows, names) if form == "csv" else _json(rows, names)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
    response = StreamingHttpResponse(lines, content_type=kind)
    name = f"{model._meta.db_table}-{timezone.now():%Y%m%d-%H%M}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _streamed(rows: QuerySet[Any]) -> Iterator[Model]:
    """The rows by a server-side cursor, one more than `MOST_ROWS`."""
    return rows[: MOST_ROWS + 1].iterator(chunk_size=CHUNK)


class _Echo:
    """A file that gives back what is written, so that csv can stream."""

    def write(self, text: str) -> str:
        return text


def _csv(rows: QuerySet[Any], names: list[str]) -> Iterator[str]:
    return csv_lines(([getattr(row, name) for name in names] for row in _streamed(rows)), names)


def csv_lines(rows: Iterable[Sequence[Any]], names: Sequence[str], *, limit: int | None = None) -> Iterator[str]:
    """Lines of CSV under the names: up to `limit` rows where it is given, else `MOST_ROWS` and a last line that says
    that there were more."""
    writer = csv.writer(_Echo())
    yield writer.writerow(names)
    for count, row in enumerate(rows):
        if limit is None and count == MOST_ROWS:
            yield writer.writerow([f"cut after {MOST_ROWS} rows: narrow the filters for the rest"])
            return
        yield writer.writerow([cell(value) for value in row])


def cell(value: Any) -> str:
    """A cell that a spreadsheet takes as a value: text that begins like a formula gets an apostrophe before it."""
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
        case str() if value.startswith(("=", "+", "-", "@", "\t", "\r")):
            return f"'{value}"
    return str(value)


def _json(rows: QuerySet[Any], names: list[str]) -> Iterator[str]:
    head = {"table": rows.model._meta.db_table, "exported_at": timezone.now()}
    yield json.dumps(head, cls=DjangoJSONEncoder)[:-1] + ', "rows": [\n'
    complete = True
    for count, row in enumerate(_streamed(rows)):
        if count == MOST_ROWS:
            complete = False
            break
        line = {name: getattr(row, name) for name in names}
        yield (",\n" if count else "") + json.dumps(line, ensure_ascii=False, cls=_Encoder)
    yield f'\n], "complete": {json.dumps(complete)}, "limit": {MOST_ROWS}}}\n'


class _Encoder(DjangoJSONEncoder):
    """Times with their microseconds, which Django's own cuts to milliseconds."""

    def default(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else super().default(value)
