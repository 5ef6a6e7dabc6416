"""The addresses of alerts and decisions, below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from apps.triage import api

app_name = "triage-api"

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("alerts", api.AlertList, basename="alerts")
router.register("alert-decisions", api.AlertDecisionList, basename="alert-decisions")

urlpatterns: list[URLPattern | URLResolver] = router.urls
