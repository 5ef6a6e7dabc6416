"""A source with a table to read and one to guard, seen by the owner and by the role that panels run as."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg2
import pytest
from django.db import connections
from psycopg2.extensions import connection as Connection  # noqa: N812

from apps.accounts.scope import EVERYTHING
from apps.panels import reader, run
from apps.panels.run import Limits, Query, Result, Who

ME = Who("somebody", EVERYTHING)


@pytest.fixture
def owner(django_db_setup: None) -> Iterator[Connection]:
    """A connection of the owner to the test's source, each statement committed at once."""
    connection = psycopg2.connect(**connections["source"].get_connection_params())
    connection.autocommit = True
    yield connection
    connection.close()


@pytest.fixture
def guarded(owner: Connection) -> Iterator[Connection]:
    """The tables `panel_rows` (n from 1 to 1000) and `panel_guarded` (one row, 'kept'); the owner's connection."""
    with owner.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS panel_rows, panel_guarded")
        cursor.execute("CREATE TABLE panel_rows AS SELECT n FROM generate_series(1, 1000) n")
        cursor.execute("CREATE TABLE panel_guarded AS SELECT 'kept'::text AS word")
    yield owner
    with owner.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS panel_rows, panel_guarded")


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """No answer, connection or knowledge of roles goes from one test to the next."""
    run.answers.clear()
    yield
    run.answers.clear()
    run.pool.close()
    reader.forget()


@pytest.fixture
def ask(guarded: Connection) -> Callable[..., Result]:
    """Runs SQL as a panel does, for somebody who may see everything."""

    def ask(sql: str, *, limits: Limits | None = None, cancelled: Callable[[], bool] | None = None) -> Result:
        return run.run(Query(sql, "lab/1/A"), who=ME, limits=limits or Limits(), cancelled=cancelled)

    return ask


def backends(owner: Connection, marked: str) -> int:
    """How many backends run a statement with `marked` in it, other than this one."""
    with owner.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = %s"
            " AND l.pid <> pg_backend_pid()",
            [marked],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
