from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    name = "apps.dashboards"
    live_tables = {"Dashboard": "everybody", "Folder": "everybody"}
