"""The ASGI application: HTTP on a fixed thread pool; WebSockets and the way to Grafana native."""

from __future__ import annotations

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

from vptmonitor.http_lane import Lane, Receive, Scope, Send
from vptmonitor.http_pool import HttpPool
from vptmonitor.wsgi import application as http_application

# Below the line above, which has made Django ready.
from apps.grafana.proxy.application import GrafanaProxy  # isort: skip
from apps.grafana.proxy.paths import PREFIX  # isort: skip
from apps.live.origin import OwnOrigin  # isort: skip
from apps.live.routing import websocket_urlpatterns  # isort: skip
from vptmonitor.second_port import SecondPort  # isort: skip

LIVENESS = "/livez"


async def alive(scope: Scope, receive: Receive, send: Send) -> None:
    """Say that the process lives. It takes no thread: with all of them waiting for a database, it still answers.

    The address exists in Django too, for servers other than ours.
    """
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"ok\n"})


grafana = GrafanaProxy()


def is_grafanas(path: str) -> bool:
    """Whether an address is below `/grafana/`. The proxy then reads it anew, and strictly."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


class Http:
    """The liveness probe and Grafana on the event loop, every other request on the pool."""

    def __init__(self) -> None:
        ingest = Lane("/api/v1/ingest/", at_once=max(1, settings.HTTP_THREADS // 3))
        self._pool = HttpPool(http_application, threads=settings.HTTP_THREADS, lanes=[ingest])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        await (alive if path == LIVENESS else grafana if is_grafanas(path) else self._pool)(scope, receive, send)


class Sockets:
    """Grafana Live to Grafana, which checks visitor and origin itself; every other WebSocket is the portal's."""

    def __init__(self) -> None:
        self._own = OwnOrigin(URLRouter(websocket_urlpatterns))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (grafana if is_grafanas(scope["path"]) else self._own)(scope, receive, send)


application = SecondPort(ProtocolTypeRouter({"http": Http(), "websocket": Sockets()}), settings.SECOND_PORT)
