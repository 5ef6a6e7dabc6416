"""Hosts and servers: how each is, and what it measured over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar, cast

from django.db.models import Avg, DateTimeField, F, Func, QuerySet, Value
from django.urls import reverse

from apps.accounts.scope import TeamScope
from apps.mirror import states
from apps.mirror.models import Deployment, SystemDeviceMetric, SystemIncident, SystemMetric
from apps.portal.components import Series, State
from apps.portal.selectors import limits

S = TypeVar("S", SystemMetric, SystemDeviceMetric)

URGENCY: Final[tuple[State, ...]] = ("silent", "failing", "warning", "unknown", "ok")
BUCKETS: Final[dict[str, timedelta]] = {
    "1h": timedelta(minutes=1), "6h": timedelta(minutes=5), "24h": timedelta(minutes=10),
    "7d": timedelta(hours=1), "30d": timedelta(hours=4),
}  # fmt: skip
"""How much time one point of a chart stands for, by the range of the chart: at most 180 points."""
LONGEST_PAUSE: Final = timedelta(minutes=12)
"""Points further apart than this, or than two and a half buckets, are not joined by a line."""
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HostStatus:
    """A host or server and how it is. Shares are per cent, speeds megabits per second, temperatures degrees Celsius."""

    name: str
    is_server: bool
    state: State
    reasons: tuple[str, ...]
    last_ping: datetime | None
    cpu: float | None
    memory: float | None
    disk: float | None
    temperature: float | None
    load: float | None
    uptime_seconds: int | None
    download: float | None
    upload: float | None
    speed_at: datetime | None
    platform: str

    @property
    def reason(self) -> str:
        """Why the state is not ok, in one line."""
        return ", ".join(self.reasons)

    @property
    def kind(self) -> str:
        return "server" if self.is_server else "host"

    @property
    def url(self) -> str:
        """The page of the host or server; of the list, for one without a name."""
        if not self.name:
            return reverse("portal:system")
        return reverse("portal:host", args=[self.name]) + ("?kind=server" if self.is_server else "")

    @property
    def needs_attention(self) -> bool:
        return self.state in {states.SILENT, states.FAILING, states.WARNING}


def hosts(*, scope: TeamScope, now: datetime, name: str | None = None, server: bool | None = None) -> list[HostStatus]:
    """The hosts and servers that pinged within the last 24 hours, silent ones first. One query.

    `name` and `server` narrow it to one of them. A host that changed its server counts once, by its newest ping.
    """
    rows = SystemMetric.objects.visible_to(scope)
    if server is True:
        rows = rows.filter(host_name=SystemMetric.SERVER_HOST)
    elif server is False:
        rows = rows.exclude(host_name=SystemMetric.SERVER_HOST)
    if name is not None:
        rows = rows.filter(**{"server_name" if server else "host_name": name})
    newest: dict[tuple[bool, str], SystemMetric] = {}
    for row in rows.latest_per("host_name", "server_name", since=now - limits.LOOK_BACK).only(*_FIELDS):
        is_server = row.is_server
        key = is_server, (row.server_name if is_server else row.host_name) or ""
        if key not in newest or row.timestamp > newest[key].timestamp:
            newest[key] = row
    found = [_status(key[1], key[0], row, now) for key, row in newest.items()]
    return sorted(found, key=lambda one: (URGENCY.index(one.state), not one.is_server, one.name.casefold()))


_FIELDS = (
    "host_name",
    "server_name",
    "timestamp",
    "cpu_percent",
    "memory_percent",
    "disk_percent",
    "cpu_temperature_celsius",
    "load_average_1m",
    "uptime_seconds",
    "download_mbps",
    "upload_mbps",
    "speedtest_last_run",
    "platform",
)


def answer(found: Sequence[HostStatus]) -> str:
    """The sentence that the page of hosts opens with."""
    if not found:
        return "No host or server pinged within the last 24 hours."
    servers = sum(one.is_server for one in found)
    known = _list(
        [_count(len(found) - servers, "host")] * (len(found) > servers) + [_count(servers, "server")] * (servers > 0)
    )
    counts = Counter(one.state for one in found)
    worried = [f"{counts[state]} {state}" for state in URGENCY[:3] if counts[state]]
    if not worried:
        return f"{known} answer{'s' if len(found) == 1 else ''}, none under strain."
    return f"{_list(worried).capitalize()}, of {known}."


def host_charts(*, scope: TeamScope, host: HostStatus, now: datetime, span: str) -> list[tuple[str, str, list[Series]]]:
    """What a host measured over a range (a key of `BUCKETS`): (title, unit, series) per chart. One query."""
    rows = SystemMetric.objects.visible_to(scope)
    if host.is_server:
        rows = rows.filter(host_name=SystemMetric.SERVER_HOST, server_name=host.name)
    else:
        rows = rows.filter(host_name=host.name)
    fields = (
        "cpu_percent", "memory_percent", "disk_percent", "cpu_temperature_celsius",
        "load_average_1m", "load_average_5m", "download_mbps", "upload_mbps",
    )  # fmt: skip
    lines = _lines(rows, fields, now=now, span=span)
    return [
        ("CPU, memory, disk", "%", _series(lines, cpu_percent="CPU", memory_percent="Memory", disk_percent="Disk")),
        ("CPU temperature", "°C", _series(lines, cpu_temperature_celsius="CPU")),
        ("Load", "number", _series(lines, load_average_1m="1 min", load_average_5m="5 min")),
        ("Network", "Mbit/s", _series(lines, download_mbps="Download", upload_mbps="Upload")),
    ]


def device_charts(
    *, scope: TeamScope, host: str, device_id: str, now: datetime, span: str = "24h"
) -> list[tuple[str, str, list[Series]]]:
    """What a host measured for one of its devices: (title, unit, series) per chart. One query."""
    rows = SystemDeviceMetric.objects.visible_to(scope).filter(host_name=host, device_id=device_id)
    lines = _lines(rows, ("cpu_percent", "memory_percent", "cpu_temperature_celsius"), now=now, span=span)
    return [
        ("CPU and memory of its host", "%", _series(lines, cpu_percent="CPU", memory_percent="Memory")),
        ("CPU temperature of its host", "°C", _series(lines, cpu_temperature_celsius="CPU")),
    ]


def incidents(*, scope: TeamScope, host: str, limit: int = 20) -> list[SystemIncident]:
    """The newest incidents of capture and monitoring services on a host. One query."""
    return list(SystemIncident.objects.visible_to(scope).filter(host_name=host).latest_first()[:limit])


def deployments(*, scope: TeamScope, host: str, limit: int = 50) -> list[Deployment]:
    """What is scheduled on a host, active schedules first. One query."""
    rows = Deployment.objects.visible_to(scope).filter(host_name=host)
    return list(rows.order_by("status", "name", "id")[:limit])


Points = list[tuple[datetime, float | None]]


def _lines(rows: QuerySet[S], fields: Sequence[str], *, now: datetime, span: str) -> dict[str, Points]:
    """The mean of each field per bucket, with a gap (None) where the host was away."""
    bucket, width = BUCKETS[span], {"h": "hours", "d": "days"}[span[-1]]
    start = now - timedelta(**{width: int(span[:-1])})
    moment = Func(
        Value(bucket), F("timestamp"), Value(_EPOCH), function="date_bin", output_field=DateTimeField()
    )  # needs PostgreSQL 14
    means = (
        rows.filter(timestamp__gte=start)
        .order_by()
        .annotate(moment=moment)
        .values("moment")
        .annotate(**{f"mean_{name}": Avg(name) for name in fields})
        .order_by("moment")
    )
    pause = max(LONGEST_PAUSE, bucket * 2.5)
    # The ends of the range are on the axis even where nothing was measured: silence until now shows as such.
    lines: dict[str, Points] = {name: [(start, None)] for name in fields}
    before: datetime | None = None
    for row in cast(list[dict[str, Any]], list(means)):
        at = row["moment"]
        if before is not None and at - before > pause:
            for points in lines.values():
                points.append((before + bucket, None))
        for name, points in lines.items():
            points.append((at, row[f"mean_{name}"]))
        before = at
    for points in lines.values():
        points.append((now, None))
    return lines


def _series(lines: dict[str, Points], **labels: str) -> list[Series]:
    """The named lines that hold any value."""
    found = [Series(label, lines[name]) for name, label in labels.items()]
    return [one for one in found if any(value is not None for _, value in one.points)]


def _status(name: str, is_server: bool, row: Any, now: datetime) -> HostStatus:
    quiet = now - row.timestamp
    failing, warning = limits.strain(
        cpu=row.cpu_percent, memory=row.memory_percent, disk=row.disk_percent, temperature=row.cpu_temperature_celsius
    )
    state: State = "failing" if failing else "warning" if warning else "ok"
    reasons = (*failing, *warning)
    if quiet > (states.SERVER_SILENT_AFTER if is_server else states.HOST_SILENT_AFTER):
        state, reasons = "silent", (limits.silence(quiet),)
    return HostStatus(
        name=name,
        is_server=is_server,
        state=state,
        reasons=reasons,
        last_ping=row.timestamp,
        cpu=row.cpu_percent,
        memory=row.memory_percent,
        disk=row.disk_percent,
        temperature=row.cpu_temperature_celsius,
        load=row.load_average_1m,
        uptime_seconds=row.uptime_seconds,
        download=row.download_mbps,
        upload=row.upload_mbps,
        speed_at=row.speedtest_last_run,
        platform=row.platform or "",
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _list(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
