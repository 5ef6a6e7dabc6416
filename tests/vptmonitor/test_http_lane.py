"""The lane of hosts that write: its share of threads and memory, and not more."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from tests.vptmonitor.test_http_pool import echo
from vptmonitor.http_lane import Lane, Message
from vptmonitor.http_pool import HttpPool


def scope(path: str, length: int | None = None) -> dict[str, Any]:
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    return {
        "type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers, "http_version": "1.1",
    }  # fmt: skip


class Visitor:
    """One request; its body comes part by part, the last one when `rest` is set."""

    def __init__(self, path: str, *parts: bytes, length: int | None = None, whole: bool = True) -> None:
        self.scope = scope(path, length)
        self.parts = list(parts) or [b""]
        self.rest = asyncio.Event()
        if whole:
            self.rest.set()
        self.status = 0
        self.body = b""
        self.headers: dict[bytes, bytes] = {}

    async def receive(self) -> Message:
        if len(self.parts) == 1:
            await self.rest.wait()
        if not self.parts:
            return {"type": "http.disconnect"}
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.headers |= dict(message.get("headers", ()))
        self.body += message.get("body", b"")

    async def ask(self, pool: HttpPool) -> int:
        await pool(self.scope, self.receive, self.send)
        return self.status


def test_a_flood_leaves_threads_to_pages() -> None:
    release = threading.Event()
    at_work: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        at_work.append(path)
        if path.startswith("/in/"):
            release.wait(10)
        start_response("200 OK", [])
        return [b""]

    async def flood() -> tuple[int, list[int], list[int]]:
        pool = HttpPool(application, threads=4, lanes=[Lane("/in/", at_once=2, inside=6)])
        writers = [asyncio.create_task(Visitor("/in/a").ask(pool)) for _ in range(9)]
        pages = [await Visitor("/page").ask(pool) for _ in range(5)]
        busy = at_work.count("/in/a")
        release.set()
        return busy, pages, list(await asyncio.gather(*writers))

    busy, pages, writers = asyncio.run(flood())
    assert busy <= 2
    assert pages == [200] * 5
    assert sorted(writers) == [200] * 6 + [503] * 3
    assert at_work.count("/in/a") == 6


def test_who_finds_no_room_is_told_when_to_come_back_and_may() -> None:
    async def meet() -> None:
        lane = Lane("/in/", at_once=1, inside=1)
        pool = HttpPool(echo, threads=2, lanes=[lane])
        slow = Visitor("/in/", b"a", b"b", whole=False)
        first = asyncio.create_task(slow.ask(pool))
        await asyncio.sleep(0)
        refused = Visitor("/in/")
        assert await refused.ask(pool) == 503
        assert refused.headers[b"retry-after"] == b"1"
        assert json.loads(refused.body)["status"] == 503
        slow.rest.set()
        assert await first == 200
        assert slow.body == b"ab"
        assert await Visitor("/in/", b"x").ask(pool) == 200

    asyncio.run(meet())


@pytest.mark.parametrize("length", [None, 60])
def test_bodies_share_a_bounded_memory(length: int | None) -> None:
    async def meet() -> list[int]:
        pool = HttpPool(echo, threads=2, lanes=[Lane("/in/", at_once=1, memory=100, largest_body=80)])
        slow = Visitor("/in/", b"x" * 59, b"x", length=length, whole=False)
        first = asyncio.create_task(slow.ask(pool))
        for _ in range(3):
            await asyncio.sleep(0)
        second = await Visitor("/in/", b"x" * 60, length=length).ask(pool)
        slow.rest.set()
        return [second, await first, await Visitor("/in/", b"x" * 60, length=length).ask(pool)]

    assert asyncio.run(meet()) == [503, 200, 200]


def test_a_body_that_is_too_large_is_refused_by_its_length_and_by_its_bytes() -> None:
    async def meet() -> None:
        pool = HttpPool(echo, threads=1, lanes=[Lane("/in/", at_once=1, largest_body=10)])
        told = Visitor("/in/", b"x" * 11, length=11, whole=False)
        assert await told.ask(pool) == 413
        assert told.parts, "nothing of it was read"
        assert await Visitor("/in/", *[b"x"] * 11).ask(pool) == 413
        assert await Visitor("/in/", *[b"x"] * 10).ask(pool) == 200
        assert await Visitor("/page", b"x" * 11).ask(pool) == 200

    asyncio.run(meet())


def test_a_sender_that_never_ends_loses_its_place() -> None:
    async def meet() -> list[int]:
        pool = HttpPool(echo, threads=1, lanes=[Lane("/in/", at_once=1, inside=1, seconds=0.05)])
        return [await Visitor("/in/", b"a", b"b", whole=False).ask(pool), await Visitor("/in/", b"a").ask(pool)]

    assert asyncio.run(meet()) == [408, 200]


def test_who_leaves_gives_back_all_that_was_held() -> None:
    async def meet() -> int:
        pool = HttpPool(echo, threads=1, lanes=[Lane("/in/", at_once=1, inside=1, memory=10)])
        gone = Visitor("/in/", b"x" * 9, b"")
        gone.parts = [b"x" * 9]

        async def receive() -> Message:
            if gone.parts:
                return {"type": "http.request", "body": gone.parts.pop(), "more_body": True}
            return {"type": "http.disconnect"}

        await pool(gone.scope, receive, gone.send)
        return await Visitor("/in/", b"x" * 10).ask(pool)

    assert asyncio.run(meet()) == 200
