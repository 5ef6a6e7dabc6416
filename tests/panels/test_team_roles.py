"""People who are limited to teams get the rows of these from any query, whatever it tries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg2
import pytest
from django.apps import apps
from psycopg2.extensions import connection as Connection  # noqa: N812
from pytest_django import Settings

from apps.accounts.scope import EVERYTHING, NOTHING, TeamScope
from apps.mirror.models.base import MirrorModel
from apps.panels import reader, run
from apps.panels.errors import PanelError
from apps.panels.reader import may_run, reader_for
from apps.panels.run import Query, Result, Who
from apps.panels.team_roles import LIMIT_POLICY, group_name, team_role_name

A, B = UUID(int=0xA), UUID(int=0xB)
TEAM_A = TeamScope(team_ids=frozenset({A}), host_names=frozenset({"rack-a"}))
BOTH = TeamScope(team_ids=frozenset({A, B}), host_names=frozenset({"rack-a", "it's b"}))
TABLES = "panel_parts, panel_runs, panel_pings, panel_loose"

pytestmark = pytest.mark.django_db(databases=["default", "source"])

Look = Callable[..., Result]


@pytest.fixture
def tables(owner: Connection) -> Iterator[Connection]:
    """Runs by team, pings by host, parts of runs, and rows of nobody: each of A, B and without an owner."""
    with owner.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLES} CASCADE")
        cursor.execute("CREATE TABLE panel_runs (id int PRIMARY KEY, team_id uuid, word text)")
        cursor.execute("CREATE TABLE panel_pings (host_name varchar(50), word text)")
        cursor.execute("CREATE TABLE panel_parts (run_id int NOT NULL REFERENCES panel_runs, word text)")
        cursor.execute("CREATE TABLE panel_loose (word text)")
        cursor.execute("CREATE VIEW panel_view AS SELECT * FROM panel_runs")
        cursor.execute(
            "INSERT INTO panel_runs SELECT n, t, w FROM (VALUES (1, %s::uuid, 'mine'), (2, %s, 's3cret'),"
            " (3, NULL, 's3cret')) q(n, t, w)",
            [str(A), str(B)],
        )
        cursor.execute("INSERT INTO panel_pings VALUES ('rack-a', 'mine'), ('it''s b', 's3cret'), (NULL, 's3cret')")
        cursor.execute("INSERT INTO panel_parts VALUES (1, 'mine'), (2, 's3cret'), (3, 's3cret')")
        cursor.execute("INSERT INTO panel_loose VALUES ('s3cret')")
    yield owner
    with owner.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLES} CASCADE")


@pytest.fixture
def look(tables: Connection) -> Look:
    """Runs SQL as a panel does, for somebody of team A or of another scope."""

    def look(sql: str, scope: TeamScope = TEAM_A) -> Result:
        return run.run(Query(sql, "lab/1/A", keep_seconds=10), who=Who("somebody", scope))

    return look


@pytest.mark.parametrize("table", ["panel_runs", "panel_pings", "panel_parts"])
def test_a_query_sees_the_rows_of_the_viewers_teams(table: str, look: Look) -> None:
    sql = f"SELECT word FROM {table}"
    assert look(sql).rows == [("mine",)]
    assert len(look(sql, BOTH).rows) == 2
    assert len(look(sql, EVERYTHING).rows) == 3
    assert look(sql).rows == [("mine",)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT word FROM panel_loose",
        "SELECT word FROM panel_view",
        "SELECT * FROM vptmonitor_panels.scopes",
        "SELECT most_common_vals::text FROM pg_stats WHERE tablename LIKE 'panel%'",
        "SELECT 1 / (word <> 's3cret')::int FROM panel_runs",
        "SELECT word::int FROM panel_runs WHERE word <> 'mine'",
        "SELECT word FROM panel_runs WHERE word <> 'mine' AND word::int = 1",
        "SELECT word FROM panel_runs OFFSET 1",
        "SELECT word FROM panel_runs TABLESAMPLE system (100) WHERE id > 1",
        "SELECT word FROM panel_runs WHERE ctid = '(0,2)'",
        "SELECT r.word FROM panel_parts p JOIN panel_runs r ON r.id <> p.run_id",
        "SELECT set_config('role', 'none', true), word FROM panel_runs WHERE id > 1",
        "SELECT set_config('row_security', 'off', true), word FROM panel_runs WHERE id > 1",
        "SELECT query FROM pg_stat_activity WHERE query LIKE '%s3cret%' AND usename <> session_user",
        "SELECT table_to_xml('panel_loose', true, true, '')",
    ],
)
def test_no_query_reaches_the_rows_of_others(sql: str, look: Look, tables: Connection) -> None:
    with tables.cursor() as cursor:
        cursor.execute("ANALYZE panel_runs")
    seen: object = None
    try:
        seen = look(sql).rows
    except PanelError as error:
        seen = error.text
    assert "s3cret" not in str(seen)
    assert isinstance(seen, str) or seen in ([], [(1,)])


@pytest.mark.parametrize(
    "sql",
    [
        "SET ROLE {group}",
        "SET row_security = off",
        "SET SESSION AUTHORIZATION DEFAULT",
        "RESET ROLE",
        "SET search_path = pg_catalog",
    ],
)
def test_nothing_that_the_login_can_set_widens_what_it_sees(sql: str, look: Look, tables: Connection) -> None:
    look("SELECT 1")
    login = reader_for(TEAM_A)
    connection = psycopg2.connect(**login.parameters())
    try:
        with connection.cursor() as cursor:
            group = group_name(str(login.parameters()["dbname"]))
            cursor.execute(sql.format(group=group))
            try:
                cursor.execute("SELECT word FROM public.panel_runs")
                assert cursor.fetchall() == [("mine",)]
            except psycopg2.errors.InsufficientPrivilege:
                assert "row_security" in sql
    finally:
        connection.close()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO panel_runs VALUES (9, NULL, 'x')",
        "UPDATE vptmonitor_panels.scopes SET teams = '{}'",
        "ALTER TABLE panel_runs DISABLE ROW LEVEL SECURITY",
        "DROP POLICY vptmonitor_teams ON panel_runs",
        "CREATE FUNCTION vptmonitor_panels.more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SET ROLE vptmonitor",
    ],
)
def test_the_login_may_change_nothing(sql: str, look: Look) -> None:
    look("SELECT 1")
    connection = psycopg2.connect(**reader_for(TEAM_A).parameters())
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ WRITE")
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(sql)
    finally:
        connection.close()


def test_others_see_what_they_saw_before(look: Look, tables: Connection) -> None:
    look("SELECT 1")
    with tables.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM panel_runs")
        assert cursor.fetchone() == (3,)
    assert len(look("SELECT word FROM panel_view", EVERYTHING).rows) == 3


def test_every_mirrored_table_that_the_pages_limit_is_limited_for_panels(look: Look, tables: Connection) -> None:
    look("SELECT 1")
    limited = {
        model._meta.db_table
        for model in apps.get_app_config("mirror").get_models()
        if issubclass(model, MirrorModel) and (model.team_lookup or model.host_lookup)
    }
    with tables.cursor() as cursor:
        cursor.execute("SELECT polrelid::regclass::text FROM pg_policy WHERE polname = %s", [LIMIT_POLICY])
        assert limited <= {table for (table,) in cursor.fetchall()}


def test_teams_stay_closed_while_everybody_may_read_a_table(
    look: Look, tables: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with tables.cursor() as cursor:
        cursor.execute("GRANT SELECT ON panel_loose TO PUBLIC")
    with pytest.raises(PanelError, match="cannot keep your teams' rows apart") as caught:
        look("SELECT 1")
    assert caught.value.kind == "refused"
    assert "panel_loose" in caplog.text


def test_a_login_that_nobody_used_for_long_is_dropped(look: Look, tables: Connection) -> None:
    look("SELECT 1")
    database = tables.info.dbname
    with tables.cursor() as cursor:
        cursor.execute("UPDATE vptmonitor_panels.scopes SET used_at = now() - interval '31 days'")
    run.pool.close()
    reader.forget()
    look("SELECT 1", BOTH)
    with tables.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", [f"{group_name(database)}\\_%"])
        assert cursor.fetchall() == [(team_role_name(database, BOTH),)]
    reader.forget()
    assert look("SELECT word FROM panel_runs").rows == [("mine",)]


def test_who_is_in_no_team_and_who_looks_at_a_database_of_others_is_refused(look: Look, settings: Settings) -> None:
    with pytest.raises(PanelError, match="no team"):
        look("SELECT 1", NOTHING)
    assert not may_run(NOTHING)
    assert may_run(TEAM_A)
    settings.SOURCE_ACCESS = "read"
    with pytest.raises(PanelError, match="rows of all teams"):
        look("SELECT 1")
    assert not may_run(TEAM_A)
