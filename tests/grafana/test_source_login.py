"""Grafana's login on the platform's database can only read, and becomes nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from psycopg2 import errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from pytest_django import Settings

from apps.grafana.configuration import Postgres
from apps.grafana.source_login import NoSafeLoginError, source_login
from apps.panels.reader_role_sql import verifier
from tests.health.conftest import Given
from vptmonitor.database_url import from_url

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def connect(login: Postgres, **changes: str) -> Connection:
    parameters: dict[str, Any] = {"host": login.host, "port": login.port, "dbname": login.name, "user": login.user}
    connection: Connection = psycopg2.connect(**{**parameters, "password": login.password, **changes})
    connection.autocommit = True
    return connection


@pytest.fixture
def grafana() -> Iterator[Connection]:
    """A session of the role that the portal makes on its own database, which has already tried to free itself."""
    with closing(connect(source_login())) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off; SET statement_timeout = 0")
        yield connection


def elsewhere(look: Callable[[], Postgres]) -> Postgres:
    """What a thread of its own finds, with connections of its own: this one's were made before."""

    def work() -> Postgres:
        try:
            return look()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def refused(connection: Connection, sql: str) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
    except (errors.InsufficientPrivilege, errors.ObjectInUse, errors.UndefinedTable, errors.InvalidParameterValue):
        return True
    return False


def test_it_reads_the_platforms_tables(grafana: Connection) -> None:
    with grafana.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM alerts, device")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO teams (name) VALUES ('x')",
        "UPDATE alerts SET status = 'resolved'",
        "DELETE FROM device",
        "TRUNCATE device",
        "DROP TABLE device",
        "ALTER TABLE device ADD COLUMN x int",
        "CREATE TABLE made (x int)",
        "CREATE SCHEMA made",
        "CREATE INDEX ON device (name)",
        "COPY device TO PROGRAM 'cat'",
        "COPY device FROM '/etc/passwd'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_create(0)",
        "SELECT set_config('role', 'vptmonitor', false)",
        "SELECT pg_terminate_backend(1)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_notify('x', 'y')",
        "SELECT rolpassword FROM pg_authid",
        "CREATE EXTENSION dblink",
    ],
)
def test_it_writes_nothing(grafana: Connection, sql: str) -> None:
    assert refused(grafana, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SET ROLE postgres", "SET ROLE vptmonitor", "SET SESSION AUTHORIZATION postgres",
        "SET SESSION AUTHORIZATION vptmonitor", "CREATE ROLE made", "ALTER ROLE CURRENT_USER CREATEROLE",
        "GRANT vptmonitor TO CURRENT_USER",
    ],
)  # fmt: skip
def test_it_becomes_nobody_else(grafana: Connection, sql: str) -> None:
    assert refused(grafana, sql)


def test_it_reads_nothing_of_the_portals_own(grafana: Connection) -> None:
    with closing(connect(source_login(), dbname=connections["default"].settings_dict["NAME"])) as there:
        with there.cursor() as cursor:
            cursor.execute(
                "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'v', 'm', 'S') AND n.nspname !~ '^pg_|^information_schema$'"
                " AND (has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"
                " OR has_any_column_privilege(c.oid, 'SELECT'))"
            )
            assert cursor.fetchall() == []
        for table in ("accounts_user", "django_session", "accounts_auditentry"):
            assert refused(there, f"SELECT 1 FROM {table}")


def test_its_queries_end(grafana: Connection) -> None:
    with closing(connect(source_login())) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')")
        assert cursor.fetchone() == ("30s", "on")


def test_a_login_that_was_given_goes_before_everything(settings: Settings) -> None:
    settings.SOURCE_READER_ADDRESS = from_url("postgresql://panels:p@db.example.org/lab")
    assert source_login().user == "panels"
    settings.GRAFANA_READER_ADDRESS = from_url("postgresql://graf:p%24@db.example.org:6000/lab")
    found = source_login()
    assert (found.user, found.address, found.password) == ("graf", "db.example.org:6000", "p$")
    assert found.sslmode == "require"


SELECT = ("GRANT USAGE ON SCHEMA public TO {role}", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")


def test_the_sources_own_login_serves_when_it_can_only_read(given: Given) -> None:
    address = given(*SELECT)
    assert elsewhere(source_login).user == address.user


@pytest.mark.parametrize(
    ("grants", "attributes"),
    [
        ((*SELECT, "GRANT UPDATE ON alerts TO {role}"), ""),
        ((*SELECT, "GRANT CREATE ON SCHEMA public TO {role}"), ""),
        (SELECT, "CREATEROLE"),
        (SELECT, "CREATEDB"),
    ],
)
def test_a_login_that_could_write_is_never_given_to_grafana(
    given: Given, grants: tuple[str, ...], attributes: str
) -> None:
    given(*grants, attributes=attributes)
    with pytest.raises(NoSafeLoginError, match="reader_role_sql"):
        elsewhere(source_login)


def test_the_printed_sql_makes_such_a_role(settings: Settings, owner: Connection, superuser: Cursor) -> None:
    entry = connections["source"].settings_dict
    settings.SOURCE_ADDRESS = from_url(f"postgresql://x@localhost/{entry['NAME']}")
    said = StringIO()
    call_command("reader_role_sql", "--role", "printed_reader", stdout=said)
    text = said.getvalue()
    password = re.search(r"GRAFANA_READER_URL=postgresql://printed_reader:([^@]+)@localhost:5432/", text)
    assert password is not None
    assert password[1] not in text.replace(password[0], "")
    login = Postgres(entry["HOST"], int(entry["PORT"]), entry["NAME"], "printed_reader", password[1])
    with owner.cursor() as cursor:
        try:
            cursor.execute(text)
            cursor.execute(text)  # again
            with closing(connect(login)) as connection:
                assert not refused(connection, "SELECT count(*) FROM alerts")
                with connection.cursor() as reader:
                    reader.execute("SET default_transaction_read_only = off")
                for sql in ("DELETE FROM alerts", "CREATE TABLE made (x int)", "SET ROLE vptmonitor"):
                    assert refused(connection, sql)
        finally:
            superuser.execute("DROP OWNED BY printed_reader; DROP ROLE printed_reader")


@pytest.mark.parametrize("name", ["Robert'); --", "UPPER", "1st", "", "a" * 64])
def test_a_role_has_a_plain_name(name: str) -> None:
    with pytest.raises(CommandError, match="small letters"):
        call_command("reader_role_sql", "--role", name)


def test_the_verifier_is_postgresqls_form() -> None:
    key = "[A-Za-z0-9+/]{43}="
    assert re.fullmatch(rf"SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{{22}}==\${key}:{key}", verifier("x"))
