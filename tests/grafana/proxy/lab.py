"""The proxy before a real small server that answers as a Grafana might, all on loopback and in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvicorn
import yarl
from aiohttp import web
from django.conf import settings

from apps.accounts.roles import Role
from apps.grafana.identity import Identity
from apps.grafana.proxy.application import GrafanaProxy
from apps.grafana.proxy.visitors import Visitor

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def person(name: str, role: Role, *, everything: bool = True) -> Visitor:
    """A visitor; without `everything` one who is limited to teams."""
    word = "Admin" if role >= Role.ADMIN else "Viewer"
    identity = Identity(f"vptmonitor:{name}", f"{name}@portal", f"{name}@portal", name, word)
    return Visitor(name, role, identity if everything else None, "" if everything else "Your teams' rows only.")


PEOPLE = {
    "viewer": person("viewer", Role.VIEWER),
    "operator": person("operator", Role.OPERATOR),
    "admin": person("admin", Role.ADMIN),
    "limited": person("limited", Role.VIEWER, everything=False),
}
"""Those whose session's key is their name."""
REGISTERED = "SELECT * FROM t WHERE host = 'a'"


@dataclass
class Lab:
    """`ask` is a visitor's browser; `seen` what arrived at the upstream, oldest first."""

    url: str
    upstream: str
    proxy: GrafanaProxy
    client: aiohttp.ClientSession
    seen: list[Seen] = field(default_factory=list)
    people: dict[str, Visitor] = field(default_factory=lambda: dict(PEOPLE))

    def headers(self, who: str, given: Mapping[str, str] | None = None) -> dict[str, str]:
        """The headers of a page of the portal that `who` looks at; empty for nobody."""
        cookie = {"Cookie": f"theme=dark; {settings.SESSION_COOKIE_NAME}={who}; vptmonitor_csrf=secret"} if who else {}
        return {"Origin": self.url, **cookie, **(given or {})}

    async def ask(
        self,
        path: str,
        who: str = "viewer",
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        **kw: Any,
    ) -> Reply:
        """One request, its path as it stands."""
        url = yarl.URL(f"{self.url}{path}", encoded=True)
        async with self.client.request(
            method, url, headers=self.headers(who, headers), allow_redirects=False, **kw
        ) as answer:
            return Reply(answer.status, answer.headers.copy(), await answer.read())


@dataclass(frozen=True)
class Seen:
    """A request as the upstream saw it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@contextlib.asynccontextmanager
async def lab(
    handler: Handler | None = None,
    *,
    upstream: str = "",
    registered: Callable[[str], bool] | None = None,
    **options: Any,
) -> AsyncIterator[Lab]:
    """The proxy with an upstream that does what `handler` does, or answers in JSON what it saw."""
    made: list[Lab] = []

    async def answer(request: Any) -> web.StreamResponse:
        body = await request.read() if handler is None else b""
        seen = Seen(request.method, request.raw_path, request.headers.copy(), body)
        made[0].seen.append(seen)
        if handler is not None:
            return await handler(request)
        return web.json_response({"path": seen.path, "size": len(body)})

    async with contextlib.AsyncExitStack() as stack:
        if not upstream:
            server = web.Server(answer)
            runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            upstream = f"http://127.0.0.1:{runner.addresses[0][1]}"
        proxy = GrafanaProxy(
            lambda: upstream,
            look=lambda key: made[0].people.get(key),
            is_registered=registered or (lambda sql: sql == REGISTERED),
            **options,
        )
        stack.push_async_callback(proxy.close)
        url = await stack.enter_async_context(served(proxy))
        client = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, connector=aiohttp.TCPConnector(limit=0)
        )
        stack.push_async_callback(client.close)
        made.append(Lab(url, upstream, proxy, client))
        yield made[0]


@contextlib.asynccontextmanager
async def served(application: Any) -> AsyncIterator[str]:
    """The application under uvicorn as the portal runs it; the address."""
    config = uvicorn.Config(
        application, host="127.0.0.1", port=0, lifespan="off", log_config=None, access_log=False, server_header=False,
        proxy_headers=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment,method-assign]  # they are pytest's
    task = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
        assert not task.done()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
