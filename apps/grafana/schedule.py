"""The sync that the worker runs by itself: every Grafana that is not paused, heeding the pauses of teams and rows."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from django.utils import timezone

from apps.dashboards.author import Author
from apps.grafana import availability
from apps.grafana.models import GrafanaInstance, SyncRun
from apps.grafana.run import run
from apps.grafana.run_lock import AlreadyRunningError
from apps.grafana.selection import Wishes, selected

logger = logging.getLogger(__name__)

SCHEDULE: Final = Author("schedule")
WISHES: Final = Wishes(scheduled=True)
KEPT: Final = timedelta(days=90)
"""How long runs are kept, and `KEPT_IDLE` those in which nothing happened."""
KEPT_IDLE: Final = timedelta(days=2)
CONCURRENCY: Final = 4
"""Fewer at a time than a person gets who waits."""


class AwayError(RuntimeError):
    """A Grafana could not be synced; the worker tries again soon."""


def sync_all() -> None:
    """Sync each Grafana. One that fails does not stop the others; raises AwayError at the end when one did."""
    away = []
    for instance in GrafanaInstance.objects.filter(enabled=True, paused=False):
        if instance.from_environment:
            state = availability.look().state
            if state is availability.State.ABSENT:
                continue
            if state is availability.State.STARTING:
                away.append(f"{instance.name} is starting")
                continue
        if not selected(instance, WISHES):
            continue
        try:
            record = run(instance, WISHES, author=SCHEDULE, cause=SyncRun.Cause.SCHEDULE, concurrency=CONCURRENCY).run
        except AlreadyRunningError:
            logger.info("%s: somebody else syncs it just now", instance.name)
            continue
        if record.changed or record.failed:
            logger.info("%s: %d changed, %d failed", instance.name, record.changed, record.failed)
        if record.status in (SyncRun.Status.FAILED, SyncRun.Status.REFUSED):
            _forget_the_same(record)
            away.append(f"{instance.name}: {record.error or record.get_status_display()}")
    _forget_old()
    if away:
        raise AwayError("; ".join(away))


def _forget_the_same(record: SyncRun) -> None:
    """A Grafana that is away for a night is one failed run, the newest, and not hundreds."""
    before = SyncRun.objects.filter(instance=record.instance, pk__lt=record.pk).first()
    if before is not None and (before.cause, before.status, before.error) == (
        record.cause,
        record.status,
        record.error,
    ):
        before.delete()


def _forget_old() -> None:
    now = timezone.now()
    SyncRun.objects.filter(started_at__lt=now - KEPT).delete()
    idle = SyncRun.objects.filter(cause=SyncRun.Cause.SCHEDULE, changed=0, failed=0, steps=None)
    idle.filter(started_at__lt=now - KEPT_IDLE).delete()
