"""What the page of one device shows beside its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.accounts.audit import without_secrets
from apps.accounts.scope import TeamScope
from apps.mirror import shape
from apps.mirror.models import Controller, Deployment, Device, PlatformAlert
from apps.portal.components import Series
from apps.portal.selectors import recent, system
from apps.portal.selectors.alerts import AlertRow
from apps.portal.selectors.fleet import DeviceStatus, fleet
from apps.portal.selectors.recent import Run, Success
from apps.triage.overlay import decisions_about

SHOWN_ALERTS = 8
SHOWN_RUNS = 12
STRIP_RUNS = 50


@dataclass(frozen=True, slots=True)
class DeviceDetails:
    """A device, its neighbours of the same identity on other hosts, and its history."""

    status: DeviceStatus
    elsewhere: Sequence[DeviceStatus]
    row: Device | None
    controllers: Sequence[Controller]
    has_controllers: bool
    configuration: Any
    alerts: Sequence[AlertRow]
    runs: Sequence[Run]
    success: Success
    deployments: Sequence[Deployment]
    charts: Sequence[tuple[str, str, Sequence[Series]]]

    @property
    def answer(self) -> str:
        """The sentence that the page opens with."""
        status = self.status
        why = f": {status.reason}" if status.reason else ""
        if status.state == "ok":
            return "It is well: it answers, and no alert is active."
        return f"{status.state.capitalize()}{why}." if status.state != "unknown" else f"Its state is unknown{why}."


def by_id(*, scope: TeamScope, now: datetime, id: UUID) -> DeviceDetails | None:
    """The device of the table `device` with this id, or None when there is none that `scope` may see.

    Where several hosts report it, its page is about the most urgent one.
    """
    row = Device.objects.visible_to(scope).filter(pk=id).first()
    if row is None:
        return None
    first, *others = (one for one in fleet(scope=scope, now=now, name=row.name) if one.id == row.id)
    return _details(scope, now, first, others, row)


def on_host(*, scope: TeamScope, now: datetime, host: str, device_id: str) -> DeviceDetails | None:
    """The device that `host` calls `device_id`, or None when it reports none that `scope` may see."""
    for status in fleet(scope=scope, now=now, host=host):
        if status.device_id == device_id:
            row = Device.objects.visible_to(scope).filter(pk=status.id).first() if status.id else None
            return _details(scope, now, status, [], row)
    return None


def _details(
    scope: TeamScope, now: datetime, status: DeviceStatus, elsewhere: Sequence[DeviceStatus], row: Device | None
) -> DeviceDetails:
    """Eight queries at most, whatever the device did."""
    place = {"host_name": status.host, "device_id": status.device_id}
    reported = bool(status.host)
    alerts = PlatformAlert.objects.visible_to(scope).filter(**place).latest_first().defer("metadata")
    deployments = Deployment.objects.visible_to(scope).filter(**place).order_by("status", "name", "id")
    controllers = (
        Controller.objects.visible_to(scope).filter(device_id=row.pk).order_by("type", "name", "id") if row else []
    )
    return DeviceDetails(
        status=status,
        elsewhere=elsewhere,
        row=row,
        controllers=list(controllers),
        has_controllers=shape.has_table(Controller),
        configuration=without_secrets(row.controller_configs) if row else None,
        alerts=_with_decisions(list(alerts[:SHOWN_ALERTS]), now) if reported else [],
        runs=recent.of_device(
            scope=scope, now=now, host=status.host, device=status.name, id=status.id, limit=STRIP_RUNS
        ),
        success=recent.success(scope=scope, now=now, host=status.host, device=status.name),
        deployments=list(deployments[:50]) if reported else [],
        charts=system.device_charts(scope=scope, host=status.host, device_id=status.device_id, now=now)
        if reported
        else [],
    )


def _with_decisions(alerts: Sequence[PlatformAlert], now: datetime) -> list[AlertRow]:
    decisions = decisions_about(alert.pk for alert in alerts)
    return [AlertRow(alert, decisions.get(alert.pk), now) for alert in alerts]
