"""One HTTP request to Grafana and back, streamed both ways with a bounded part of it in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from apps.grafana.proxy import answers, headers
from apps.grafana.proxy.answers import Answer
from apps.grafana.proxy.paths import PREFIX

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger(__name__)

LARGEST_BODY: Final = 64 * 1024 * 1024
"""Bytes that a visitor may send; Grafana's own pages send dashboards, of a few hundred kilobytes."""
LOOK_AFTER: Final = 0.2
"""Seconds after which it is looked whether the visitor is still there."""
IDLE_UPLOAD: Final = 60.0
"""Seconds that a visitor may pause in the middle of a body."""


class GoneError(Exception):
    """The visitor has closed the connection."""


class Incoming:
    """A request's body as it comes. Raises Answer (413, 408) and GoneError while it is read."""

    def __init__(self, receive: Receive, largest: int = LARGEST_BODY) -> None:
        self.receive = receive
        self._largest = largest
        self._size = 0
        self._first: bytes | None = None
        self.ended = asyncio.Event()
        self.fault: Exception | None = None
        """Why the body ended too early. The HTTP client would hide it behind an error of its own."""

    @classmethod
    def of(cls, body: bytes, receive: Receive) -> Incoming:
        """A body that is there already."""
        made = cls(receive)
        made._first = body
        made.ended.set()
        return made

    async def is_whole(self) -> bool:
        """Whether the first part is all of it, which then `first` holds."""
        if self._first is None:
            self._first = await self._part()
        return self.ended.is_set()

    @property
    def first(self) -> bytes:
        return self._first or b""

    async def parts(self) -> AsyncIterator[bytes]:
        """All parts, the first again."""
        if not await self.is_whole() or self.first:
            yield self.first
        while not self.ended.is_set():
            yield await self._part()

    async def whole(self) -> bytes:
        """The body in one."""
        return b"".join([part async for part in self.parts()])

    async def gone(self) -> None:
        """Returns when the visitor leaves; only then."""
        await self.ended.wait()
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _part(self) -> bytes:
        try:
            async with asyncio.timeout(IDLE_UPLOAD):
                message = await self.receive()
        except TimeoutError:
            raise self._fail(
                Answer(HTTPStatus.REQUEST_TIMEOUT, "Too slow", "The request's body did not come.")
            ) from None
        if message["type"] == "http.disconnect":
            self.ended.set()
            raise self._fail(GoneError())
        part: bytes = message.get("body", b"")
        self._size += len(part)
        if self._size > self._largest:
            detail = f"A request's body has at most {self._largest // 1024} kB here."
            raise self._fail(Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", detail))
        if not message.get("more_body", False):
            self.ended.set()
        return part

    def _fail(self, fault: Exception) -> Exception:
        self.fault = fault
        return fault


async def forward(
    client: aiohttp.ClientSession,
    method: str,
    url: str,
    given: Iterable[headers.Header],
    incoming: Incoming,
    send: Send,
    *,
    known_hosts: Iterable[str],
    hsts: int = 0,
) -> int:
    """Send the request to `url` with exactly the headers `given`, and the answer to the visitor. Returns its status.

    Raises Answer for what becomes the portal's own answer, GoneError when the visitor leaves. An answer of Grafana's
    that breaks off after its head has gone out breaks off for the visitor too.
    """
    watch = _Watch(incoming)
    try:
        return await _exchange(client, method, url, given, incoming, send, known_hosts, hsts)
    except asyncio.CancelledError:
        if watch.has_left():
            raise GoneError from None
        raise
    finally:
        watch.end()


class _Watch:
    """Cancels the task that made it when the visitor leaves. Most answers are there before it is worth to look."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._task = asyncio.current_task()
        self._looking: asyncio.Task[None] | None = None
        self._left = False
        self._timer = asyncio.get_running_loop().call_later(LOOK_AFTER, self._begin)

    def _begin(self) -> None:
        self._looking = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        await self._incoming.gone()
        self._left = True
        if self._task is not None:
            self._task.cancel()

    def has_left(self) -> bool:
        """Whether it was the one who cancelled; the task then goes on."""
        if self._left and self._task is not None:
            self._task.uncancel()
        return self._left

    def end(self) -> None:
        """Look no more."""
        self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()


async def _exchange(
    client: aiohttp.ClientSession,
    method: str,
    url: str,
    given: Iterable[headers.Header],
    incoming: Incoming,
    send: Send,
    known_hosts: Iterable[str],
    hsts: int,
) -> int:
    rows = CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in given)
    body: Any = incoming.first or None if await incoming.is_whole() else incoming.parts()
    started = False
    try:
        async with client.request(
            method, URL(url, encoded=True), headers=rows, data=body, allow_redirects=False
        ) as answer:
            head = headers.from_grafana(answer.raw_headers, hsts=hsts)
            head += _location(answer, known_hosts)
            started = True
            await send({"type": "http.response.start", "status": answer.status, "headers": head})
            async for part in answer.content.iter_any():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        if incoming.fault is not None and not started:
            raise incoming.fault from None
        if started:
            # The server sees that the answer is not whole, and closes the connection.
            logger.warning("Grafana's answer broke off: %s", type(error).__name__)
            raise GoneError from error
        raise _answer(error) from error


def _location(answer: aiohttp.ClientResponse, known_hosts: Iterable[str]) -> list[headers.Header]:
    text = answer.headers.get("Location")
    if text is None:
        return []
    try:
        path = headers.location(text, known_hosts)
    except headers.StrayRedirectError as error:
        logger.warning("Grafana sends a visitor away: %s", error)
        raise answers.away("It sends its visitors to an address that is not its own.") from None
    if path.startswith(f"{PREFIX}/login"):
        raise answers.not_believed()
    return [(b"location", path.encode())]


def _answer(error: Exception) -> Answer:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return answers.late("It could not be reached in time.")
        case TimeoutError():
            return answers.late("It was asked, and did not answer in time.")
        case aiohttp.ClientConnectorError():
            return answers.away("Nothing listens at its address: it is down or just starting.")
        case _:
            logger.warning("Grafana's answer cannot be read: %s", type(error).__name__)
            return answers.away("What it answered is no whole answer.")


async def reply(answer: Answer, send: Send, *, as_page: bool, head_only: bool = False) -> None:
    """Send one of the portal's own answers."""
    rows, body = answer.page() if as_page else answer.document()
    await send({"type": "http.response.start", "status": int(answer.status), "headers": rows})
    await send({"type": "http.response.body", "body": b"" if head_only else body})


class Room:
    """Room for at most `most` at once: a context manager that raises Answer when there is none."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    def __enter__(self) -> None:
        if self._taken >= self._most:
            raise answers.busy("Too many requests wait for Grafana.")
        self._taken += 1

    def __exit__(self, *_: object) -> None:
        self._taken -= 1
