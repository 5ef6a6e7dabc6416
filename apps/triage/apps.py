from django.apps import AppConfig


class TriageConfig(AppConfig):
    name = "apps.triage"
    live_tables = {"AlertTriage": "host:host_name"}
