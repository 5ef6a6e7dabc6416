"""Hosts write while the web process is killed again and again, and while more comes than it can take: every row that
was acknowledged is there, every row that was sent is there once, and memory stays flat.

`SOAK_KILLS` and `SOAK_FLOOD_SECONDS` make the tests shorter.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
import requests

from apps.ingest import client
from apps.ingest.client import Sender
from tests.embedded.helpers import state, stop_quietly, wait_for
from tests.ingest import rows
from tests.people import TEAM_A
from tests.start.portal import ROOT, free_port, plain_environment
from vptmonitor.embedded.layout import Layout
from vptmonitor.embedded.server import OWNER, read_passwords

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

logger = logging.getLogger(__name__)

KILLS = int(os.environ.get("SOAK_KILLS", "100"))
FLOOD_SECONDS = float(os.environ.get("SOAK_FLOOD_SECONDS", "600"))
SENDERS = 3
FLOODERS = 80
"""More than the lane lets in: a third of the threads work, 64 requests are inside."""
LARGEST_GROWTH_MB = 50

_PREPARE = """
from uuid import UUID, uuid4
from apps.accounts import tokens
from apps.accounts.models import ApiToken, User
from apps.mirror.models import Team
Team.objects.create(id=UUID(int=0xA), name="Team A", tenant_id=uuid4())
owner = User.objects.create_superuser("soak", password=uuid4().hex)
print("TOKEN", tokens.issue(owner=owner, name="soak", scopes=[ApiToken.Scope.INGEST])[1])
"""


class Web:
    """One web process on a port and database of its own, started again by whoever finds it dead."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.share = 0.0
        self.kills = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = plain_environment(
            DATA_DIR=str(self.data), DEMO="false", HTTP_THREADS="8", DJANGO_SETTINGS_MODULE="tests.soak.killing",
            LOG_LEVEL="error", PYTHONPATH=str(ROOT),
        )  # fmt: skip
        for alias in ("default", "source"):
            self._manage("migrate", "--database", alias, "-v", "0")
        (self.data / "static").mkdir(exist_ok=True)
        self.token = self._manage("shell", "-c", _PREPARE).rpartition("TOKEN ")[2].strip()

    def _manage(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, capture_output=True, text=True,
            timeout=120, check=True,
        )  # fmt: skip
        return done.stdout

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vptmonitor.serve", "--port", str(self.port), "--host", "127.0.0.1"],
            cwd=ROOT, env={**self.environment, "KILLED_SHARE": str(self.share)},
        )  # fmt: skip
        wait_for(self.answers, "a web process that answers", 60)

    def answers(self) -> bool:
        """Whether it lives."""
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/livez", timeout=5).ok
        return False

    def kill(self) -> None:
        """SIGKILL, at whatever it is."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)

    def revive(self) -> bool:
        """Start it again where it is dead; whether it was."""
        if self.process is None or self.process.poll() is None:
            return False
        self.kills += 1
        self.start()
        return True

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query in the platform's database."""
        found = state(self.data / "postgres")
        assert found is not None
        password = read_passwords(Layout(self.data / "postgres"))[OWNER]
        with contextlib.closing(
            psycopg2.connect(host=found.host, port=found.port, user=OWNER, password=password, dbname="virtualpytest")
        ) as made, made.cursor() as cursor:  # fmt: skip
            cursor.execute(query)
            return list(cursor.fetchall())

    def memory_mb(self) -> float:
        """Resident memory of the process."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    def end(self) -> None:
        """Stop everything."""
        self.kill()
        if self.process is not None:
            self.process.wait(10)
        stop_quietly(self.data / "postgres")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    made = Web(tmp_path)
    try:
        yield made
    finally:
        made.end()


def test_kills_lose_nothing_and_store_nothing_twice(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LONGEST_WAIT", 1.0)
    web.share = 0.02
    web.start()
    ended = threading.Event()
    sent: list[str] = []
    finished: set[str] = set()
    senders: list[Sender] = []

    def write(number: int) -> None:
        chance = random.Random(number)
        sender = Sender(web.url, web.token, batch=50)
        senders.append(sender)
        while not ended.is_set():
            batch = [rows.script(host_name=f"rack-{number}") for _ in range(chance.randint(1, 120))]
            keys = [sender.add("script-results", row) for row in batch]
            sent.extend(keys)
            for key in keys[:: chance.randint(2, 9)]:
                sender.change("script-results", key, success=True, execution_time_ms=5)
                finished.add(key)
            assert sender.flush(600)
        sender.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    chance = random.Random(1)
    try:
        while web.kills < KILLS:
            ended.wait(chance.uniform(0.05, 1.0))  # at any moment of the load
            if chance.random() < 0.7:
                web.kill()
                assert web.process is not None
                web.process.wait(10)
            web.revive()
    finally:
        ended.set()
        web.share = 0.0
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)
                web.revive()
    stored = [str(key) for (key,) in web.ask("SELECT id FROM script_results")]
    lost, twice = set(sent) - set(stored), len(stored) - len(set(stored))
    logger.warning(
        "%d kills, %d rows sent, %d stored, %d lost, %d twice", web.kills, len(sent), len(stored), len(lost), twice
    )
    assert (lost, twice, len(stored)) == (set(), 0, len(sent))
    assert {str(key) for (key,) in web.ask("SELECT id FROM script_results WHERE success")} == finished
    assert all(not sender.refused and not sender.lost for sender in senders)


def test_a_flood_is_refused_in_part_and_stored_whole(web: Web) -> None:
    web.start()
    ended = threading.Event()
    acknowledged: list[int] = []
    statuses: dict[int, int] = {}
    pages: list[float] = []
    lock = threading.Lock()

    def flood(number: int) -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {web.token}"
            while not ended.is_set():
                batch = [rows.script(host_name=f"rack-{number}") for _ in range(200)]
                answer = session.post(f"{web.url}/api/v1/ingest/script-results", json=batch, timeout=120)
                with lock:
                    statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
                    if answer.status_code == 201:
                        acknowledged.append(answer.json()["counts"]["stored"])
                if answer.status_code == 503:
                    assert answer.headers["Retry-After"]
                    ended.wait(0.05)  # far sooner than it was asked to

    def read() -> None:
        with requests.Session() as session:
            while not ended.wait(0.5):
                began = time.monotonic()
                assert session.get(f"{web.url}/account/login/", timeout=60).status_code == 200
                pages.append(time.monotonic() - began)

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(FLOODERS)]
    threads.append(threading.Thread(target=read))
    for thread in threads:
        thread.start()
    memory = []
    until = time.monotonic() + FLOOD_SECONDS
    while time.monotonic() < until:
        ended.wait(1)
        memory.append(web.memory_mb())
    ended.set()
    for thread in threads:
        thread.join()
    warm = memory[len(memory) // 5 :]
    logger.warning(
        "%d rows in %.0f s, answers %s, memory %.0f to %.0f MB, pages %.0f ms (median), %.0f ms (slowest)",
        sum(acknowledged), FLOOD_SECONDS, statuses, warm[0], max(warm), statistics.median(pages) * 1000,
        max(pages) * 1000,
    )  # fmt: skip
    assert set(statuses) == {201, 503}
    assert web.ask("SELECT count(*) FROM script_results") == [(sum(acknowledged),)]
    assert max(warm) - min(warm[: max(1, len(warm) // 4)]) < LARGEST_GROWTH_MB
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {web.token}"
        row = rows.script(id=str(uuid4()), team_id=str(TEAM_A))
        assert session.post(f"{web.url}/api/v1/ingest/script-results", json=row, timeout=60).status_code == 201


def test_a_database_that_is_away_is_told_at_once_and_comes_back(web: Web) -> None:
    web.start()
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {web.token}"
        post = f"{web.url}/api/v1/ingest/script-results"
        assert session.post(post, json=rows.script(), timeout=60).status_code == 201
        found = state(web.data / "postgres")
        assert found is not None
        os.kill(found.server_pid, signal.SIGKILL)
        row = rows.script()
        answers = []

        def stored() -> bool:
            began = time.monotonic()
            answer = session.post(post, json=row, timeout=60)
            answers.append((answer.status_code, time.monotonic() - began))
            return answer.status_code in {200, 201}

        wait_for(stored, "a row that is stored again", 60)
        assert {status for status, _ in answers} <= {200, 201, 503}
    assert web.ask(f"SELECT count(*) FROM script_results WHERE id = '{row['id']}'") == [(1,)]
