"""The client's address cannot be chosen by the client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory
from pytest_django import Settings

from apps.accounts.address import client_address, counted_address
from vptmonitor.http_lane import Message
from vptmonitor.http_pool import HttpPool


def address(peer: str, forwarded: str | None = None) -> str | None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


def test_without_proxies_the_header_is_never_believed(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 0
    assert address("192.0.2.9", "198.51.100.1") == "192.0.2.9"


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "1.1.1.1, 203.0.113.5", "203.0.113.5"),
        (2, "1.1.1.1, 203.0.113.5, 10.0.0.1", "203.0.113.5"),
        (2, "203.0.113.5", "10.9.9.9"),
        (1, "", "10.9.9.9"),
        (1, None, "10.9.9.9"),
        (1, "1.1.1.1, not-an-address", "10.9.9.9"),
        (1, "203.0.113.5:51234", "203.0.113.5"),
        (1, "[2001:db8::7]:443", "2001:db8::7"),
        (1, "::ffff:203.0.113.5", "203.0.113.5"),
        (1, "fe80::1%eth0", "fe80::1"),
    ],
)
def test_behind_proxies_it_is_counted_from_the_right(
    settings: Settings, proxies: int, header: str | None, expected: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    assert address("10.9.9.9", header) == expected


def test_a_header_spelled_with_underscores_is_not_taken_for_the_proxys(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    seen: list[str | None] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(client_address(WSGIRequest(environ)))
        start_response("200 OK", [])
        return []

    headers = [(b"x-forwarded-for", b"203.0.113.5"), (b"x_forwarded_for", b"198.51.100.66")]
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "http_version": "1.1"}
    scope |= {"headers": headers, "client": ("10.0.0.1", 4711)}
    parts: Iterator[Message] = iter([{"type": "http.request"}])

    async def receive() -> Message:
        await asyncio.sleep(0)
        return next(parts, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        del message

    asyncio.run(HttpPool(application, threads=1)(scope, receive, send))
    assert seen == ["203.0.113.5"]


def test_a_local_socket_has_no_address() -> None:
    assert address("") is None
    assert counted_address(RequestFactory().get("/", REMOTE_ADDR="")) == "local"


def test_a_whole_ipv6_site_counts_as_one() -> None:
    one = counted_address(RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:2:3::1"))
    other = counted_address(RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:2:ffff::9"))
    assert one == other == "2001:db8:1:2::/64"
