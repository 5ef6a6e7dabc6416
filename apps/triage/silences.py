"""Hosts and servers that fell silent: noticed, kept, and ended by the first ping that comes again.

A host that is silent writes nothing, so nothing in the platform's tables says so. The worker looks every half minute,
by the same rule as the system pages (`apps.mirror.states`), and keeps what it sees in the portal's own table, whatever
may be written elsewhere.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Min
from django.utils import timezone

from apps.accounts.scope import TeamScope
from apps.mirror import states
from apps.mirror.models import SystemMetric
from apps.mirror.shape import missing_columns
from apps.triage.models import HostSilence

logger = logging.getLogger(__name__)

LOOK_BACK: Final = timedelta(hours=24)
"""Who has not pinged for longer than this is no news."""
KEPT: Final = timedelta(days=90)
"""Silences that ended longer ago are forgotten."""
Name = tuple[str, bool]
"""A host's or server's name, and whether it is a server."""


def watch(now: datetime | None = None) -> None:
    """Note who has fallen silent and who is heard again. Two queries when nothing has changed.

    Raises what the databases raise; the next call sees the same.
    """
    now = now or timezone.now()
    if missing_columns(SystemMetric) & {"host_name", "timestamp"}:
        return
    pings = last_pings(now)
    open_ = {(one.host_name, one.is_server): one for one in HostSilence.objects.filter(ended_at=None)}
    fresh = [
        HostSilence(host_name=name, is_server=server, since=at, noticed_at=now)
        for (name, server), at in pings.items()
        if (name, server) not in open_ and is_silent(server, at, now)
    ]
    # Two workers may notice the same: the table keeps one open silence of each.
    HostSilence.objects.bulk_create(fresh, ignore_conflicts=True)
    for one in fresh:
        logger.warning("%s %s is silent since %s", _kind(one.is_server), one.host_name, one.since.isoformat())
    for key, silence in open_.items():
        if key in pings and not is_silent(key[1], pings[key], now):
            _end(silence, pings[key])
    HostSilence.objects.filter(ended_at__lt=now - KEPT).delete()


def is_silent(server: bool, last_ping: datetime, now: datetime) -> bool:
    """Whether a host or server that pinged last at `last_ping` counts as silent."""
    return now - last_ping > (states.SERVER_SILENT_AFTER if server else states.HOST_SILENT_AFTER)


def last_pings(now: datetime) -> dict[Name, datetime]:
    """When each host and server pinged last, of those that did within the last 24 hours. One query."""
    found: dict[Name, datetime] = {}
    rows = SystemMetric.objects.latest_per("host_name", "server_name", since=now - LOOK_BACK)
    for row in rows.only("host_name", "server_name", "timestamp"):
        name = (row.server_name if row.is_server else row.host_name) or ""
        # A host that changed its server counts once.
        if name:
            key = name, row.is_server
            found[key] = max(row.timestamp, found.get(key, row.timestamp))
    return found


def silences_of(host: str, *, server: bool, scope: TeamScope, limit: int = 20) -> list[HostSilence]:
    """The newest silences of a host or server, as far as `scope` may see it. One query."""
    name = SystemMetric.SERVER_HOST if server else host
    if not scope.everything and name not in scope.host_names:
        return []
    return list(HostSilence.objects.filter(host_name=host, is_server=server).order_by("-since")[:limit])


def _end(silence: HostSilence, last_ping: datetime) -> None:
    """The silence ended with the first ping after it."""
    column = "server_name" if silence.is_server else "host_name"
    rows = SystemMetric.objects.filter(**{column: silence.host_name}, timestamp__gt=silence.since)
    first: datetime | None = rows.order_by().aggregate(first=Min("timestamp"))["first"]
    HostSilence.objects.filter(pk=silence.pk, ended_at=None).update(ended_at=first or last_ping)
    logger.info("%s %s is heard again", _kind(silence.is_server), silence.host_name)


def _kind(server: bool) -> str:
    return "server" if server else "host"
