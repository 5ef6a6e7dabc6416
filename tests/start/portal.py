"""A portal that was really started, with a database, a port and processes of its own; a plugin of the suite.

The fixture `started` is one portal for all tests that need one, with the rows of a small lab and no simulator, so that
rows stay as they are. It is started by the first test that asks for it. A test that stops it starts it again.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests

from tests.embedded.helpers import command_lines, state, stop_quietly, wait_for
from vptmonitor import process_state
from vptmonitor.embedded.layout import Layout
from vptmonitor.embedded.server import OWNER, read_passwords
from vptmonitor.process_state import ProcessState

ROOT = Path(__file__).resolve().parents[2]
HTTP_THREADS = 8
NAMES = ("web", "worker", "grafana")


def free_port() -> int:
    """A port of the loopback address that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def plain_environment(**given: str) -> dict[str, str]:
    """This process's environment without any variable of the portal, and with those given."""
    known = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    mine = {
        "DJANGO_SETTINGS_MODULE", "VPTMONITOR_PROCESS", "VPTMONITOR_STATE_DIR", "VPTMONITOR_WEB_PORT",
        "HONCHO_PROCESS_NAME",
    }  # fmt: skip
    dropped = {*known, *(f"{name}_FILE" for name in known), *mine}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "ENV_FILE": "", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **given}


class Portal:
    """`python -m vptmonitor.start` below `folder`. Everything that belongs to it can be found and ended."""

    def __init__(self, folder: Path, **given: str) -> None:
        self.data = folder.resolve() / "data"
        self.output = folder / "output"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.mark = f"VPTMONITOR_TEST={self.data}"
        self.environment = plain_environment(
            DATA_DIR=str(self.data), PORT=str(self.port), VPTMONITOR_TEST=str(self.data),
            **{"DEMO": "false", "HTTP_THREADS": str(HTTP_THREADS), **given},
        )  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    # --- Life ---------------------------------------------------------------------------------------------------------
    def start(self, seconds: float = 120) -> None:
        """Start, and wait until it says that it is ready."""
        begin = len(self.text())
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vptmonitor.start"],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        wait_for(
            lambda: self._lives() and "The portal is ready" in self.text()[begin:], "a portal that is ready", seconds
        )
        wait_for(lambda: all(self.child(name) for name in NAMES), "all children", seconds)
        wait_for(lambda: "jobs: " in self.text()[begin:], "a worker at work", seconds)

    def _lives(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"the portal ended by itself:\n{self.text()}")
        return True

    def stop(self, seconds: float = 15) -> None:
        """SIGTERM to honcho, and wait until nothing is left."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            self.process.wait(seconds)
            self.process = None
        wait_for(lambda: not self.processes() and not self.servers(), "the end of everything", seconds)

    def end(self) -> None:
        """By force, whatever a test left."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(10)
            self.process = None
        stop_quietly(self.data / "postgres")

    # --- What runs ----------------------------------------------------------------------------------------------------
    def processes(self) -> dict[int, str]:
        """Pid and command line of honcho, supervisors and children; the embedded server is not among them."""
        found = {}
        mark = self.mark.encode()
        for pid, line in command_lines().items():
            with contextlib.suppress(OSError):
                if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    found[pid] = line
        return found

    def servers(self) -> dict[int, str]:
        """Pid and command line of the embedded server and its keeper."""
        place = str(self.data / "postgres")
        return {pid: line for pid, line in command_lines().items() if place in line and "postgres" in line}

    def postmaster(self) -> int:
        """The pid of the embedded server, once it is ready; 0 while there is none."""
        found = state(self.data / "postgres")
        return found.server_pid if found is not None and found.status == "ready" else 0

    def state(self, name: str) -> ProcessState | None:
        """What the supervisor of this line last said."""
        states = process_state.read_all(self.data / "processes")
        return next((found for found in states if found.name == name), None)

    def child(self, name: str) -> int:
        """The pid of a line's child that was started by a living supervisor; else 0."""
        found = self.state(name)
        return found.child_pid or 0 if found is not None and found.supervisor_pid in self.processes() else 0

    def children(self) -> dict[str, int]:
        """The pid of each line's child."""
        return {name: self.child(name) for name in NAMES}

    def text(self) -> str:
        """All that it wrote so far."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    # --- What it answers ----------------------------------------------------------------------------------------------
    @property
    def password(self) -> str:
        """The administrator's, as it was made."""
        lines = (self.data / "secrets.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)["GRAFANA_ADMIN_PASSWORD"]

    def session(self) -> requests.Session:
        """A client that is signed in as the administrator; to be closed."""
        client = requests.Session()
        client.headers["Accept"] = "text/html"
        client.get(f"{self.url}/account/login/", timeout=20)
        answer = client.post(
            f"{self.url}/account/login/",
            {"username": "admin", "password": self.password, "csrfmiddlewaretoken": self.token(client)},
            headers={"Referer": f"{self.url}/account/login/"}, allow_redirects=False, timeout=20,
        )  # fmt: skip
        assert answer.status_code == 302, answer.text
        return client

    def token(self, client: requests.Session) -> str:
        """The client's token against forged requests, as a form carries it."""
        page = client.get(f"{self.url}/account/login/?next=/", timeout=20, allow_redirects=False).text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        return found[1] if found else client.cookies.get("vptmonitor_csrf") or ""

    def connect(self, database: str = "virtualpytest") -> Any:
        """A connection to the embedded server as its owner, in autocommit; to be closed."""
        found = state(self.data / "postgres")
        assert found is not None, "the embedded server runs"
        password = read_passwords(Layout(self.data / "postgres"))[OWNER]
        made = psycopg2.connect(
            host=found.host, port=found.port, user=OWNER, password=password, dbname=database, connect_timeout=10
        )
        made.autocommit = True
        return made

    def ask(self, query: str, database: str = "virtualpytest") -> list[tuple[Any, ...]]:
        """The rows of a query; none for a statement."""
        with contextlib.closing(self.connect(database)) as made, made.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall()) if cursor.description else []

    def manage(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` beside the portal."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=check,
            timeout=100,
        )  # fmt: skip


@contextlib.contextmanager
def portal_in(folder: Path, **given: str) -> Iterator[Portal]:
    """A portal that is not started yet, and its end."""
    made = Portal(folder, **given)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(scope="session")
def _started_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with portal_in(tmp_path_factory.mktemp("started")) as made:
        made.start()
        made.manage("load_demo", "--days", "2", "--devices", "6")
        yield made


@pytest.fixture
def started(_started_once: Portal) -> Portal:
    """The running portal, started again when an earlier test failed to."""
    if _started_once.process is None or _started_once.process.poll() is not None:
        _started_once.end()
        _started_once.start()
    return _started_once
