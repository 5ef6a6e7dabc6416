"""One run of the sync in a process of its own, over the database of the suite: something to kill.

python -m tests.soak.sync_child DATABASE INSTANCE
"""

from __future__ import annotations

import os
import sys

import django


def main(database: str, instance: int) -> None:
    """Say so when the work begins."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from apps.dashboards.author import Author
    from apps.grafana.models import GrafanaInstance, SyncRun
    from apps.grafana.run import run
    from apps.grafana.selection import Wishes

    row = GrafanaInstance.objects.get(pk=instance)
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    run(row, Wishes(), author=Author("child"), cause=SyncRun.Cause.COMMAND, concurrency=4)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
