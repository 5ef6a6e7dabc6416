from django.apps import AppConfig


class GrafanaConfig(AppConfig):
    name = "apps.grafana"
    live_tables = {"Placement": "everybody", "SyncRun": "everybody"}
