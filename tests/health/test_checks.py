"""What each check finds, against real databases."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from psycopg2.extensions import connection as Connection  # noqa: N812
from pytest_django import Settings

from apps.health.checks import CONFIGURATION, GROUPS, MACHINE, PORTAL, READER, SOURCE, databases, machine
from apps.health.checks.pooler import Answered, known_unfit
from apps.health.findings import Finding, Group, State, run
from apps.health.templatetags.findings import with_code
from apps.health.views import COLUMNS
from apps.mirror import shape
from vptmonitor import process_state, process_table
from vptmonitor.database import base
from vptmonitor.database_url import Address, from_url
from vptmonitor.process_state import LastExit, ProcessState

from .conftest import Away, Given, lead_to

pytestmark = pytest.mark.django_db(databases=["default", "source"])

PATIENCE = 5.0
"""The machine may be busy; the limits themselves are tested elsewhere."""


def found(group: Group, name: str) -> Finding:
    return next(finding for finding in run([group], patience=PATIENCE) if finding.name == name)


# Configuration --------------------------------------------------------------------------------------------------------


def test_two_addresses_that_disagree_are_told_without_passwords(settings: Settings) -> None:
    settings.SOURCE_ADDRESSES_DIFFER = True
    settings.SOURCE_ADDRESS = from_url("postgresql://me:c4nary@db.example.org/postgres")
    finding = found(CONFIGURATION, "addresses")
    assert finding.state is State.WARNING
    assert finding.details["source"] == "postgresql://me@db.example.org:5432/postgres?sslmode=require"


def test_debug_is_told(settings: Settings) -> None:
    assert found(CONFIGURATION, "debug").state is State.OK
    settings.DEBUG = True
    assert found(CONFIGURATION, "debug").state is State.WARNING


@pytest.mark.parametrize(
    ("changes", "state", "named"),
    [
        ({}, State.OK, ""),
        ({"ALLOWED_HOSTS": ["localhost", "lab.example.org"]}, State.WARNING, "PUBLIC_URL"),
        ({"PUBLIC_URL": "http://lab.example.org", "ALLOWED_HOSTS": ["lab.example.org"]}, State.WARNING, "TLS"),
        ({"PUBLIC_URL": "https://lab.example.org", "BEHIND_TLS": True}, State.WARNING, "TRUSTED_PROXY_COUNT"),
        ({"PUBLIC_URL": "https://x.example.org", "BEHIND_TLS": True, "TRUSTED_PROXY_COUNT": 1}, State.OK, ""),
    ],
)
def test_the_public_address(settings: Settings, changes: dict[str, Any], state: State, named: str) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    for name, value in changes.items():
        setattr(settings, name, value)
    finding = found(CONFIGURATION, "public_address")
    assert finding.state is state
    assert named in finding.fix


# The portal's own database --------------------------------------------------------------------------------------------


def test_a_healthy_portal_database() -> None:
    findings = run([PORTAL], patience=PATIENCE)
    assert {finding.state for finding in findings} == {State.OK}, findings
    assert findings[0].details["place"] == "embedded"


def test_an_embedded_database_beside_a_given_source_is_a_warning(settings: Settings) -> None:
    settings.SOURCE_ADDRESS = from_url("postgresql://me@localhost/postgres")
    finding = found(PORTAL, "portal_database")
    assert finding.state is State.WARNING
    assert "PORTAL_DATABASE_URL" in finding.fix


def test_a_migration_that_is_missing_is_told(owner: Connection) -> None:
    assert found(SOURCE, "source_migrations").state is State.OK
    with owner.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET name = name || '_' WHERE app = 'mirror'")
    try:
        finding = found(SOURCE, "source_migrations")
    finally:
        with owner.cursor() as cursor:
            cursor.execute("UPDATE django_migrations SET name = left(name, -1) WHERE app = 'mirror'")
    assert finding.state is State.FAILING
    assert "migrate --database source" in finding.fix
    assert "mirror.0001_tables" in str(finding.details["waiting"])


def test_a_database_that_refuses_fails_and_stops_the_other_questions(away: Away) -> None:
    away("default")
    findings = run([PORTAL], patience=PATIENCE)
    assert [finding.state for finding in findings] == [State.FAILING, *[State.UNKNOWN] * (len(findings) - 1)]
    assert "Nothing listens" in findings[0].text
    assert "cl0sed-c4nary" not in str(findings)


def test_a_database_that_says_nothing_does_not_hold_up_the_others(mute: Away) -> None:
    mute("source")
    quick = Group("quick", "", 0.3, SOURCE.checks)
    findings = run([quick])
    assert findings[0].state is State.FAILING
    assert "0.3 s" in findings[0].text
    assert {finding.state for finding in findings[1:]} == {State.UNKNOWN}
    assert found(PORTAL, "portal_database").state is State.OK


@pytest.mark.parametrize(
    ("message", "text", "fix"),
    [
        ('FATAL:  password authentication failed for user "x"', "password", "PORTAL_DATABASE_URL"),
        ("FATAL:  Tenant or user not found", "pooler", "postgres.<project>"),
        ('could not translate host name "x" to address', "name", "PORTAL_DATABASE_URL"),
        ("FATAL:  remaining connection slots are reserved", "no connection left", "limit"),
        ('FATAL:  database "x" does not exist', "does not exist", "PORTAL_DATABASE_URL"),
        ("something that nobody knows", "cannot be reached", "PORTAL_DATABASE_URL"),
    ],
)
def test_why_a_database_is_away(message: str, text: str, fix: str) -> None:
    verdict = databases.why_away(RuntimeError(message), "PORTAL_DATABASE_URL")
    assert verdict.state is State.FAILING
    assert text in verdict.text
    assert fix in verdict.fix


@pytest.mark.parametrize(("hours", "state"), [(0, State.OK), (1, State.WARNING), (-1, State.WARNING)])
def test_clocks_that_disagree(monkeypatch: pytest.MonkeyPatch, hours: int, state: State) -> None:
    class Shifted(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Shifted:
            return cls.fromtimestamp(datetime.now(UTC).timestamp(), tz) + timedelta(hours=hours)

    monkeypatch.setattr(databases, "datetime", Shifted)
    finding = found(PORTAL, "portal_clock")
    assert finding.state is state
    assert finding.details["skew_seconds"] == pytest.approx(-3600 * hours, abs=5)


# The source -----------------------------------------------------------------------------------------------------------


def test_a_healthy_source_of_our_own() -> None:
    findings = run([SOURCE], patience=PATIENCE)
    assert {finding.state for finding in findings} == {State.OK}, findings


def test_a_role_that_can_only_read_is_well(given: Given) -> None:
    given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    findings = {finding.name: finding for finding in run([SOURCE], patience=PATIENCE)}
    assert {finding.state for finding in findings.values()} == {State.OK}, findings
    assert findings["source_session"].details["default_transaction_read_only"] == "on"
    assert findings["source_session"].details["statement_timeout"] == "30000"
    assert findings["source_rights"].details["writable_tables"] == 0
    assert findings["source_pooler"].details == {"pooled": False, "transaction_mode": False}


def test_a_role_that_could_write_is_named_though_the_session_is_read_only(given: Given) -> None:
    given("GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}")
    finding = found(SOURCE, "source_rights")
    assert finding.state is State.WARNING
    assert "only SELECT" in finding.fix


def test_a_role_that_may_not_read_a_table_is_named(given: Given) -> None:
    given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", "REVOKE SELECT ON alerts FROM {role}")
    finding = found(SOURCE, "source_rights")
    assert finding.state is State.FAILING
    assert "alerts" in finding.text
    assert found(SOURCE, "source_shape").details["missing_tables"] == "alerts"


def test_rows_hidden_by_row_level_security_are_told(given: Given, owner: Connection) -> None:
    given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", "ALTER TABLE teams ENABLE ROW LEVEL SECURITY")
    try:
        finding = found(SOURCE, "source_rights")
    finally:
        with owner.cursor() as cursor:
            cursor.execute("ALTER TABLE teams DISABLE ROW LEVEL SECURITY")
    assert finding.state is State.WARNING
    assert finding.details["row_security_on"] == "teams"


def test_a_writing_portal_with_a_reading_role_is_told(given: Given) -> None:
    given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", access="write")
    assert found(SOURCE, "source_rights").state is State.WARNING
    assert found(SOURCE, "source_session").details["default_transaction_read_only"] == "off"


def test_a_session_that_does_not_keep_its_settings_fails(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    monkeypatch.setattr(base.DatabaseWrapper, "init_connection_state", lambda wrapper: None)
    finding = found(SOURCE, "source_session")
    assert finding.state is State.FAILING
    assert "pooler" in finding.fix


def test_a_database_without_the_platforms_tables_is_the_wrong_one(given: Given) -> None:
    given("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM {role}")
    finding = found(SOURCE, "source_shape")
    assert finding.state is State.FAILING
    assert "right database" in finding.fix


def test_a_column_that_is_missing_is_counted_and_no_fault(given: Given) -> None:
    columns = ", ".join(name for name in shape.mirrored_columns()["teams"] if name != "description")
    given(
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        "REVOKE SELECT ON teams FROM {role}",
        f"GRANT SELECT ({columns}) ON teams TO {{role}}",
    )
    finding = found(SOURCE, "source_shape")
    assert finding.state is State.OK
    assert "1 column " in finding.text
    assert "check_source" in finding.text
    assert finding.details["teams"] == "description"


# Poolers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "port", "unfit"),
    [
        ("aws-0-eu-west-1.pooler.supabase.com", 6543, True),
        ("db.abcdefgh.supabase.co", 6543, True),
        ("aws-0-eu-west-1.pooler.supabase.com", 5432, False),
        ("db.example.org", 6543, False),
    ],
)
def test_supabases_transaction_pooler_is_known_by_its_address(host: str, port: int, unfit: bool) -> None:
    assert known_unfit(host, port) is unfit


@pytest.mark.parametrize(
    ("answered", "shared", "pooled"),
    [
        (Answered((1, 1, 1), (2, 2, 2), 1), False, False),
        (Answered((1, 1, 1), (2, 2, 2), 99), False, True),
        (Answered((1, 1, 1), (1, 1, 1), 99), True, True),
        (Answered((1, 2, 1), (3, 3, 3), 99), True, True),
    ],
)
def test_lent_connections_are_known_by_who_answers(answered: Answered, shared: bool, pooled: bool) -> None:
    assert (answered.shared, answered.pooled) == (shared, pooled)


def test_a_pooler_in_transaction_mode_is_unfit(given: Given, settings: Settings) -> None:
    given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    settings.SOURCE_ADDRESS = Address("aws-0-eu.pooler.supabase.com", 6543, "postgres", "postgres.abc")
    finding = found(SOURCE, "source_pooler")
    assert finding.state is State.FAILING
    assert "5432" in finding.fix


def test_looking_for_a_pooler_leaves_no_connection_behind(given: Given, owner: Connection) -> None:
    role = given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}").user
    run([SOURCE], patience=PATIENCE)
    with owner.cursor() as cursor:
        # The server notices a closed connection a moment later.
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity, LATERAL pg_terminate_backend(pid, 5000) gone"
            " WHERE usename = %s AND NOT gone",
            [role],
        )
        assert cursor.fetchone() == (0,)


# The reader -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("access", "text"), [("own", "makes roles that can only read"), ("read", "may see all teams")])
def test_no_reader_is_no_fault(settings: Settings, access: str, text: str) -> None:
    settings.SOURCE_ACCESS = access
    finding = found(READER, "reader_role")
    assert finding.state is State.OK
    assert text in finding.text


@pytest.mark.parametrize(
    ("grant", "state", "text"),
    [
        ("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", State.OK, "only read"),
        ("GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO {role}", State.FAILING, "can write"),
        ("GRANT SELECT ON teams TO {role}", State.WARNING, "may not read"),
    ],
)
def test_the_reader_role(given: Given, settings: Settings, grant: str, state: State, text: str) -> None:
    settings.SOURCE_READER_ADDRESS = given(grant)
    finding = found(READER, "reader_role")
    assert finding.state is state
    assert text in finding.text


def test_a_reader_that_cannot_sign_in_is_told_without_its_password(given: Given, settings: Settings) -> None:
    right = given()
    settings.SOURCE_READER_ADDRESS = Address(right.host, right.port, right.name, right.user, "wr0ng-c4nary")
    finding = found(READER, "reader_role")
    assert finding.state is State.FAILING
    assert "password is refused" in finding.text
    assert "wr0ng-c4nary" not in str(finding)


# Machine and demo -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [
        (50 * 2**30, 100 * 2**30, State.OK),
        (5 * 2**30, 100 * 2**30, State.WARNING),
        (100 * 2**30, 2000 * 2**30, State.OK),
        (2**29, 2**30, State.WARNING),
        (2**27, 2**30, State.FAILING),
    ],
)
def test_the_disk(monkeypatch: pytest.MonkeyPatch, free: int, total: int, state: State) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free, total=total))
    assert machine.disk().state is state


def a_process(**changes: Any) -> ProcessState:
    me = process_table.find(os.getpid())
    assert me is not None
    state = ProcessState(
        "web", process_state.State.RUNNING, me.pid, me.birth, child_pid=7, started_at=datetime.now(UTC)
    )
    return state._replace(**changes)


def just_now(ago: timedelta = timedelta()) -> LastExit:
    return LastExit(None, 9, None, datetime.now(UTC) - ago, 5.0)


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (list, State.UNKNOWN),
        (lambda: [a_process()], State.OK),
        (lambda: [a_process(), a_process(name="worker", state="backing-off", restarts=3)], State.FAILING),
        (lambda: [a_process(restarts=1, last_exit=just_now())], State.WARNING),
        (lambda: [a_process(restarts=1, last_exit=just_now(timedelta(hours=1)))], State.OK),
        (lambda: [a_process(), a_process(name="worker", supervisor_birth="another")], State.WARNING),
        (lambda: [a_process(supervisor_birth="another")], State.UNKNOWN),
        (lambda: [a_process(state=process_state.State.STOPPED)], State.UNKNOWN),
    ],
)
def test_the_processes(
    settings: Settings, tmp_path: Path, states: Callable[[], list[ProcessState]], state: State
) -> None:
    settings.STATE_DIR = tmp_path
    for one in states():
        process_state.write(tmp_path, one)
    assert found(MACHINE, "processes").state is state


# All together ---------------------------------------------------------------------------------------------------------


def test_every_group_is_on_the_page() -> None:
    assert sorted(group.name for column in COLUMNS for group in column) == sorted(group.name for group in GROUPS)


def test_commands_in_texts_are_code_and_the_rest_is_escaped() -> None:
    assert with_code("a <b> `x <y>`") == "a &lt;b&gt; <code>x &lt;y&gt;</code>"


def test_names_are_unique() -> None:
    names = [check.name for group in GROUPS for check in group.checks]
    assert len(names) == len(set(names))


def test_texts_for_viewers_name_neither_address_nor_role(given: Given, settings: Settings) -> None:
    address = given("GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}")
    settings.SOURCE_READER_ADDRESS = address
    for finding in run(GROUPS, patience=PATIENCE):
        for told in (finding.text, finding.fix):
            assert address.user not in told
            assert str(address.host) not in told
            assert str(settings.DATA_DIR) not in told


def test_checks_do_not_touch_this_threads_connection(monkeypatch: pytest.MonkeyPatch, closed_port: int) -> None:
    lead_to(monkeypatch, "source", HOST="127.0.0.1", PORT=str(closed_port))
    assert found(SOURCE, "source_database").state is State.FAILING
    with connections["source"].cursor() as cursor:
        cursor.execute("SELECT 1")
