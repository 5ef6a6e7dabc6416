"""What the first page answers: is anything broken, what runs, and how does today go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from apps.accounts.scope import TeamScope
from apps.mirror import states
from apps.mirror.models import PlatformAlert
from apps.portal import links
from apps.portal.components import State
from apps.portal.selectors import fleet, recent, system
from apps.portal.selectors.fleet import DeviceStatus
from apps.portal.selectors.recent import Run, Success
from apps.portal.selectors.system import HostStatus
from apps.triage.overlay import needs_attention


@dataclass(frozen=True, slots=True)
class AlertType:
    """All active alerts of one type."""

    incident_type: str
    count: int
    oldest: datetime | None

    @property
    def words(self) -> str:
        return self.incident_type.replace("_", " ")

    @property
    def state(self) -> State:
        return "failing" if self.incident_type in fleet.BREAKING_ALERTS else "warning"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that needs attention: a host, with the silent devices on it, or a single device."""

    name: str
    kind: str
    where: str
    url: str
    state: State
    reason: str
    last_ping: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of everything that the viewer may see, at `now`."""

    now: datetime
    devices: Sequence[DeviceStatus]
    hosts: Sequence[HostStatus]
    alerts: Sequence[AlertType]
    running: Sequence[Run]
    more_running: bool
    latest: Sequence[Run]
    success: Success

    @property
    def troubles(self) -> list[Trouble]:
        """What needs attention, worst first. A silent host stands for its silent devices."""
        silent = {host.name for host in self.hosts if host.state == states.SILENT and not host.is_server}
        found = [_host(host, self.devices) for host in self.hosts if host.needs_attention]
        found += [
            _device(device)
            for device in self.devices
            if device.needs_attention and not (device.state == states.SILENT and device.host in silent)
        ]
        order: list[State] = ["failing", "silent", "warning"]
        return sorted(found, key=lambda one: (order.index(one.state), one.kind == "device", one.where, one.name))

    def with_devices(self, runs: Sequence[Run]) -> list[tuple[Run, str]]:
        """The runs, each with the page of its device; empty for a device that is not known."""
        places = {(device.host, device.name): device.url for device in self.devices}
        return [
            (run, links.page("device", run.device_row) if run.device_row else places.get((run.host, run.device), ""))
            for run in runs
        ]

    @property
    def alert_count(self) -> int:
        return sum(alert.count for alert in self.alerts)

    @property
    def answer(self) -> str:
        """The sentence that the page opens with."""
        devices = sum(device.needs_attention for device in self.devices)
        hosts = sum(host.needs_attention and not host.is_server for host in self.hosts)
        servers = sum(host.needs_attention and host.is_server for host in self.hosts)
        if not self.devices and not self.hosts:
            return "Nothing is known yet: no host has pinged and no device is listed."
        if not devices and not hosts and not servers:
            unknown = sum(device.state == states.UNKNOWN for device in self.devices)
            if unknown:
                return f"Nothing is known to be broken; the state of {_count(unknown, 'device')} is unknown."
            return "Everything is well."
        counts = (devices, "device"), (hosts, "host"), (servers, "server")
        *most, last = (_count(count, noun) for count, noun in counts if count)
        named = f"{', '.join(most)} and {last}" if most else last
        return f"{named} {'needs' if devices + hosts + servers == 1 else 'need'} attention."

    @property
    def data_at(self) -> datetime | None:
        """When a host pinged last: the age of what this page knows."""
        pings = [host.last_ping for host in self.hosts] + [device.last_ping for device in self.devices]
        return max((at for at in pings if at is not None), default=None)


def overview(*, scope: TeamScope, now: datetime) -> Overview:
    """Everything on the first page. Fourteen queries, however many rows there are."""
    running, more = recent.running(scope=scope, now=now)
    return Overview(
        now=now,
        devices=fleet.fleet(scope=scope, now=now),
        hosts=system.hosts(scope=scope, now=now),
        alerts=active_alerts(scope=scope),
        running=running,
        more_running=more,
        latest=recent.latest(scope=scope, now=now),
        success=recent.success(scope=scope, now=now),
    )


def active_alerts(*, scope: TeamScope) -> list[AlertType]:
    """The alerts that need attention by type, breaking ones first, then the most frequent. Two queries."""
    rows = (
        needs_attention(PlatformAlert.objects.visible_to(scope))
        .order_by()
        .values("incident_type")
        .annotate(count=Count("pk"), oldest=Min("start_time"))
    )
    found = [AlertType(row["incident_type"] or "unknown", row["count"], row["oldest"]) for row in rows]
    return sorted(found, key=lambda one: (one.state != "failing", -one.count, one.incident_type))


def _host(host: HostStatus, devices: Sequence[DeviceStatus]) -> Trouble:
    lost = sum(device.host == host.name and device.state == states.SILENT for device in devices)
    reason = f"{host.reason}, {_count(lost, 'device')} with it" if lost and host.state == states.SILENT else host.reason
    return Trouble(host.name or "unnamed", host.kind, "", host.url, host.state, reason, host.last_ping)


def _device(device: DeviceStatus) -> Trouble:
    return Trouble(device.name, "device", device.host, device.url, device.state, device.reason, device.last_ping)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
