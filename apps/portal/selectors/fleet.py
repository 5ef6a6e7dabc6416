"""The devices of the fleet and how each is, put together from the tables that each know a part of it.

`device` has a device's name, model and team under an id; the hosts' metrics, flags and alerts call it by their own
`device_id` (`device1`) and its name. They are joined by name, and where the host belongs to teams, only to a device of
one of these. Devices that only a host knows are shown as well.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote
from uuid import UUID

from django.db.models import Count, Max, Min
from django.urls import reverse

from apps.accounts.models import HostTeam
from apps.accounts.scope import TeamScope
from apps.mirror import shape, states
from apps.mirror.models import Device, DeviceFlag, PlatformAlert, SystemDeviceMetric, Team
from apps.portal.components import State
from apps.portal.selectors import limits
from apps.triage.overlay import needs_attention

BREAKING_ALERTS: Final = frozenset({"blackscreen", "freeze", "errors"})
"""Alerts that mean a device cannot be tested on; others, such as macroblocks, are warnings."""
HOST_ITSELF: Final = "host"
"""The `device_id` of alerts about a host rather than one of its devices."""
SERVICE_BROKEN: Final = frozenset({"stuck", "stopped"})
"""What hosts report of a capture or monitor service that does not work; `unknown` is no verdict."""
ATTENTION: Final[tuple[State, ...]] = ("failing", "silent", "warning")
"""States that somebody should look at, worst first."""
URGENCY: Final[tuple[State, ...]] = (*ATTENTION, "unknown", "running", "queued", "skipped", "ok")
STORED_STATES: Final[Mapping[str, State]] = {
    "online": "ok", "active": "ok", "available": "ok", "ready": "ok", "ok": "ok", "idle": "ok",
    "busy": "running", "running": "running", "in_use": "running",
    "offline": "silent", "unreachable": "silent", "disconnected": "silent",
    "error": "failing", "failed": "failing", "broken": "failing",
    "maintenance": "skipped", "disabled": "skipped", "inactive": "skipped",
}  # fmt: skip
"""What `device.status` may say, for devices that no host reports. The column binds no words."""


@dataclass(frozen=True, slots=True)
class AlertCount:
    """Active alerts of one type on one device."""

    incident_type: str
    count: int
    oldest: datetime | None
    device_name: str = ""

    @property
    def state(self) -> State:
        """How bad it is."""
        return "failing" if self.incident_type in BREAKING_ALERTS else "warning"

    @property
    def words(self) -> str:
        """`audio loss`, `freeze ×3`."""
        name = self.incident_type.replace("_", " ")
        return name if self.count == 1 else f"{name} ×{self.count}"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """A device and how it is. `host` and `device_id` are empty when no host reports it, `id` is None when only a host
    knows it. `reasons` say why the state is not ok, worst first. Measurements are per cent and degrees Celsius."""

    host: str
    device_id: str
    name: str
    model: str
    team_id: UUID | None
    team: str
    id: UUID | None
    state: State
    reasons: tuple[str, ...] = ()
    last_ping: datetime | None = None
    capture: str = "unknown"
    monitor: str = "unknown"
    cpu: float | None = None
    memory: float | None = None
    temperature: float | None = None
    alerts: tuple[AlertCount, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why the state is not ok, in one line."""
        return ", ".join(self.reasons)

    @property
    def alert_count(self) -> int:
        """How many alerts are active on it."""
        return sum(alert.count for alert in self.alerts)

    @property
    def url(self) -> str:
        """The page of the device."""
        if self.id is not None:
            return reverse("portal:device", args=[self.id])
        return f"{reverse('portal:device-on-host')}?host={quote(self.host)}&device={quote(self.device_id)}"

    @property
    def needs_attention(self) -> bool:
        return self.state in ATTENTION


def fleet(*, scope: TeamScope, now: datetime, host: str | None = None, name: str | None = None) -> list[DeviceStatus]:
    """The devices that `scope` may see: hosts with the most urgent device first, and so within each host.

    `host` or `name` narrow it to one host's devices or to devices of one name. Seven queries: devices, teams,
    newest metrics, flags, alerts, the decisions about them, hosts' teams.
    """
    narrow = {"host_name": host} if host is not None else {}
    named = {"device_name": name} if name is not None else {}
    devices = _devices(scope, name)
    teams = dict(Team.objects.visible_to(scope).values_list("id", "name"))
    hosts_teams = _teams_of_hosts(scope)
    samples: dict[tuple[str, str], SystemDeviceMetric] = {
        (row.host_name or "", row.device_id or ""): row
        for row in SystemDeviceMetric.objects.visible_to(scope)
        .filter(**narrow, **named)
        .latest_per("host_name", "device_id", since=now - limits.LOOK_BACK)
        .only(*_SAMPLE_FIELDS)
    }
    flags: dict[tuple[str, str], DeviceFlag] = {
        (row.host_name or "", row.device_id or ""): row
        for row in DeviceFlag.objects.visible_to(scope).filter(**narrow, **named)
    }
    alerts = _active_alerts(scope, narrow)
    by_name = defaultdict(list)
    for device in devices:
        by_name[device.name].append(device)
    found, placed = [], set()
    named_by_alert = {
        key: counts[0].device_name
        for key, counts in alerts.items()
        if key[1] != HOST_ITSELF and name in (None, counts[0].device_name)
    }
    for key in samples.keys() | flags.keys() | named_by_alert.keys():
        sample, flag = samples.get(key), flags.get(key)
        known_as = (
            (sample.device_name if sample else "")
            or (flag.device_name if flag else "")
            or named_by_alert.get(key, "")
            or key[1]
        )
        of_host = hosts_teams.get(key[0], frozenset())
        known = _of_team(by_name.get(known_as, ()), of_host)
        if known is not None:
            placed.add(known.id)
        team_id = known.team_id if known else next(iter(sorted(of_host)), None)
        counts = alerts.get(key, ())
        state, reasons = _judge(sample, counts, now)
        found.append(
            DeviceStatus(
                host=key[0],
                device_id=key[1],
                name=known_as or "unnamed",
                model=(known.model if known else None) or (sample.device_model if sample else None) or "",
                team_id=team_id,
                team=teams.get(team_id, "") if team_id else "",
                id=known.id if known else None,
                state=state,
                reasons=reasons,
                last_ping=sample.timestamp if sample else None,
                capture=(sample.ffmpeg_status if sample else None) or "unknown",
                monitor=(sample.monitor_status if sample else None) or "unknown",
                cpu=sample.cpu_percent if sample else None,
                memory=sample.memory_percent if sample else None,
                temperature=sample.cpu_temperature_celsius if sample else None,
                alerts=counts,
                flags=tuple(flag.flags or ()) if flag else (),
            )
        )
    if host is None:
        found += [_stored(device, teams) for device in devices if device.id not in placed]
    return _most_urgent_first(found)


_SAMPLE_FIELDS = (
    "host_name",
    "device_id",
    "device_name",
    "device_model",
    "timestamp",
    "ffmpeg_status",
    "monitor_status",
    "cpu_percent",
    "memory_percent",
    "disk_percent",
    "cpu_temperature_celsius",
)


def answer(devices: Sequence[DeviceStatus]) -> str:
    """The sentence that the page of devices opens with."""
    if not devices:
        return "No devices are known."
    counts = Counter(device.state for device in devices)
    worried = sum(counts[state] for state in ATTENTION)
    whole = f"{len(devices)} {_plural(len(devices), 'device')}"
    rest = f" {counts['unknown']} of unknown state." if counts["unknown"] else ""
    if not worried:
        known = len(devices) - counts["unknown"]
        if rest:
            return f"{known} of {whole} {'is' if known == 1 else 'are'} known to be well.{rest}"
        return f"All {whole} are well." if known > 1 else "The one device is well."
    parts = [f"{counts[state]} {state}" for state in ATTENTION if counts[state]]
    verb = "needs" if worried == 1 else "need"
    return f"{worried} of {whole} {verb} attention: {', '.join(parts)}.{rest}"


def counts_by_state(devices: Iterable[DeviceStatus]) -> dict[State, int]:
    """How many devices are in each state, most urgent first, states without a device left out."""
    counts = Counter(device.state for device in devices)
    return {state: counts[state] for state in URGENCY if counts[state]}


def by_host(devices: Iterable[DeviceStatus]) -> list[tuple[str, list[DeviceStatus]]]:
    """The devices of each host, in the order in which hosts appear; the host is empty for unplaced devices."""
    groups: dict[str, list[DeviceStatus]] = {}
    for device in devices:
        groups.setdefault(device.host, []).append(device)
    return list(groups.items())


def _devices(scope: TeamScope, name: str | None) -> list[Device]:
    rows = Device.objects.visible_to(scope).only("id", "name", "model", "status", "team_id", "updated_at")
    return list((rows if name is None else rows.filter(name=name)).order_by("name", "id"))


def _teams_of_hosts(scope: TeamScope) -> dict[str, frozenset[UUID]]:
    rows = HostTeam.objects.all()
    if not scope.everything:
        rows = rows.filter(team_id__in=scope.team_ids)
    found: dict[str, set[UUID]] = defaultdict(set)
    for host, team in rows.values_list("host_name", "team_id"):
        found[host].add(team)
    return {host: frozenset(teams) for host, teams in found.items()}


def _active_alerts(scope: TeamScope, narrow: Mapping[str, str]) -> dict[tuple[str, str], tuple[AlertCount, ...]]:
    """Active alerts by host and device id, breaking ones first."""
    found: dict[tuple[str, str], list[AlertCount]] = defaultdict(list)
    rows = (
        needs_attention(PlatformAlert.objects.visible_to(scope))
        .filter(**narrow)
        .order_by()
        .values("host_name", "device_id", "incident_type")
        .annotate(count=Count("pk"), oldest=Min("start_time"), named=Max("device_name"))
    )
    for row in rows:
        key = row["host_name"] or "", row["device_id"] or ""
        found[key].append(
            AlertCount(row["incident_type"] or "unknown", row["count"], row["oldest"], row["named"] or "")
        )
    return {
        key: tuple(sorted(counts, key=lambda one: (one.incident_type not in BREAKING_ALERTS, one.incident_type)))
        for key, counts in found.items()
    }


def _of_team(candidates: Sequence[Device], teams: frozenset[UUID]) -> Device | None:
    """The device of that name: of the host's teams where it has some, else only when there is no other to confuse."""
    if teams:
        candidates = [device for device in candidates if device.team_id in teams]
        return candidates[0] if candidates else None
    return candidates[0] if len(candidates) == 1 else None


def _judge(
    sample: SystemDeviceMetric | None, alerts: Sequence[AlertCount], now: datetime
) -> tuple[State, tuple[str, ...]]:
    """The state of a device that a host reports, and why."""
    failing = [alert.words for alert in alerts if alert.incident_type in BREAKING_ALERTS]
    warning = [alert.words for alert in alerts if alert.incident_type not in BREAKING_ALERTS]
    if not shape.has_table(SystemDeviceMetric):
        return (states.FAILING if failing else states.UNKNOWN), (*failing, *warning, "this database keeps no pings")
    if sample is None or sample.timestamp is None:
        return states.UNKNOWN, ("no ping in the last 24 h", *failing, *warning)
    quiet = now - sample.timestamp
    if quiet > states.HOST_SILENT_AFTER:
        return states.SILENT, (limits.silence(quiet), *failing, *warning)
    if sample.ffmpeg_status in SERVICE_BROKEN:
        failing.append(f"capture {sample.ffmpeg_status}")
    if sample.monitor_status in SERVICE_BROKEN:
        warning.append(f"monitor {sample.monitor_status}")
    # CPU, memory and disk are the host's: its own page warns of them, once instead of once per device.
    if failing:
        return states.FAILING, (*failing, *warning)
    return (states.WARNING if warning else states.OK), tuple(warning)


def _stored(device: Device, teams: Mapping[UUID, str]) -> DeviceStatus:
    """A device that no host reports: all that is known is what its row says."""
    word = (device.status or "").strip().lower()
    state: State = STORED_STATES.get(word, "unknown")
    reason = f"its row says “{device.status}”" if word else "no host reports a device of this name"
    return DeviceStatus(
        host="",
        device_id="",
        name=device.name or "unnamed",
        model=device.model or "",
        team_id=device.team_id,
        team=teams.get(device.team_id, ""),
        id=device.id,
        state=state,
        reasons=() if state == "ok" else (reason,),
    )


def _most_urgent_first(devices: list[DeviceStatus]) -> list[DeviceStatus]:
    worst: dict[str, int] = {}
    for device in devices:
        worst[device.host] = min(worst.get(device.host, len(URGENCY)), URGENCY.index(device.state))
    return sorted(
        devices,
        key=lambda one: (
            not one.host, worst[one.host], one.host, URGENCY.index(one.state), one.name.casefold(), one.device_id
        ),
    )  # fmt: skip


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
