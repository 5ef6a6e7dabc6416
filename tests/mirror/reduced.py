"""Take a column or a table away from the source database for the length of a `with` block.

The change is undone by rolling back to a savepoint, so the caller needs a test with a database transaction around it,
and everything that shall see the gap must use the same connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connections, transaction

from apps.mirror.shape import SOURCE, forget


@contextmanager
def without_column(table: str, column: str) -> Iterator[None]:
    """`table` lacks `column`, with all constraints and indexes that need it."""
    with _changed([f'ALTER TABLE "{table}" DROP COLUMN "{column}" CASCADE']):
        yield


@contextmanager
def without_table(table: str) -> Iterator[None]:
    """`table` is not there, nor any foreign key to it."""
    with _changed([f'DROP TABLE "{table}" CASCADE']):
        yield


@contextmanager
def like_an_installation() -> Iterator[None]:
    """All at once what a real installation lacks (see `installation`)."""
    from tests.mirror import installation

    statements = [f'DROP TABLE "{table}" CASCADE' for table in installation.MISSING_TABLES]
    statements += [
        f'ALTER TABLE "{table}" DROP COLUMN "{column}" CASCADE' for table, column in installation.MISSING_COLUMNS
    ]
    with _changed(statements):
        yield


def platform_without_rule() -> None:
    """For the rest of a test in a transaction: several alerts of one key may be active, as on the platform."""
    with connections[SOURCE].cursor() as cursor:
        cursor.execute("DROP INDEX vpt_alerts_one_active")


@contextmanager
def _changed(statements: Iterable[str]) -> Iterator[None]:
    try:
        with transaction.atomic(using=SOURCE):
            with connections[SOURCE].cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
            forget()
            yield
            transaction.set_rollback(True, using=SOURCE)
    finally:
        forget()
