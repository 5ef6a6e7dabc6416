"""The addresses of the dashboards' API."""

from __future__ import annotations

from django.urls import URLPattern, path

from apps.dashboards import api

app_name = "dashboards-api"

urlpatterns: list[URLPattern] = [
    path("dashboards/<slug:uid>/draft/panels/<int:panel>/data", api.DraftPanelData.as_view(), name="draft-panel-data"),
    path("dashboards/<slug:uid>/panels/<int:panel>/data", api.PanelData.as_view(), name="panel-data"),
]
