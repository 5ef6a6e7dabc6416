"""Who a request comes from: the portal's session, looked up in the database at most once a second for each person.

A session that ends (signing out, a changed password) is forgotten at once in the process that ended it, and within
`KEEP` seconds in others; who holds it open over a WebSocket is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from apps.accounts.models import User
from apps.accounts.roles import Role, role_of
from apps.grafana.identity import Identity, NotForGrafanaError, identity_of
from apps.grafana.proxy.threads import DatabaseThreads

KEEP: Final = 1.0
"""Seconds that an answer is good for."""
MOST_KEPT: Final = 2_000


@dataclass(frozen=True)
class Visitor:
    """Somebody who is signed in to the portal. Without an `identity` they may not reach Grafana, for that `reason`."""

    name: str
    role: Role
    identity: Identity | None
    reason: str = ""


Look = Callable[[str], Visitor | None]
"""From a session's key to who holds it; None for nobody."""


def look(session_key: str) -> Visitor | None:
    """The visitor of a session that is in force. Asks the database."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not isinstance(user, User):
        return None
    try:
        return Visitor(user.get_username(), role_of(user), identity_of(user))
    except NotForGrafanaError as refusal:
        return Visitor(user.get_username(), role_of(user), None, str(refusal))


def session_key_of(cookies: bytes) -> str:
    """The portal's session in a `Cookie` header; empty when there is none."""
    key = parse_cookie(cookies.decode("latin-1")).get(settings.SESSION_COOKIE_NAME, "")
    return key if key.isascii() and key.isalnum() and len(key) <= 64 else ""


class Visitors:
    """The visitors of an event loop. `look` is called by way of `threads`."""

    def __init__(self, threads: DatabaseThreads, look: Look = look, *, keep: float = KEEP) -> None:
        self._threads = threads
        self._look = look
        self._keep = keep
        self._known: OrderedDict[str, tuple[float, asyncio.Future[Visitor | None]]] = OrderedDict()
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        post_delete.connect(self._ended, sender=Session)

    async def find(self, session_key: str) -> Visitor | None:
        """Who holds the session now. Raises what the database raises."""
        if not session_key:
            return None
        self._loop = loop = asyncio.get_running_loop()
        until, future = self._known.get(session_key, (0.0, None))
        if future is None or until < time.monotonic() or future.get_loop() is not loop:
            # Requests that come at once share one look, which is as young as the first of them.
            future = self._threads.start(self._look, session_key)
            self._known[session_key] = (time.monotonic() + self._keep, future)
            self._known.move_to_end(session_key)
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        if future.done() and future.exception() is None:
            return future.result()
        try:
            return await asyncio.shield(future)
        except Exception:
            self._known.pop(session_key, None)
            raise

    @contextlib.contextmanager
    def watching(self, session_key: str) -> Iterator[asyncio.Event]:
        """An event that is set when this process ends the session."""
        event = asyncio.Event()
        events = self._waiting.setdefault(session_key, set())
        events.add(event)
        try:
            yield event
        finally:
            events.discard(event)
            if not events:
                self._waiting.pop(session_key, None)

    def _ended(self, instance: Session, using: str, **_: Any) -> None:
        """Receiver: a session is deleted, in whatever thread; until the commit, others still find it."""
        key = instance.session_key
        transaction.on_commit(lambda: self._tell(key), using=using)

    def _tell(self, session_key: str) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop ends just now
                loop.call_soon_threadsafe(self._forget, session_key)

    def _forget(self, session_key: str) -> None:
        self._known.pop(session_key, None)
        for event in self._waiting.get(session_key, ()):
            event.set()
