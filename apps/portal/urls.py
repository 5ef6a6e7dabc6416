"""The addresses of the portal's pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from apps.portal.views import (
    alerts,
    api,
    campaigns,
    dashboards,
    devices,
    favicon,
    heatmaps,
    navigation,
    overview,
    runs,
    search,
    styleguide,
    system,
)

app_name = "portal"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.index, name="overview"),
    path("favicon.ico", favicon.favicon, name="favicon"),
    path("devices/", devices.devices, name="devices"),
    path("devices/on-host/", devices.device_on_host, name="device-on-host"),
    path("devices/<uuid:id>/", devices.device, name="device"),
    path("system/", system.hosts, name="system"),
    path("system/<path:name>/", system.host, name="host"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/decide/", alerts.decide_alerts, name="decide-alerts"),
    path("alerts/<uuid:id>/", alerts.alert, name="alert"),
    path("campaigns/", campaigns.campaigns, name="campaigns"),
    path("campaigns/<uuid:id>/", campaigns.campaign, name="campaign"),
    path("campaigns/by-name/<path:name>/", campaigns.campaign_by_name, name="campaign-by-name"),
    path("heatmaps/", heatmaps.heatmaps, name="heatmaps"),
    path("heatmaps/<uuid:id>/", heatmaps.heatmap, name="heatmap"),
    path("navigation/", navigation.navigation, name="navigation"),
    path("navigation/<uuid:id>/", navigation.interface, name="interface"),
    path("navigation/trees/<uuid:id>/", navigation.tree, name="tree"),
    path("dashboards/", dashboards.dashboards, name="dashboards"),
    path("dashboards/<slug:uid>/favourite/", dashboards.favourite, name="favourite"),
    path("d/<slug:uid>/", dashboards.dashboard, name="dashboard"),
    path("d/<slug:uid>/<slug:name>/", dashboards.dashboard, name="named-dashboard"),
    path("d-solo/<slug:uid>/<int:panel>/", dashboards.solo, name="solo"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<str:kind>/<uuid:id>/", runs.run, name="run"),
    path("search/", search.search, name="search"),
    path("api-docs/", api.docs, name="api-docs"),
    path("api/v1/", api.Root.as_view(), name="api-root"),
    path("api/v1/openapi.yaml", api.schema_yaml, name="api-schema"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
]
