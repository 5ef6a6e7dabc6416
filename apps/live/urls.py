"""The addresses of the API of live changes."""

from __future__ import annotations

from django.urls import URLPattern, path

from apps.live import api

app_name = "live-api"

urlpatterns: list[URLPattern] = [path("live/events", api.LiveEvents.as_view(), name="events")]
