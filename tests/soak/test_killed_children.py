"""Whatever is killed while the lab lives and people read: it alone comes back, and no committed row is lost."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
import requests

from tests.embedded.helpers import wait_for
from tests.start.portal import NAMES, Portal, portal_in

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

VICTIMS = (*NAMES, "database")
PAGES = ("/", "/devices/", "/alerts/", "/runs/", "/system/", "/health/")
READERS = 4
RESTED = timedelta(seconds=10)
"""How long a child must have lasted to be restarted after the shortest delay again."""
PAUSE_SECONDS = 0.05


@dataclass
class Load:
    """People who read pages and a writer, until `ended`; what was answered and what was committed."""

    portal: Portal
    cookies: dict[str, str]
    ended: threading.Event = field(default_factory=threading.Event)
    statuses: set[int] = field(default_factory=set)
    pages: int = 0
    committed: list[int] = field(default_factory=list)

    def read(self, seed: int) -> None:
        """One page after the other. A web process that was killed refuses and breaks connections."""
        chance = random.Random(seed)
        with requests.Session() as client:
            client.headers["Accept"] = "text/html"
            client.cookies.update(self.cookies)
            while not self.ended.wait(PAUSE_SECONDS):
                with contextlib.suppress(requests.RequestException):
                    answer = client.get(self.portal.url + chance.choice(PAGES), timeout=30, allow_redirects=False)
                    self.statuses.add(answer.status_code)
                    self.pages += 1

    def write(self) -> None:
        """One row for each transaction, noted once the server has said that it is committed."""
        number = 0
        while not self.ended.wait(PAUSE_SECONDS):
            with (
                contextlib.suppress(psycopg2.Error, AssertionError),
                contextlib.closing(self.portal.connect()) as connection,
                connection.cursor() as cursor,
            ):
                while not self.ended.wait(PAUSE_SECONDS):
                    number += 1
                    cursor.execute("INSERT INTO written VALUES (%s)", [number])
                    self.committed.append(number)


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """A portal with a demo lab that lives, read and written to until the last test ends."""
    with portal_in(tmp_path_factory.mktemp("soak"), DEMO="true") as portal:
        portal.start(seconds=300)
        portal.ask("CREATE TABLE written (number int PRIMARY KEY)")
        with portal.session() as client:
            made = Load(portal, client.cookies.get_dict())
        threads = [threading.Thread(target=made.read, args=(seed,)) for seed in range(READERS)]
        threads.append(threading.Thread(target=made.write))
        for thread in threads:
            thread.start()
        try:
            yield made
        finally:
            made.ended.set()
            for thread in threads:
                thread.join()


def processes(portal: Portal) -> dict[str, int]:
    """The pid of each victim; 0 where there is none at this moment."""
    return {**portal.children(), "database": portal.postmaster()}


def rested(portal: Portal) -> bool:
    """Whether every child runs, and has for so long that its next restart is a quick one."""
    states = [portal.state(name) for name in NAMES]
    oldest = datetime.now(UTC) - RESTED
    return all(processes(portal).values()) and all(
        state is not None and state.started_at is not None and state.started_at < oldest for state in states
    )


def ready(portal: Portal) -> bool:
    """Whether the portal calls itself ready."""
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{portal.url}/readyz", timeout=30).ok
    return False


def kept(portal: Portal, query: str, values: list[str] | list[int]) -> bool:
    """Whether every value is among the rows of the query; asked until the database answers."""
    rows: list[tuple[object]] | None = None

    def asked() -> bool:
        nonlocal rows
        with contextlib.suppress(psycopg2.OperationalError):
            rows = portal.ask(query)
        return rows is not None

    wait_for(asked, "an answer of the database")
    return set(values) <= {row[0] for row in rows or ()}


@pytest.mark.parametrize("seed", range(20))
def test_a_killed_process_alone_comes_back_and_no_committed_row_is_lost(seed: int, load: Load) -> None:
    portal, chance = load.portal, random.Random(seed)
    wait_for(lambda: rested(portal), "children that have lasted a while", 60)
    for victim in chance.sample(VICTIMS, len(VICTIMS)):
        wait_for(lambda: all(processes(portal).values()), "all processes", 30)
        before = processes(portal)
        simulated = [row[0] for row in portal.ask("SELECT id::text FROM script_results")]
        load.ended.wait(chance.random() / 2)  # at any moment of the load
        os.kill(before[victim], signal.SIGKILL)
        wait_for(
            lambda victim=victim, old=before[victim]: processes(portal)[victim] not in {0, old},  # type: ignore[misc]
            f"another {victim}", 30,
        )  # fmt: skip
        pages, rows = load.pages, len(load.committed)
        wait_for(lambda pages=pages: load.pages > pages, "pages that are read again", 30)  # type: ignore[misc]
        wait_for(lambda rows=rows: len(load.committed) > rows, "rows that are written again", 30)  # type: ignore[misc]
        after = processes(portal)
        assert {name for name in VICTIMS if after[name] != before[name]} == {victim}
        assert kept(portal, "SELECT number FROM written", load.committed.copy())
        assert kept(portal, "SELECT id::text FROM script_results", simulated)
    assert load.statuses <= {200, 503}
    wait_for(lambda: ready(portal), "a portal that calls itself ready")
