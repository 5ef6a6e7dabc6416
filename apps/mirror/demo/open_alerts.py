"""A new alert takes the place of the one that is open for its device and type, as the platform's hosts do it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Greatest

from apps.mirror.demo.stream import Row
from apps.mirror.models import PlatformAlert


def end_for(rows: Iterable[Row]) -> int:
    """End what is open under the key of each active alert of `rows`, which are not in the table yet, where the new one
    begins; return how many there were."""
    ended = 0
    for row in rows:
        if row["status"] == "active":
            key = {name: row[name] for name in ("host_name", "device_id", "incident_type")}
            start = Value(row["start_time"], DateTimeField())
            end = Greatest(start, F("start_time") + timedelta(seconds=1), output_field=DateTimeField())
            ended += PlatformAlert.objects.filter(status="active", **key).update(status="resolved", end_time=end)
    return ended
