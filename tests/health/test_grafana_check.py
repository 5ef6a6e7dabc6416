"""What doctor and the health page say of Grafana."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.grafana import installation, run_state
from apps.grafana.run_state import RUNNING, STARTING, RunState
from apps.health.checks.grafana import check
from apps.health.findings import State
from tests.grafana.fake_home import make_home
from tests.grafana.health_server import Server
from tests.start.portal import free_port
from vptmonitor import process_state, process_table
from vptmonitor.process_state import ProcessState


@pytest.fixture(autouse=True)
def place(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings.DATA_DIR, settings.STATE_DIR = tmp_path, tmp_path / "processes"
    settings.GRAFANA_HOME = settings.GRAFANA_URL = ""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.setattr(installation, "PACKAGED", tmp_path / "packaged")
    return settings


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


def test_none_is_no_fault() -> None:
    found = check()
    assert found.state is State.OK
    assert "None is installed or configured" in found.text


def test_the_portals_own(server: Server, tmp_path: Path) -> None:
    run_state.write(RunState(RUNNING, server.url, "12.4.2", "/opt/grafana"))
    found = check()
    assert (found.state, found.text) == (State.OK, "The portal's own Grafana, 12.4.2, answers.")
    assert found.details == {"whose": "own", "address": server.url, "home": "/opt/grafana", "database": "SQLite"}


def test_one_that_starts_or_is_down() -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    run_state.write(RunState(STARTING, closed, "12.4.2"))
    found = check()
    assert found.state is State.WARNING
    assert "is starting" in found.text
    run_state.write(RunState(RUNNING, closed, "12.4.2"))
    found = check()
    assert found.state is State.FAILING
    assert "does not answer" in found.text
    assert "log lines" in found.fix
    assert "cannot be reached" in str(found.details["reason"])


def test_somebody_elses(place: Settings, server: Server) -> None:
    place.GRAFANA_URL = server.url
    assert check().text == "The Grafana of GRAFANA_URL, 12.4.2, answers."
    place.GRAFANA_URL = f"http://127.0.0.1:{free_port()}"
    assert "GRAFANA_URL" in check().fix


def test_a_version_with_flaws_is_warned_of(place: Settings, server: Server) -> None:
    place.GRAFANA_URL, server.answer = server.url, (200, b'{"database": "ok", "version": "12.0.0"}')
    found = check()
    assert found.state is State.WARNING
    assert "CVE-2025-4123" in str(found.details["warnings"])
    assert "install_grafana" in found.fix


def test_one_that_is_installed_and_does_not_run(place: Settings, tmp_path: Path) -> None:
    place.GRAFANA_HOME = str(make_home(tmp_path / "home"))
    assert check().state is State.UNKNOWN
    me = process_table.find(os.getpid())
    assert me is not None
    state = ProcessState("grafana", process_state.State.RUNNING, me.pid, me.birth, me.pid, datetime.now(UTC))
    process_state.write(tmp_path / "processes", state)
    found = check()
    assert found.state is State.WARNING
    assert found.details["found_by"] == "GRAFANA_HOME"


def test_a_home_that_is_none(place: Settings, tmp_path: Path) -> None:
    place.GRAFANA_HOME = str(tmp_path / "nothing")
    found = check()
    assert found.state is State.FAILING
    assert "GRAFANA_HOME" in found.text
    assert str(tmp_path) not in found.text + found.fix
