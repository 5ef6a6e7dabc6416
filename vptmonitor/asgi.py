"""The ASGI application: HTTP on a fixed thread pool, everything else native."""

from __future__ import annotations

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings

from vptmonitor.http_pool import HttpPool, Receive, Scope, Send
from vptmonitor.wsgi import application as http_application

LIVENESS = "/livez"


async def alive(scope: Scope, receive: Receive, send: Send) -> None:
    """Say that the process lives. It takes no thread: with all of them waiting for a database, it still answers.

    The address exists in Django too, for servers other than ours.
    """
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"ok\n"})


class Http:
    """The liveness probe on the event loop, every other request on the pool."""

    def __init__(self) -> None:
        self._pool = HttpPool(http_application, threads=settings.HTTP_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (alive if scope["path"] == LIVENESS else self._pool)(scope, receive, send)


application = ProtocolTypeRouter(
    {
        "http": Http(),
        "websocket": AllowedHostsOriginValidator(URLRouter([])),
    }
)
