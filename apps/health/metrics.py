"""Numbers for Prometheus, in its text format 0.0.4.

Requests are counted in the memory of the web process, of which there is one. Everything else is looked up when it is
asked for; what asks the source for rows is asked at most every fifteen seconds.
"""

from __future__ import annotations

import re
import shutil
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db.models import Max
from django.utils import timezone

from apps.grafana import standing
from apps.health import probes, processes
from apps.health.findings import State
from apps.mirror.models import PlatformAlert, SystemMetric
from apps.mirror.states import HOST_SILENT_AFTER
from apps.triage.overlay import needs_attention

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds."""
KEPT_SECONDS: Final = 15.0

REMEMBERED_FOR: Final = timedelta(days=1)
"""A host that has been silent for longer was taken away, as far as a gauge can tell."""

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Family:
    """A metric with its samples: (suffix of the name, labels, value)."""

    name: str
    kind: str
    help: str
    samples: Iterable[tuple[str, Labels, float]]


def render(families: Iterable[Family]) -> str:
    """The exposition; families without a sample are left out."""
    lines: list[str] = []
    for family in families:
        samples = list(family.samples)
        if samples:
            text = family.help.replace("\\", r"\\").replace("\n", r"\n")
            lines += [f"# HELP {family.name} {text}", f"# TYPE {family.name} {family.kind}"]
        lines += (f"{family.name}{suffix}{_labels(labels)} {_number(value)}" for suffix, labels, value in samples)
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = (
        '{}="{}"'.format(name, re.sub(r'([\\"])', r"\\\1", value).replace("\n", r"\n"))
        for name, value in labels.items()
    )
    return "{" + ",".join(pairs) + "}"


def _number(value: float) -> str:
    return repr(int(value)) if float(value).is_integer() else repr(float(value))


@dataclass
class _Series:
    """The durations of one route: a count for each bucket and for what is longer, and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0


class RequestCounter:
    """Requests by route, method and status, and how long they took by route; for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: dict[tuple[str, str, int], int] = {}
        self._durations: dict[str, _Series] = {}

    def note(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request was answered."""
        key = (route, method, status)
        with self._lock:
            self._answered[key] = self._answered.get(key, 0) + 1
            series = self._durations.setdefault(route, _Series())
            series.counts[bisect_left(BUCKETS, seconds)] += 1
            series.total += seconds

    def families(self) -> list[Family]:
        """What was counted since the process started."""
        with self._lock:
            answered = dict(self._answered)
            durations = {route: (list(series.counts), series.total) for route, series in self._durations.items()}
        return [
            Family(
                "vptmonitor_http_requests_total",
                "counter",
                "Requests answered since the web process started.",
                [("", {"route": r, "method": m, "status": str(s)}, n) for (r, m, s), n in sorted(answered.items())],
            ),
            Family(
                "vptmonitor_http_request_duration_seconds",
                "histogram",
                "Time to answer a request.",
                [sample for route, found in sorted(durations.items()) for sample in _histogram(route, *found)],
            ),
        ]


def _histogram(route: str, counts: list[int], total: float) -> Iterator[tuple[str, Labels, float]]:
    running = 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        running += count
        yield "_bucket", {"route": route, "le": bound}, running
    yield "_sum", {"route": route}, total
    yield "_count", {"route": route}, running


REQUESTS: Final = RequestCounter()


@dataclass(frozen=True)
class Fleet:
    """What goes on in the labs, over all teams. None where the source lacks the table or is away."""

    active_alerts: int | None
    silent_hosts: int | None
    hosts: int | None


_fleet_lock = threading.Lock()
_fleet: tuple[float, Fleet] | None = None


def fleet() -> Fleet:
    """The numbers of a source that answers, not older than `KEPT_SECONDS`; one thread asks, the others wait for it."""
    global _fleet
    with _fleet_lock:
        if _fleet is None or time.monotonic() - _fleet[0] >= KEPT_SECONDS:
            _fleet = time.monotonic(), _ask_for_fleet()
        return _fleet[1]


def forget() -> None:
    """Look anew at the next question; for tests."""
    global _fleet
    with _fleet_lock:
        _fleet = None


def _ask_for_fleet() -> Fleet:
    now = timezone.now()
    try:
        alerts = needs_attention(PlatformAlert.objects.all()).count()
        pings = SystemMetric.objects.filter(timestamp__gte=now - REMEMBERED_FOR)
        pings = pings.exclude(host_name=SystemMetric.SERVER_HOST)
        latest = [row["latest"] for row in pings.values("host_name").annotate(latest=Max("timestamp")).order_by()]
    except DatabaseProblem:
        return Fleet(None, None, None)
    return Fleet(alerts, sum(moment < now - HOST_SILENT_AFTER for moment in latest), len(latest))


def families(*, with_fleet: bool) -> Iterator[Family]:
    """Everything there is to tell; of the labs only `with_fleet`, since that counts the rows of all teams."""
    yield Family("vptmonitor_build_info", "gauge", "The version.", [("", {"version": settings.VERSION}, 1)])
    yield from REQUESTS.families()
    found = probes.readiness()
    up = {"portal": found.portal, "source": found.source}
    yield Family(
        "vptmonitor_database_up",
        "gauge",
        "Whether the database answers.",
        [("", {"database": name}, float(state is not State.FAILING)) for name, state in up.items()],
    )
    rows = processes.read()
    yield Family(
        "vptmonitor_process_up",
        "gauge",
        "Whether the process runs.",
        [("", {"process": row.name}, float(row.state is State.OK)) for row in rows],
    )
    yield Family(
        "vptmonitor_process_restarts_total",
        "counter",
        "Restarts since the process's supervisor started.",
        [("", {"process": row.name}, row.restarts) for row in rows],
    )
    if found.portal is not State.FAILING:
        yield from _sync()
    free = shutil.disk_usage(settings.DATA_DIR).free
    yield Family("vptmonitor_disk_free_bytes", "gauge", "Free space where the portal keeps its data.", [("", {}, free)])
    if with_fleet and found.source is not State.FAILING:
        counted = fleet()
        yield from _gauge("vptmonitor_alerts_active", "Active alerts that nobody has taken.", counted.active_alerts)
        yield from _gauge("vptmonitor_hosts_silent", "Hosts that missed two pings.", counted.silent_hosts)
        yield from _gauge("vptmonitor_hosts", "Hosts that pinged within a day.", counted.hosts)


def _sync() -> Iterator[Family]:
    """How the dashboards stand in each Grafana: by the last sync, so that one which is away changes nothing here."""
    try:
        counts, runs = standing.counts(), standing.last_runs()
    except DatabaseProblem:
        return
    yield Family(
        "vptmonitor_dashboards",
        "gauge",
        "Registered dashboards in each Grafana, by state.",
        [("", {"grafana": name, "state": state}, number) for (name, state), number in sorted(counts.items())],
    )
    yield Family(
        "vptmonitor_sync_last_run_timestamp_seconds",
        "gauge",
        "When a sync that could read this Grafana ended last.",
        [("", {"grafana": name}, at) for name, at in sorted(runs.items())],
    )


def _gauge(name: str, text: str, value: int | None) -> Iterator[Family]:
    if value is not None:
        yield Family(name, "gauge", text, [("", {}, value)])
