"""A lane of the HTTP pool: what comes in there in floods may take only its share of threads and memory.

Hosts write in batches, and after an outage all of them at once. Without a lane such a flood would take every thread
from the pages. What finds no room is told at once to come back, before its body is read where its length tells enough.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import IO, Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Refused(Exception):  # noqa: N818 -- an answer
    """A request that is not let in: the status, and what to say."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail

    async def answer(self, send: Send) -> None:
        """Send it as a problem document."""
        body = json.dumps({"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail})
        content = body.encode()
        head = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(content)).encode()),
            (b"cache-control", b"no-store"),
        ]
        if self.status == 503:
            head.append((b"retry-after", b"1"))
        else:
            head.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": self.status, "headers": head})
        await send({"type": "http.response.body", "body": content})


@dataclass
class Lane:
    """Requests whose path begins with `prefix`.

    At most `at_once` are at work on threads, `inside` in all; their bodies hold at most `memory` bytes together,
    `largest_body` each, and must have come within `seconds`.
    """

    prefix: str
    at_once: int
    inside: int = 64
    memory: int = 64 * 1024 * 1024
    largest_body: int = 8 * 1024 * 1024
    seconds: float = 60.0
    _requests: int = field(default=0, init=False)
    _bytes: int = field(default=0, init=False)
    _turn: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turn = asyncio.Semaphore(self.at_once)

    async def run(self, scope: Scope, receive: Receive, send: Send, body: IO[bytes], work: Callable[[], Any]) -> None:
        """Read the request into `body` and do `work` when it is its turn; or say why not. A visitor who leaves before
        is forgotten."""
        if self._requests >= self.inside:
            await self._busy().answer(send)
            return
        self._requests += 1
        held = 0
        try:
            held = self._announced(scope)
            async with asyncio.timeout(self.seconds):
                more = True
                size = 0
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return
                    part = message.get("body", b"")
                    size += len(part)
                    if size > held:
                        # More than was announced, or nothing was: it is counted as it comes.
                        self._take(size, size - held)
                        held = size
                    body.write(part)
                    more = message.get("more_body", False)
            async with self._turn:
                await work()
        except Refused as refused:
            await refused.answer(send)
        except TimeoutError:
            await Refused(408, "Too slow", f"The body did not come within {self.seconds:g} s.").answer(send)
        finally:
            self._requests -= 1
            self._bytes -= held

    def _announced(self, scope: Scope) -> int:
        """Bytes that the request says it has, counted; 0 where it does not say."""
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                announced = int(value[:20])
                self._take(announced, announced)
                return announced
        return 0

    def _take(self, size: int, more: int) -> None:
        if size > self.largest_body:
            raise Refused(413, "Too large", f"A body has at most {self.largest_body} bytes. Send smaller batches.")
        if self._bytes + more > self.memory:
            raise self._busy()
        self._bytes += more

    def _busy(self) -> Refused:
        return Refused(503, "Busy", "Too much is being written at once. Nothing was stored: send it again in a moment.")
