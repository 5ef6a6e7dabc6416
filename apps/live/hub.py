"""Everybody who listens through this process: one connection to each database, and all sockets fed from it directly.

What a message says is worked out once for all who see the same and asked for the same, and each socket takes it into
its own small queue. No channel layer stands between: it would lose most of a burst (docs/decisions/0013).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

import psycopg2
from django.db import Error as DatabaseProblem
from django.db import close_old_connections

from apps.accounts.scope import TeamScope
from apps.live import viewers
from apps.live.cursor import Token
from apps.live.ending import end
from apps.live.events import Batch, Change, Event, changes_for
from apps.live.install import owned
from apps.live.stream import Stream
from apps.live.tables import PORTAL
from apps.live.viewers import ACCESS_TOPICS, Viewer
from apps.live.wire import WireLostError
from apps.mirror.shape import SOURCE

logger = logging.getLogger(__name__)

T = TypeVar("T")
Changes = Mapping[str, Change]

SESSION_SECONDS: Final = 2.0
"""How often sessions are looked at: who signed out is gone within this."""
PEOPLE_SECONDS: Final = 15.0
"""How often people and their teams are looked at when no event said that something changed."""
READY_SECONDS: Final = 5.0
REMEMBERED_SECONDS: Final = 300.0
REMEMBERED_EVENTS: Final = 5_000
"""What was told lately is told again to pages that were drawn before it, and connect after it."""
MARGIN_SECONDS: Final = 2.0
"""Between the clocks of the processes that draw pages and that feed them."""
SOCKETS_PER_SECOND: Final = 50
"""So many pages are asked to come for what changed within one second; of more sockets each waits a share of it."""


class AwayError(Exception):
    """A database is away; the same question can be answered later."""


class Client(Protocol):
    """A socket, as the hub knows it."""

    viewer: Viewer
    topics: frozenset[str]

    def tell(self, changes: Changes, text: str, token: str) -> None:
        """Take a message; `text` is what `changes` and `token` read as."""

    def reload(self, reason: str, token: str) -> None:
        """Say that everything must be loaded anew."""

    def dismiss(self, code: int, reason: str) -> None:
        """Close."""


class Hub:
    """Made on a running loop; `start` begins to listen."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.streams = [Stream(alias, self._on_batch) for alias in (PORTAL, SOURCE) if owned(alias)]
        self.clients: set[Client] = set()
        self._groups: dict[tuple[TeamScope, frozenset[str]], set[Client]] = {}
        self._held: dict[Client, list[tuple[Stream, Event]]] = {}
        self._told: deque[tuple[float, Stream, Sequence[Event]]] = deque()
        self._told_events = 0
        self._told_since = float("inf")
        self._tasks: list[asyncio.Task[None]] = []
        self._people = asyncio.Event()
        # One thread, and so one connection, asks who people are.
        self._threads = ThreadPoolExecutor(1, "live")

    def start(self) -> None:
        """Listen until the loop ends."""
        if not self._tasks:
            self._tasks = [self.loop.create_task(one.run(), name=f"live {one.alias}") for one in self.streams]
            self._tasks.append(self.loop.create_task(self._watch_people(), name="live people"))

    async def stop(self) -> None:
        """Listen no more, and close every socket."""
        for client in list(self.clients):
            client.dismiss(1001, "The portal stops.")
        await end(self._tasks)
        self._tasks.clear()
        await self.ask(_end_connection)
        self._threads.shutdown(wait=False)

    @property
    def token(self) -> str:
        """Where all streams stand now."""
        return str(Token(tuple(one.position for one in self.streams if one.position)))

    @property
    def spread_seconds(self) -> float:
        """Over how long pages spread their questions after a change, so that they do not all come at once."""
        return round(len(self.clients) / SOCKETS_PER_SECOND, 1)

    async def ask(self, question: Callable[..., T], *arguments: Any) -> T:
        """What a function answers that asks the portal's database, in the hub's own thread."""
        return await self.loop.run_in_executor(self._threads, _with_fresh_connections, question, *arguments)

    # --- Coming and going ---------------------------------------------------------------------------------------------
    def count(self, user: int) -> int:
        """How many sockets somebody has."""
        return sum(client.viewer.user == user for client in self.clients)

    async def join(self, client: Client, after: Token | None, since: float | None) -> Changes | None:
        """Feed a socket from now on. What it missed: after the token that it has, else since the moment (epoch seconds)
        at which its page was drawn, else nothing. None when that is not known, and it must load everything anew.

        Raises AwayError when a database cannot be asked what came after the token: that stays good.
        """
        ready = await asyncio.gather(*(one.ready(READY_SECONDS) for one in self.streams))
        held = self._held[client] = []
        self.clients.add(client)
        self._groups.setdefault((client.viewer.scope, client.topics), set()).add(client)
        try:
            if not all(ready):
                raise WireLostError("not connected")
            missed = await self._missed(after, since)
        except (OSError, LookupError, psycopg2.Error) as error:
            if after is not None:
                raise AwayError from error
            missed = None
        finally:
            self._held.pop(client, None)
        if missed is None:
            return None
        # What comes with the next batch is not told twice.
        known = [(stream, event) for stream, event in missed if stream.position and stream.position.sees(event.xid)]
        events = {(id(stream), event.id): event for stream, event in (*known, *held)}
        return changes_for(events.values(), client.viewer.scope, client.topics)

    async def _missed(self, after: Token | None, since: float | None) -> list[tuple[Stream, Event]] | None:
        if after is None:
            return self._remembered(since)
        found: list[tuple[Stream, Event]] = []
        positions = {one.identity: one for one in after.positions}
        for stream in self.streams:
            mine = positions.get(stream.position.identity) if stream.position else None
            batch = await stream.after(mine) if mine else None
            if batch is None or not batch.complete:
                return None
            found += [(stream, event) for event in batch.events]
        return found

    def _remembered(self, since: float | None) -> list[tuple[Stream, Event]] | None:
        if since is None:
            return []
        since -= MARGIN_SECONDS
        if since < self._told_since:
            return None
        return [(stream, event) for at, stream, events in self._told if at >= since for event in events]

    def leave(self, client: Client) -> None:
        """Feed it no more."""
        self.clients.discard(client)
        self._held.pop(client, None)
        key = client.viewer.scope, client.topics
        if group := self._groups.get(key):
            group.discard(client)
            if not group:
                del self._groups[key]

    def move(self, client: Client, viewer: Viewer, topics: frozenset[str]) -> None:
        """It is somebody else's now, or asks for something else."""
        self.leave(client)
        client.viewer, client.topics = viewer, topics
        self.clients.add(client)
        self._groups.setdefault((viewer.scope, topics), set()).add(client)

    # --- Telling ------------------------------------------------------------------------------------------------------
    def _on_batch(self, stream: Stream, batch: Batch) -> None:
        token = self.token
        if not batch.complete:
            self._forget()
            self._held.clear()
            for client in self.clients:
                client.reload("More happened than is kept.", token)
            return
        if any(event.topic in ACCESS_TOPICS for event in batch.events):
            self._people.set()
        self._remember(stream, batch.events)
        for held in self._held.values():
            held.extend((stream, event) for event in batch.events)
        for (scope, topics), group in self._groups.items():
            if changes := changes_for(batch.events, scope, topics):
                text = events_message(changes.values(), token)
                for client in group:
                    if client not in self._held:
                        client.tell(changes, text, token)

    def _remember(self, stream: Stream, events: Sequence[Event]) -> None:
        now = time.time()
        self._told.append((now, stream, events))
        self._told_events += len(events)
        while self._told and (self._told_events > REMEMBERED_EVENTS or self._told[0][0] < now - REMEMBERED_SECONDS):
            self._told_since, _, gone = self._told.popleft()
            self._told_events -= len(gone)

    def _forget(self) -> None:
        self._told.clear()
        self._told_events = 0
        self._told_since = time.time()

    # --- Rights that change -------------------------------------------------------------------------------------------
    async def _watch_people(self) -> None:
        looked = time.monotonic()
        while True:
            if self._told_since == float("inf") and all(one.position for one in self.streams):
                self._told_since = time.time()
            everybody = time.monotonic() - looked > PEOPLE_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._people.wait(), SESSION_SECONDS)
                everybody = True
                self._people.clear()
            try:
                await self._look_at(everybody=everybody)
            except DatabaseProblem as error:
                # Nobody can be judged now; nothing new can be told either.
                logger.debug("people cannot be looked at: %s", type(error).__name__)
                continue
            if everybody:
                looked = time.monotonic()

    async def _look_at(self, *, everybody: bool) -> None:
        sessions = {client.viewer.session for client in self.clients}
        if not sessions:
            return
        found: dict[str, Viewer | None]
        if everybody:
            found = await self.ask(_find_all, sessions)
        else:
            living = await self.ask(viewers.living, sessions)
            found = dict.fromkeys(sessions - living)
        for client in list(self.clients):
            session = client.viewer.session
            if session not in found:
                continue
            viewer = found[session]
            if viewer is None:
                client.dismiss(4401, "Signed out, or no longer allowed.")
            elif viewer != client.viewer:
                self.move(client, viewer, client.topics)
                client.reload("What you may see has changed.", self.token)


def events_message(changes: Iterable[Change], token: str) -> str:
    """The message that tells of changes."""
    return json.dumps(
        {"type": "events", "events": [change.as_json() for change in changes], "token": token}, separators=(",", ":")
    )


def _find_all(sessions: Collection[str]) -> dict[str, Viewer | None]:
    return {session: viewers.find(session) for session in sessions}


def _with_fresh_connections(question: Callable[..., T], *arguments: Any) -> T:
    close_old_connections()
    try:
        return question(*arguments)
    finally:
        close_old_connections()


def _end_connection() -> None:
    from django.db import connections

    connections.close_all()


_hub: Hub | None = None


def hub() -> Hub:
    """The hub of the running loop, started by the first call."""
    global _hub
    if _hub is None or _hub.loop is not asyncio.get_running_loop():
        _hub = Hub()
        _hub.start()
    return _hub
