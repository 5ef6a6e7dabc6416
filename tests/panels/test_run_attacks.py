"""A corpus of statements that try to write, to stay, to look elsewhere or to break others: all are contained.

Each wall is tried alone, too: the text by itself, the grammar behind a text check that failed, the role without both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from django.db import connections
from psycopg2.extensions import connection as Connection  # noqa: N812

from apps.accounts.scope import EVERYTHING
from apps.panels import run
from apps.panels.errors import PanelError
from apps.panels.pool import Login
from apps.panels.reader import reader_for
from apps.panels.run import Limits, Result
from apps.panels.statement import single_query

pytestmark = pytest.mark.django_db(databases=["default", "source"])

ATTACKS = [
    # Writing.
    "DELETE FROM panel_guarded",
    "UPDATE panel_guarded SET word = 'gone' RETURNING word",
    "INSERT INTO panel_guarded VALUES ('more') RETURNING word",
    "WITH gone AS (DELETE FROM panel_guarded RETURNING word) SELECT * FROM gone",
    "TRUNCATE panel_guarded",
    "DROP TABLE panel_guarded",
    "CREATE TABLE panel_made AS SELECT 1",
    "SELECT 1 INTO panel_made",
    "SELECT * FROM panel_guarded FOR UPDATE",
    "COPY panel_guarded TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/panel'",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT pg_logical_emit_message(false, 'a', 'b')",
    "DO $$ BEGIN DELETE FROM panel_guarded; END $$",
    "CALL nothing()",
    # Several statements, and ways out of the parentheses.
    "SELECT 1; DROP TABLE panel_guarded",
    "SELECT 1; COMMIT; DROP TABLE panel_guarded",
    "SELECT 1) q; DROP TABLE panel_guarded; SELECT * FROM (SELECT 1",
    "SELECT 1) q) q LIMIT 1; DROP TABLE panel_guarded; --",
    "SELECT '\\'; DROP TABLE panel_guarded; --'",
    "SELECT 1 /* ; DROP TABLE panel_guarded",
    "SELECT 1 -- \r; DROP TABLE panel_guarded",
    "COMMIT",
    "PREPARE p AS SELECT 1",
    # Dynamic SQL.
    "SELECT query_to_xml('DELETE FROM panel_guarded', true, true, '')",
    "SELECT query_to_xml('SEL' || 'ECT pg_not' || 'ify(''a'', ''b'')', true, true, '')",
    "SELECT * FROM ts_stat('SELECT word FROM panel_guarded')",
    'SELECT U&"pg\\005Fnotify"(\'a\', \'b\')',
    # The session, its settings and its limits.
    "SET statement_timeout = 0",
    "RESET ALL",
    "SELECT set_config('statement_timeout', '0', false)",
    "SELECT pg_catalog.\"set_config\"('transaction_read_only', 'off', false)",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "LISTEN panel",
    "NOTIFY panel",
    "DISCARD ALL",
    # Other sessions.
    "SELECT pg_notify('panel', 'x')",
    "SELECT PG_ADVISORY_LOCK(1)",
    "SELECT pg_try_advisory_xact_lock_shared(1)",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity",
    "LOCK TABLE panel_guarded",
    # Files, secrets, the server.
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT * FROM pg_shadow",
    "SELECT pg_reload_conf()",
    "EXPLAIN ANALYZE SELECT 1",
    # Too long, too much.
    "SELECT pg_sleep(60)",
    "SELECT count(*) FROM generate_series(1, 100000000000)",
    "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r",
    "SELECT repeat('x', 100000) FROM panel_rows",
    "SELECT repeat('x', 1000000000) || repeat('y', 1000000000)",
]  # fmt: skip

LIMITS = Limits(seconds=0.5, rows=100, bytes=1_000_000)


@pytest.fixture
def unharmed(guarded: Connection) -> Iterator[Connection]:
    """What the attacks are after is as before when the test ends."""
    guarded.notices.clear()
    with guarded.cursor() as cursor:
        cursor.execute("LISTEN panel")
    yield guarded
    with guarded.cursor() as cursor:
        cursor.execute("SELECT word FROM panel_guarded")
        assert cursor.fetchall() == [("kept",)]
        cursor.execute("SELECT to_regclass('panel_made')")
        assert cursor.fetchone() == (None,)
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM pg_largeobject_metadata")
        assert cursor.fetchone() == (0,)
    guarded.poll()
    assert guarded.notifies == []


@pytest.mark.parametrize("sql", ATTACKS)
def test_an_attack_is_contained(sql: str, ask: Callable[..., Result], unharmed: Connection) -> None:
    with pytest.raises(PanelError) as caught:
        ask(sql, limits=LIMITS)
    assert caught.value.kind in {"refused", "sql", "timeout", "too_large"}
    assert "kept" not in caught.value.text


@pytest.mark.parametrize("sql", [sql for sql in ATTACKS if "generate_series" not in sql and "RECURSIVE" not in sql])
def test_the_grammar_and_the_transaction_hold_when_the_text_was_not_read(sql: str, unharmed: Connection) -> None:
    with contextlib.suppress(PanelError):
        run.execute(reader_for(EVERYTHING), sql, limits=LIMITS, stop=lambda: False)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; DROP TABLE panel_guarded",
        "SELECT 1) q; DROP TABLE panel_guarded; SELECT * FROM (SELECT 1",
        "SELECT 1) q LIMIT 1) q) q; COMMIT; DROP TABLE panel_guarded;"
        " SELECT 1 FROM (SELECT * FROM (SELECT * FROM (SELECT 1",
        "SELECT 1; SELECT 2",
        "DELETE FROM panel_guarded RETURNING word",
    ],
)
def test_postgresql_itself_says_that_a_text_is_no_single_query(sql: str, unharmed: Connection) -> None:
    """By the owner's rights: only the grammar and the transaction stand before the tables."""
    with pytest.raises(PanelError):
        run.execute(reader_as_owner(unharmed), sql, limits=LIMITS, stop=lambda: False)


def reader_as_owner(owner: Connection) -> Login:
    return Login("owner", lambda: connections["source"].get_connection_params())


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM panel_guarded",
        "DROP TABLE panel_guarded",
        "CREATE TABLE public.panel_made (n int)",
        "CREATE SCHEMA mine",
        "SELECT pg_notify('panel', 'x')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_xact_lock(1)",
        "SELECT pg_terminate_backend(1)",
        "SELECT set_config('statement_timeout', '0', false)",
        "SELECT query_to_xml('SELECT 1', true, true, '')",
        "SELECT lo_creat(1)",
        "SELECT pg_logical_emit_message(false, 'a', 'b')",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT * FROM pg_authid",
        "SET ROLE vptmonitor",
        "ALTER ROLE CURRENT_USER CREATEROLE",
    ],
)
def test_the_role_has_no_right_to_it_even_in_a_writing_transaction(sql: str, unharmed: Connection) -> None:
    login = reader_for(EVERYTHING)
    with contextlib.closing(psycopg2.connect(**login.parameters())) as connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ WRITE")
        with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.WrongObjectType)):
            cursor.execute(sql)


def test_no_setting_goes_from_one_panel_to_the_next(ask: Callable[..., Result], guarded: Connection) -> None:
    login = reader_for(EVERYTHING)
    with run.pool.connection(login, deadline=1e12, stop=lambda: False) as connection:
        for sql in (
            "SET statement_timeout = 0",
            "SET search_path = pg_catalog",
            "LISTEN panel",
            "PREPARE mine AS SELECT 1",
        ):
            connection.execute(sql, deadline=1e12, stop=lambda: False)
        pid = connection.raw.info.backend_pid
    result = ask(
        "SELECT pg_backend_pid(), current_setting('search_path'), current_setting('transaction_read_only'),"
        " current_setting('statement_timeout'),"
        " EXISTS (SELECT FROM pg_prepared_statements) OR EXISTS (SELECT FROM pg_listening_channels())"
    )
    assert result.rows == [(pid, "public", "on", "15s", False)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a;b' AS \"c;d\" -- ;",
        "SELECT $$;$$, $a$ $$ ; $a$",
        "SELECT E'\\';', ';' /* ; /* ; */ ; */",
        "SELECT lower(word) FROM panel_guarded WHERE word LIKE 'lo%';",
        "SELECT 1 AS lock, 2 AS notify_count",
    ],
)
def test_what_only_looks_dangerous_runs(sql: str, ask: Callable[..., Result]) -> None:
    ask(sql)


def test_a_forbidden_name_is_pointed_at() -> None:
    with pytest.raises(PanelError) as caught:
        single_query("SELECT a, pg_notify('a', 'b')")
    assert caught.value.position == len("SELECT a, ") + 1
    assert "pg_notify" in caught.value.text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT password FROM vptmonitor.accounts_user",
        'SELECT password FROM "vptmonitor" /* . */ . accounts_user',
        "SELECT * FROM VPTMonitor\n.accounts_user",
        "SELECT query FROM pg_stat_activity",
        "SELECT most_common_vals FROM pg_catalog.pg_stats",
    ],
)
def test_by_the_portals_own_role_a_query_cannot_read_what_is_the_portals(sql: str) -> None:
    with pytest.raises(PanelError) as caught:
        single_query(sql, by_portal=True)
    assert caught.value.kind == "refused"


def test_a_host_may_be_called_like_the_portal() -> None:
    for sql in ("SELECT 'vptmonitor.local', vptmonitor FROM t", "SELECT 1 AS vptmonitor"):
        assert single_query(sql, by_portal=True) == sql
