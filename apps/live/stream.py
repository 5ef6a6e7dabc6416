"""The events of one database, as they are committed.

A stream knows its position and asks for what came after whenever the database wakes it, and every few seconds anyway:
a wake-up that got lost, or none at all through a pooler that keeps no sessions, costs time and never an event. When the
connection ends it is made anew, and the position stays.

Where Redis passes wake-ups on (apps/live/relay.py), one process of all listens so, and the stream of every other one
follows: it connects when it is woken, and for as long as something happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg2
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connections

from apps.live import wire
from apps.live.cursor import Position
from apps.live.ending import end
from apps.live.events import AFTER, MOST_EVENTS, Batch, batch_of
from apps.live.install import channel_of, schema_of
from apps.live.relay import Relay, channel_name

logger = logging.getLogger(__name__)

APPLICATION_NAME: Final = "vptmonitor live"
"""Of the connection, by which it is found among the server's sessions."""
FOLLOWER_NAME: Final = "vptmonitor live, woken by Redis"
"""Of one that only asks."""
LOOK_SECONDS: Final = 5.0
"""How often a stream that is woken looks by itself."""
LOOK_UNWOKEN_SECONDS: Final = 1.0
"""The same where wake-ups do not arrive."""
LOOK_FOLLOWING_SECONDS: Final = 15.0
"""The same where Redis wakes."""
IDLE_SECONDS: Final = 2.0
"""A stream that follows keeps a connection for so long after its last question."""
LONGEST_WAIT_SECONDS: Final = 5.0
"""Between two attempts to connect; the first follows after a tenth of a second."""
GAP_SECONDS: Final = 0.02
"""Between two looks of a stream that is woken without end: what comes within it is told together."""
WAKING_SECONDS: Final = 3.0
"""A message to ourselves that takes longer does not arrive."""


class Stream:
    """`on_batch` gets every batch in turn, on the loop that `run` runs on."""

    def __init__(self, alias: str, on_batch: Callable[[Stream, Batch], None]) -> None:
        self.alias = alias
        self.position: Position | None = None
        self.connected_at = 0.0
        self.woken = True
        self.trouble = ""
        self.relay: Relay | None = None
        self._relaying: asyncio.Task[None] | None = None
        self._on_batch = on_batch
        self._schema = ""
        self._wire: wire.Wire | None = None
        self._connecting = asyncio.Lock()
        self._following = False
        self._asking = 0
        self._asked_at = 0.0
        self._wake = asyncio.Event()
        self._heard = asyncio.Event()
        self._found = asyncio.Event()

    @property
    def follows(self) -> bool:
        """Whether another process listens to the database, and Redis wakes this one."""
        return self.relay is not None and self.relay.up and not self.relay.leads

    async def ready(self, seconds: float) -> bool:
        """Wait until the stream has a position; False when that takes longer."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._found.wait(), seconds)
        return self.position is not None

    async def run(self) -> None:
        """Listen, or follow who does, until cancelled."""
        try:
            await self._run()
        finally:
            if self._relaying is not None:
                await end([self._relaying])

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                self._following = self.follows
                await (self._follow() if self._following else self._listen())
                continue
            except (psycopg2.Error, DatabaseProblem, OSError, LookupError, RuntimeError) as error:
                said = str(error).strip().splitlines()
                reason = said[0] if said else type(error).__name__
                # Of an outage the first line is news.
                logger.log(
                    logging.DEBUG if self.trouble else logging.WARNING, "live changes of %s: %s", self.alias, reason
                )
                self.trouble = reason
                if self.relay is not None:
                    self.relay.able = self.relay.leads = False
                failures = 0 if self.connected_at else failures + 1
            finally:
                self._leave()
            pause = min(LONGEST_WAIT_SECONDS, 0.1 * 2.0 ** min(failures, 10))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 -- spread, not secrecy

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    async def after(self, position: Position) -> Batch:
        """What happened between a position and where the stream stands now. Raises WireLostError, LookupError and
        psycopg2.Error."""
        return batch_of(await self._ask(position), position)

    async def _listen(self) -> None:
        async with self._connecting:
            self._hang_up()
            await self._connect(APPLICATION_NAME, self._on_notify, self._wake.set)
        assert self._wire is not None  # noqa: S101 -- connected
        channel = channel_of(self._schema)
        await self._wire.ask(f'LISTEN "{channel}"')
        self._heard.clear()
        await self._wire.ask("SELECT pg_notify(%s, 'hello')", [channel])
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), WAKING_SECONDS)
        self.woken = self._heard.is_set()
        if not self.woken:
            logger.warning(
                "live changes of %s: the database wakes nobody here, so it is asked every second", self.alias
            )
        self._tell()
        while not self.follows:
            self._wake.clear()
            found = await self._look()
            if found and not self.woken:
                self._tell()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS if self.woken else LOOK_UNWOKEN_SECONDS)
            if self._wire.closed:
                raise wire.WireLostError("the connection ended")

    async def _follow(self) -> None:
        while self.follows:
            self._wake.clear()
            await self._look()
            deadline = time.monotonic() + LOOK_FOLLOWING_SECONDS
            while not self._wake.is_set() and time.monotonic() < deadline:
                pause = IDLE_SECONDS if self._wire is not None else deadline - time.monotonic()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), max(0.0, pause))
                if not self._asking and time.monotonic() - self._asked_at >= IDLE_SECONDS:
                    self._hang_up()

    async def _look(self) -> bool:
        """Whether something was found."""
        batch = batch_of(await self._ask(self.position), self.position)
        self.position = batch.position
        self._found.set()
        self._answered(batch.position)
        if not batch.events and batch.complete:
            return False
        self._on_batch(self, batch)
        await asyncio.sleep(GAP_SECONDS)
        return True

    def _answered(self, position: Position) -> None:
        self.connected_at = self.connected_at or time.monotonic()
        if self.trouble:
            logger.info("live changes of %s: connected again", self.alias)
            self.trouble = ""
        if self.relay is not None:
            self.relay.able = True
        elif settings.REDIS_URL:
            self.relay = Relay(settings.REDIS_URL, channel_name(self.alias, position.identity), self.wake)
            self._relaying = asyncio.create_task(self.relay.run(), name=f"live relay {self.alias}")

    def _tell(self) -> None:
        if self.relay is not None:
            self.relay.tell()

    async def _ask(self, position: Position | None) -> Any:
        after = position.snapshot if position else "1:1:"
        most = MOST_EVENTS if position else -1
        self._asking += 1
        try:
            # Somebody who joins may ask while the stream does.
            async with self._connecting:
                if self._following and (self._wire is None or self._wire.closed):
                    # That it ends is no news: the next question makes another.
                    await self._connect(FOLLOWER_NAME, _nothing, _nothing)
                asked = self._wire
            if asked is None:
                raise wire.WireLostError("not connected")
            return await asked.ask(AFTER.format(schema=f'"{self._schema}"'), {"after": after, "most": most})
        finally:
            self._asking -= 1
            self._asked_at = time.monotonic()

    async def _connect(self, name: str, on_notify: Callable[[], None], on_lost: Callable[[], None]) -> None:
        parameters = await asyncio.to_thread(self._parameters, name)
        connection = await asyncio.to_thread(wire.connect, parameters)
        self._wire = wire.Wire(connection, asyncio.get_running_loop(), on_notify, on_lost)

    def _on_notify(self) -> None:
        self._heard.set()
        self._wake.set()
        self._tell()

    def _leave(self) -> None:
        self.connected_at = 0.0
        self._hang_up()

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _parameters(self, name: str) -> dict[str, Any]:
        """The driver's parameters, in a thread: they may start the embedded server."""
        connection = connections[self.alias]
        try:
            self._schema = schema_of(self.alias)
            parameters = connection.get_connection_params()
        finally:
            connection.close()
        parameters.pop("cursor_factory", None)
        return {**parameters, "application_name": name}


def _nothing() -> None:
    """Hear of it, and do nothing."""
