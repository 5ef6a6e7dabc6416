"""The thread pool that serves HTTP: bounded threads, bounded queue, bounded bodies."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from vptmonitor.http_lane import Message
from vptmonitor.http_pool import LEFT, HttpPool

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def scope(method: str = "GET") -> dict[str, Any]:
    return {"type": "http", "method": method, "path": "/", "query_string": b"", "headers": [], "http_version": "1.1"}


async def ask(
    pool: HttpPool, body: Iterable[Message] = ({"type": "http.request"},), method: str = "GET"
) -> tuple[int, bytes]:
    """One request through the pool: its status (0 when nothing was answered) and body."""
    parts = iter(body)
    status, content = 0, b""

    async def receive() -> Message:
        await asyncio.sleep(0)
        part = next(parts, None)
        return dict(part) if part else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status, content
        status = message.get("status", status)
        content += message.get("body", b"")

    await pool(scope(method), receive, send)
    return status, content


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def test_a_hundred_requests_at_once_share_four_threads() -> None:
    seen: set[int] = set()
    together = threading.Barrier(4, timeout=10)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.add(threading.get_ident())
        together.wait()  # four requests really are at work at once
        start_response("200 OK", [])
        return [b"done"]

    async def load() -> list[tuple[int, bytes]]:
        pool = HttpPool(application, threads=4)
        return await asyncio.gather(*(ask(pool) for _ in range(100)))

    assert asyncio.run(load()) == [(200, b"done")] * 100
    assert len(seen) == 4


def test_what_finds_no_place_in_the_queue_is_told_to_come_back() -> None:
    release = threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        release.wait(10)
        start_response("200 OK", [])
        return [b""]

    async def flood() -> list[int]:
        pool = HttpPool(application, threads=1, waiting=3)
        waiting = [asyncio.create_task(ask(pool)) for _ in range(3)]
        await asyncio.sleep(0)
        refused = await ask(pool)
        release.set()
        return [refused[0], *[status for status, _ in await asyncio.gather(*waiting)]]

    assert asyncio.run(flood()) == [503, 200, 200, 200]


def test_a_body_in_parts_arrives_whole() -> None:
    parts = [{"type": "http.request", "body": bytes([n]) * 100_000, "more_body": n < 19} for n in range(20)]
    expected = b"".join(bytes([n]) * 100_000 for n in range(20))
    assert asyncio.run(ask(HttpPool(echo, threads=1), parts, "POST")) == (200, expected)


def test_a_body_of_exactly_one_chunk_arrives_whole() -> None:
    body = b"x" * 64 * 1024
    assert asyncio.run(ask(HttpPool(echo, threads=1), [{"type": "http.request", "body": body}], "POST")) == (200, body)


def test_a_slow_upload_holds_no_thread() -> None:
    async def both() -> tuple[int, int]:
        pool = HttpPool(echo, threads=1)
        end = asyncio.Event()
        first = True

        async def receive() -> Message:
            nonlocal first
            if first:
                first = False
                return {"type": "http.request", "body": b"a", "more_body": True}
            await end.wait()
            return {"type": "http.request", "body": b"b", "more_body": False}

        statuses: list[int] = []

        async def send(message: Message) -> None:
            if "status" in message:
                statuses.append(message["status"])

        slow = asyncio.create_task(pool(scope("POST"), receive, send))
        quick, _ = await ask(pool)
        end.set()
        await slow
        return quick, statuses[0]

    assert asyncio.run(both()) == (200, 200)


def test_too_large_a_body_is_refused_before_its_end() -> None:
    parts = [{"type": "http.request", "body": b"x" * 600, "more_body": True} for _ in range(1000)]
    status, _ = asyncio.run(ask(HttpPool(echo, threads=1, largest_body=1000), parts, "POST"))
    assert status == 413


def test_who_leaves_before_the_body_ends_costs_nothing() -> None:
    called: list[int] = []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        called.append(1)
        start_response("200 OK", [])
        return [b""]

    parts: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    assert asyncio.run(ask(HttpPool(application, threads=1), parts, "POST")) == (0, b"")
    assert called == []


def test_an_application_can_tell_that_its_visitor_has_gone() -> None:
    before: list[bool] = []
    asked = threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        left = environ["asgi.scope"][LEFT]
        before.append(left())
        asked.set()
        deadline = time.monotonic() + 10
        while not left() and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        start_response("200 OK", [])
        return [str(left()).encode()]

    async def visit() -> bytes:
        parts = iter([{"type": "http.request", "body": b""}])
        content = b""

        async def receive() -> Message:
            if (part := next(parts, None)) is not None:
                return part
            await asyncio.to_thread(asked.wait, 10)
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal content
            content += message.get("body", b"")

        await HttpPool(application, threads=1)(scope(), receive, send)
        return content

    assert asyncio.run(visit()) == b"True"
    assert before == [False]
