"""What hosts see on the devices' pictures and sound, and the heatmaps that are made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from apps.mirror.demo.cast import Device, Host, Team
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.plan import new_id
from apps.mirror.demo.rhythm import Story, activity
from apps.mirror.demo.rows.execution import REPORTS
from apps.mirror.demo.stream import Row

INCIDENT_TYPES: Final = ("blackscreen", "freeze", "audio_loss", "macroblocks", "errors")
_SHARES: Final = (26, 30, 30, 10, 4)
_MEDIAN_SECONDS: Final = {"blackscreen": 55, "freeze": 80, "audio_loss": 120, "macroblocks": 45, "errors": 300}
ACTIVE_NOW: Final = 8
"""How many alerts are active at any time, about."""
PER_DAY: Final = 2.2
"""Alerts per device on a busy day."""


@dataclass(frozen=True)
class Incident:
    """Something wrong with a device's picture or sound; the host itself has port `host`."""

    id: UUID
    host: Host
    port: str
    name: str
    folder: str
    kind: str
    started: datetime
    seconds: float
    seed: int


def new_incident(rng: Random, device: Device, at: datetime, kind: str | None = None) -> Incident:
    """An incident of `device` at `at`, of a likely kind and length."""
    kind = kind or rng.choices(INCIDENT_TYPES, _SHARES)[0]
    seconds = min(6 * 3600.0, max(31.0, _MEDIAN_SECONDS[kind] * rng.lognormvariate(0, 1.1)))
    port, name = device.port, device.name
    if kind == "errors" and rng.random() < 0.5:
        port, name = "host", f"{device.host.name} (host)"
    return Incident(
        new_id(rng), device.host, port, name, device.capture_folder, kind, at, seconds, rng.getrandbits(32)
    )  # fmt: skip


def alert_start(incident: Incident) -> dict[str, Any]:
    """The row as it is written when the incident has lasted for half a minute."""
    rng = Random(incident.seed)
    frame = rng.randrange(10_000, 90_000)
    key = f"{incident.started:%H%M}"
    base = f"{REPORTS}/alerts/{incident.id.hex[:12]}"
    found: dict[str, Any]
    match incident.kind:
        case "blackscreen":
            found = {"blackscreen": True, "blackscreen_percentage": round(rng.uniform(96, 100), 1)}
        case "freeze":
            found = {"freeze": True, "freeze_diffs": [round(rng.uniform(0, 0.4), 2) for _ in range(3)]}
        case "macroblocks":
            found = {"macroblocks": True, "quality_score": round(rng.uniform(20, 55), 1)}
        case "audio_loss":
            found = {
                "audio": False,
                "volume_percentage": 0,
                "mean_volume_db": round(rng.uniform(-91, -60), 1),
            }
        case _:
            found = {"errors": True, "message": "capture restarted three times within a minute"}
    return {
        "id": incident.id,
        "host_name": incident.host.name,
        "device_id": incident.port,
        "device_name": incident.name,
        "incident_type": incident.kind,
        "status": "active",
        "consecutive_count": 1,
        "start_time": incident.started,
        "metadata": {
            "stream_path": f"/host/stream/{incident.folder}",
            "capture_path": incident.folder,
            **found,
            "last_3_filenames": [f"capture_{frame + n:09d}.jpg" for n in range(3)],
            "last_3_thumbnails": [f"capture_{frame + n:09d}_thumbnail.jpg" for n in range(3)],
            "r2_images": {
                "thumbnail_url": f"{base}/start_thumb.jpg",
                "thumbnail_r2_path": f"alerts/{incident.id.hex[:12]}/start_thumb.jpg",
                "time_key": key,
            },
        },
    }


def alert_end(incident: Incident, metadata: dict[str, Any], ended: datetime) -> dict[str, Any]:
    """What is updated when it is over: never less than a second after the start, and not `updated_at`."""
    pictures = metadata.get("r2_images", {}) | {"closure_url": f"{REPORTS}/alerts/{incident.id.hex[:12]}/end_thumb.jpg"}
    return {
        "status": "resolved",
        "end_time": max(ended, incident.started + timedelta(seconds=1)),
        "metadata": metadata | {"r2_images": pictures},
    }


def alerts(lab: Lab, story: Story) -> Iterator[Row]:
    """All incidents of the story, by time; those of the last hours that are not over are active."""
    incidents: list[tuple[Incident, datetime | None]] = []
    for device in lab.devices:
        rng = Random(f"alerts {lab.seed} {story.until.isoformat()} {device.index}")
        busy_until: dict[str, datetime] = {}
        hour = story.start
        while hour < story.until:
            rate = PER_DAY / 24 * (0.35 + activity(hour)) * device.temper + 0.6 * story.illness(device, hour)
            if rng.random() < rate:
                incident = new_incident(rng, device, hour + timedelta(seconds=rng.randrange(3600)))
                ended = incident.started + timedelta(seconds=incident.seconds)
                free = busy_until.get(incident.kind, story.start)
                if incident.started >= free and ended < story.until and not story.is_silent(device.host.name, ended):
                    incidents.append((incident, ended))
                    busy_until[incident.kind] = ended
            hour += timedelta(hours=1)
    if story.ends_now:
        incidents += [(incident, None) for incident in _active(lab, story)]
    incidents.sort(key=lambda pair: (pair[0].started, pair[0].id))
    for incident, over in incidents:
        yield _whole(incident, over)


def _active(lab: Lab, story: Story) -> list[Incident]:
    rng = Random(f"active {lab.seed} {story.until.isoformat()}")
    sick = [device for device in lab.devices if device.index == story.bad_device]
    others = rng.sample(
        [device for device in lab.devices if device not in sick], k=min(ACTIVE_NOW - 2, len(lab.devices) - len(sick))
    )
    longest = (story.until - story.start).total_seconds() / 2
    found = [
        new_incident(rng, device, story.until - timedelta(seconds=min(longest, rng.uniform(3600, 4 * 3600))), kind)
        for device in sick
        for kind in ("blackscreen", "audio_loss")
    ]
    for device in others:
        seconds = min(longest, rng.choice((90, 200, 420, 900, 1800, 4000)) * rng.uniform(0.7, 1.3))
        at = story.until - timedelta(seconds=seconds)
        if story.is_silent(device.host.name, at):
            at -= timedelta(hours=1)
        found.append(new_incident(rng, device, at, rng.choices(INCIDENT_TYPES[:4], _SHARES[:4])[0]))
    return found


def _whole(incident: Incident, ended: datetime | None) -> Row:
    start = alert_start(incident)
    end: dict[str, Any] = {"end_time": None}
    rng = Random(incident.seed + 1)
    checked = ended is not None and rng.random() < 0.4
    discard = checked and rng.random() < 0.35
    by_person = checked and rng.random() < 0.25
    comment = None
    if discard:
        comment = "The device was in standby."
        if by_person:
            comment += "\n\nHuman: yes, planned"
    if ended is not None:
        end = alert_end(incident, start["metadata"], ended)
    return {
        **start,
        **end,
        "created_at": incident.started + timedelta(seconds=30),
        "updated_at": (ended + timedelta(minutes=2))
        if ended is not None and checked
        else incident.started + timedelta(seconds=30),
        "checked": checked,
        "check_type": ("ai_and_human" if by_person else "ai") if checked else None,
        "discard": discard,
        "discard_comment": comment,
    }


def heatmap(rng: Random, team: Team, at: datetime, included: int, total: int, incidents: int) -> dict[str, Any]:
    """A report: `included` of `total` hosts answered."""
    base = f"heatmaps/{team.id.hex[:8]}/{at:%Y%m%d_%H%M}"
    return {
        "id": new_id(rng),
        "team_id": team.id,
        "timestamp": f"{at:%Y%m%d%H%M%S}",
        "job_id": new_id(rng),
        "mosaic_r2_path": f"{base}/mosaic.jpg",
        "mosaic_r2_url": f"{REPORTS}/{base}/mosaic.jpg",
        "metadata_r2_path": f"{base}/metadata.json",
        "metadata_r2_url": f"{REPORTS}/{base}/metadata.json",
        "html_r2_path": f"{base}/report.html",
        "html_r2_url": f"{REPORTS}/{base}/report.html",
        "hosts_included": included,
        "hosts_total": total,
        "incidents_count": incidents,
        # A column without a zone: the platform writes UTC.
        "generated_at": at.replace(tzinfo=None),
    }


def heatmaps(lab: Lab, story: Story) -> Iterator[Row]:
    """A report every few hours on working days, one a day at weekends."""
    rng = Random(f"heatmaps {lab.seed} {story.until.isoformat()}")
    day = story.start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < story.until:
        for hour in (8, 11, 14, 17) if day.weekday() < 5 else (10,):
            for team in lab.teams:
                at = day + timedelta(hours=hour, minutes=rng.randrange(40), seconds=rng.randrange(60))
                hosts = [host for host in lab.hosts if host.team is team]
                present = sum(not story.is_silent(host.name, at) for host in hosts)
                incidents = sum(rng.random() < 0.3 for _ in range(2 * len(hosts)))
                row = heatmap(rng, team, at, present, len(hosts), incidents)
                if story.start <= at < story.until:
                    yield {**row, "created_at": row["generated_at"]}
        day += timedelta(days=1)
