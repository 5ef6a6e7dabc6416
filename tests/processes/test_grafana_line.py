"""The Procfile's line `grafana` under its supervisor: killed, it comes back; stopped, nothing of it is left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.embedded.helpers import command_lines, wait_for
from tests.grafana.fake_home import make_home
from tests.start.portal import ROOT, free_port, plain_environment
from vptmonitor import process_state


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes by /proc")
def test_killed_with_9_it_is_back_and_stopped_it_is_gone(tmp_path: Path) -> None:
    home, data, port = make_home(tmp_path / "home"), tmp_path / "data", free_port()
    environment = plain_environment(
        DATA_DIR=str(data), DEMO="false", GRAFANA_PORT=str(port), GRAFANA_HOME=str(home),
        DATABASE_URL="postgresql://nobody:x@127.0.0.1:1/nothing",
        GRAFANA_READER_URL="postgresql://reader:x@db.example.org/lab", VPTMONITOR_STATE_DIR=str(data / "processes"),
    )  # fmt: skip

    def is_well() -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"http://127.0.0.1:{port}/grafana/api/health", timeout=2).ok
        return False

    def grafanas() -> set[int]:
        return {pid for pid, line in command_lines().items() if f"{home}/bin/grafana" in line}

    with (tmp_path / "output").open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "vptmonitor.supervise", "--name", "grafana", "--",
             sys.executable, "manage.py", "run_grafana"],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        wait_for(is_well, "Grafana", 30)
        before = grafanas()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: is_well() and not grafanas() & before, "another Grafana", 30)
        (state,) = process_state.read_all(data / "processes")
        assert state.restarts == 1
        # The line itself is killed: its Grafana goes with it, and both come back.
        assert state.child_pid is not None
        second = grafanas()
        os.kill(state.child_pid, signal.SIGKILL)
        wait_for(lambda: is_well() and grafanas() and not grafanas() & second, "a third Grafana", 30)
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(10)
        assert grafanas() == set()
        text = (tmp_path / "output").read_text()
        assert "Grafana ended by signal 9" in text
        assert "Traceback" not in text
    finally:
        if supervisor.poll() is None:
            supervisor.terminate()
            supervisor.wait(10)
