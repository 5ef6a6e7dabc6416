"""Whether there is a Grafana: asked of small real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.grafana import availability, run_state
from apps.grafana.availability import Kind, State
from apps.grafana.run_state import RUNNING, STARTING, RunState
from tests.embedded.helpers import wait_for
from tests.start.portal import free_port

from .health_server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


@pytest.fixture(autouse=True)
def place(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    settings.DATA_DIR = tmp_path
    settings.GRAFANA_URL = ""
    availability.forget()
    yield settings
    availability.forget()


def test_without_any_there_is_none() -> None:
    found = availability.look()
    assert (found.state, found.kind) == (State.ABSENT, Kind.NONE)
    run_state.write(RunState(run_state.ABSENT))
    assert availability.look().state is State.ABSENT


def test_somebody_elses_is_asked_at_its_address(place: Settings, server: Server) -> None:
    place.GRAFANA_URL = f"{server.url}/below"
    found = availability.look()
    assert (found.state, found.kind, str(found.version)) == (State.HEALTHY, Kind.EXTERNAL, "12.4.2")
    assert server.paths == ["/below/api/health"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((503, b'{"database": "failing"}'), "answers 503"),
        ((200, b'{"database": "failing"}'), "failing"),
        ((200, b"<html>"), "no Grafana"),
        ((200, b"[1]"), "no Grafana"),
        ((302, b"{}"), "answers 302"),
    ],
)
def test_what_is_not_well_is_down_and_says_why(
    place: Settings, server: Server, answer: tuple[int, bytes], reason: str
) -> None:
    place.GRAFANA_URL, server.answer = server.url, answer
    found = availability.look()
    assert found.state is State.DOWN
    assert reason in found.reason


def test_a_hidden_version_is_no_fault(place: Settings, server: Server) -> None:
    place.GRAFANA_URL, server.answer = server.url, (200, b'{"database": "ok"}')
    found = availability.look()
    assert found.is_healthy
    assert found.version is None


def test_the_portals_own_is_starting_until_it_answers(server: Server) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    run_state.write(RunState(STARTING, closed, "12.4.2"))
    found = availability.look()
    assert (found.state, found.kind, str(found.version)) == (State.STARTING, Kind.OWN, "12.4.2")
    run_state.write(RunState(RUNNING, closed, "12.4.2"))
    assert availability.look().state is State.DOWN
    run_state.write(RunState(STARTING, server.url, "12.4.2"))
    assert availability.look().state is State.HEALTHY


def test_many_callers_ask_once(place: Settings, server: Server) -> None:
    place.GRAFANA_URL = server.url
    for _ in range(50):
        assert availability.current().is_healthy
    assert len(server.paths) == 1


def test_an_old_answer_is_given_while_a_new_one_is_fetched(
    place: Settings, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.GRAFANA_URL = server.url
    assert availability.current().is_healthy
    server.answer = (503, b"{}")
    monkeypatch.setattr(availability, "KEPT_SECONDS", 0.0)
    assert availability.current(wait=0).is_healthy
    wait_for(lambda: availability.current(wait=0).state is State.DOWN, "the new answer")


def test_nobody_has_to_wait(place: Settings) -> None:
    place.GRAFANA_URL = f"http://127.0.0.1:{free_port()}"
    assert availability.current(wait=0).state in {State.STARTING, State.DOWN}


def test_what_cannot_be_read_is_nothing(tmp_path: Path) -> None:
    for text in ("", "{", "[]", '{"status": "running", "more": 1}'):
        (tmp_path / "grafana").mkdir(exist_ok=True)
        (tmp_path / "grafana" / run_state.FILE).write_text(text)
        assert run_state.read() is None
