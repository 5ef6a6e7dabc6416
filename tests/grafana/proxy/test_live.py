"""Grafana Live through the proxy: WebSockets, for as long as the session lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from apps.grafana.proxy import sockets
from apps.grafana.proxy.live_messages import may_say
from tests.grafana.proxy.lab import Lab, lab

LIVE = "/grafana/api/live/ws"


async def echo(request: web.Request) -> web.StreamResponse:
    """Sends each message back; `close 4001` closes with that code."""
    socket = web.WebSocketResponse(protocols=("centrifuge-json",), max_msg_size=0)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            if message.data.startswith('{"id":4001'):
                await socket.close(code=4001)
            else:
                await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


@contextlib.asynccontextmanager
async def opened(it: Lab, who: str = "viewer", **headers: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    given = it.headers(who, headers)
    async with it.client.ws_connect(f"{it.url}{LIVE}", headers=given, max_msg_size=0) as socket:
        yield socket


async def status_of(it: Lab, path: str = LIVE, who: str = "viewer", **headers: str) -> int:
    """What the handshake is answered with."""
    try:
        async with it.client.ws_connect(f"{it.url}{path}", headers=it.headers(who, headers)):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


def test_messages_pass_both_ways_whatever_their_size() -> None:
    async def run() -> None:
        async with lab(echo) as it, opened(it, "admin") as socket:
            for text in ("{}", '{"id":1,"connect":{}}', "x" * 500_000):
                await socket.send_str(text)
                assert await socket.receive_str() == text
            await socket.send_bytes(bytes(range(256)))
            assert await socket.receive_bytes() == bytes(range(256))
            (seen,) = it.seen
            assert seen.path == "/grafana/api/live/ws"
            # Grafana would hold the origin against the one address that it knows; the proxy has held it against ours.
            assert "Origin" not in seen.headers
            assert "Cookie" not in seen.headers
            assert seen.headers["X-JWT-Assertion"]

    asyncio.run(run())


def test_grafanas_close_code_arrives() -> None:
    async def run() -> None:
        async with lab(echo) as it, opened(it, "admin") as socket:
            await socket.send_str('{"id":4001}')
            await socket.receive()
            assert socket.close_code == 4001

    asyncio.run(run())


def test_the_subprotocol_is_agreed_upon_with_grafana() -> None:
    async def run() -> None:
        async with lab(echo) as it:
            url = f"{it.url}{LIVE}"
            given = it.headers("viewer")
            async with it.client.ws_connect(url, headers=given, protocols=("centrifuge-json",)) as socket:
                assert socket.protocol == "centrifuge-json"

    asyncio.run(run())


def test_other_sites_people_and_addresses_get_no_socket() -> None:
    async def run() -> None:
        async with lab(echo) as it:
            assert await status_of(it) == 101
            it.seen.clear()
            assert await status_of(it, who="") == 403
            assert await status_of(it, who="limited") == 403
            for path in ("/grafana/api/live/push/x", "/grafana/", "/grafana/%61pi/live/..%2fws", "/grafana/d/abc"):
                assert await status_of(it, path) == 403
            port = it.url.rpartition(":")[2]
            for origin in ("", "null", "https://evil.example", "http://127.0.0.1:1", f"http://127.0.0.1.evil:{port}"):
                assert await status_of(it, Origin=origin) == 403
            assert await status_of(it, Host="evil.example") == 403
            assert it.seen == []

    asyncio.run(run())


def test_without_grafana_the_handshake_is_refused() -> None:
    async def run() -> None:
        async with lab(upstream="http://127.0.0.1:9") as it:
            assert await status_of(it) == 403

    asyncio.run(run())


def test_the_socket_ends_with_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "LOOK_AGAIN", 0.05)

    async def run() -> None:
        async with lab(echo) as it, opened(it) as socket:
            await socket.send_str("{}")
            assert await socket.receive_str() == "{}"
            del it.people["viewer"]
            async with asyncio.timeout(5):
                message = await socket.receive()
            assert message.type is WSMsgType.CLOSE
            assert socket.close_code == 1008

    asyncio.run(run())


def test_signing_out_in_this_process_ends_it_at_once() -> None:
    async def run() -> None:
        async with lab(echo) as it, opened(it) as socket:
            await socket.send_str("{}")
            await socket.receive_str()
            del it.people["viewer"]
            it.proxy._visitors._forget("viewer")  # what the end of a session calls
            async with asyncio.timeout(2):
                assert (await socket.receive()).type is WSMsgType.CLOSE

    asyncio.run(run())


def test_who_leaves_takes_the_connection_to_grafana_along() -> None:
    async def run() -> None:
        gone = asyncio.Event()

        async def wait(request: web.Request) -> web.StreamResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            async for _ in socket:
                pass
            gone.set()
            return socket

        async with lab(wait) as it:
            async with opened(it):
                pass
            async with asyncio.timeout(5):
                await gone.wait()

    asyncio.run(run())


@pytest.mark.parametrize(
    "said", ['{"id":2,"rpc":{"method":"grafana.query","data":{}}}', '{"id":1,"publish":{"channel":"x"}}', "no JSON"]
)
def test_a_viewer_who_says_more_than_listeners_say_is_cut_off(said: str) -> None:
    async def run() -> None:
        heard: list[Any] = []

        async def listen(request: web.Request) -> web.StreamResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            heard.extend([message.data async for message in socket if message.type is WSMsgType.TEXT])
            return socket

        async with lab(listen) as it:
            async with opened(it) as socket:
                await socket.send_str(said)
                assert (await socket.receive()).type is WSMsgType.CLOSE
                assert socket.close_code == 1008
            assert heard == []

    asyncio.run(run())


@pytest.mark.parametrize(
    "frame",
    [
        "", "{}", '{"id":1,"connect":{}}',
        '{"id":2,"subscribe":{"channel":"1/grafana/dashboard/uid/x"}}\n{"id":3,"ping":{}}',
        '{"id":1,"params":{}}', '{"id":2,"method":1,"params":{"channel":"x"}}',
        '{"id":2,"method":"subscribe","params":{}}',
    ],
)  # fmt: skip
def test_listeners_may_say(frame: str) -> None:
    assert may_say(frame)


@pytest.mark.parametrize(
    "frame",
    [
        '{"id":1,"rpc":{}}', '{"id":1,"RPC":{}}', '{"id":1,"Publish":{}}', '{"id":1,"send":{}}', '{"id":1,"method":9}',
        '{"id":1,"method":3,"params":{}}', '{"id":1,"method":8}', '{"id":1,"method":"RPC"}', '{"id":1,"method":9.0}',
        '{"id":1,"method":true}', '{"id":1,"connect":{},"rpc":{}}', '{}\n{"rpc":{}}', "[]", "1", "{", "[" * 100_000,
        '{"id":1,"connect":{},"method":9}', b"\x00\x01", "\n".join(["{}"] * 200),
    ],
)  # fmt: skip
def test_and_nothing_else(frame: str | bytes) -> None:
    assert not may_say(frame)
