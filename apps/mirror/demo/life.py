"""What is under way in the made-up lab, and what its hosts and servers write as time goes on.

Everything that happens later is a note in a heap: a time, and what to do then.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final
from uuid import UUID

from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Greatest

from apps.mirror import models
from apps.mirror.demo import metrics
from apps.mirror.demo.cast import CAMPAIGNS, SCRIPT_BY_NAME, SERVERS, Campaign, Device, Host, Schedule, Script
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.plan import AD_HOC, CampaignRun, Run, Turn, new_id, new_run
from apps.mirror.demo.rhythm import HOST_PING, SERVER_PING, Story, activity
from apps.mirror.demo.rows import alerts, execution, pings, written
from apps.mirror.demo.rows.navigation import Tally
from apps.mirror.demo.stream import Row, copy_rows

DEVICES_PER_SCRIPT: Final = 8
"""With fewer scripts under way than one on so many devices, somebody soon starts one: a demo moves, even at night."""
ALERT_EVERY: Final = 240.0
"""Seconds between two alerts, about."""
ALERT_STRETCH: Final = 6.0
"""Alerts last so many times longer than in the rows of the past, so that there are always some to look at."""
SILENCE_EVERY: Final = 5 * 3600.0
"""Seconds between two hosts falling silent, about."""
HEATMAP_EVERY: Final = 3 * 3600.0

Change = Callable[[datetime], None]
"""What a note does when its time has come; it is told the time."""


@dataclass(eq=False)
class OpenAlert:
    """An active alert, and what its row says in `metadata`."""

    incident: alerts.Incident
    metadata: dict[str, Any]


class Life:
    """The lab `lab` as it goes on: `rng` decides what happens, `speed` how fast.

    `go_on` is one step, in the caller's transaction. What is public besides is for taking over what stands in the
    tables.
    """

    def __init__(self, lab: Lab, rng: Random, speed: float, now: datetime) -> None:
        self.lab = lab
        self.rng = rng
        self.speed = speed
        self.now = now
        self.story = Story(start=now, until=now)
        self.running: dict[Device, Run] = {}
        self.campaigns: dict[Device, CampaignRun] = {}
        self.turns: dict[UUID, Turn] = {}
        self.alerts: dict[tuple[str, str, str], OpenAlert] = {}
        self.silent: dict[str, datetime] = {}
        self.pinged: dict[str, datetime] = {}
        self.incidents: dict[tuple[str, str], tuple[Any, datetime]] = {}
        self._cursor: Any = None
        self._rows = 0
        self._notes: list[tuple[datetime, int, Change]] = []
        self._numbers = count()
        self._outbox: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
        self._tally = Tally()

    def go_on(self, cursor: Any, now: datetime) -> int:
        """All that happened between the last step and `now`; return how many rows were written or changed."""
        self._cursor, self._rows = cursor, 0
        before, self.now = self.now, now
        self.story = Story(start=now, until=now)
        seconds = (now - before).total_seconds() * self.speed
        while self._notes and self._notes[0][0] <= now:
            at, _, change = heapq.heappop(self._notes)
            change(at)
        self._silence(seconds)
        self._ping()
        self._schedules(before)
        self._begin(seconds)
        self._break(seconds)
        self._report(seconds)
        self._flush()
        self._count_steps()
        return self._rows

    def note(self, at: datetime, change: Change) -> None:
        """Do `change` when it is `at`."""
        heapq.heappush(self._notes, (at, next(self._numbers), change))

    def _happens(self, seconds: float, every: float) -> bool:
        """Whether something that happens every `every` seconds, about, happens within these."""
        return self.rng.random() < seconds / every

    # Writing ----------------------------------------------------------------------------------------------------------

    def _insert(self, table: str, row: Row, columns: tuple[str, ...] | None = None) -> None:
        names = columns or tuple(row)
        self._outbox.setdefault((table, names), []).append(written.as_written(row, names))

    def _update(self, rows: Any, values: dict[str, Any]) -> None:
        self._flush()
        self._rows += rows.update(**values)

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, {}
        for (table, _), rows in outbox.items():
            self._rows += copy_rows(self._cursor, table, rows)

    def _change(self, model: type[models.MirrorModel], key: Any, values: dict[str, Any], **also: Any) -> None:
        """What became of a row; `also` is what must be true of it."""
        self._update(model.objects.filter(pk=key, **also), values)

    def _count_steps(self) -> None:
        """The running counts of what was walked since the last time."""
        metrics.add(self._cursor, self._tally, self.now)
        self._tally = Tally()

    def _end_open_alert(self, row: Row) -> None:
        """As the platform's hosts do before a new one. Somebody may have re-opened by hand what this lab has ended."""
        key = {name: row[name] for name in ("host_name", "device_id", "incident_type")}
        end = Greatest(Value(row["start_time"]), F("start_time") + timedelta(seconds=1), output_field=DateTimeField())
        self._update(
            models.PlatformAlert.objects.filter(status="active", **key), {"status": "resolved", "end_time": end}
        )

    def _open_incident(self, row: dict[str, Any]) -> Any:
        """Write an incident; the key that it is changed by."""
        self._rows += 1
        return models.SystemIncident.objects.create(**row).incident_id

    def _has_test_run(self, key: UUID) -> bool:
        return models.TestExecution.objects.filter(pk=key).exists()

    def _turns_of(self, turn: Turn) -> int:
        """How often the schedule came due before."""
        runs = models.Deployment.objects.filter(pk=turn.schedule.id).values_list("execution_count", flat=True)
        return runs.first() or 0

    # Scripts and campaigns --------------------------------------------------------------------------------------------

    def _is_free(self, device: Device) -> bool:
        return device not in self.running and device not in self.campaigns and device.host.name not in self.silent

    def _start(self, device: Device, script: Script, at: datetime, campaign: CampaignRun | None = None) -> Run:
        run = new_run(self.rng, self.story, device, script, at, campaign)
        run.due = at + (run.due - at) / self.speed
        self.running[device] = run
        self._insert("script_results", execution.script_start(run), written.SCRIPT)
        if script.test:
            for test_run in execution.test_executions([replace(run, ended=None, ok=False)]):
                self._insert("test_executions", test_run)
        self.follow(run, since=at)
        return run

    def follow(self, run: Run, since: datetime) -> None:
        """Note all that the run will still write after `since`."""
        run.ended = run.due
        for step in execution.steps(run, run.due + execution.KPI_DELAY):
            if step["executed_at"] > since:
                self.note(step["executed_at"], self._stepping(run, step))
        for zap in execution.zaps([run]):
            if zap["created_at"] > since:
                self.note(zap["created_at"], self._zapping(run, zap))
        self.note(run.due, self._ending(run))

    def _is_on(self, run: Run) -> bool:
        return self.running.get(run.device) is run

    def _stepping(self, run: Run, step: dict[str, Any]) -> Change:
        def write(at: datetime) -> None:
            if not self._is_on(run):
                return
            measured = {name: step[name] for name in _KPI if step[name] is not None}
            bare = step | dict.fromkeys(_KPI)
            for row in self._tally.watch([bare]):
                self._insert(
                    "execution_results", row, written.VERIFICATION if row["edge_id"] is None else written.ACTION
                )
            if measured:
                self.note(at + execution.KPI_DELAY * self.rng.uniform(0.3, 2.0), self._measuring(step, measured))

        return write

    def _measuring(self, step: dict[str, Any], measured: dict[str, Any]) -> Change:
        def write(_: datetime) -> None:
            self._change(models.ExecutionResult, step["id"], measured, team_id=step["team_id"])
            self._tally.add_kpi(step)

        return write

    def _zapping(self, run: Run, zap: Row) -> Change:
        def write(_: datetime) -> None:
            if self._is_on(run):
                self._insert("zap_results", zap, written.ZAP)

        return write

    def _ending(self, run: Run) -> Change:
        def write(at: datetime) -> None:
            if self._is_on(run):
                self._end(run, at)

        return write

    def _end(self, run: Run, at: datetime) -> None:
        del self.running[run.device]
        self._change(models.ScriptResult, run.id, execution.script_end(run, at))
        if run.script.test:
            (test_run,) = execution.test_executions([run])
            changes = {name: test_run[name] for name in ("status", "end_time", "duration")}
            self._change(models.TestExecution, test_run["id"], changes)
            # A run that began before the lab had such rows has none.
            if self._has_test_run(test_run["id"]):
                for result in execution.test_results([run]):
                    self._insert("test_results", result)
        turn = self.turns.pop(run.id, None)
        if turn is not None:
            (row,) = execution.deployment_executions([turn])
            changes = {
                name: row[name] for name in ("completed_at", "status", "success", "error_message", "script_result_id")
            }
            self._change(models.DeploymentExecution, turn.id, changes)
            changes = {"execution_count": self._turns_of(turn) + 1, "last_executed_at": turn.at}
            self._change(models.Deployment, turn.schedule.id, changes)
        if run.campaign is not None:
            self.note(at + timedelta(seconds=self.rng.uniform(1, 5)) / self.speed, self.continuing(run.campaign))

    def start_campaign(self, device: Device, campaign: Campaign, at: datetime) -> None:
        """A campaign begins on a free device."""
        run = CampaignRun(new_id(self.rng), campaign, device, at)
        self.campaigns[device] = run
        self._insert("campaign_executions", execution.campaign_start(run), written.CAMPAIGN)
        self.continuing(run)(at)

    def continuing(self, campaign: CampaignRun) -> Change:
        """The next script of a campaign, or its end."""

        def write(at: datetime) -> None:
            if self.campaigns.get(campaign.device) is not campaign:
                return
            if len(campaign.runs) < len(campaign.campaign.scripts):
                script = SCRIPT_BY_NAME[campaign.campaign.scripts[len(campaign.runs)]]
                campaign.runs.append(self._start(campaign.device, script, at, campaign))
                self._change(
                    models.CampaignExecution, campaign.id, {"script_result_ids": [run.id for run in campaign.runs]}
                )
            else:
                del self.campaigns[campaign.device]
                self._change(models.CampaignExecution, campaign.id, execution.campaign_end(campaign, at))

        return write

    def _begin(self, seconds: float) -> None:
        """People start scripts and campaigns."""
        free = [device for device in self.lab.devices if self._is_free(device)]
        if not free:
            return
        hourly = len(free) * (0.1 + activity(self.now))
        calm = len(self.running) < max(1, len(self.lab.devices) // DEVICES_PER_SCRIPT)
        every = 20.0 if calm else 3600 / hourly
        if self._happens(seconds, every):
            script = self.rng.choices(AD_HOC, [script.weight for script in AD_HOC])[0]
            self._start(free.pop(self.rng.randrange(len(free))), script, self.now)
        if free and not self.campaigns and self._happens(seconds, 300):
            self.start_campaign(self.rng.choice(free), CAMPAIGNS[1], self.now)

    def _schedules(self, before: datetime) -> None:
        """Deployments and campaigns of every minute that began since the last step; at most of the last two."""
        earliest = max(before, self.now - timedelta(minutes=2)) + timedelta(microseconds=1)
        for minute in pings.ticks(earliest, self.now + timedelta(microseconds=1), timedelta(minutes=1)):
            for schedule in self.lab.schedules:
                if schedule.is_due(minute.hour, minute.minute) and schedule.device.host.name not in self.silent:
                    self._take_turn(schedule, minute)
            for campaign in CAMPAIGNS:
                for device in self.lab.devices:
                    begin = campaign.minute + device.index * 7 % 40
                    wanted = minute.weekday() in campaign.weekdays and device.index % campaign.every == 0
                    if wanted and begin == minute.hour * 60 + minute.minute and self._is_free(device):
                        self.start_campaign(device, campaign, self.now)

    def _take_turn(self, schedule: Schedule, at: datetime) -> None:
        turn = Turn(new_id(self.rng), schedule, at, None)
        if not self._is_free(schedule.device):
            (row,) = execution.deployment_executions([turn])
            self._insert("deployment_executions", row, written.DEPLOYMENT_SKIPPED)
            return
        turn.run = self._start(schedule.device, schedule.script, self.now)
        self.turns[turn.run.id] = turn
        row = {
            "id": turn.id,
            "deployment_id": schedule.id,
            "scheduled_at": at,
            "started_at": self.now,
            "status": "running",
        }
        self._insert("deployment_executions", row, written.DEPLOYMENT_RUN)

    # Hosts ------------------------------------------------------------------------------------------------------------

    def _silence(self, seconds: float) -> None:
        """Silent hosts come back, and now and then another one falls silent; its scripts are never heard of again."""
        for name, until in list(self.silent.items()):
            if until <= self.now:
                del self.silent[name]
                self._set_status(name, "online")
        if len(self.lab.hosts) > 1 and not self.silent and self._happens(seconds, SILENCE_EVERY):
            host = self.rng.choice(self.lab.hosts)
            self.silent[host.name] = self.now + timedelta(minutes=self.rng.uniform(15, 50)) / self.speed
            for device in self.lab.devices:
                if device.host is host:
                    self.running.pop(device, None)
                    self.campaigns.pop(device, None)
            self._set_status(host.name, "offline")

    def _set_status(self, host_name: str, status: str) -> None:
        devices = [device.id for device in self.lab.devices if device.host.name == host_name]
        self.set_status(devices, status)

    def set_status(self, devices: list[UUID], status: str) -> None:
        """The client's column of devices and of what drives them."""
        changes = {"status": status, "updated_at": self.now}
        self._update(models.Device.objects.filter(pk__in=devices), changes)
        self._update(models.Controller.objects.filter(device_id__in=devices), changes)

    def _ping(self) -> None:
        """Hosts every five minutes, servers every minute; a missed ping is not sent later."""
        slot = _floor(self.now, HOST_PING)
        for host in self.lab.hosts:
            if host.name not in self.silent and self.pinged.get(host.name, _LONG_AGO) < slot:
                self.pinged[host.name] = self.now
                self._ping_host(host)
        slot = _floor(self.now, SERVER_PING)
        for name in SERVERS:
            if self.pinged.get(name, _LONG_AGO) < slot:
                self.pinged[name] = self.now
                self._insert("system_metrics", pings.server_ping(name, self.now, self.rng), written.SERVER_PING)

    def _ping_host(self, host: Host) -> None:
        busy = 0.15 + 0.3 * sum(device.host is host for device in self.running)
        row = pings.host_ping(host, self.now, self.rng, busy)
        self._insert("system_metrics", row, written.HOST_PING)
        for device in self.lab.devices:
            if device.host is host:
                told = pings.device_ping(device, self.now, self.rng, row)
                self._insert("system_device_metrics", told, written.DEVICE_PING)
                self._watch_service(device, told["ffmpeg_status"] == "active")

    def _watch_service(self, device: Device, works: bool) -> None:
        """A capture service that is stuck or stopped opens an incident, one that works again resolves it."""
        key = (device.host.name, device.port)
        found = self.incidents.get(key)
        if found is None and not works:
            self.incidents[key] = (self._open_incident(pings.incident_start(device, "ffmpeg", self.now)), self.now)
        elif found is not None and works:
            del self.incidents[key]
            changes = pings.incident_end("ffmpeg", found[1], self.now)
            self._change(models.SystemIncident, found[0], changes)

    # Pictures and sound -----------------------------------------------------------------------------------------------

    def _break(self, seconds: float) -> None:
        few, many = len(self.alerts) < alerts.ACTIVE_NOW - 3, len(self.alerts) > alerts.ACTIVE_NOW + 3
        if not self._happens(seconds * (1.8 if few else 0.3 if many else 1.0), ALERT_EVERY):
            return
        device = self.rng.choice(self.lab.devices)
        # A host reports what has lasted for half a minute.
        incident = alerts.new_incident(self.rng, device, self.now - timedelta(seconds=30))
        if device.host.name in self.silent or (device.host.name, incident.port, incident.kind) in self.alerts:
            return
        row = alerts.alert_start(incident)
        self._end_open_alert(row)
        self._insert("alerts", row, written.ALERT)
        length = min(timedelta(hours=2), timedelta(seconds=incident.seconds * ALERT_STRETCH)) / self.speed
        self.follow_alert(OpenAlert(incident, row["metadata"]), self.now + length)

    def follow_alert(self, alert: OpenAlert, until: datetime) -> None:
        """It is active, and will be resolved."""
        incident = alert.incident
        self.alerts[incident.host.name, incident.port, incident.kind] = alert
        self.note(until, self._resolving(alert))

    def _resolving(self, alert: OpenAlert) -> Change:
        def write(at: datetime) -> None:
            incident = alert.incident
            if incident.host.name in self.silent:
                self.note(self.now + timedelta(minutes=2), self._resolving(alert))
                return
            self.alerts.pop((incident.host.name, incident.port, incident.kind), None)
            # Somebody may have resolved it by hand meanwhile: then it stays as it is.
            ended = alerts.alert_end(incident, alert.metadata, at)
            self._change(models.PlatformAlert, incident.id, ended, status="active")

        return write

    def _report(self, seconds: float) -> None:
        if not self._happens(seconds / self.speed, HEATMAP_EVERY):
            return
        for team in self.lab.teams:
            hosts = [host for host in self.lab.hosts if host.team is team]
            heard = sum(host.name not in self.silent for host in hosts)
            seen = sum(name in {host.name for host in hosts} for name, _, _ in self.alerts)
            self._insert("heatmaps", alerts.heatmap(self.rng, team, self.now, heard, len(hosts), seen), written.HEATMAP)


_KPI: Final = ("kpi_measurement_ms", "kpi_measurement_success", "kpi_measurement_error", "kpi_report_url")
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _floor(at: datetime, every: timedelta) -> datetime:
    """The last multiple of `every` since the epoch that is not after `at`."""
    return at - timedelta(seconds=at.timestamp() % every.total_seconds())
