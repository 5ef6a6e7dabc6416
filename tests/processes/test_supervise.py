"""What the supervisor promises when a process ends, is killed, or cannot start."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from vptmonitor import process_table

from .lab import ROOT, Lab, kill, until

TEXT_LINE = re.compile(
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO |WARNING|ERROR) \[[a-z]+\] - supervise: \S.*$", re.MULTILINE
)


def delays(lab: Lab) -> list[float]:
    """The announced delays before each restart, in seconds."""
    return [float(number) for number in re.findall(r"restart \d+ in ([\d.]+) s", lab.text())]


def guard_of(lab: Lab, name: str) -> int:
    """The pid of the guard in the group of the running child."""
    state = lab.running(name)[name]
    child = process_table.find(state.child_pid or 0)
    assert child is not None
    members = {pid: process_table.find(pid) for pid in process_table.group_members(child.group)}
    return next(pid for pid, process in members.items() if process and process.command.startswith("/bin/sh"))


def test_a_killed_child_is_back_within_five_seconds_and_the_others_are_untouched(lab: Lab) -> None:
    honcho = lab.honcho(web=lab.supervise("web", *lab.child()), worker=lab.supervise("worker", *lab.child()))
    before = lab.running("web", "worker")
    kill(before["web"].child_pid or 0)
    web = lab.another_child("web", before["web"], seconds=5)
    worker = lab.running("worker")["worker"]
    assert (web.supervisor_pid, web.restarts) == (before["web"].supervisor_pid, 1)
    assert web.last_exit is not None
    assert (web.last_exit.signal, web.last_exit.code, web.last_exit.error) == (9, None, None)
    assert (worker.child_pid, worker.supervisor_pid, worker.restarts) == (
        before["worker"].child_pid,
        before["worker"].supervisor_pid,
        0,
    )
    assert honcho.poll() is None
    assert re.search(
        rf" WARNING \[web\] - supervise: child {before['web'].child_pid} exited with signal 9 after \d+\.\d s, "
        r"restart 1 in 0\.5 s\n",
        lab.text(),
    )


@pytest.mark.parametrize("code", [0, 1])
def test_a_child_that_ends_by_itself_is_started_again_after_growing_delays(lab: Lab, code: int) -> None:
    line = lab.supervise("web", *lab.child("--leave", str(code)), first_delay=0.05, longest_delay=0.2)
    honcho = lab.honcho(web=line, worker=lab.supervise("worker", *lab.child()))
    worker = lab.running("worker")["worker"]
    until(lambda: len(delays(lab)) >= 5)
    assert delays(lab)[:5] == [0.05, 0.1, 0.2, 0.2, 0.2]
    assert f"exited with code {code} after" in lab.text()
    assert lab.running("worker")["worker"] == worker._replace(state=lab.running("worker")["worker"].state)
    assert honcho.poll() is None


def test_delays_start_anew_after_a_healthy_child(lab: Lab) -> None:
    lab.start(*lab.supervise("web", *lab.child(), first_delay=0.05, healthy_after=1.5))
    state = lab.running("web")["web"]
    for _ in range(2):
        kill(state.child_pid or 0)
        state = lab.another_child("web", state)
    started = state.started_at
    assert started is not None
    until(lambda: (datetime.now(UTC) - started).total_seconds() > 1.6)
    kill(state.child_pid or 0)
    lab.another_child("web", state)
    assert delays(lab) == [0.05, 0.1, 0.05]


def test_a_command_that_cannot_be_executed_is_told_in_one_line_and_tried_again(lab: Lab) -> None:
    program = lab.folder / "program"
    line = lab.supervise("web", str(program), first_delay=0.05, longest_delay=0.1)
    honcho = lab.honcho(web=line, worker=lab.supervise("worker", *lab.child()))
    lab.running("worker")
    until(lambda: len(delays(lab)) >= 3)
    assert f" ERROR [web] - supervise: cannot start '{program}': No such file or directory, restart 1 in 0.05 s\n" in (
        lab.text()
    )
    assert "Traceback" not in lab.text()
    state = lab.state("web")
    assert state is not None
    assert state.last_exit is not None
    assert state.last_exit.error == f"cannot start '{program}': No such file or directory"
    new = lab.folder / "new"
    new.write_text(f"#!/bin/sh\nexec {' '.join(lab.child())}\n")
    new.chmod(0o700)
    new.replace(program)
    lab.running("web", "worker")
    assert honcho.poll() is None


def test_what_a_crashed_child_leaves_behind_is_gone_before_the_next_starts(lab: Lab) -> None:
    line = lab.supervise("web", *lab.child("--grandchild", "--ignore-term"), grace=0.5, first_delay=0.05)
    lab.start(*line)
    before = lab.running("web")["web"]
    old = [pid for _, pid in lab.told()]
    assert len(old) == 2
    kill(before.child_pid or 0)
    until(lambda: (state := lab.state("web")) and state.child_pid not in (None, before.child_pid))
    assert not [pid for pid in old if process_table.find(pid)]


@pytest.mark.parametrize("extra", [[], ["--ignore-term"]])
def test_a_killed_supervisor_takes_everything_down(lab: Lab, extra: list[str]) -> None:
    line = lab.supervise("web", *lab.child("--grandchild", *extra), grace=0.5)
    honcho = lab.honcho(web=line, worker=lab.supervise("worker", *lab.child(), grace=0.5))
    kill(lab.running("web", "worker")["web"].supervisor_pid)
    assert honcho.wait(10) not in (0, None)
    lab.all_gone(2)


def test_a_killed_guard_is_replaced(lab: Lab) -> None:
    honcho = lab.honcho(web=lab.supervise("web", *lab.child("--grandchild"), grace=0.5))
    before = lab.running("web")["web"]
    first = guard_of(lab, "web")
    kill(first)
    until(lambda: [pid for pid, command in lab.alive().items() if command.startswith("/bin/sh") and pid != first])
    assert lab.running("web")["web"].child_pid == before.child_pid
    kill(before.supervisor_pid)
    assert honcho.wait(10) not in (0, None)
    lab.all_gone(2)


@pytest.mark.parametrize("method", ["", "spawn", "forkserver"])
def test_a_killed_honcho_leaves_nothing_behind(lab: Lab, method: str) -> None:
    honcho = lab.honcho(
        method=method,
        web=lab.supervise("web", *lab.child("--grandchild")),
        worker=lab.supervise("worker", *lab.child("--ignore-term"), grace=0.5),
    )
    lab.running("web", "worker")
    kill(honcho.pid)
    honcho.wait()
    lab.all_gone(5)
    state = lab.state("web")
    assert state is not None
    assert (state.state, state.stale) == ("stopped", False)


def test_a_killed_honcho_leaves_nothing_behind_when_children_are_loud(lab: Lab) -> None:
    honcho = lab.honcho(
        web=lab.supervise("web", *lab.child("--chatter")), worker=lab.supervise("worker", *lab.child("--chatter"))
    )
    lab.running("web", "worker")
    kill(honcho.pid)
    honcho.wait()
    lab.all_gone(6)


def test_honcho_without_its_reader_of_one_line_is_ended_and_not_left_half_blind(lab: Lab) -> None:
    honcho = lab.honcho(web=lab.supervise("web", *lab.child()), worker=lab.supervise("worker", *lab.child()))
    supervisor = process_table.find(lab.running("web", "worker")["web"].supervisor_pid)
    assert supervisor is not None
    kill(supervisor.parent)
    assert honcho.wait(10) not in (0, None)
    lab.all_gone(5)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_honcho_stops_everything_in_good_order(lab: Lab, number: signal.Signals, status: int) -> None:
    honcho = lab.honcho(
        web=lab.supervise("web", *lab.child("--grandchild")), worker=lab.supervise("worker", *lab.child("--leave", "1"))
    )
    lab.running("web")
    until(lambda: delays(lab))
    honcho.send_signal(number)
    assert honcho.wait(10) == status
    assert not lab.alive()
    states = [lab.state("web"), lab.state("worker")]
    assert [(s.state, s.child_pid, s.next_start_at, s.stale) for s in states if s] == [
        ("stopped", None, None, False)
    ] * 2


def test_children_that_ignore_the_request_to_stop_are_killed_within_ten_seconds(lab: Lab) -> None:
    stubborn = lab.child("--grandchild", "--ignore-term")
    honcho = lab.honcho(web=lab.supervise("web", *stubborn), worker=lab.supervise("worker", *stubborn))
    lab.running("web", "worker")
    honcho.send_signal(signal.SIGTERM)
    assert honcho.wait(10) == 143
    assert not lab.alive()
    assert "sending SIGKILL" not in lab.text(), "the supervisors must be done before honcho kills them"


def test_hang_up_and_user_signals_reach_the_child_and_spare_its_helpers(lab: Lab) -> None:
    process = lab.start(*lab.supervise("web", *lab.child("--note", "SIGHUP", "--note", "SIGUSR1", "--grandchild")))
    state = lab.running("web")["web"]
    for number in (signal.SIGHUP, signal.SIGUSR1):
        process.send_signal(number)
        until(lambda: f"got {number.name}" in (lab.folder / "pids").read_text())  # noqa: B023 -- asked at once
    assert lab.running("web")["web"].child_pid == state.child_pid
    assert all(process_table.find(pid) for _, pid in lab.told())


def test_alone_it_stops_child_and_grandchild_on_sigterm_with_a_status_that_says_so(lab: Lab) -> None:
    process = lab.start(*lab.supervise("web", *lab.child("--grandchild"), grace=60))
    lab.running("web")
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 143
    lab.all_gone(0)


def test_it_refuses_to_run_under_a_honcho_that_has_gone(lab: Lab) -> None:
    lab.environment["HONCHO_PROCESS_NAME"] = "web.1"
    assert lab.start(*lab.supervise("web", *lab.child())).wait(5) == 1
    assert lab.text().count("\n") == 1
    assert "honcho has gone, or the line of the Procfile does not begin with 'exec'" in lab.text()


@pytest.mark.parametrize("arguments", [["--name", "../web", "--", "true"], ["--name", "web"], ["--", "true"]])
def test_a_wrong_command_line_is_refused(lab: Lab, arguments: list[str]) -> None:
    assert lab.start(sys.executable, "-m", "vptmonitor.supervise", *arguments).wait(5) == 2
    assert "python -m vptmonitor.supervise: error: " in lab.text()


def test_a_state_that_cannot_be_written_is_told_once_and_changes_nothing_else(lab: Lab) -> None:
    lab.states.write_text("a file where the folder should be")
    lab.start(*lab.supervise("web", *lab.child("--leave", "0"), first_delay=0.05))
    until(lambda: len(delays(lab)) >= 3)
    assert lab.text().count("cannot write the state to") == 1
    assert "Traceback" not in lab.text()


def test_every_line_is_the_childs_own_or_in_the_one_format(lab: Lab) -> None:
    said = ["plain, not touched: {}  ", "2026-01-01 looks like | a prefix", "naïve ünïcode"]
    words = [word for text in said for word in ("--say", text)]
    honcho = lab.honcho(web=lab.supervise("web", *lab.child(*words, "--tell", "VPTMONITOR_PROCESS")))
    lab.running("web")
    honcho.send_signal(signal.SIGTERM)
    honcho.wait(10)
    lines = lab.text().splitlines()
    assert set(said) < set(lines)
    assert "VPTMONITOR_PROCESS=web" in lines
    own = [line for line in lines if TEXT_LINE.match(line)]
    assert [line.partition("supervise: ")[2].split()[0] for line in own] == [
        "child",
        "SIGTERM",
        "stopped",
    ]
    honchos = [line for line in lines if re.match(r"web\.1 (started|stopped) |SIGTERM received|sending SIGTERM", line)]
    assert len(said) + 1 + len(own) + len(honchos) == len(lines)


def test_lines_are_json_when_asked_for(lab: Lab) -> None:
    lab.environment["LOG_FORMAT"] = "json"
    process = lab.start(*lab.supervise("web", *lab.child()))
    lab.running("web")
    process.send_signal(signal.SIGTERM)
    process.wait(5)
    lines = [json.loads(line) for line in lab.text().splitlines()]
    assert [line["message"].split()[0] for line in lines] == ["child", "SIGTERM", "stopped"]
    for line in lines:
        assert (line["level"], line["process"], line["logger"]) == ("INFO", "web", "supervise")
        assert datetime.fromisoformat(line["time"]).tzinfo == UTC


def test_the_supervisor_never_loads_django() -> None:
    script = (
        "import sys, vptmonitor.supervise, vptmonitor.process_state; "
        "print(*(m for m in sys.modules if m.split('.')[0] in ('django', 'apps', 'environ')))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True).stdout == b"\n"


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_faults_in_any_order_leave_a_working_lab_or_nothing(lab: Lab, seed: int) -> None:
    chance = random.Random(seed)
    names = ["web", "worker", "grafana"]
    options = ["--grandchild", *chance.choice([[], ["--ignore-term"]])]
    lines = {name: lab.supervise(name, *lab.child(*options), healthy_after=0) for name in names}
    honcho = lab.honcho("", **lines)
    for _ in range(4):
        before = lab.running(*names)
        name = chance.choice(names)
        if chance.random() < 0.3:
            kill(guard_of(lab, name))
        kill(before[name].child_pid or 0)
        lab.another_child(name, before[name], seconds=6 if "--ignore-term" in options else 5)
        after = lab.running(*names)
        changed = [other for other in names if after[other].child_pid != before[other].child_pid]
        assert changed == [name]
        assert [s.supervisor_pid for s in after.values()] == [s.supervisor_pid for s in before.values()]
    last = lab.running(*names)
    supervisor = process_table.find(last["web"].supervisor_pid)
    assert supervisor is not None
    victim, number = chance.choice(
        [
            (honcho.pid, signal.SIGKILL),
            (honcho.pid, signal.SIGTERM),
            (honcho.pid, signal.SIGINT),
            (supervisor.pid, signal.SIGKILL),
            (supervisor.pid, signal.SIGTERM),
            (supervisor.parent, signal.SIGKILL),
        ]
    )
    kill(victim, number)
    assert honcho.wait(10) not in (0, None)
    lab.all_gone(5)
