"""Addresses of the probes, the metrics and the health page; included at the root, without a namespace."""

from django.urls import path

from apps.health import views

urlpatterns = [
    path("livez", views.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("server/health", views.server_health, name="server_health"),
    path("metrics", views.metrics, name="metrics"),
    path("health/", views.health, name="health"),
]
