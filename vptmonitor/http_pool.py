"""HTTP on a fixed number of threads, inside the ASGI process.

Django under ASGI takes a thread, and with psycopg2 a connection, for every request at work at once; forty browsers
are forty connections. Here the WSGI application runs on `threads` threads that keep their connections, so that the
database sees as many connections as there are threads, whatever comes in (measured in docs/decisions/0001).

A thread is only taken once the request's body has arrived, so that slow uploads hold no thread, and only a bounded
number of requests waits for one: the others are told at once to come back.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Sequence
from typing import IO, Any

from a2wsgi import WSGIMiddleware

from vptmonitor.http_lane import Lane, Message, Receive, Scope, Send

__all__ = ["LEFT", "HttpPool", "Message", "Receive", "Scope", "Send"]

SPOOL = 1024 * 1024
"""Bytes of a body kept in memory; what is larger waits in an unnamed temporary file."""
CHUNK = SPOOL
LEFT = "vptmonitor.left"
"""Key of the ASGI scope, which WSGI applications find as `asgi.scope`: tells whether the visitor has gone."""


class HttpPool:
    """An ASGI application for the scope type `http` that runs `application` on `threads` threads.

    At most `waiting` requests are at work or queued; one more is answered with 503 and `Retry-After`. A body over
    `largest_body` bytes is answered with 413 without being read to its end. `lanes` bound some addresses further.
    """

    def __init__(
        self,
        application: Any,
        *,
        threads: int,
        waiting: int = 200,
        largest_body: int = 64 * 1024 * 1024,
        lanes: Sequence[Lane] = (),
    ) -> None:
        self._bridge: Any = WSGIMiddleware(application, workers=threads)
        self._waiting = waiting
        self._largest_body = largest_body
        self._lanes = tuple(lanes)
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._inside >= self._waiting:
            await _refuse(send, 503, b"The portal is busy. Try again in a moment.\n", [(b"retry-after", b"2")])
            return
        self._inside += 1
        try:
            with tempfile.SpooledTemporaryFile(max_size=SPOOL) as body:
                lane = next((one for one in self._lanes if scope["path"].startswith(one.prefix)), None)
                if lane is not None:
                    await lane.run(scope, receive, send, body, lambda: self._work(scope, receive, send, body))
                    return
                outcome = await self._read(receive, body)
                if outcome == "large":
                    await _refuse(send, 413, b"The request's body is too large.\n", [(b"connection", b"close")])
                elif outcome == "whole":
                    await self._work(scope, receive, send, body)
        finally:
            self._inside -= 1

    async def _work(self, scope: Scope, receive: Receive, send: Send, body: IO[bytes]) -> None:
        """Run the application; the request's body is whole."""
        body.seek(0)
        left = threading.Event()
        watch = asyncio.ensure_future(_watch(receive, left))
        try:
            await self._bridge({**_without_underscores(scope), LEFT: left.is_set}, _replay(body), send)
        finally:
            watch.cancel()

    async def _read(self, receive: Receive, body: IO[bytes]) -> str:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return "gone"
            part = message.get("body", b"")
            size += len(part)
            if size > self._largest_body:
                return "large"
            body.write(part)
            more = message.get("more_body", False)
        return "whole"


def _without_underscores(scope: Scope) -> Scope:
    # WSGI calls X_Forwarded_For and X-Forwarded-For the same, so a visitor could add to what only proxies may write.
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if b"_" not in name]}


async def _watch(receive: Receive, left: threading.Event) -> None:
    # The body is whole: nothing else comes.
    if (await receive())["type"] == "http.disconnect":
        left.set()


def _replay(body: IO[bytes]) -> Receive:
    async def again() -> Message:
        part = body.read(CHUNK)
        return {"type": "http.request", "body": part, "more_body": len(part) == CHUNK}

    return again


async def _refuse(send: Send, status: int, text: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": text})
