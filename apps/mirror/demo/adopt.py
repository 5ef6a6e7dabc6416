"""Taking over a demo lab as it stands in the tables: what is running, active, open, silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from apps.mirror.demo import gap
from apps.mirror.demo.cast import CAMPAIGNS, SCRIPT_BY_NAME, SERVERS
from apps.mirror.demo.life import Life, OpenAlert
from apps.mirror.demo.plan import CampaignRun, Run, Turn, new_run
from apps.mirror.demo.presence import loaded_lab
from apps.mirror.demo.rows.alerts import Incident
from apps.mirror.models import (
    CampaignExecution,
    DeploymentExecution,
    Device,
    PlatformAlert,
    ScriptResult,
    SystemIncident,
    SystemMetric,
)
from apps.mirror.querysets import CAMPAIGN_MAX_AGE, SCRIPT_MAX_AGE
from apps.mirror.states import HOST_SILENT_AFTER


def meet(cursor: Any, rng: Random, speed: float, now: datetime) -> tuple[Life | None, int]:
    """The loaded lab at `now` (None without one), and how many rows filled the time since it was last alive."""
    lab = loaded_lab()
    if lab is None:
        return None, 0
    life = Life(lab, rng, speed, now)
    hosts, servers = _last_pings(now, "host_name", lab.host_names), _last_pings(now, "server_name", list(SERVERS))
    last = max(hosts.values(), default=now - gap.LONGEST)
    filled = gap.fill(cursor, lab, last, now)
    if filled:
        life.pinged = dict.fromkeys([*lab.host_names, *SERVERS], now)
        offline = Device.objects.filter(pk__in=[device.id for device in lab.devices], status="offline")
        life.set_status(list(offline.values_list("pk", flat=True)), "online")
    else:
        life.pinged = hosts | servers
        for name in lab.host_names:
            if now - hosts.get(name, last) > HOST_SILENT_AFTER:
                life.silent[name] = now + timedelta(minutes=rng.uniform(10, 45)) / speed
    _adopt_scripts(life, _adopt_campaigns(life))
    _adopt_turns(life)
    for device, campaign in life.campaigns.items():
        if device not in life.running:
            life.note(now + timedelta(seconds=3), life.continuing(campaign))
    _adopt_alerts(life)
    for incident in SystemIncident.objects.filter(host_name__in=lab.host_names, status="open"):
        life.incidents[incident.host_name, incident.device_id] = (incident.incident_id, incident.detected_at)
    return life, filled


def _last_pings(now: datetime, column: str, names: list[str]) -> dict[str, datetime]:
    since = now - gap.LONGEST - timedelta(days=1)
    rows = SystemMetric.objects.filter(timestamp__gt=since, timestamp__lte=now, **{f"{column}__in": names})
    return dict(rows.order_by(column, "-timestamp").distinct(column).values_list(column, "timestamp"))


def _adopt_campaigns(life: Life) -> dict[UUID, CampaignRun]:
    """Campaigns that run; return which scripts are parts of which."""
    devices = {(device.host.name, device.name): device for device in life.lab.devices}
    known = {campaign.name: campaign for campaign in CAMPAIGNS}
    parts: dict[UUID, CampaignRun] = {}
    for row in CampaignExecution.objects.filter(
        team_id__in=life.lab.team_ids, status="running", started_at__gt=life.now - CAMPAIGN_MAX_AGE
    ):
        device, campaign = devices.get((row.host_name, row.device_name)), known.get(row.campaign_name)
        if device is None or campaign is None or device in life.campaigns or device.host.name in life.silent:
            continue
        life.campaigns[device] = CampaignRun(row.id, campaign, device, row.started_at)
        parts |= dict.fromkeys(row.script_result_ids or [], life.campaigns[device])
    return parts


def _adopt_scripts(life: Life, parts: dict[UUID, CampaignRun]) -> None:
    """Scripts that run, and those that campaigns under way have behind them."""
    devices = {(device.host.name, device.name): device for device in life.lab.devices}
    scripts = ScriptResult.objects.filter(team_id__in=life.lab.team_ids).order_by("started_at")
    for row in scripts.filter(id__in=parts, execution_time_ms__isnull=False):
        campaign = parts[row.id]
        script = SCRIPT_BY_NAME.get(row.script_name)
        if script is not None:
            end = row.completed_at
            campaign.runs.append(Run(row.id, campaign.device, script, row.started_at, end, end, row.success, 1.0, 0, 0))
    for row in scripts.running(life.now):
        device, script = devices.get((row.host_name, row.device_name)), SCRIPT_BY_NAME.get(row.script_name)
        if device is None or script is None or device in life.running or device.host.name in life.silent:
            continue
        run = new_run(life.rng, life.story, device, script, row.started_at, parts.get(row.id))
        run.id = row.id
        if run.campaign is not None:
            run.campaign.runs.append(run)
        life.running[device] = run
        life.follow(run, since=life.now)


def _adopt_turns(life: Life) -> None:
    schedules = {schedule.id: schedule for schedule in life.lab.schedules}
    for row in DeploymentExecution.objects.filter(
        deployment_id__in=list(schedules), status="running", scheduled_at__gt=life.now - SCRIPT_MAX_AGE
    ):
        schedule = schedules[row.deployment_id]
        run = life.running.get(schedule.device)
        if run is not None and run.script is schedule.script:
            life.turns[run.id] = Turn(row.id, schedule, row.scheduled_at, run)


def _adopt_alerts(life: Life) -> None:
    hosts = {host.name: host for host in life.lab.hosts}
    for row in PlatformAlert.objects.filter(host_name__in=list(hosts), status="active", start_time__lte=life.now):
        incident = Incident(
            row.id,
            hosts[row.host_name],
            row.device_id,
            row.device_name or row.device_id,
            "",
            row.incident_type,
            row.start_time,
            0.0,
            life.rng.getrandbits(32),
        )
        until = life.now + timedelta(minutes=life.rng.uniform(4, 90)) / life.speed
        life.follow_alert(OpenAlert(incident, row.metadata or {}), until)
