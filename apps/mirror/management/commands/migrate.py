"""Django's `migrate`, kept away from a database that is not ours."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate

from apps.mirror.shape import SOURCE


class Command(migrate.Command):
    """Refuses the alias `source` unless the portal owns it: a router stops the tables, not `django_migrations`.

    Without `--database` it migrates the portal's own tables only, as Django does.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] == SOURCE:
            if settings.SOURCE_ACCESS != "own":
                raise CommandError(
                    f"The source database is not the portal's to change (SOURCE_ACCESS={settings.SOURCE_ACCESS}). "
                    "Nothing was done. For a database made for the portal, set SOURCE_ACCESS=own."
                )
            if options["app_label"] not in {None, "mirror"}:
                raise CommandError(
                    f"{options['app_label']!r} does not live on the source database; leave --database out."
                )
        elif options["app_label"] == "mirror":
            raise CommandError("The mirrored tables live on the source database: migrate mirror --database source")
        super().handle(*args, **options)
