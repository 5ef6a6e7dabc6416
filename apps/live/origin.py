"""Which pages may open a socket: those of this portal's own address, scheme and port included.

A browser sends its cookies with a socket that any page opens, and tells which page that was. Channels' own check takes
any port and scheme of an allowed host; another program on the same machine would do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

_PORTS = {"http": 80, "https": 443}


class OwnOrigin:
    """Lets through what pages of this portal open. A handshake without an origin is no page's, and refused too."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if is_own(scope):
            await self._application(scope, receive, send)
        else:
            await WebsocketDenier()(scope, receive, send)


def is_own(scope: Scope) -> bool:
    """Whether the handshake names exactly one origin, and that is this portal's."""
    headers = scope["headers"]
    origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    if len(origins) != 1 or len(hosts) != 1:
        return False
    origin = _parts(origins[0])
    if origin is None:
        return False
    known = {_parts(text) for text in (settings.PUBLIC_URL, *settings.CSRF_TRUSTED_ORIGINS) if text}
    if origin in known:
        return True
    scheme = _scheme(scope)
    name, _ = split_domain_port(hosts[0])
    return validate_host(name, settings.ALLOWED_HOSTS) and origin == _parts(f"{scheme}://{hosts[0]}")


def _scheme(scope: Scope) -> str:
    """The scheme of the page's address: a proxy that is trusted says it."""
    if settings.SECURE_PROXY_SSL_HEADER:
        said = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
        return "https" if said and said[-1].split(b",")[0].strip() == b"https" else "http"
    return "https" if scope.get("scheme") == "wss" else "http"


def _parts(text: str) -> tuple[str, str, int] | None:
    try:
        url = urlsplit(text)
        port = url.port or _PORTS.get(url.scheme)
    except ValueError:
        return None
    if url.scheme not in _PORTS or not url.hostname or port is None or url.path not in {"", "/"} or url.username:
        return None
    return url.scheme, url.hostname.lower(), port
