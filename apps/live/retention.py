"""Events are kept for a time and up to a number; whoever stood before what was dropped is told to load anew."""

from __future__ import annotations

from django.conf import settings
from django.db import connections, transaction

from apps.live.install import owned, schema_of
from apps.live.tables import PORTAL
from apps.mirror.shape import SOURCE

_PRUNE = """
WITH gone AS (
    DELETE FROM {schema}.live_event
     WHERE at < clock_timestamp() - %(minutes)s * interval '1 minute'
        OR id <= (SELECT id FROM {schema}.live_event ORDER BY id DESC OFFSET %(most)s LIMIT 1)
    RETURNING xid
), last AS (SELECT xid FROM gone ORDER BY xid DESC LIMIT 1)
UPDATE {schema}.live_state s SET pruned = last.xid FROM last WHERE last.xid > s.pruned
"""


def prune() -> None:
    """Drop what is too old or too much in each database. Raises django.db.Error."""
    for alias in (PORTAL, SOURCE):
        if owned(alias):
            schema = connections[alias].ops.quote_name(schema_of(alias))
            with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
                cursor.execute(
                    _PRUNE.format(schema=schema),
                    {"minutes": settings.LIVE_KEEP_MINUTES, "most": settings.LIVE_KEEP_EVENTS},
                )
