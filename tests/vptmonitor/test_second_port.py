"""The port at which people look for Grafana."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from apps.grafana import availability
from tests.grafana.health_server import Server
from vptmonitor.http_pool import Message, Receive, Scope, Send
from vptmonitor.second_port import SecondPort


@pytest.fixture(autouse=True)
def no_grafana(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    settings.DATA_DIR, settings.GRAFANA_URL = tmp_path, ""
    availability.forget()
    yield settings
    availability.forget()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def ask(path: str, port: int = 3000, kind: str = "http", served: int = 3000) -> tuple[int, dict[bytes, bytes], bytes]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope: dict[str, Any] = {"type": kind, "path": path, "server": ("127.0.0.1", port)}
    asyncio.run(SecondPort(application, served)(scope, receive, send))
    return messages[0]["status"], dict(messages[0]["headers"]), messages[1]["body"]


def test_its_first_page_is_grafana() -> None:
    status, headers, _ = ask("/")
    assert (status, headers[b"location"]) == (302, b"/grafana/")


def test_its_health_is_grafanas(no_grafana: Settings) -> None:
    status, _, body = ask("/api/health")
    assert (status, json.loads(body)) == (503, {"database": "absent"})
    server = Server()
    try:
        no_grafana.GRAFANA_URL = server.url
        availability.forget()
        status, _, body = ask("/api/health")
        assert (status, json.loads(body)) == (200, {"database": "ok", "version": "12.4.2"})
    finally:
        server.close()


@pytest.mark.parametrize(
    "asked", [{"port": 5109}, {"served": 0}, {"kind": "websocket"}, {"path": "/d/x/"}, {"path": "/grafana/login"}]
)
def test_all_else_is_as_at_the_first_port(asked: dict[str, Any]) -> None:
    assert ask(**{"path": "/", **asked})[0] == 299
