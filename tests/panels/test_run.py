"""A query of a panel comes back as rows, within its limits, or as an error that says what to do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812

from apps.accounts.scope import EVERYTHING
from apps.panels import run
from apps.panels.errors import PanelError
from apps.panels.pool import Connection as PoolConnection
from apps.panels.pool import Stop
from apps.panels.run import Limits, Query, Result, Who
from tests.panels.conftest import ME, backends

pytestmark = pytest.mark.django_db(databases=["default", "source"])

Ask = Callable[..., Result]


def failure(ask: Ask, sql: str, limits: Limits | None = None) -> PanelError:
    with pytest.raises(PanelError) as caught:
        ask(sql, limits=limits)
    return caught.value


def test_rows_come_with_names_and_types(ask: Ask) -> None:
    result = ask(
        "SELECT n, 'a' AS word, n AS n, 1.5 AS half, true AS yes FROM panel_rows ORDER BY n DESC LIMIT 2;  -- end"
    )
    assert [column.name for column in result.columns] == ["n", "word", "n", "half", "yes"]
    assert [column.type_oid for column in result.columns] == [23, 25, 23, 1700, 16]
    assert [tuple(map(str, row)) for row in result.rows] == [
        ("1000", "a", "1000", "1.5", "True"),
        ("999", "a", "999", "1.5", "True"),
    ]
    assert result.age_seconds == 0
    assert result.duration_ms > 0
    assert not result.notices


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("interval '1 mon 2 days'", "1 mon 2 days"),
        ("ARRAY[1, NULL]", "{1,NULL}"),
        ("'00000000-0000-0000-0000-00000000000a'::uuid", "00000000-0000-0000-0000-00000000000a"),
        ("'10.0.0.1'::inet", "10.0.0.1"),
        ("'12:30'::time", "12:30:00"),
        ("current_setting('TimeZone')", "UTC"),
    ],
)
def test_what_is_no_number_time_or_json_is_the_text_that_postgresql_prints(
    ask: Ask, expression: str, text: str
) -> None:
    assert ask(f"SELECT {expression}").rows == [(text,)]


def test_percent_signs_and_backslashes_mean_themselves(ask: Ask) -> None:
    assert ask(r"SELECT '%s %(a)s \ ', 5 % 2").rows == [(r"%s %(a)s \ ", 1)]


@pytest.mark.parametrize(
    "sql", ["VALUES (1)", "TABLE panel_guarded", "(SELECT 1)", "WITH a AS (SELECT 1) TABLE a", "SELECT"]
)
def test_every_form_of_a_query_runs(ask: Ask, sql: str) -> None:
    assert len(ask(sql).rows) == 1


def test_more_rows_than_the_limit_are_cut_off_with_a_notice(ask: Ask) -> None:
    result = ask("SELECT n FROM panel_rows ORDER BY n", limits=Limits(rows=1000))
    assert (len(result.rows), result.notices) == (1000, ())
    result = ask("SELECT n FROM panel_rows ORDER BY n", limits=Limits(rows=999))
    assert result.rows[-1] == (999,)
    assert result.notices == ("Only the first 999 rows are shown; the query has more.",)


def test_an_answer_that_is_too_large_ends_in_the_database(ask: Ask) -> None:
    wide = "SELECT repeat('x', 10000) FROM panel_rows"
    assert ask(wide + " LIMIT 90", limits=Limits(bytes=1_000_000)).bytes < 1_000_000
    error = failure(ask, wide, Limits(bytes=1_000_000))
    assert error.kind == "too_large"
    assert error.text == "The answer is larger than 1 MB."


@pytest.mark.parametrize(
    ("sql", "kind", "state", "text", "pointed_at"),
    [
        ("SELECT nope FROM panel_rows", "sql", "42703", 'column "nope" does not exist', "nope FROM"),
        ("SELECT 'é', nope FROM panel_rows", "sql", "42703", 'column "nope" does not exist', "nope FROM"),
        ("SELECT *\nFROM nowhere", "sql", "42P01", 'relation "nowhere" does not exist', "nowhere"),
        ("SELECT n n n FROM panel_rows", "sql", "42601", 'syntax error at or near "n"', "n FROM"),
        ("SELECT 1 WHERE", "sql", "42601", "syntax error at the end of the query", ""),
        ("SELECT 1 / (n - 1) FROM panel_rows", "sql", "22012", "division by zero", None),
        ("SELECT (SELECT n FROM panel_rows)", "sql", "21000", "more than one row returned by a subquery", None),
    ],
)
def test_an_error_says_what_postgresql_says_and_where(
    ask: Ask, sql: str, kind: str, state: str, text: str, pointed_at: str | None
) -> None:
    error = failure(ask, sql)
    assert (error.kind, error.sqlstate) == (kind, state)
    assert error.text.startswith(text)
    if pointed_at is None:
        assert error.position is None
    else:
        assert error.position is not None
        assert sql[error.position - 1 :].startswith(pointed_at)


def test_a_date_that_python_cannot_hold_is_an_error_of_the_query(ask: Ask) -> None:
    error = failure(ask, "SELECT '0044-03-15 BC'::date")
    assert error.kind == "sql"
    assert "::text" in error.fix


def test_the_connection_is_usable_after_an_error(ask: Ask) -> None:
    for _ in range(6):
        failure(ask, "SELECT nope")
    assert ask("SELECT 1").rows == [(1,)]


def test_a_slow_query_is_stopped_at_its_limit(ask: Ask, guarded: Connection) -> None:
    began = time.monotonic()
    error = failure(ask, "SELECT pg_sleep(60) FROM panel_guarded", Limits(seconds=0.4))
    assert time.monotonic() - began < 1.4
    assert error.kind == "timeout"
    assert backends(guarded, "panel_guarded") == 0


def test_the_portals_own_limit_stands_when_the_servers_is_lifted(
    ask: Ask, guarded: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = run._begin

    def lifted(connection: PoolConnection, limits: Limits, deadline: float, stop: Stop) -> None:
        original(connection, limits, deadline, stop)
        connection.execute("SET LOCAL statement_timeout = 0", deadline=deadline, stop=stop)

    monkeypatch.setattr(run, "_begin", lifted)
    began = time.monotonic()
    error = failure(ask, "SELECT pg_sleep(60) FROM panel_guarded", Limits(seconds=0.3))
    assert time.monotonic() - began < 1.8
    assert error.kind == "timeout"
    assert backends(guarded, "panel_guarded") == 0


def test_a_query_is_cancelled_within_a_second_after_the_viewer_left(ask: Ask, guarded: Connection) -> None:
    left = threading.Event()
    errors: list[PanelError] = []

    def look() -> None:
        try:
            ask("SELECT pg_sleep(60) FROM panel_guarded", cancelled=left.is_set)
        except PanelError as error:
            errors.append(error)

    viewer = threading.Thread(target=look)
    viewer.start()
    deadline = time.monotonic() + 5
    while not backends(guarded, "panel_guarded") and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert backends(guarded, "panel_guarded") == 1
    left.set()
    gone = time.monotonic() + 1
    viewer.join(1)
    while backends(guarded, "panel_guarded") and time.monotonic() < gone:
        threading.Event().wait(0.01)
    assert backends(guarded, "panel_guarded") == 0
    assert [error.kind for error in errors] == ["cancelled"]


def test_the_same_query_of_many_viewers_runs_once(guarded: Connection) -> None:
    query = Query("SELECT random(), pg_sleep(0.2)", "lab/1/A", keep_seconds=30)
    seen: list[float] = []

    def look(number: int) -> None:
        seen.append(run.run(query, who=Who(f"viewer {number}", EVERYTHING)).rows[0][0])

    viewers = [threading.Thread(target=look, args=[number]) for number in range(20)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    later = run.run(query, who=ME)
    assert len(set(seen)) == 1
    assert later.rows[0][0] == seen[0]
    assert later.age_seconds >= 0.2


def test_failures_are_kept_too(ask: Ask, guarded: Connection) -> None:
    query = Query("SELECT 1 / n FROM (SELECT count(*) - 1000 AS n FROM panel_rows) q", keep_seconds=30)
    with pytest.raises(PanelError, match="division by zero"):
        run.run(query, who=ME)
    with guarded.cursor() as cursor:
        cursor.execute("DELETE FROM panel_rows WHERE n = 1")
    with pytest.raises(PanelError, match="division by zero"):
        run.run(query, who=ME)
    run.answers.clear()
    assert run.run(query, who=ME).rows == [(-1,)]


def test_the_server_can_be_restarted_between_two_panels(ask: Ask, guarded: Connection) -> None:
    pid = ask("SELECT pg_backend_pid()").rows[0][0]
    role = ask("SELECT session_user").rows[0][0]
    with guarded.cursor() as cursor:
        # As a member of the role the owner may end its sessions.
        cursor.execute(f'GRANT "{role}" TO CURRENT_USER WITH INHERIT TRUE')
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert cursor.fetchone() == (True,)
    assert ask("SELECT pg_backend_pid()").rows[0][0] != pid


def test_the_log_tells_who_ran_what_and_how_long_without_values(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "apps.panels.run"):
        ask("SELECT n, 'c4nary' FROM panel_rows LIMIT 3")
        failure(ask, "SELECT 'c4nary'::int")
    done, failed = [record.getMessage() for record in caplog.records if record.name == "apps.panels.run"]
    assert done.startswith("panel query lab/1/A for somebody: ok, 3 rows, ")
    assert failed.startswith("panel query lab/1/A for somebody: sql 22P02, 0 rows, ")
    assert "c4nary" not in caplog.text
