"""Few connections for panels' SQL, their own: no page waits for a dashboard, and no dashboard for a page.

The connections are asynchronous ones of psycopg2: the thread that asks waits itself, on the socket, and looks every
`LOOK_SECONDS` at its deadline and whether anybody still wants the answer. SQL has no say in that.
"""

from __future__ import annotations

import contextlib
import logging
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg2
from psycopg2 import extensions

from apps.panels.errors import PanelError

logger = logging.getLogger(__name__)

Stop = Callable[[], bool]
"""Whether nobody waits for the answer any more. Called often, possibly from another thread than the viewer's."""

LOOK_SECONDS: Final = 0.05
CONNECT_SECONDS: Final = 5.0
CLEAN_SECONDS: Final = 2.0
"""For ROLLBACK and DISCARD ALL; a connection that does not do them in time is closed."""
CANCEL_SECONDS: Final = 0.5
"""After a cancellation: how long the server may take to say that it stopped. The connection is closed in any case."""

_AS_PYTHON: Final = frozenset({16, 17, 20, 21, 23, 114, 700, 701, 1082, 1114, 1184, 1700, 3802})
"""Types that become Python values: bool, bytea, integers, json, floats, dates and times, numeric. All others come as
the text that PostgreSQL prints, which is what a table shows."""


@dataclass(frozen=True)
class Login:
    """A login role and where it logs in. `key` tells logins apart; `parameters` are libpq's, made for each new
    connection (the embedded server may have moved). `is_portals` says that the portal itself works by this role, so
    that it may see more than the platform's tables."""

    key: str
    parameters: Callable[[], Mapping[str, Any]] = field(repr=False, compare=False)
    is_portals: bool = False


class Stopped(Exception):  # noqa: N818 -- no error: somebody or the clock stopped it
    """The wait ended early: `late` when its time was up, else since nobody wants the answer."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("late" if late else "left")
        self.late = late


@dataclass
class Connection:
    """A connection of the pool, used by one thread at a time."""

    login: Login
    raw: extensions.connection
    idle_since: float = 0.0
    spoiled: bool = False
    """Not to be used again: it was cancelled, broke, or could not be cleaned."""

    def execute(self, sql: str, *, deadline: float, stop: Stop) -> extensions.cursor:
        """Send `sql`, wait, and return the cursor with all rows.

        Raises Stopped (after cancelling the statement), and psycopg2's errors.
        """
        cursor = self.raw.cursor()
        try:
            cursor.execute(sql)
            settle(self.raw, deadline=deadline, stop=stop)
        except psycopg2.Error:
            self.spoiled = self.spoiled or bool(self.raw.closed)
            raise
        except BaseException as stopped:
            self.spoiled = True
            if isinstance(stopped, Stopped):
                self._cancel()
            raise
        return cursor

    def _cancel(self) -> None:
        with contextlib.suppress(psycopg2.Error, Stopped):
            self.raw.cancel()
            settle(self.raw, deadline=time.monotonic() + CANCEL_SECONDS, stop=_never)

    def clean(self) -> None:
        """End the transaction and drop all state of the session; what fails spoils the connection."""
        try:
            for sql in ("ROLLBACK", "DISCARD ALL"):
                self.execute(sql, deadline=time.monotonic() + CLEAN_SECONDS, stop=_never).close()
        except (psycopg2.Error, Stopped):
            self.spoiled = True

    def close(self) -> None:
        with contextlib.suppress(psycopg2.Error):
            self.raw.close()


class Pool:
    """At most `size` connections at a time, of all logins together. Idle ones are closed after `idle_seconds`, when
    somebody comes by, or when another login needs their place."""

    def __init__(self, size: int = 4, idle_seconds: float = 60) -> None:
        self.size = size
        self.idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._idle: list[Connection] = []
        self._used = 0

    @contextlib.contextmanager
    def connection(self, login: Login, *, deadline: float, stop: Stop) -> Iterator[Connection]:
        """A clean connection of `login`, for the time of the block.

        Raises Stopped and PanelError: `busy` when none was free by `deadline`, `unavailable` when the database is away.
        """
        connection = self._take(login, deadline=deadline, stop=stop)
        try:
            if connection is None:
                connection = connect(login, deadline=deadline, stop=stop)
            yield connection
        finally:
            if connection is not None and not connection.spoiled:
                connection.clean()
            self._give_back(connection)

    def close(self) -> None:
        """Close the idle connections; those in use are kept until they come back."""
        with self._changed:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def forget(self, login: Login) -> None:
        """Close the idle connections of one login: its role or address has changed, or the server was away."""
        with self._changed:
            old = [connection for connection in self._idle if connection.login.key == login.key]
            self._idle = [connection for connection in self._idle if connection.login.key != login.key]
        for connection in old:
            connection.close()

    def _take(self, login: Login, *, deadline: float, stop: Stop) -> Connection | None:
        """An idle connection, or None for leave to open one. One place is the caller's from now on."""
        old: list[Connection] = []
        try:
            with self._changed:
                while self._used >= self.size:
                    if stop():
                        raise Stopped(late=False)
                    if time.monotonic() >= deadline:
                        raise PanelError(
                            "busy",
                            "Too many panels are being asked for at this moment.",
                            fix="Wait a little and reload the panel.",
                        )
                    self._changed.wait(LOOK_SECONDS)
                self._used += 1
                limit = time.monotonic() - self.idle_seconds
                old += [each for each in self._idle if each.idle_since < limit]
                self._idle = [each for each in self._idle if each.idle_since >= limit]
                for index in range(len(self._idle) - 1, -1, -1):
                    if self._idle[index].login.key == login.key:
                        return self._idle.pop(index)
                if self._idle and self._used + len(self._idle) > self.size:
                    old.append(self._idle.pop(0))
                return None
        finally:
            for connection in old:
                connection.close()

    def _give_back(self, connection: Connection | None) -> None:
        if connection is not None and connection.spoiled:
            connection.close()
            connection = None
        with self._changed:
            self._used -= 1
            if connection is not None:
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
            self._changed.notify()


def connect(login: Login, *, deadline: float, stop: Stop) -> Connection:
    """A new connection. Raises PanelError (`unavailable`) and Stopped."""
    raw = None
    try:
        raw = psycopg2.connect(**login.parameters(), async_=1)
        settle(raw, deadline=min(deadline, time.monotonic() + CONNECT_SECONDS), stop=stop)
    except (psycopg2.Error, Stopped) as error:
        if raw is not None:
            raw.close()
        if isinstance(error, Stopped) and not error.late:
            raise
        reason = type(error).__name__ if isinstance(error, psycopg2.Error) else "no answer in time"
        logger.warning("panels cannot connect to the source: %s", reason)
        raise PanelError(
            "unavailable",
            "The database does not let the portal in, or does not answer.",
            fix="See the health page: it says what is wrong with the source.",
        ) from None
    extensions.register_type(_TEXTS, raw)
    return Connection(login, raw)


def settle(raw: extensions.connection, *, deadline: float, stop: Stop) -> None:
    """Wait until the connection has done what it was told. Raises Stopped, and psycopg2's errors."""
    while (state := raw.poll()) != extensions.POLL_OK:
        poller = select.poll()
        poller.register(raw.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        poller.poll(LOOK_SECONDS * 1000)
        if stop():
            raise Stopped(late=False)
        if time.monotonic() >= deadline:
            raise Stopped(late=True)


def _never() -> bool:
    return False


def _text(value: str | bytes | None, cursor: object) -> str | bytes | None:
    return value


_TEXTS: Final = extensions.new_type(
    tuple(oid for oid in extensions.string_types if oid not in _AS_PYTHON), "VPTMONITOR_TEXT", _text
)
