"""The Django application of the mirrored tables."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MirrorConfig(AppConfig):
    """Label `mirror`: the router sends its models to the alias `source`."""

    name = "apps.mirror"
    label = "mirror"
    verbose_name = "VirtualPyTest"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.mirror import directory

        directory.register()
        post_migrate.connect(_look_again, sender=self)


def _look_again(using: str, **kwargs: Any) -> None:
    from apps.mirror.shape import forget

    forget(using)
