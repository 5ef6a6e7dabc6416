"""The container's main process: it hands signals on, and goes last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded.helpers import keepers, stop_quietly, wait_for
from tests.grafana.health_server import Server
from tests.start.portal import ROOT, free_port, plain_environment
from vptmonitor import alive


def test_it_stays_until_the_database_has_stopped(tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "output"
    environment = plain_environment(DATA_DIR=str(data), PORT=str(free_port()), DEMO="false")
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "vptmonitor.container"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
            stdout=out, stderr=out, process_group=0,
        )  # fmt: skip
    try:
        wait_for(lambda: "The portal is ready" in output.read_text(), "the portal", 90)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, 128 + signal.SIGTERM)
        assert keepers(data) == []
        assert "database system is shut down" in (data / "postgres.run" / "postgres.log").read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        stop_quietly(data / "postgres")


def test_a_start_that_is_refused_is_its_status(tmp_path: Path) -> None:
    environment = plain_environment(DATA_DIR=str(tmp_path / "data"), PORT="none")
    done = subprocess.run(
        [sys.executable, "-m", "vptmonitor.container"], cwd=ROOT, env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "PORT" in done.stderr


def test_alive_asks_the_web_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", str(free_port()))
    assert alive.main() == 1
    server = Server()
    try:
        monkeypatch.setenv("PORT", str(server.server.server_port))
        assert alive.main() == 0
        assert server.paths == ["/livez"]
        server.answer = (503, b"")
        assert alive.main() == 1
    finally:
        server.close()
