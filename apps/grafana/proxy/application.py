"""`/grafana/` as an ASGI application, see the package."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlsplit

import aiohttp
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http.request import split_domain_port, validate_host
from django.utils.http import url_has_allowed_host_and_scheme

from apps.grafana import availability
from apps.grafana.identity import HEADER, token_of
from apps.grafana.proxy import answers, headers, paths, queries, rules, sockets
from apps.grafana.proxy.answers import Answer
from apps.grafana.proxy.forward import GoneError, Incoming, Receive, Room, Scope, Send, forward, reply
from apps.grafana.proxy.threads import DatabaseThreads
from apps.grafana.proxy.visitors import Look, Visitor, Visitors, look, session_key_of
from apps.grafana.registered import RegisteredQueries

logger = logging.getLogger(__name__)

CONNECTIONS: Final = 200
"""Connections to Grafana at once; further requests wait for one."""
MOST_WAITING: Final = 2_000
"""Requests at work or waiting; further ones are told to come back."""
MOST_SOCKETS: Final = 500
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 90.0
"""How long Grafana may say nothing: longer than its data source waits for a query."""
WAIT_SECONDS: Final = 20.0
"""How long a request waits for a connection."""


def upstream_address() -> str:
    """Where Grafana serves below `/grafana`: the portal's own, or one of somebody else's that has been told to."""
    return (availability.current(0).url or availability.own_url()).removesuffix(paths.PREFIX)


class GrafanaProxy:
    """Sends what visitors may ask on to Grafana. `upstream` gives Grafana's address (`http://127.0.0.1:3000`, to which
    `/grafana/...` is added), `look` who holds a session, `is_registered` whether SQL is that of a registered dashboard.
    """

    def __init__(
        self,
        upstream: Callable[[], str] = upstream_address,
        *,
        look: Look = look,
        is_registered: Callable[[str], bool] | None = None,
        connections: int = CONNECTIONS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._upstream = upstream
        self._threads = DatabaseThreads()
        self._visitors = Visitors(self._threads, look)
        self._is_registered = is_registered or RegisteredQueries().has
        self._connections = connections
        self._read_seconds = read_seconds
        self._client: aiohttp.ClientSession | None = None
        self._inside, self._sockets = Room(MOST_WAITING), Room(MOST_SOCKETS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """For scopes of the types `http` and `websocket` whose path is `/grafana` or below."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def close(self) -> None:
        """Give the connections to Grafana back."""
        if self._client is not None:
            await self._client.close()
            self._client = None
        self._threads.end()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        began = time.monotonic()
        as_page = _wants_page(scope)
        status = 0
        try:
            with self._inside:
                status = await self._forwarded(scope, Incoming(receive), send)
        except _Redirect as redirect:
            status = await _redirect(str(redirect), send)
        except Answer as answer:
            status = int(answer.status)
            await reply(answer, send, as_page=as_page, head_only=method == "HEAD")
        except GoneError:
            status = 499
        finally:
            milliseconds = (time.monotonic() - began) * 1000
            level = logging.DEBUG if status < 400 else logging.INFO
            logger.log(level, "%s %s %d %.0f ms", method, scope["path"][:200], status, milliseconds)

    async def _forwarded(self, scope: Scope, incoming: Incoming, send: Send) -> int:
        given = scope["headers"]
        method = scope["method"]
        host = _host(given)
        if scope["path"] == paths.PREFIX:
            raise _Redirect(f"{paths.PREFIX}/")
        path, query = _address(scope)
        session_key = session_key_of(headers.value_of(b"cookie", given).encode("latin-1"))
        visitor = await self._visitor(session_key)
        if visitor is None:
            raise _ask_to_sign_in(scope, rules.is_page(method, path))
        verdict = self._judge(visitor, method, path)
        if method not in rules.READS and not _is_same_origin(scope, host):
            raise answers.refused("The request was not made by a page of this portal.", "Another site's request")
        body = incoming
        if verdict is rules.Verdict.QUERY:
            body = await self._question(incoming, given, visitor)
        return await forward(
            self._session(),
            method,
            self._url(path, query),
            [*headers.to_grafana(given), *self._own_headers(scope, visitor, host, body is not incoming)],
            body,
            send,
            known_hosts=self._known_hosts(host),
            hsts=settings.SECURE_HSTS_SECONDS if settings.BEHIND_TLS else 0,
        )

    async def _visitor(self, session_key: str) -> Visitor | None:
        try:
            return await self._visitors.find(session_key)
        except (DatabaseError, InterfaceError) as error:
            logger.exception("the session cannot be looked up")
            raise answers.busy("The portal's database does not answer.") from error

    def _judge(self, visitor: Visitor, method: str, path: str) -> rules.Verdict:
        """What becomes of the request. Raises Answer for what is refused."""
        if visitor.identity is None:
            raise answers.refused(visitor.reason)
        verdict = rules.judge(method, path, visitor.role)
        if verdict is rules.Verdict.REFUSE:
            logger.warning("%s may not %s %s", visitor.name, method, path[:200])
            raise answers.refused("This part of Grafana is not open to you through the portal.")
        return verdict

    async def _question(self, incoming: Incoming, given: list[headers.Header], visitor: Visitor) -> Incoming:
        """A viewer's question, judged and written anew."""
        if headers.value_of(b"content-encoding", given) not in {"", "identity"}:
            raise Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Not a question", "Send it without compression.")
        limited = Incoming(incoming.receive, queries.LARGEST)
        asked = await limited.whole()
        try:
            body = await self._threads.start(queries.rewritten, asked, self._is_registered)
        except queries.QueryRefusedError as refusal:
            logger.warning("%s's query %s does not go through: %s", visitor.name, refusal.ref_id[:20], refusal)
            more = {"ref_id": refusal.ref_id} if refusal.ref_id else {}
            raise answers.refused(str(refusal), "The query does not go through", **more) from None
        except (DatabaseError, InterfaceError) as error:
            logger.exception("the registered dashboards cannot be read")
            raise answers.busy("The portal's database does not answer.") from error
        return Incoming.of(body, incoming.receive)

    def _own_headers(self, scope: Scope, visitor: Visitor, host: str, rewritten: bool) -> list[headers.Header]:
        """Who asks and by which address, in the portal's own words."""
        assert visitor.identity is not None  # noqa: S101 -- `_judge` lets nobody else pass
        rows = [(b"host", host.encode("latin-1")), (HEADER.lower().encode(), token_of(visitor.identity).encode())]
        rows += [
            (b"x-forwarded-host", host.encode("latin-1")),
            (b"x-forwarded-proto", _scheme(scope).encode()),
        ]
        if scope.get("client"):
            rows.append((b"x-forwarded-for", scope["client"][0].encode()))
        length = headers.value_of(b"content-length", scope["headers"])
        if length.isascii() and length.isdecimal() and not rewritten and scope["type"] == "http":
            rows.append((b"content-length", length.encode()))
        return rows

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        try:
            with self._sockets:
                host = _host(scope["headers"])
                path, query = _address(scope)
                session_key = session_key_of(headers.value_of(b"cookie", scope["headers"]).encode("latin-1"))
                visitor = await self._visitor(session_key)
                if visitor is None or path != rules.SOCKET or not _is_same_origin(scope, host):
                    raise answers.refused("No WebSocket for this visitor, address or site.")
                self._judge(visitor, "GET", path)
                kept = [(name, value) for name, value in headers.to_grafana(scope["headers"]) if name != b"origin"]
                await sockets.bridge(
                    self._session(),
                    self._url(path, query),
                    # The origin has been checked, more strictly than Grafana would: against the very address that was
                    # asked. Grafana knows one address only, and would refuse those who came by another.
                    [*kept, *self._own_headers(scope, visitor, host, False)],
                    scope.get("subprotocols", ()),
                    session_key,
                    visitor,
                    self._visitors,
                    receive,
                    send,
                )
        except Answer as answer:
            logger.info("WebSocket %s refused: %s", scope["path"][:200], answer.detail)
            await send({"type": "websocket.close", "code": sockets.REFUSED})

    def _session(self) -> aiohttp.ClientSession:
        """The client of this event loop."""
        if self._client is None or self._client.closed:
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=30),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=WAIT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=self._read_seconds
                ),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                max_line_size=32_768,
                max_field_size=32_768,
            )
        return self._client

    def _url(self, path: str, query: str) -> str:
        return f"{self._upstream()}{paths.PREFIX}{path}{'?' if query else ''}{query}"

    def _known_hosts(self, host: str) -> set[str]:
        public = urlsplit(settings.PUBLIC_URL).netloc
        return {name.casefold() for name in (host, public, urlsplit(self._upstream()).netloc) if name}


class _Redirect(Exception):  # noqa: N818 -- no error: where the visitor goes
    pass


async def _redirect(where: str, send: Send) -> int:
    head = [(b"location", where.encode()), (b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": HTTPStatus.FOUND, "headers": head})
    await send({"type": "http.response.body", "body": b""})
    return HTTPStatus.FOUND


def _wants_page(scope: Scope) -> bool:
    path = scope["path"].removeprefix(paths.PREFIX)
    accept = headers.value_of(b"accept", scope["headers"])
    return rules.is_page(scope["method"], path) and ("text/html" in accept or not accept)


def _ask_to_sign_in(scope: Scope, page: bool) -> Exception:
    if page and _wants_page(scope):
        back = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
        return _Redirect(f"/account/login/?next={quote(back if safe else f'{paths.PREFIX}/', safe='/')}")
    return Answer(HTTPStatus.UNAUTHORIZED, "Not signed in", "Sign in to the portal first.")


def _address(scope: Scope) -> tuple[str, str]:
    try:
        raw = scope.get("raw_path") or scope["path"].encode()
        return paths.clean_path(raw), paths.clean_query(scope["query_string"])
    except paths.BadAddressError as error:
        raise answers.bad(f"The address is refused: {error}.") from None


def _host(given: list[headers.Header]) -> str:
    """The host that was asked for, if it is one of the portal's."""
    host = headers.value_of(b"host", given)
    allowed = settings.ALLOWED_HOSTS or ([".localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
    if not _is_allowed(host, tuple(allowed)):
        raise answers.bad("The portal has no such host name; ALLOWED_HOSTS lists them.")
    return host


@lru_cache(maxsize=256)
def _is_allowed(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def _scheme(scope: Scope) -> str:
    """`https` where the portal is reached by TLS, as far as it can know."""
    proxied = headers.value_of(b"x-forwarded-proto", scope["headers"]) if settings.TRUSTED_PROXY_COUNT else ""
    secure = settings.BEHIND_TLS or scope.get("scheme") in {"https", "wss"} or proxied == "https"
    return "https" if secure else "http"


def _is_same_origin(scope: Scope, host: str) -> bool:
    """Whether a page of this portal asks. Grafana's own check needs a cookie, and gets none."""
    origin = headers.value_of(b"origin", scope["headers"])
    if not origin:
        # Browsers send it with every WebSocket and every request that is no GET; old ones left it out.
        return headers.value_of(b"sec-fetch-site", scope["headers"]) == "same-origin" and scope["type"] == "http"
    if origin in settings.CSRF_TRUSTED_ORIGINS:  # the public address, also where a proxy in front changes the host
        return True
    parts = urlsplit(origin)
    schemes = {"https"} if settings.BEHIND_TLS else {"http", "https"}
    return parts.scheme in schemes and parts.netloc.casefold() == host.casefold()
