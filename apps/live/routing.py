"""The addresses of sockets."""

from __future__ import annotations

from django.urls import path

from apps.live.consumers import LiveConsumer

# An ASGI application where Django's types want a view.
websocket_urlpatterns = [path("live/", LiveConsumer.as_asgi)]  # type: ignore[arg-type]
