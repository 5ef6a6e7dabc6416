"""Rows for the tests of pages: what hosts of two teams would have written by `NOW`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.mirror.models import Device, PlatformAlert, ScriptResult, SystemDeviceMetric, SystemMetric
from tests.people import HOST_A, TEAM_A


def ago(**span: float) -> datetime:
    """This moment but for a span."""
    return timezone.now() - timedelta(**span)


def ping_of_device(host: str = HOST_A, device_id: str = "device1", name: str = "Box", **values: Any) -> None:
    """A host's word about a device, one minute old unless said otherwise."""
    values = {"timestamp": ago(minutes=1), "ffmpeg_status": "active", "monitor_status": "active"} | values
    SystemDeviceMetric.objects.create(
        host_name=host, device_id=device_id, device_name=name, device_port="1", device_model="stb",
        capture_folder="capture1", **values,
    )  # fmt: skip


def ping_of_host(host: str = HOST_A, **values: Any) -> None:
    """A host's word about itself, one minute old unless said otherwise."""
    values = {"timestamp": ago(minutes=1), "cpu_percent": 10, "memory_percent": 20, "disk_percent": 30} | values
    SystemMetric.objects.create(host_name=host, **values)


def device(name: str = "Box", team_id: UUID = TEAM_A, **values: Any) -> Device:
    """A row of the table of devices."""
    made: Device = Device.objects.create(name=name, team_id=team_id, model="stb", **values)
    return made


def alert(host: str = HOST_A, device_id: str = "device1", kind: str = "freeze", **values: Any) -> PlatformAlert:
    """An active alert, ten minutes old unless said otherwise."""
    values = {"device_name": "Box", "start_time": ago(minutes=10)} | values
    made: PlatformAlert = PlatformAlert.objects.create(
        host_name=host, device_id=device_id, incident_type=kind, **values
    )
    return made


def script(
    name: str = "goto", host: str = HOST_A, device_name: str = "Box", team_id: UUID = TEAM_A, **values: Any
) -> ScriptResult:
    """A script that went well in five seconds, five minutes ago unless said otherwise."""
    started = values.pop("started_at", ago(minutes=5))
    values = {"success": True, "execution_time_ms": 5000, "completed_at": started + timedelta(seconds=5)} | values
    made: ScriptResult = ScriptResult.objects.create(
        script_name=name, script_type=name, host_name=host, device_name=device_name, team_id=team_id,
        started_at=started, **values,
    )  # fmt: skip
    return made


def running_script(**values: Any) -> ScriptResult:
    """A script under way: its row says success = false and no duration, as the platform writes it."""
    started = values.pop("started_at", ago(minutes=2))
    return script(started_at=started, completed_at=started, success=False, execution_time_ms=None, **values)
