"""The second port (`SECOND_PORT`): where people and monitors look for Grafana, as at 3000 of a container.

It answers as the first one, but for two addresses: `/` leads to `/grafana/`, and `/api/health` is what Grafana answers
there: 200 with `{"database": "ok", "version": …}` while it is well, else 503 with the word for its state.
"""

from __future__ import annotations

import asyncio
import json

from apps.grafana import availability
from vptmonitor.http_pool import Receive, Scope, Send

FIRST_PAGE = b"/grafana/"
HEALTH = "/api/health"


class SecondPort:
    """Wraps the ASGI `application`; what comes by another port than `port` it leaves alone."""

    def __init__(self, application: object, port: int) -> None:
        self._application = application
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope.get("server") or ("", 0))[1] == self._port:
            if scope["path"] == "/":
                await _answer(send, 302, b"", [(b"location", FIRST_PAGE)])
                return
            if scope["path"] == HEALTH:
                await _health(send)
                return
        await self._application(scope, receive, send)  # type: ignore[operator]


async def _health(send: Send) -> None:
    # Only the first caller may have to wait for the answer, and then not on the event loop.
    found = await asyncio.to_thread(availability.current)
    body: dict[str, str] = {"database": "ok" if found.is_healthy else str(found.state)}
    if found.version:
        body["version"] = str(found.version)
    await _answer(
        send, 200 if found.is_healthy else 503, json.dumps(body).encode(), [(b"content-type", b"application/json")]
    )


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    head = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
