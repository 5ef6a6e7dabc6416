"""`manage.py ensure_admin`: makes the first administrator, so that somebody can sign in to a new portal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction

from apps.accounts import audit
from apps.accounts.models import AuditEntry, User


class Command(BaseCommand):
    help = (
        "Creates an administrator from GRAFANA_ADMIN_USER and GRAFANA_ADMIN_PASSWORD when there is none. "
        "Never changes anybody who exists."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        name = settings.GRAFANA_ADMIN_USER
        existing = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if existing:
            self.stdout.write(f"There is an administrator already: {existing.get_username()}. Nothing was changed.")
            return
        if not settings.GRAFANA_ADMIN_PASSWORD:
            raise CommandError("GRAFANA_ADMIN_PASSWORD is empty; give one, or run: manage.py createsuperuser")
        try:
            with transaction.atomic():
                user = User.objects.create_superuser(name, password=settings.GRAFANA_ADMIN_PASSWORD, all_teams=True)
                audit.record(AuditEntry.Action.COMMAND, obj=user, reason="ensure_admin made the first administrator")
        except IntegrityError:
            # Another start may have made it this very moment; else the name is somebody's who is no administrator.
            if User.objects.filter(username=name, is_superuser=True, is_active=True).exists():
                self.stdout.write(f"There is an administrator already: {name}. Nothing was changed.")
                return
            raise CommandError(
                f"There is no active administrator, and the name {name} is taken by somebody else. "
                "Name another one in GRAFANA_ADMIN_USER, or run: manage.py createsuperuser"
            ) from None
        self.stdout.write(f"Created the administrator {name}, with the password in GRAFANA_ADMIN_PASSWORD.")
