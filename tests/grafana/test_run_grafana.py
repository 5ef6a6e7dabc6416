"""`manage.py run_grafana`, as a process, with a program in Grafana's place."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from django.conf import settings as configured
from django.db import connections
from pytest_django import Settings

from apps.grafana import process, run_state, starting
from apps.grafana.process import Keeper, Plan, say
from apps.grafana.run_state import RUNNING
from apps.grafana.versions import Version
from tests.embedded.helpers import command_lines, wait_for
from tests.start.portal import free_port, plain_environment

from .expansion import read_ini, read_yaml
from .fake_home import Behaviour, make_home


class Line:
    """The Procfile's line, without its supervisor, over a database that does not answer: a login that is given needs
    none."""

    def __init__(self, folder: Path, **given: str) -> None:
        self.data = folder / "data"
        self.output = folder / "output"
        self.port = free_port()
        self.environment = plain_environment(
            DATA_DIR=str(self.data), DEMO="false", GRAFANA_PORT=str(self.port), VPTMONITOR_PROCESS="grafana",
            DATABASE_URL="postgresql://nobody:c4nary@127.0.0.1:1/nothing",
            GRAFANA_READER_URL="postgresql://reader:c4n$ary@db.example.org/lab", **given,
        )  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_grafana"], cwd=configured.ROOT, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0,
            )  # fmt: skip

    def text(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def wait_for(self, text: str) -> None:
        wait_for(lambda: text in self.text() or self.ended(), text)
        assert text in self.text(), self.text()

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(10)

    def status(self) -> str | None:
        told = run_state.read(self.data / "grafana")
        return told.status if told else None

    def is_well(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"http://127.0.0.1:{self.port}/grafana/api/health", timeout=2).ok
        return False

    def end(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[list[Line]]:
    started: list[Line] = []
    yield started
    for line in started:
        line.end()


def line(lines: list[Line], tmp_path: Path, home: Path | None, **given: str) -> Line:
    one = Line(tmp_path, **({"GRAFANA_HOME": str(home)} if home else {}), **given)
    lines.append(one)
    one.start()
    return one


@pytest.mark.parametrize("program", ["grafana", "grafana-server"])
def test_it_is_configured_run_watched_and_stopped(lines: list[Line], tmp_path: Path, program: str) -> None:
    home = make_home(tmp_path / "home", "12.4.0", program)
    one = line(lines, tmp_path, home, PUBLIC_URL="https://portal.example.org", GRAFANA_SECRET_KEY="c4nary-key")
    one.wait_for("Grafana 12.4.0 is ready after")
    assert one.is_well()
    assert one.status() == RUNNING
    told = json.loads((home / "started.json").read_text())
    assert ("server" in told["arguments"]) is (program == "grafana")
    assert not {name for name in told["environment"] if name.startswith(("GRAFANA", "DATABASE", "SECRET", "DATA_DIR"))}
    ini = read_ini(one.data / "grafana" / "config" / "grafana.ini", {})
    assert ini["server"]["root_url"] == "https://portal.example.org/grafana/"
    assert ini["server"]["http_port"] == str(one.port)
    assert ini["security"]["secret_key"] == "c4nary-key"
    assert ini["auth.jwt"]["jwk_set_file"] == str(one.data / "grafana" / "identity" / "jwks.json")
    (source,) = read_yaml(one.data / "grafana" / "config" / "provisioning" / "datasources" / "supabase.yml", {})[
        "datasources"
    ]
    assert source["secureJsonData"]["password"] == "c4n$ary"
    assert one.stop() == 0
    assert one.status() is None
    assert not one.is_well()
    text = one.text()
    assert "WARNING [grafana] - grafana.http.server: careful status=404" in text
    assert "INFO  [grafana] - grafana: plain words" in text
    assert "good news" not in text
    assert "Grafana 12.4.0 has CVE-2026-27876" in text
    assert "c4n" not in text
    assert (one.data / "grafana").stat().st_mode & 0o777 == 0o700


def test_its_good_news_are_details(lines: list[Line], tmp_path: Path) -> None:
    one = line(lines, tmp_path, make_home(tmp_path / "home"), LOG_LEVEL="debug", LOG_FORMAT="json")
    one.wait_for("is ready after")
    one.stop()
    said = [json.loads(text) for text in one.text().splitlines() if text.startswith("{")]
    assert ("grafana.settings", "good news") in {(entry["logger"], entry["message"]) for entry in said}


class Kept:
    """A `Keeper` at work in a thread."""

    def __init__(self, folder: Path, behaviour: Behaviour | None = None, port: int = 0) -> None:
        self.home = make_home(folder / "home", behaviour=behaviour)
        self.folder = folder / "grafana"
        (self.folder / "data").mkdir(parents=True)
        self.port = port or free_port()
        (self.folder / "grafana.ini").write_text(f"data = {self.folder / 'data'}\nhttp_port = {self.port}\n")
        self.stop = threading.Event()
        self.plan = Plan(
            command=[str(self.home / "bin" / "grafana"), "server", "--config", str(self.folder / "grafana.ini")],
            folder=str(self.folder), url=f"http://127.0.0.1:{self.port}/grafana", version="12.4.2", home=str(self.home),
        )  # fmt: skip
        self.pool = ThreadPoolExecutor(1)
        self.result = self.pool.submit(Keeper(self.plan, self.stop).run)

    def status(self) -> str | None:
        told = run_state.read(self.folder)
        return told.status if told else None

    def pids(self) -> list[int]:
        """Those of the program."""
        return [pid for pid, words in command_lines().items() if str(self.home / "bin") in words]

    def end(self) -> int:
        self.stop.set()
        return self.result.result(20)


@pytest.fixture
def kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Kept]]:
    made: list[Kept] = []
    caplog.set_level("INFO", logger="grafana")

    def make(behaviour: Behaviour | None = None, port: int = 0) -> Kept:
        made.append(Kept(tmp_path / str(len(made)), behaviour, port))
        return made[-1]

    yield make
    for one in made:
        one.end()
        one.pool.shutdown()


def test_when_grafana_ends_its_keeper_ends_and_says_how(
    kept: Callable[..., Kept], caplog: pytest.LogCaptureFixture
) -> None:
    one = kept(Behaviour(exit_at_once=3))
    assert one.result.result(20) == 1
    assert "Grafana ended with code 3" in caplog.text
    assert "panic: it is broken" in caplog.text
    # Neither starting nor absent: the portal's pages say that it is down.
    assert one.status() == RUNNING


def test_kill_9_of_grafana_is_noticed(kept: Callable[..., Kept], caplog: pytest.LogCaptureFixture) -> None:
    one = kept()
    wait_for(lambda: one.status() == RUNNING, "Grafana")
    for pid in one.pids():
        os.kill(pid, signal.SIGKILL)
    assert one.result.result(20) == 1
    assert "Grafana ended by signal 9" in caplog.text


def test_a_grafana_that_does_not_stop_is_killed_in_time(
    kept: Callable[..., Kept], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "STOP_SECONDS", 0.5)
    one = kept(Behaviour(ignore_sigterm=True))
    wait_for(lambda: one.status() == RUNNING, "Grafana")
    assert one.end() == 0
    assert "is killed" in caplog.text
    assert one.pids() == []


def test_a_grafana_that_does_not_answer_any_more_is_ended(
    kept: Callable[..., Kept], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PROBE_EVERY", 0.1)
    monkeypatch.setattr(process, "SILENT_SECONDS", 0.5)
    one = kept()
    wait_for(lambda: one.status() == RUNNING, "Grafana")
    (one.home / "sick").touch()
    assert one.result.result(20) == 1
    assert "has not answered for" in caplog.text
    assert one.pids() == []


def test_a_grafana_that_never_gets_ready_is_ended(
    kept: Callable[..., Kept], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "is_well", lambda _url: False)
    monkeypatch.setattr(process, "START_SECONDS", 0.3)
    one = kept()
    assert one.result.result(20) == 1
    assert "was not ready within" in caplog.text


def test_only_one_runs_on_a_data_directory(kept: Callable[..., Kept], caplog: pytest.LogCaptureFixture) -> None:
    one = kept()
    wait_for(lambda: one.status() == RUNNING, "Grafana")
    assert Keeper(one.plan, threading.Event()).run() == 1
    assert "another Grafana of the portal runs already" in caplog.text
    assert one.status() == RUNNING


def test_a_taken_port_and_a_program_that_cannot_run_are_told(
    kept: Callable[..., Kept], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        one = kept(port=taken.getsockname()[1])
        assert one.result.result(20) == 1
    assert "is taken by another program; let GRAFANA_PORT name another" in caplog.text
    assert not (one.home / "started.json").exists()
    one.plan.command[0] = str(one.home / "missing")
    assert Keeper(one.plan, threading.Event()).run() == 1
    assert "cannot start" in caplog.text


def test_somebody_elses_needs_none(lines: list[Line], tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    one = line(lines, tmp_path, home, GRAFANA_URL="https://grafana.example.org")
    one.wait_for("the Grafana at https://grafana.example.org is used; none is run here")
    assert one.stop(signal.SIGINT) == 0
    assert not (home / "started.json").exists()


def test_a_wrong_home_is_told_and_the_line_waits(lines: list[Line], tmp_path: Path) -> None:
    one = line(lines, tmp_path, tmp_path / "nothing")
    one.wait_for("GRAFANA_HOME: there is no Grafana at")
    assert one.status() == run_state.ABSENT
    assert one.stop() == 0


def test_a_new_password_reaches_grafana_once(lines: list[Line], tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    for password, expected in (("first one", None), ("another $one", "another $one"), ("another $one", None)):
        one = line(lines, tmp_path, home, GRAFANA_ADMIN_PASSWORD=password)
        wait_for(one.is_well, "Grafana")
        one.stop()
        # At the very first start it stands in the configuration.
        assert ((home / "password").read_text() if (home / "password").exists() else None) == expected
        (home / "password").unlink(missing_ok=True)
        assert password not in one.text()


@pytest.mark.django_db(databases=["default", "source"])
def test_on_a_database_of_ours_grafana_gets_a_role_that_can_only_read(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.GRAFANA_HOME = tmp_path, str(make_home(tmp_path / "home"))
    settings.SECOND_PORT = 3000
    plan = starting.plan()
    assert plan.url == f"http://127.0.0.1:{settings.GRAFANA_PORT}/grafana"
    assert plan.warnings == []
    config = tmp_path / "grafana" / "config"
    (source,) = read_yaml(config / "provisioning" / "datasources" / "supabase.yml", {})["datasources"]
    entry = connections["source"].settings_dict
    assert source["user"].startswith("vptmonitor_grafana_")
    assert (source["url"], source["database"]) == (entry["HOST"], entry["NAME"])
    assert source["jsonData"]["sslmode"] == "disable"
    ini = read_ini(config / "grafana.ini", {})
    assert ini["live"]["allowed_origins"] == (
        "http://localhost:5109,http://localhost:3000,http://127.0.0.1:5109,http://127.0.0.1:3000"
    )
    assert ini["security"]["admin_password"] == settings.GRAFANA_ADMIN_PASSWORD


@pytest.mark.parametrize(
    ("version", "said"),
    [(None, []), (Version(8, 5, 0), ["older than 9.3.0"]), (Version(12, 4, 2), []), (Version(13, 0, 0), ["33377"])],
)
def test_what_is_said_of_versions(version: Version | None, said: list[str]) -> None:
    found = starting.warnings(version)
    assert len(found) == len(said)
    assert all(word in sentence for word, sentence in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("text", "level", "name", "message"),
    [
        ('{"level": "error", "logger": "a.b", "msg": "no", "error": "x\\ny", "t": "…"}', "ERROR", "grafana.a.b",
         "no error=x y"),
        ('{"lvl": "eror", "msg": "9.3"}', "ERROR", "grafana", "9.3"),
        ('{"level": "info", "logger": "migrator", "msg": "one of hundreds"}', "DEBUG", "grafana.migrator",
         "one of hundreds"),
        ("[1]", "INFO", "grafana", "[1]"),
        ("fatal error: all goroutines are asleep", "ERROR", "grafana", "fatal error: all goroutines are asleep"),
        ("%s %d", "INFO", "grafana", "%s %d"),
    ],
)  # fmt: skip
def test_each_line_finds_its_place_in_the_log(
    caplog: pytest.LogCaptureFixture, text: str, level: str, name: str, message: str
) -> None:
    caplog.set_level("DEBUG", logger="grafana")
    say(text)
    (record,) = caplog.records
    assert (record.levelname, record.name, record.getMessage()) == (level, name, message)


def test_a_plan_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "plan.json"
    plan = Plan(command=["x"], url="http://127.0.0.1:1/grafana")
    plan.write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Plan.read(path) == plan
