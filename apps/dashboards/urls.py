"""The addresses of the dashboards' API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from apps.dashboards import api
from apps.dashboards.api_metrics import MetricView
from apps.dashboards.api_registry import DashboardList, Document, FolderList, RevisionList
from apps.dashboards.metrics import METRICS

app_name = "dashboards-api"

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("dashboards", DashboardList, basename="dashboards")
router.register("folders", FolderList, basename="folders")
router.register("dashboards/<slug:uid>/revisions", RevisionList, basename="revisions")

urlpatterns: list[URLPattern | URLResolver] = [
    path("dashboards/<slug:uid>/panels/<int:panel>/data", api.PanelData.as_view(), name="panel-data"),
    path("dashboards/<slug:uid>/draft/panels/<int:panel>/data", api.DraftPanelData.as_view(), name="draft-panel-data"),
    path("dashboards/<slug:uid>/json", Document.as_view(), name="json"),
    path("dashboards/<slug:uid>/revisions/<int:number>/json", Document.as_view(), name="revision-json"),
    *(
        path(f"metrics/{metric.name}", MetricView.as_view(metric=metric), name=f"metric-{metric.name}")
        for metric in METRICS
    ),
    *router.urls,
]
