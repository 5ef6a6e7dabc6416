"""How many rows a table has, as PostgreSQL last counted them by itself: a COUNT of millions takes seconds."""

from __future__ import annotations

from django.db import connections
from django.db.models import Model

from apps.mirror.shape import SOURCE


def estimated_rows(model: type[Model]) -> int | None:
    """The number of rows at the last VACUUM or ANALYZE; None where there was none, or no such table. One query."""
    with connections[SOURCE].cursor() as cursor:
        cursor.execute(
            "SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s)",
            [connections[SOURCE].ops.quote_name(model._meta.db_table)],
        )
        row = cursor.fetchone()
    return row[0] if row and row[0] >= 0 else None
