"""Do pages hear of changes: the triggers that tell of them, who listens, and how old the last event is."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import connections

from apps.health.findings import Verdict, ok, warning
from apps.live import relay
from apps.live.install import missing, owned, schema_of
from apps.live.stream import APPLICATION_NAME
from apps.live.tables import PORTAL
from apps.live.watch import LOCK
from apps.mirror.shape import SOURCE

FULL = 0.1
"""Share of PostgreSQL's queue of notifications from which it is told: somebody listens and does not read."""

_STATE = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()),
       (SELECT count(*) FROM {schema}.live_event),
       (SELECT extract(epoch FROM clock_timestamp() - max(at))::float8 FROM {schema}.live_event),
       pg_notification_queue_usage(),
       (SELECT left(identity::text, 8) FROM {schema}.live_state)
"""
_HOLDER = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND (classid::bigint << 32) | objid::bigint = %s)
"""


def check() -> Verdict:
    """One answer for both databases."""
    silent: list[str] = []
    details: dict[str, object] = {}
    listening, ages, usage = 0, [], 0.0
    channels: list[str] = []
    for alias in filter(owned, (PORTAL, SOURCE)):
        silent += [table.name for table in missing(alias)]
        with connections[alias].cursor() as cursor:
            schema = connections[alias].ops.quote_name(schema_of(alias))
            cursor.execute(_STATE.format(schema=schema), [APPLICATION_NAME])
            listeners, events, age, used, identity = cursor.fetchone() or (0, 0, None, 0.0, "")
        channels.append(relay.channel_name(alias, str(identity)))
        name = "portal" if alias == PORTAL else "source"
        details |= {f"{name}_listeners": listeners, f"{name}_events": events, f"{name}_last_event_seconds": age}
        listening, usage = max(listening, listeners), max(usage, used)
        ages += [age] if age is not None else []
    details["queue_usage"] = round(usage, 4)
    if silent:
        return warning(
            f"{len(silent)} tables do not tell of their changes: pages of these do not move.",
            "Run `manage.py migrate` and, for a source of the portal's own, `manage.py migrate --database source`.",
            tables=", ".join(sorted(silent)),
            **details,
        )
    if usage > FULL:
        return warning(
            f"The database's queue of notifications is {usage:.0%} full: somebody listens and does not read.",
            "Find the session that listens within an open transaction, and end it.",
            **details,
        )
    if settings.SOURCE_ACCESS != "own" and not _is_watched():
        return warning(
            "Nobody looks at the source for changes: pages show them when they are loaded anew.",
            "See that the worker runs.",
            **details,
        )
    woken = 0
    if settings.REDIS_URL:
        try:
            woken = max(relay.woken(settings.REDIS_URL, channel) for channel in channels)
        except (redis.RedisError, OSError) as error:
            return warning(
                "Redis is away, so each web process listens to the database itself. No event is lost.",
                "See that Redis runs and that REDIS_URL names it; processes return to it by themselves.",
                redis=type(error).__name__,
                **details,
            )
        details["woken_by_redis"] = woken
    heard = f"{listening} process{'' if listening == 1 else 'es'} listen{'s' if listening == 1 else ''}"
    heard += f", Redis connects {woken}" if woken else ""
    last = f"the last event is {min(ages):.0f} s old" if ages else "no event is kept"
    return ok(f"{heard if listening else 'No page is open, so nobody listens'}; {last}.", **details)


def _is_watched() -> bool:
    with connections[PORTAL].cursor() as cursor:
        cursor.execute(_HOLDER, [LOCK])
        return bool((cursor.fetchone() or (False,))[0])
