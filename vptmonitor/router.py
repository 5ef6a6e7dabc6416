"""Which tables live where: the mirrored ones on `source`, the portal's own on `default`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model

SOURCE_APPS = frozenset({"mirror"})


class SourceRouter:
    """Sends the mirror to `source`; nothing else may go there, and migrations only where the portal owns it.

    The router is not what makes `source` read-only: the session and the role do (see `vptmonitor.database`).
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return "source" if model._meta.app_label in SOURCE_APPS else "default"

    db_for_write = db_for_read

    def allow_relation(self, first: Model, second: Model, **hints: Any) -> bool:
        return self.db_for_read(type(first)) == self.db_for_read(type(second))

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        if db == "source":
            return app_label in SOURCE_APPS and settings.SOURCE_ACCESS == "own"
        return app_label not in SOURCE_APPS
