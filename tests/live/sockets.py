"""Sockets of the portal's own ASGI application, within this process: real databases, no network."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import connections
from django.test import Client

from apps.live import hub as hubs
from vptmonitor.asgi import application

T = TypeVar("T")
ORIGIN = "http://testserver"
PATIENCE = 10.0


def cookie_of(client: Client) -> str:
    """The cookie of a browser that is signed in."""
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


class Socket:
    """One socket. Everything that came is in `messages`; `closed` is the code that ended it, 403 for no handshake."""

    def __init__(
        self, cookie: str = "", *, origin: str | None = ORIGIN, host: str = "testserver", **scope: Any
    ) -> None:
        headers = [(b"host", host.encode())]
        headers += [(b"origin", origin.encode())] if origin is not None else []
        headers += [(b"cookie", cookie.encode())] if cookie else []
        self.messages: list[dict[str, Any]] = []
        self.closed = 0
        self._application: Any = ApplicationCommunicator(  # type: ignore[no-untyped-call]
            application, {"type": "websocket", "path": "/live/", "scheme": "ws", "headers": headers, **scope}
        )

    async def open(self, *topics: str, after: str | None = None, since: str | None = None) -> bool:
        """Shake hands and say hello; False when refused."""
        await self._application.send_input({"type": "websocket.connect"})
        answer = await self._application.receive_output(PATIENCE)
        if answer["type"] != "websocket.accept":
            self.closed = 403
            return False
        if topics:
            await self.say({"type": "hello", "topics": list(topics), "after": after, "since": since})
            await self.until(lambda: bool(self.of("welcome")))
        return True

    async def say(self, message: Any) -> None:
        """Send a message as JSON, or a text as it is."""
        text = message if isinstance(message, str) else json.dumps(message)
        await self._application.send_input({"type": "websocket.receive", "text": text})

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type."""
        return [message for message in self.messages if message["type"] == kind]

    @property
    def token(self) -> str:
        """That of the last message."""
        return str(self.messages[-1]["token"])

    def ids(self, topic: str, word: str = "added") -> list[str]:
        """The ids that were told of a topic, in the order of their coming."""
        changes = [change for message in self.of("events") for change in message["events"] if change["topic"] == topic]
        return [key for change in changes for key in change[word]]

    def rows(self, topic: str) -> int:
        """How many rows were told of a topic."""
        changes = [change for message in self.of("events") for change in message["events"] if change["topic"] == topic]
        return sum(change["rows"] for change in changes)

    async def until_rows(self, topic: str, rows: int) -> None:
        """Take what comes until so many were told of."""
        await self.until(lambda: self.rows(topic) >= rows)

    async def until_closed(self) -> int:
        """Take what comes until the other side closes; the code."""
        await self.until(lambda: bool(self.closed))
        return self.closed

    async def until(self, condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Take what comes until the condition holds. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not condition():
            await self.take(deadline - time.monotonic())

    async def take(self, seconds: float) -> None:
        """Take one message. Raises TimeoutError."""
        message = await self._application.receive_output(max(0.001, seconds))
        if message["type"] == "websocket.close":
            self.closed = message.get("code", 1000)
        else:
            self.messages.append(json.loads(message["text"]))

    async def silent(self) -> bool:
        """Whether nothing was said that waits to be taken, after a round trip of a ping."""
        before = len(self.of("events")) + len(self.of("reload"))
        beats = len(self.of("beat"))
        await self.say({"type": "ping"})
        await self.until(lambda: len(self.of("beat")) > beats)
        return len(self.of("events")) + len(self.of("reload")) == before

    async def leave(self) -> None:
        """Close from this side."""
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await self._application.send_input({"type": "websocket.disconnect", "code": 1001})
            await self._application.wait(2.0)


@contextlib.asynccontextmanager
async def sockets() -> AsyncIterator[Callable[..., Socket]]:
    """Makes sockets, and ends them and the hub."""
    made: list[Socket] = []

    def make(*arguments: Any, **options: Any) -> Socket:
        made.append(Socket(*arguments, **options))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            await one.leave()
        await hubs.hub().stop()


def play(scene: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a test's coroutine on a loop of its own."""
    return asyncio.run(scene())


async def write(action: Callable[..., T], *arguments: Any) -> T:
    """Do something with the database, as another process would."""

    def work() -> T:
        try:
            return action(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(work)


async def eventually(condition: Callable[[], Awaitable[bool] | bool], seconds: float = PATIENCE) -> None:
    """Wait until a condition holds. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to that")
