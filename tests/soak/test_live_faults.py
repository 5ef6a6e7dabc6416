"""Listeners, databases and web processes die while rows are written: who comes back with a token misses none."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.embedded.helpers import wait_for
from tests.start.portal import Portal, portal_in

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]
FAULTS = 12
SEED = 20261126


class Reader(threading.Thread):
    """A client that comes back with its token after every loss, as a browser does. `rows` counts all that it was told
    of, also those that a message did not name; `reloads` how often it was told that something is not known any more."""

    def __init__(self, portal: Portal, cookie: str) -> None:
        super().__init__(daemon=True)
        self.portal, self.cookie = portal, cookie
        self.heard: list[str] = []
        self.rows = self.reloads = self.openings = 0
        self.token: str | None = None
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                self._listen()
            self.stopped.wait(0.1)

    def _listen(self) -> None:
        address = f"ws://127.0.0.1:{self.portal.port}/live/"
        origin = Origin(self.portal.url)
        with connect(address, additional_headers={"Cookie": self.cookie}, origin=origin, open_timeout=5) as socket:
            socket.send(json.dumps({"type": "hello", "topics": ["alerts"], "after": self.token}))
            while not self.stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    self._take(json.loads(socket.recv(timeout=0.5)))

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "welcome":
            # What it missed follows: only then does it stand where the token says.
            self.openings += 1
            self.token = self.token or message["token"]
            return
        for change in message.get("events", ()):
            self.heard += change["added"]
            self.rows += change["rows"]
        self.reloads += message["type"] == "reload"
        self.token = message["token"]


class Writer(threading.Thread):
    """Inserts row after row; `stored` holds those whose commit was confirmed, `unsure` those whose answer got lost."""

    def __init__(self, portal: Portal) -> None:
        super().__init__(daemon=True)
        self.portal = portal
        self.stored: list[str] = []
        self.unsure: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            with contextlib.suppress(psycopg2.Error, AssertionError, OSError, KeyError):
                self._write()
            self.stopped.wait(0.1)

    def _write(self) -> None:
        with contextlib.closing(self.portal.connect()) as connection, connection.cursor() as cursor:
            while not self.stopped.is_set():
                key = str(uuid4())
                self.unsure.append(key)
                cursor.execute(
                    "INSERT INTO alerts (id, host_name, device_id, incident_type)"
                    " VALUES (%s, 'h', gen_random_uuid(), 'freeze')",
                    [key],
                )
                self.stored.append(self.unsure.pop())
                self.stopped.wait(0.03)


def kill_listener(portal: Portal) -> None:
    portal.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vptmonitor live'")


def kill_web(portal: Portal) -> None:
    before = portal.child("web")
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: portal.child("web") not in {0, before}, "another web process", 60)


def kill_database(portal: Portal) -> None:
    before = portal.postmaster()
    os.kill(before, signal.SIGQUIT)
    wait_for(lambda: portal.postmaster() not in {0, before}, "another server", 60)


def test_no_event_is_lost_and_none_comes_twice_whatever_is_killed(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    kills: list[Callable[[Portal], None]] = [kill_listener, kill_web, kill_database]
    with portal_in(tmp_path) as portal:
        portal.start()
        with portal.session() as session:
            cookie = f"vptmonitor_session={session.cookies['vptmonitor_session']}"
        reader, writer = Reader(portal, cookie), Writer(portal)
        reader.start()
        wait_for(lambda: reader.token, "a listening client", 30)
        writer.start()
        for number in range(FAULTS):
            so_far = len(writer.stored)
            wait_for(lambda so_far=so_far: len(writer.stored) > so_far + 10, "rows", 90)  # type: ignore[misc]
            kills[number % len(kills)](portal)
            wait_for(lambda: chance.random() < 0.2, "chance")
        so_far = len(writer.stored)
        wait_for(lambda: len(writer.stored) > so_far + 10, "rows after the last fault", 60)
        writer.stopped.set()
        writer.join()
        there = {str(key) for (key,) in portal.ask("SELECT id FROM alerts WHERE host_name = 'h'")}
        wait_for(lambda: reader.rows >= len(there), "every row", 60)
        reader.stopped.set()
        reader.join(10)
    assert reader.openings > FAULTS // 3
    assert reader.reloads == 0
    assert len(reader.heard) == len(set(reader.heard)), "none twice"
    assert reader.rows == len(there), "each row that is there, once"
    assert set(reader.heard) <= there
    assert set(writer.stored) <= there
