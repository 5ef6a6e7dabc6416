"""One connection to PostgreSQL on the event loop: it listens, and answers questions one at a time.

The driver's asynchronous mode, driven by the loop's own watching of the socket: no thread stands between a commit and
the sockets that hear of it. Such a connection is always in autocommit, so it never holds anything back.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import psycopg2
from psycopg2 import extensions

CONNECT_SECONDS: Final = 10.0
KEEP_ALIVE: Final = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""A peer that vanished is noticed after 25 seconds, even while nobody asks anything."""


class WireLostError(OSError):
    """The connection ended, or did not answer in time."""


class Wire:
    """`on_notify` is called on the loop whenever the database woke us, `on_lost` once when the connection ends."""

    def __init__(
        self,
        connection: Any,
        loop: asyncio.AbstractEventLoop,
        on_notify: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._loop = loop
        self._on_notify = on_notify
        self._on_lost = on_lost
        self._descriptor: int = connection.fileno()
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[None] | None = None
        self._writing = False
        self.closed = False
        loop.add_reader(self._descriptor, self._poll)

    @property
    def pid(self) -> int:
        """The server's process."""
        return int(self._connection.info.backend_pid)

    async def ask(self, query: str, parameters: Any = None, *, seconds: float = 10.0) -> Sequence[Sequence[Any]]:
        """The rows of a query, none for a command. Raises WireLostError, and psycopg2.Error for a query that fails."""
        async with self._turn:
            if self.closed:
                raise WireLostError("the connection has ended")
            answer = self._answer = self._loop.create_future()
            cursor = self._connection.cursor()
            try:
                cursor.execute(query, parameters)
                self._poll()
                await asyncio.wait_for(answer, seconds)
            except (TimeoutError, asyncio.CancelledError) as error:
                # The answer may still come, and would be taken for that of the next question.
                self.close()
                if isinstance(error, TimeoutError):
                    raise WireLostError(f"no answer within {seconds:g} s") from None
                raise
            except psycopg2.InterfaceError as error:
                self.close()
                raise WireLostError(str(error)) from None
            finally:
                self._answer = None
            return cursor.fetchall() if cursor.description else ()

    def close(self) -> None:
        """End the connection."""
        self._end(WireLostError("the connection was closed"))

    def _poll(self) -> None:
        if self.closed:
            return
        try:
            state = self._connection.poll()
        except psycopg2.Error as error:
            if self._connection.closed:
                self._end(WireLostError(str(error).strip() or type(error).__name__))
            elif self._answer is not None and not self._answer.done():
                self._answer.set_exception(error)
            return
        self._watch_writing(state == extensions.POLL_WRITE)
        if state == extensions.POLL_OK and self._answer is not None and not self._answer.done():
            self._answer.set_result(None)
        if self._connection.notifies:
            self._connection.notifies.clear()
            self._on_notify()

    def _watch_writing(self, wanted: bool) -> None:
        if wanted != self._writing:
            self._writing = wanted
            if wanted:
                self._loop.add_writer(self._descriptor, self._poll)
            else:
                self._loop.remove_writer(self._descriptor)

    def _end(self, error: WireLostError) -> None:
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._descriptor)
        self._watch_writing(False)
        self._connection.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self._on_lost()


def connect(parameters: Mapping[str, Any]) -> Any:
    """An asynchronous connection that is ready; blocks, so it is made in a thread. Raises psycopg2.Error."""
    connection = psycopg2.connect(**{**parameters, **KEEP_ALIVE}, async_=True)
    try:
        while (state := connection.poll()) != extensions.POLL_OK:
            readers = [connection.fileno()] if state == extensions.POLL_READ else []
            writers = [connection.fileno()] if state == extensions.POLL_WRITE else []
            if not any(select.select(readers, writers, [], CONNECT_SECONDS)):
                raise psycopg2.OperationalError("the server did not answer in time")
    except BaseException:
        connection.close()
        raise
    return connection
