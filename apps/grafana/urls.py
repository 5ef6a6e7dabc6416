"""The addresses of the sync, below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from apps.grafana import api

app_name = "grafana-api"

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("sync/placements", api.PlacementList, basename="sync-placements")
router.register("sync/runs", api.RunList, basename="sync-runs")

urlpatterns: list[URLPattern | URLResolver] = [
    path("sync/start", api.StartSync.as_view(), name="sync-start"),
    *router.urls,
]
