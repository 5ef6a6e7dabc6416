"""Grafana Live: a visitor's WebSocket and one of the portal's to Grafana, as long as the visitor's session lasts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final

import aiohttp
from yarl import URL

from apps.accounts.roles import Role
from apps.grafana.proxy.forward import Receive, Send
from apps.grafana.proxy.headers import Header
from apps.grafana.proxy.live_messages import may_say
from apps.grafana.proxy.visitors import Visitor, Visitors

logger = logging.getLogger(__name__)

LARGEST_MESSAGE: Final = 4 * 1024 * 1024
"""Bytes of one message."""
LOOK_AGAIN: Final = 5.0
"""Seconds after which it is asked again whether the session lasts."""
GOING_AWAY, REFUSED, AWAY = 1001, 1008, 1014
"""Close codes (RFC 6455, 7.4; 1014 is a bad gateway)."""


async def bridge(
    client: aiohttp.ClientSession,
    url: str,
    given: Iterable[Header],
    protocols: Iterable[str],
    session_key: str,
    visitor: Visitor,
    visitors: Visitors,
    receive: Receive,
    send: Send,
) -> None:
    """Connect to `url` and let messages through both ways until one side or the visitor's session ends.

    The visitor's `websocket.connect` has been received, nothing has been answered yet.
    """
    rows = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in given]
    try:
        upstream = await client.ws_connect(
            URL(url, encoded=True),
            headers=rows,
            protocols=tuple(protocols),
            max_msg_size=LARGEST_MESSAGE,
            heartbeat=30,
            timeout=aiohttp.ClientWSTimeout(ws_close=2),
        )
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        logger.warning("Grafana Live cannot be reached: %s", type(error).__name__)
        await send({"type": "websocket.close", "code": AWAY})
        return
    code = GOING_AWAY
    async with upstream:
        await send({"type": "websocket.accept", "subprotocol": upstream.protocol})
        tasks = [
            asyncio.ensure_future(_to_grafana(upstream, receive, visitor)),
            asyncio.ensure_future(_from_grafana(upstream, send)),
            asyncio.ensure_future(_until_session_ends(session_key, visitor, visitors)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            code = max((task.result() for task in done if task.exception() is None), default=AWAY)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    if code:
        await send({"type": "websocket.close", "code": code})


async def _to_grafana(upstream: aiohttp.ClientWebSocketResponse, receive: Receive, visitor: Visitor) -> int:
    """Returns 0 when the visitor has left, else the code to close with."""
    while (message := await receive())["type"] == "websocket.receive":
        text, data = message.get("text"), message.get("bytes")
        said = text if text is not None else data or b""
        if visitor.role < Role.ADMIN and not may_say(said):
            logger.warning("%s said something over Grafana Live that viewers do not say", visitor.name)
            return REFUSED
        await (upstream.send_str(said) if isinstance(said, str) else upstream.send_bytes(said))
    return 0


async def _from_grafana(upstream: aiohttp.ClientWebSocketResponse, send: Send) -> int:
    async for message in upstream:
        payload: Any = message.data
        if message.type is aiohttp.WSMsgType.TEXT:
            await send({"type": "websocket.send", "text": payload})
        elif message.type is aiohttp.WSMsgType.BINARY:
            await send({"type": "websocket.send", "bytes": payload})
    code = upstream.close_code or AWAY
    # 1005 and 1006 say that there was no code: they are never sent.
    return code if code not in {1004, 1005, 1006, 1015} and 1000 <= code < 5000 else AWAY


async def _until_session_ends(session_key: str, visitor: Visitor, visitors: Visitors) -> int:
    with visitors.watching(session_key) as ended:
        while True:
            try:
                async with asyncio.timeout(LOOK_AGAIN):
                    await ended.wait()
                ended.clear()
            except TimeoutError:
                pass
            now = await visitors.find(session_key)
            if now is None or now.identity is None or now.role != visitor.role:
                return REFUSED
