"""The events of one database, as they are committed.

A stream knows its position and asks for what came after whenever the database wakes it, and every few seconds anyway:
a wake-up that got lost, or none at all through a pooler that keeps no sessions, costs time and never an event. When the
connection ends it is made anew, and the position stays.
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
from django.db import Error as DatabaseProblem
from django.db import connections

from apps.live import wire
from apps.live.cursor import Position
from apps.live.events import AFTER, MOST_EVENTS, Batch, batch_of
from apps.live.install import channel_of, schema_of

logger = logging.getLogger(__name__)

APPLICATION_NAME: Final = "vptmonitor live"
"""Of the connection, by which it is found among the server's sessions."""
LOOK_SECONDS: Final = 5.0
"""How often a stream that is woken looks by itself."""
LOOK_UNWOKEN_SECONDS: Final = 1.0
"""The same where wake-ups do not arrive."""
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
        self._on_batch = on_batch
        self._schema = ""
        self._wire: wire.Wire | None = None
        self._wake = asyncio.Event()
        self._heard = asyncio.Event()
        self._found = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether it hears the database now."""
        return self._wire is not None and not self._wire.closed

    async def ready(self, seconds: float) -> bool:
        """Wait until the stream has a position; False when that takes longer."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._found.wait(), seconds)
        return self.position is not None

    async def run(self) -> None:
        """Listen until cancelled."""
        failures = 0
        while True:
            try:
                await self._listen()
            except (psycopg2.Error, DatabaseProblem, OSError, LookupError, RuntimeError) as error:
                said = str(error).strip().splitlines()
                reason = said[0] if said else type(error).__name__
                # Of an outage the first line is news.
                logger.log(
                    logging.DEBUG if self.trouble else logging.WARNING, "live changes of %s: %s", self.alias, reason
                )
                self.trouble = reason
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
        if self._wire is None:
            raise wire.WireLostError("not connected")
        return batch_of(await self._ask(position), position)

    async def _listen(self) -> None:
        parameters = await asyncio.to_thread(self._parameters)
        connection = await asyncio.to_thread(wire.connect, parameters)
        loop = asyncio.get_running_loop()
        self._wire = wire.Wire(connection, loop, self._on_notify, self._wake.set)
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
        self.connected_at = time.monotonic()
        if self.trouble:
            logger.info("live changes of %s: connected again", self.alias)
            self.trouble = ""
        while True:
            self._wake.clear()
            await self._look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS if self.woken else LOOK_UNWOKEN_SECONDS)
            if self._wire.closed:
                raise wire.WireLostError("the connection ended")

    async def _look(self) -> None:
        batch = batch_of(await self._ask(self.position), self.position)
        self.position = batch.position
        self._found.set()
        if batch.events or not batch.complete:
            self._on_batch(self, batch)
            await asyncio.sleep(GAP_SECONDS)

    async def _ask(self, position: Position | None) -> Any:
        assert self._wire is not None  # noqa: S101 -- asked while connected
        after = position.snapshot if position else "1:1:"
        most = MOST_EVENTS if position else -1
        return await self._wire.ask(AFTER.format(schema=f'"{self._schema}"'), {"after": after, "most": most})

    def _on_notify(self) -> None:
        self._heard.set()
        self._wake.set()

    def _leave(self) -> None:
        self.connected_at = 0.0
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _parameters(self) -> dict[str, Any]:
        """The driver's parameters, in a thread: they may start the embedded server."""
        connection = connections[self.alias]
        try:
            self._schema = schema_of(self.alias)
            parameters = connection.get_connection_params()
        finally:
            connection.close()
        parameters.pop("cursor_factory", None)
        return {**parameters, "application_name": APPLICATION_NAME}
