"""The Django application of live changes."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class LiveConfig(AppConfig):
    name = "apps.live"
    verbose_name = "Live changes"

    def ready(self) -> None:
        from apps.live import install

        # Sent for each application that has models, after all tables are there; any of them will do.
        accounts = apps.get_app_config("accounts")
        post_migrate.connect(install.after_migrate, sender=accounts, dispatch_uid="live triggers")
