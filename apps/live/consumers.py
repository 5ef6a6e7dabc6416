"""`/live/`: the socket by which a page hears of changes.

The page says what it wants, first of all and again whenever that changes:

    {"type": "hello", "topics": ["alerts", "script_results"], "after": TOKEN or null, "since": TIME or null}
    {"type": "topics", "topics": [...]}
    {"type": "ping"}

`after` is the token of the last message that it got before; without one, `since` is the time at which the server drew
the page. The portal says, each time with the token to come back with:

    {"type": "welcome", "token": ..., "topics": [...], "beat": 15, "spread": 0.0}
    {"type": "events", "events": [{"topic", "rows", "added", "changed", "removed", "more"}], "token": ...}
    {"type": "reload", "reason": ..., "token": ...}      what was missed is not known
    {"type": "beat", "token": ...}                        nothing happened; also the answer to a ping

What a slow reader has not taken yet is merged: it never grows beyond the ids of a change for each topic. One that takes
nothing for `SLOW_SECONDS` is dropped, and comes back with the token that it has.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from django.conf import settings
from django.db import Error as DatabaseProblem

from apps.live import viewers
from apps.live.cursor import BadTokenError, Token
from apps.live.eager import begin
from apps.live.events import Change
from apps.live.hub import AwayError, Changes, Hub, events_message, hub
from apps.live.subscriptions import BadTopicsError, wanted
from apps.live.viewers import Viewer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Coroutine[Any, Any, None]]

BEAT_SECONDS: Final = 15.0
"""A message comes at least this often: a browser that hears nothing for longer knows that the way is cut."""
SLOW_SECONDS: Final = 10.0
HELLO_SECONDS: Final = 10.0
LONGEST_MESSAGE: Final = 16 * 1024
MESSAGES: Final = 30
MESSAGES_SECONDS: Final = 10.0
"""A client that says more than so much in so long is closed."""
WAITING: Final = 8
"""Messages that wait for a reader before they are merged into one."""


class BadMessageError(ValueError):
    """The client said something that cannot be understood; the text says what."""


class LiveConsumer:
    """One socket."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.viewer: Viewer
        self.topics: frozenset[str] = frozenset()
        self._receive, self._send = receive, send
        self._hub: Hub
        self._unsent: list[tuple[Changes, str, str]] = []
        self._said: list[str] = []
        self._wake = asyncio.Event()
        self._rest: Awaitable[None] | None = None
        self._sending_since: float | None = None
        self._told_at = 0.0
        self._end: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._heard: list[float] = []

    @classmethod
    async def as_asgi(cls, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application for the scope type `websocket`."""
        await cls(receive, send)._run(scope)

    # --- What the hub calls -------------------------------------------------------------------------------------------
    def tell(self, changes: Changes, text: str, token: str) -> None:
        if not self._busy:
            self._begin(text)
            return
        self._unsent.append((changes, text, token))
        if len(self._unsent) > WAITING:
            self._unsent = [_merged(self._unsent)]
            if self._sending_since is not None and time.monotonic() - self._sending_since > SLOW_SECONDS:
                self.dismiss(4408, "Too slow. Come back with your token.")
        self._wake.set()

    def reload(self, reason: str, token: str) -> None:
        # What waits is part of what is loaded anew.
        self._unsent.clear()
        self._say({"type": "reload", "reason": reason, "token": token})

    @property
    def _busy(self) -> bool:
        """Whether something is being sent, or waits."""
        return bool(self._rest is not None or self._sending_since or self._said or self._unsent)

    def _begin(self, text: str) -> None:
        """Send at once what need not wait; the writer goes on with what must."""
        self._told_at = time.monotonic()
        try:
            self._rest = begin(self._send({"type": "websocket.send", "text": text}))
        except OSError:
            self.dismiss(1006, "Gone.")
            return
        if self._rest is not None:
            self._sending_since = time.monotonic()
            self._wake.set()

    def dismiss(self, code: int, reason: str) -> None:
        if not self._end.done():
            self._end.set_result((code, reason))

    # --- Its life -----------------------------------------------------------------------------------------------------
    async def _run(self, scope: Scope) -> None:
        await self._receive()
        self._hub = hub()
        session = _session_of(scope)
        try:
            viewer = await self._hub.ask(viewers.find, session) if session else None
        except DatabaseProblem:
            viewer = None
        if viewer is None or self._hub.count(viewer.user) >= settings.LIVE_SOCKETS_PER_USER:
            # Refused as a handshake. The page then asks by HTTP, which tells a person why.
            await self._send({"type": "websocket.close"})
            return
        self.viewer = viewer
        await self._send({"type": "websocket.accept"})
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._write())]
        try:
            await asyncio.wait({*tasks, self._end}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(self)
            for task in tasks:
                task.cancel()
            # Whoever has gone is told nothing any more.
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._end.done():
            code, reason = self._end.result()
            with contextlib.suppress(TimeoutError, OSError):
                await asyncio.wait_for(self._send({"type": "websocket.close", "code": code, "reason": reason}), 1.0)

    async def _read(self) -> None:
        waiting = HELLO_SECONDS
        while True:
            try:
                message = await asyncio.wait_for(self._receive(), waiting)
                if message["type"] == "websocket.disconnect":
                    return
                said = self._understood(message.get("text"))
                if said["type"] == "ping":
                    self._say({"type": "beat", "token": self._hub.token})
                elif said["type"] == "topics" and self in self._hub.clients:
                    self._hub.move(self, self.viewer, wanted(said.get("topics")))
                elif said["type"] == "hello" and self not in self._hub.clients:
                    await self._hello(said)
                    waiting = float("inf")
                else:
                    raise BadMessageError("`type` is hello, once and first, then topics or ping.")
            except TimeoutError:
                self.dismiss(4400, "Nobody said hello.")
                return
            except AwayError:
                self.dismiss(1013, "A database is away. Come back with your token.")
                return
            except (BadMessageError, BadTopicsError, BadTokenError) as error:
                self.dismiss(4400, str(error)[:120])
                return

    async def _hello(self, said: dict[str, Any]) -> None:
        self.topics = wanted(said.get("topics"))
        after = said.get("after")
        token = Token.read(_text(after, "after")) if after else None
        changes = await self._hub.join(self, token, _moment(said.get("since")))
        self._said.insert(0, json.dumps({
            "type": "welcome", "token": self._hub.token, "topics": sorted(self.topics), "beat": BEAT_SECONDS,
            "spread": self._hub.spread_seconds,
        }))  # fmt: skip
        if changes is None:
            self.reload("What happened since then is not known.", self._hub.token)
        elif changes:
            self.tell(changes, events_message(changes.values(), self._hub.token), self._hub.token)
        self._wake.set()

    def _understood(self, text: Any) -> dict[str, Any]:
        now = time.monotonic()
        self._heard = [at for at in self._heard if at > now - MESSAGES_SECONDS] + [now]
        if len(self._heard) > MESSAGES:
            raise BadMessageError("Too many messages.")
        if not isinstance(text, str) or len(text) > LONGEST_MESSAGE:
            raise BadMessageError(f"A message is a JSON text of up to {LONGEST_MESSAGE} characters.")
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            raise BadMessageError("A message is JSON.") from None
        if not isinstance(said, dict) or not isinstance(said.get("type"), str):
            raise BadMessageError("A message is an object with a `type`.")
        return said

    def _say(self, message: dict[str, Any]) -> None:
        self._said.append(json.dumps(message, separators=(",", ":")))
        self._wake.set()

    async def _write(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._wake.wait(), BEAT_SECONDS)
            except TimeoutError:
                if time.monotonic() - self._told_at > BEAT_SECONDS / 2:
                    self._say({"type": "beat", "token": self._hub.token})
            self._wake.clear()
            while self._busy:
                self._sending_since = self._sending_since or time.monotonic()
                if self._rest is not None:
                    await self._rest
                    self._rest = None
                elif self._said:
                    await self._send({"type": "websocket.send", "text": self._said.pop(0)})
                else:
                    _, text, _ = self._unsent[0] if len(self._unsent) == 1 else _merged(self._unsent)
                    self._unsent.clear()
                    await self._send({"type": "websocket.send", "text": text})
                self._sending_since = None


def _merged(messages: list[tuple[Changes, str, str]]) -> tuple[Changes, str, str]:
    """One message that says what several did."""
    merged: dict[str, Change] = {}
    for changes, _, _ in messages:
        for topic, change in changes.items():
            merged.setdefault(topic, Change(topic)).merge(change)
    token = messages[-1][2]
    return merged, events_message(merged.values(), token), token


def _session_of(scope: Scope) -> str:
    """The session's key as the browser's cookie has it, or empty."""
    text = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
    try:
        found = SimpleCookie(text).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return found.value if found else ""


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise BadMessageError(f"`{name}` is a text, or null.")
    return value


def _moment(value: Any) -> float | None:
    """Epoch seconds of an ISO time with a zone."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(_text(value, "since"))
        return moment.timestamp() if moment.tzinfo else _no_moment()
    except (ValueError, OverflowError):
        return _no_moment()


def _no_moment() -> float:
    raise BadMessageError("`since` is a time in ISO form with its zone, or null.")
