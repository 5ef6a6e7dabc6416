"""What hosts and servers say about themselves and their devices again and again, and incidents of their services."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from math import sin
from random import Random
from typing import Any, Final

from apps.mirror.demo.cast import SERVERS, Device, Host
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.plan import new_id
from apps.mirror.demo.rhythm import HOST_PING, METRIC_DAYS, SERVER_PING, Story, activity
from apps.mirror.demo.stream import Row

SPEED_TEST: Final = timedelta(minutes=10)


def ticks(start: datetime, end: datetime, every: timedelta) -> Iterator[datetime]:
    """The multiples of `every` (since the epoch) in [start, end)."""
    seconds = int(every.total_seconds())
    at = start.replace(microsecond=0) + timedelta(seconds=-int(start.timestamp()) % seconds)
    if at < start:
        at += every
    while at < end:
        yield at
        at += every


def _uptime(name: str, at: datetime, days: int) -> int:
    """Seconds since the last start: machines start again every `days` days, each at its own hour."""
    return (int(at.timestamp()) + _phase(name)) % (days * 86_400)


@cache
def _phase(name: str) -> int:
    return sum(map(ord, name)) * 7919


def host_ping(host: Host, at: datetime, rng: Random, busy: float = 0.3) -> dict[str, Any]:
    """One row of a host's ping; `busy` is its load, 0 to about 1.5."""
    noise = rng.random
    cpu = 18 + 45 * busy + 10 * noise()
    load = 0.4 + 2.4 * busy + 0.5 * noise()
    tested = at - timedelta(seconds=int(at.timestamp()) % SPEED_TEST.total_seconds())
    uptime = _uptime(host.name, at, 9 + host.index)
    return {
        "host_name": host.name,
        "timestamp": at,
        "cpu_percent": round(min(99.0, cpu), 1),
        "memory_percent": round(41 + host.index % 4 * 4 + 12 * busy + 2 * noise(), 1),
        "disk_percent": round(48 + host.index % 5 * 5 + uptime / 86_400 * 1.4, 1),
        "uptime_seconds": uptime,
        "platform": "Linux",
        "architecture": "aarch64",
        "ffmpeg_status": {},
        "monitor_status": {},
        "ffmpeg_service_uptime_seconds": min(uptime, _uptime(host.name + "f", at, 2)),
        "monitor_service_uptime_seconds": min(uptime, _uptime(host.name + "m", at, 3)),
        "cpu_temperature_celsius": round(45 + 16 * busy + 3 * noise() + 2 * sin(at.hour / 3.8), 1),
        "load_average_1m": round(load, 2),
        "load_average_5m": round(load * 0.92, 2),
        "load_average_15m": round(load * 0.86, 2),
        "download_mbps": round(170 + 60 * noise() - 30 * busy, 2),
        "upload_mbps": round(38 + 14 * noise(), 2),
        "speedtest_last_run": tested,
        "speedtest_age_seconds": int((at - tested).total_seconds()),
        "disk_write_mb_per_sec": round(40 + 180 * busy + 30 * noise(), 2),
    }


def server_ping(name: str, at: datetime, rng: Random) -> dict[str, Any]:
    """One row of a server's ping. Its host is called `server`, whatever its own name."""
    noise = rng.random
    busy = activity(at)
    load = 0.2 + 0.7 * busy + 0.2 * noise()
    tested = at - timedelta(seconds=int(at.timestamp()) % SPEED_TEST.total_seconds())
    uptime = _uptime(name, at, 26)
    return {
        "host_name": "server",
        "server_name": name,
        "timestamp": at,
        "cpu_percent": round(8 + 22 * busy + 6 * noise(), 1),
        "memory_percent": round(37 + 9 * busy + noise(), 1),
        "disk_percent": round(41 + uptime / 86_400 * 0.2, 1),
        "uptime_seconds": uptime,
        "platform": "Linux",
        "architecture": "x86_64",
        "ffmpeg_status": {},
        "monitor_status": {},
        "ffmpeg_service_uptime_seconds": 0,
        "monitor_service_uptime_seconds": 0,
        "cpu_temperature_celsius": None,
        "load_average_1m": round(load, 2),
        "load_average_5m": round(load * 0.95, 2),
        "load_average_15m": round(load * 0.9, 2),
        "download_mbps": round(880 + 50 * noise(), 2),
        "upload_mbps": round(430 + 30 * noise(), 2),
        "speedtest_last_run": tested,
        "speedtest_age_seconds": int((at - tested).total_seconds()),
        "disk_write_mb_per_sec": round(2 + 9 * busy + noise(), 2),
    }


def device_ping(
    device: Device, at: datetime, rng: Random, host: dict[str, Any], illness: float = 0.0
) -> dict[str, Any]:
    """The part of the ping `host` that tells of `device`. Uptimes of its services stay 0, as the platform has it."""
    chance = rng.random()
    stuck = chance < 0.004 + 0.3 * illness
    stopped = not stuck and chance > 0.999 - 0.1 * illness
    capture = "stuck" if stuck else "stopped" if stopped else "active"
    quiet = timedelta(seconds=rng.randrange(3) if capture == "active" else rng.randrange(180, 900))
    return {
        "host_name": device.host.name,
        "device_id": device.port,
        "device_name": device.name,
        "device_port": "unknown",
        "device_model": device.kind.model,
        "capture_folder": device.capture_folder,
        "video_device": device.video_device,
        "timestamp": at,
        **{name: host[name] for name in _SHARED},
        "ffmpeg_status": capture,
        "ffmpeg_uptime_seconds": 0,
        "ffmpeg_last_activity": at - quiet,
        "monitor_status": "active" if chance < 0.9965 or capture != "active" else "stuck",
        "monitor_uptime_seconds": 0,
        "monitor_last_activity": at,
        "disk_usage_capture": f"{2 + device.index % 4 + 0.1 * (at.hour // 3):.1f}G",
    }


_SHARED: Final = (
    "cpu_percent", "memory_percent", "disk_percent", "uptime_seconds", "platform", "architecture",
    "cpu_temperature_celsius", "load_average_1m", "load_average_5m", "load_average_15m",
)  # fmt: skip


def _pings(lab: Lab, story: Story, host: Host) -> Iterator[tuple[datetime, dict[str, Any], Random]]:
    rng = Random(f"pings {lab.seed} {story.until.isoformat()} {host.index}")
    start = max(story.start, story.until - timedelta(days=METRIC_DAYS))
    sick = {device for device in lab.devices if device.host is host and device.index == story.bad_device}
    for at in ticks(start, story.until + timedelta(seconds=1), HOST_PING):
        lost = rng.random() < 0.003
        busy = 0.15 + 0.6 * activity(at) + (0.35 if at.hour >= 22 or at.hour < 1 else 0.0)
        busy += 0.4 * max((story.illness(device, at) for device in sick), default=0.0)
        row = host_ping(host, at + timedelta(milliseconds=rng.randrange(100, 900)), rng, busy)
        if not lost and not story.is_silent(host.name, at):
            yield at, row, rng


def system_metrics(lab: Lab, story: Story) -> Iterator[Row]:
    """Hosts every five minutes, servers every minute, for as long as the platform keeps such rows."""
    for host in lab.hosts:
        ids = Random(f"ping ids {lab.seed} {story.until.isoformat()} {host.index}")
        for _, row, _ in _pings(lab, story, host):
            yield {"id": new_id(ids), **row, "server_name": None, "created_at": row["timestamp"]}
    start = max(story.start, story.until - timedelta(days=METRIC_DAYS))
    for name in SERVERS:
        rng = Random(f"server {lab.seed} {story.until.isoformat()} {name}")
        for at in ticks(start, story.until + timedelta(seconds=1), SERVER_PING):
            yield {"id": new_id(rng), **server_ping(name, at + timedelta(milliseconds=120), rng), "created_at": at}


def system_device_metrics(lab: Lab, story: Story) -> Iterator[Row]:
    """A row for each device with each ping of its host."""
    for host in lab.hosts:
        devices = [device for device in lab.devices if device.host is host]
        ids = Random(f"device pings {lab.seed} {story.until.isoformat()} {host.index}")
        for at, row, _ in _pings(lab, story, host):
            for device in devices:
                told = device_ping(device, row["timestamp"], ids, row, story.illness(device, at))
                yield {"id": new_id(ids), **told, "created_at": row["timestamp"]}


def incident_start(device: Device, component: str, at: datetime) -> dict[str, Any]:
    """The row as it is written when a capture or monitoring service fails."""
    return {
        "host_name": device.host.name,
        "device_id": device.port,
        "device_name": device.name,
        "capture_folder": device.capture_folder,
        "video_device": device.video_device,
        "incident_type": f"{component}_failure",
        "severity": "critical" if component == "ffmpeg" else "high",
        "component": component,
        "status": "open",
        "detected_at": at,
        "description": f"{'FFmpeg' if component == 'ffmpeg' else 'Monitor'} process stuck on {device.name}",
    }


def incident_end(component: str, detected: datetime, ended: datetime) -> dict[str, Any]:
    """What is updated when it works again."""
    return {
        "status": "resolved",
        "resolved_at": ended,
        "total_duration_minutes": int((ended - detected).total_seconds() // 60),
        "resolution_notes": f"Auto-resolved: {'FFmpeg' if component == 'ffmpeg' else 'Monitor'} recovered",
    }


def system_incidents(lab: Lab, story: Story) -> Iterator[Row]:
    """One in a while for each device, many for the one that goes bad; its last one is open."""
    found: list[dict[str, Any]] = []
    for device in lab.devices:
        rng = Random(f"incidents {lab.seed} {story.until.isoformat()} {device.index}")
        at = story.start
        while True:
            calm = 10 - 9.4 * story.illness(device, at)
            at += timedelta(days=rng.expovariate(1 / calm))
            if at >= story.until:
                break
            component = "ffmpeg" if rng.random() < 0.7 else "monitor"
            ended = at + timedelta(minutes=rng.randint(4, 70))
            row = {"incident_uuid": new_id(rng), **incident_start(device, component, at)}
            row |= {"resolved_at": None, "total_duration_minutes": None, "resolution_notes": None}
            if ended < story.until:
                row |= incident_end(component, at, ended)
            found.append({**row, "created_at": at, "updated_at": min(ended, story.until)})
            at = ended
        if story.ends_now and device.index == story.bad_device and not (found and found[-1]["status"] == "open"):
            at = story.until - min(timedelta(minutes=95), (story.until - story.start) / 2)
            row = {"incident_uuid": new_id(rng), **incident_start(device, "ffmpeg", at)}
            row |= {"resolved_at": None, "total_duration_minutes": None, "resolution_notes": None}
            found.append({**row, "created_at": at, "updated_at": at})
    yield from sorted(found, key=lambda row: (row["detected_at"], row["device_name"]))


def device_flags(lab: Lab, story: Story) -> Iterator[Row]:
    for device in lab.devices:
        rng = Random(f"flags {lab.seed} {device.index}")
        flags = ["nightly"] + [flag for flag in ("golden", "4k", "wifi", "spare", "beta") if rng.random() < 0.22]
        if device.index == story.bad_device:
            flags.append("watch")
        yield {
            "id": new_id(rng),
            "host_name": device.host.name,
            "device_id": device.port,
            "device_name": device.name,
            "flags": tuple(flags),
            "created_at": story.start - timedelta(days=100),
            "updated_at": story.start - timedelta(days=2, minutes=device.index),
        }
