"""What users of the embedded server rely on while nothing goes wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest

from tests.embedded.helpers import (
    ROOT,
    Holder,
    alive,
    ask,
    command_lines,
    holding,
    keepers,
    live_state,
    state,
    wait_for,
)
from vptmonitor.embedded import EmbeddedCluster
from vptmonitor.embedded.layout import Layout
from vptmonitor.embedded.server import SUPERUSER, read_passwords


def layout(cluster: EmbeddedCluster) -> Layout:
    return cluster._layout


def test_the_server_is_postgresql_in_utf8_and_utc(running: EmbeddedCluster) -> None:
    assert ask(running, "SHOW server_encoding") == "UTF8"
    assert ask(running, "SHOW timezone") == "UTC"
    assert ask(running, "SELECT 'É' < 'é' AND lower('É') = 'é'") is True


def test_the_owner_makes_databases_and_roles_but_is_no_superuser(running: EmbeddedCluster) -> None:
    running.ensure_database("source of rows")
    running.ensure_database("source of rows")
    assert ask(running, "SELECT current_database()", "source of rows") == "source of rows"
    ask(running, "CREATE ROLE reader LOGIN")
    ask(running, "CREATE TABLE seen (id int); GRANT SELECT ON seen TO reader", "source of rows")
    assert ask(running, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(running, "COPY (SELECT 1) TO PROGRAM 'cat'")


def test_a_second_call_takes_less_than_ten_milliseconds(running: EmbeddedCluster) -> None:
    took = []
    for _ in range(20):
        began = time.perf_counter()
        running.ensure_running()
        took.append(time.perf_counter() - began)
    assert sorted(took)[10] < 0.010


def test_wrong_and_missing_passwords_are_refused(running: EmbeddedCluster) -> None:
    where = running.ensure_running()
    for user in (where.user, SUPERUSER):
        for password in ("wrong", ""):
            with pytest.raises(psycopg2.OperationalError, match="password"):
                psycopg2.connect(host=where.host, port=where.port, user=user, password=password, dbname="postgres")


def test_no_rule_lets_anybody_in_without_scram(running: EmbeddedCluster) -> None:
    rules = (layout(running).data / "pg_hba.conf").read_text().splitlines()
    methods = {line.split()[-1] for line in rules if line and not line.startswith("#")}
    assert methods == {"scram-sha-256"}
    passwords = read_passwords(layout(running))
    where = running.ensure_running()
    with (
        contextlib.closing(
            psycopg2.connect(
                host=where.host, port=where.port, user=SUPERUSER, password=passwords[SUPERUSER], dbname="postgres"
            )
        ) as made,
        made.cursor() as cursor,
    ):
        cursor.execute("SELECT bool_and(rolpassword LIKE 'SCRAM-SHA-256$%') FROM pg_authid WHERE rolcanlogin")
        assert cursor.fetchone() == (True,)
        cursor.execute("SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'")
        assert cursor.fetchone() == (0,)


def test_secrets_and_socket_are_private(running: EmbeddedCluster) -> None:
    assert stat.S_IMODE(layout(running).secrets.stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(running.ensure_running().host).stat().st_mode) == 0o700
    assert stat.S_IMODE(layout(running).data.stat().st_mode) == 0o700


def test_passwords_show_neither_in_the_log_nor_in_the_info(running: EmbeddedCluster) -> None:
    shown = layout(running).log.read_text() + repr(running.ensure_running())
    assert not [role for role, password in read_passwords(layout(running)).items() if password in shown]


def test_the_server_listens_on_no_network_address(running: EmbeddedCluster) -> None:
    assert ask(running, "SHOW listen_addresses") == ""


def test_the_server_gets_nothing_of_the_callers_environment(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "must-not-travel")
    EmbeddedCluster(data, durable=False).ensure_running()
    found = live_state(data)
    for pid in (found.keeper_pid, found.server_pid):
        environment = Path(f"/proc/{pid}/environ")
        if not environment.exists():
            pytest.skip("the environment of a process shows in /proc only")
        with contextlib.suppress(PermissionError):
            assert b"must-not-travel" not in environment.read_bytes()


def test_data_outlives_a_stop(cluster: EmbeddedCluster) -> None:
    cluster.ensure_database("kept")
    ask(cluster, "CREATE TABLE kept AS SELECT 42 AS answer", "kept")
    cluster.stop()
    assert ask(cluster, "SELECT answer FROM kept", "kept") == 42


def test_the_server_stops_when_its_last_process_ends(data: Path) -> None:
    with holding(data) as first, holding(data) as second:
        assert first.answer()["host"] == second.answer()["host"]
        server = live_state(data).server_pid
        first.end()
        # Twice the grace: the second one still holds.
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            assert alive(server)
            time.sleep(0.1)
        second.end()
        wait_for(lambda: not alive(server) and not keepers(data), "the server's end", 6)


def test_programs_that_a_holder_started_do_not_hold(data: Path) -> None:
    script = (
        "import subprocess, sys; from pathlib import Path; from vptmonitor.embedded import EmbeddedCluster\n"
        "EmbeddedCluster(Path(sys.argv[1]), durable=False).ensure_running()\n"
        "print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
    )
    shown = subprocess.run([sys.executable, "-c", script, data], cwd=ROOT, capture_output=True, text=True, check=True)
    left_over = int(shown.stdout)
    try:
        wait_for(lambda: not keepers(data), "the server's end", 6)
        assert alive(left_over)
    finally:
        os.kill(left_over, signal.SIGKILL)


def test_a_hold_through_exec_outlives_the_change_of_program(data: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from vptmonitor.embedded import EmbeddedCluster\n"
        "cluster = EmbeddedCluster(Path(sys.argv[1]), durable=False)\n"
        "cluster.ensure_running(); cluster.hold(through_exec=True)\n"
        "os.execv('/bin/sleep', ['sleep', '60'])"
    )
    with subprocess.Popen([sys.executable, "-c", script, data], cwd=ROOT) as process:
        try:
            server = live_state(data).server_pid
            wait_for(lambda: command_lines()[process.pid].startswith("sleep"), "the other program")
            # Twice the grace.
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                assert alive(server)
                time.sleep(0.1)
        finally:
            process.kill()
    wait_for(lambda: not alive(server), "the server's end", 6)


def test_many_processes_start_one_server(data: Path) -> None:
    holders = [Holder(data) for _ in range(12)]
    try:
        answers = [holder.answer() for holder in holders]
        assert all(answer == answers[0] and "error" not in answer for answer in answers)
        assert len(keepers(data)) == 1
    finally:
        for holder in holders:
            holder.end()


def test_many_threads_start_one_server_and_one_database(cluster: EmbeddedCluster, data: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(cluster.ensure_database, ["vptmonitor"] * 16))
    assert len(keepers(data)) == 1
    assert threading.active_count() < 8


def test_a_newcomer_during_the_stop_waits_and_gets_a_server(cluster: EmbeddedCluster, data: Path) -> None:
    with holding(data) as holder:
        holder.answer()
        first = live_state(data).server_pid
        holder.end()
    # The keeper holds the lock alone from the moment it decides to stop.
    wait_for(lambda: (s := state(data)) is None or s.status == "stopping", "the beginning of the stop")
    assert ask(cluster, "SELECT 1") == 1
    assert live_state(data).server_pid != first


def test_release_lets_the_server_go(cluster: EmbeddedCluster, data: Path) -> None:
    cluster.ensure_running()
    server = live_state(data).server_pid
    cluster.release()
    wait_for(lambda: not alive(server), "the server's end", 6)


def test_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    data = tmp_path.resolve() / ("a-long-name-" * 8) / ("and-another-" * 4) / ".data" / "postgres"
    cluster = EmbeddedCluster(data, durable=False)
    try:
        assert ask(cluster, "SELECT 1") == 1
        place = Path(cluster.ensure_running().host)
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    finally:
        cluster.stop()
    assert not place.exists()


@pytest.mark.parametrize("name", ["comma,comma", "été '\" [a]* $HOME %s"])
def test_odd_folder_names_work(tmp_path: Path, name: str) -> None:
    cluster = EmbeddedCluster(tmp_path / name / "postgres", durable=False)
    try:
        assert ask(cluster, "SELECT 1") == 1
    finally:
        cluster.stop()


def test_the_package_needs_neither_django_nor_a_client_library() -> None:
    script = "import sys, vptmonitor.embedded.keeper; print([m for m in ('django', 'psycopg2') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
