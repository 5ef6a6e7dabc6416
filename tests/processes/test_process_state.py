"""What the state files and the table of processes tell."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vptmonitor import process_state, process_table
from vptmonitor.process_state import LastExit, ProcessState, State

from .lab import Lab, kill


def a_state(**changes: object) -> ProcessState:
    """The state of a process that this test supervises."""
    me = process_table.find(os.getpid())
    assert me is not None
    state = ProcessState("web", State.RUNNING, me.pid, me.birth, child_pid=7, started_at=datetime.now(UTC), restarts=2)
    return state._replace(**changes)  # type: ignore[arg-type]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    web = a_state(last_exit=LastExit(None, 9, None, now, 5.2), state=State.BACKING_OFF, next_start_at=now)
    worker = a_state(name="worker", last_exit=LastExit(None, None, "cannot start 'x': No such file", now, 0.0))
    process_state.write(tmp_path, worker)
    process_state.write(tmp_path, a_state())
    process_state.write(tmp_path, web)
    assert process_state.read_all(tmp_path) == [web, worker]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["web.json", "worker.json"]
    assert str(web.last_exit) == "signal 9 after 5.2 s"


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    process_state.write(tmp_path / "made" / "here", a_state())
    assert stat.S_IMODE((tmp_path / "made" / "here").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "made" / "here" / "web.json").stat().st_mode) == 0o600


def test_a_number_that_was_given_to_another_process_is_not_believed(tmp_path: Path) -> None:
    process_state.write(tmp_path, a_state(supervisor_birth="another boot/123"))
    process_state.write(tmp_path, a_state(name="worker", supervisor_pid=2**22 + 1))
    assert [state.stale for state in process_state.read_all(tmp_path)] == [True, True]


def test_a_stopped_process_is_not_stale(tmp_path: Path) -> None:
    process_state.write(tmp_path, a_state(state=State.STOPPED, supervisor_birth="another boot/123"))
    assert [state.stale for state in process_state.read_all(tmp_path)] == [False]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "x", "state": "dancing"}', "\x00"])
def test_a_file_that_is_not_a_state_is_left_out(tmp_path: Path, content: str) -> None:
    process_state.write(tmp_path, a_state())
    (tmp_path / "other.json").write_text(content)
    assert [state.name for state in process_state.read_all(tmp_path)] == ["web"]


def test_nothing_was_ever_started(tmp_path: Path) -> None:
    assert process_state.read_all(tmp_path / "absent") == []


def test_the_directory_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("VPTMONITOR_STATE_DIR", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert process_state.default_directory() == Path(__file__).parents[2] / ".data" / "processes"
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert process_state.default_directory() == tmp_path / "processes"
    monkeypatch.setenv("VPTMONITOR_STATE_DIR", str(tmp_path / "elsewhere"))
    assert process_state.default_directory() == tmp_path / "elsewhere"


def test_a_supervisors_life_can_be_followed_in_its_file(lab: Lab) -> None:
    process = lab.start(*lab.supervise("web", *lab.child(), first_delay=0.6))
    running = lab.reaches("web", State.RUNNING)
    assert (running.supervisor_pid, running.restarts, running.last_exit) == (process.pid, 0, None)
    assert running.started_at is not None
    assert abs(datetime.now(UTC) - running.started_at) < timedelta(seconds=30)
    kill(running.child_pid or 0, signal.SIGTERM)
    waiting = lab.reaches("web", State.BACKING_OFF)
    assert (waiting.child_pid, waiting.started_at, waiting.restarts) == (None, None, 1)
    assert waiting.last_exit is not None
    assert waiting.last_exit.signal == signal.SIGTERM
    assert waiting.next_start_at is not None
    assert waiting.next_start_at - waiting.last_exit.at == pytest.approx(
        timedelta(seconds=0.6), abs=timedelta(seconds=0.2)
    )
    again = lab.reaches("web", State.STARTING)
    assert again.next_start_at is None
    kill(process.pid)
    process.wait()
    left = lab.state("web")
    assert left is not None
    assert left.stale


def test_a_zombie_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_table.find(process.pid) is None


@pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="names of processes are set through /proc")
def test_a_name_with_brackets_and_spaces_confuses_nobody() -> None:
    script = "import sys; open('/proc/self/comm', 'w').write('a) Z 1 (b'); print(flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = process_table.find(process.pid)
        assert found is not None
        assert (found.parent, found.group) == (os.getpid(), os.getpgrp())


@pytest.mark.skipif(shutil.which("ps") is None, reason="no ps here")
def test_ps_tells_the_same_as_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    known = process_table.find(os.getpid())
    assert known is not None
    monkeypatch.setattr(process_table, "_LINUX", False)
    found = process_table.find(os.getpid())
    assert found is not None
    assert found._replace(birth="") == known._replace(birth="")
    assert found.birth
    assert process_table.is_alive(found)
    assert os.getpid() in process_table.group_members(os.getpgrp())
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_table.find(process.pid) is None
    assert not process_table.is_alive(found._replace(pid=process.pid))
