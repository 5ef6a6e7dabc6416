"""The lab goes on living: what the platform would write, when, and after whatever happened meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError
from django.db.models import Count, F

from apps.ingest.management.commands import simulate as command
from apps.mirror.demo import gap
from apps.mirror.demo.clear import clear
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.load import Loaded, load
from apps.mirror.demo.simulate import Simulator
from apps.mirror.models import (
    CampaignExecution,
    DeploymentExecution,
    Device,
    EdgeMetric,
    ExecutionResult,
    MirrorModel,
    PlatformAlert,
    ScriptResult,
    SystemDeviceMetric,
    SystemIncident,
    SystemMetric,
    Team,
    TestExecution,
)
from tests.mirror.demo.conftest import UNTIL

pytestmark = pytest.mark.django_db(databases=["default", "source"])


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Played:
    """A simulator and its clock."""

    def __init__(self, speed: float = 1.0, seed: int = 3) -> None:
        self.clock = Clock(UNTIL)
        self.simulator = Simulator(self.clock, Random(seed), speed=speed)

    def play(self, length: timedelta, every: timedelta = timedelta(seconds=5)) -> int:
        """Steps until `length` has passed; the number of rows written."""
        end = self.clock.now + length
        rows = 0
        while self.clock.now < end:
            self.clock.now += every
            rows += self.simulator.step()
        return rows


@pytest.fixture
def played(loaded: list[Loaded]) -> Played:
    return Played()


def since(model: type[MirrorModel]) -> Any:
    """Rows that came after the load."""
    return model.objects.filter(**{f"{model.time_field}__gt": UNTIL})


def test_without_a_lab_a_step_does_nothing() -> None:
    clear()
    assert Simulator(Clock(UNTIL), Random(1)).step() == 0
    assert not Team.objects.exists()


def test_a_lab_in_office_hours_runs_scripts_to_their_end(played: Played) -> None:
    played.play(timedelta(minutes=40))
    begun = since(ScriptResult)
    done = begun.filter(execution_time_ms__isnull=False)
    assert done.count() >= 10
    assert not done.exclude(completed_at__gt=F("started_at")).exists()
    assert not done.filter(html_report_r2_url__isnull=True).exists()
    assert ExecutionResult.objects.filter(script_result_id__in=done.values("id")).exists()
    assert since(TestExecution).exclude(status="running").exists()
    assert not TestExecution.objects.filter(
        status="running", start_time__lt=played.clock.now - timedelta(hours=1)
    ).exists()


def test_what_ran_at_the_load_is_brought_to_its_end(played: Played) -> None:
    running = list(ScriptResult.objects.running(UNTIL).values_list("id", flat=True))
    campaigns = list(CampaignExecution.objects.running(UNTIL).values_list("id", flat=True))
    assert running
    assert campaigns
    played.play(timedelta(minutes=50), every=timedelta(seconds=10))
    assert not ScriptResult.objects.filter(id__in=running, execution_time_ms__isnull=True).exists()
    ended = CampaignExecution.objects.filter(id__in=campaigns)
    assert set(ended.values_list("status", flat=True)) <= {"completed", "failed"}
    assert all(run.success == (run.status == "completed") for run in ended)
    assert all(len(run.script_result_ids or []) == len(run.script_configurations) for run in ended)


def test_pings_keep_the_platforms_rhythm_whatever_the_speed(loaded: list[Loaded]) -> None:
    Played(speed=8).play(timedelta(minutes=30), every=timedelta(seconds=15))
    pings = since(SystemMetric)
    for name in ("cloud.demo", "office.demo"):
        assert 29 <= pings.filter(server_name=name).count() <= 31
    counts = dict(pings.exclude(host_name="server").values_list("host_name").annotate(Count("id")))
    assert max(counts.values()) in {6, 7}
    assert since(SystemDeviceMetric).count() == 2 * sum(counts.values())


def test_the_silent_host_comes_back(played: Played) -> None:
    assert Device.objects.filter(status="offline").count() == 2
    played.play(timedelta(minutes=50), every=timedelta(seconds=30))
    back = since(SystemMetric).filter(host_name="rack-a2.demo").order_by("timestamp").first()
    assert back is not None
    assert back.timestamp > UNTIL + timedelta(minutes=9)
    assert not ScriptResult.objects.filter(
        host_name="rack-a2.demo", started_at__gt=UNTIL, started_at__lt=back.timestamp - timedelta(minutes=5)
    ).exists()


def test_alerts_open_and_resolve(loaded: list[Loaded]) -> None:
    active = set(PlatformAlert.objects.filter(status="active").values_list("id", flat=True))
    player = Played(speed=10)
    player.play(timedelta(minutes=25), every=timedelta(seconds=10))
    assert since(PlatformAlert).filter(status="resolved").exists()
    over = PlatformAlert.objects.filter(id__in=active, status="resolved")
    assert over.exists()
    assert not over.exclude(end_time__gt=F("start_time"), metadata__r2_images__has_key="closure_url").exists()
    now_active = PlatformAlert.objects.filter(status="active")
    twice = now_active.values("host_name", "device_id", "incident_type").annotate(n=Count("id")).filter(n__gt=1)
    assert not twice.exists()


def test_an_alert_that_somebody_resolved_stays_as_they_left_it(played: Played) -> None:
    played.play(timedelta(seconds=5))
    PlatformAlert.objects.filter(status="active").update(status="resolved", end_time=UNTIL, metadata={"by": "hand"})
    played.play(timedelta(hours=2), every=timedelta(seconds=60))
    assert PlatformAlert.objects.filter(metadata={"by": "hand"}, end_time=UNTIL).exists()
    assert not PlatformAlert.objects.filter(metadata__by="hand").exclude(end_time=UNTIL).exists()


def test_an_alert_that_somebody_reopened_gives_way_to_a_new_one(played: Played) -> None:
    devices = PlatformAlert.objects.values_list("host_name", "device_id").distinct()
    for host, device in [*devices, *((host, "host") for host in {host for host, _ in devices})]:
        for kind in ("blackscreen", "freeze", "audio_loss", "macroblocks", "errors"):
            key = {"host_name": host, "device_id": device, "incident_type": kind}
            if not PlatformAlert.objects.filter(status="active", **key).exists():
                PlatformAlert.objects.create(start_time=UNTIL, metadata={"by": "hand"}, **key)
    played.simulator.step(UNTIL)
    assert played.simulator._life is not None
    played.simulator._life.alerts.clear()  # as if it had ended them
    played.play(timedelta(hours=1), every=timedelta(seconds=30))
    assert since(PlatformAlert).filter(status="active").exists()
    assert PlatformAlert.objects.filter(metadata={"by": "hand"}, end_time__gt=UNTIL).exists()


def test_kpis_arrive_after_their_step_and_are_counted(played: Played) -> None:
    played.play(timedelta(minutes=30))
    measured = since(ExecutionResult).filter(kpi_measurement_success__isnull=False)
    assert measured.exists()
    assert not measured.filter(edge_id__isnull=True).exists()
    total = ExecutionResult.objects.filter(edge_id__isnull=False)
    counted = EdgeMetric.objects.values_list("total_executions", "successful_executions", "total_kpi_measurements")
    sums = [sum(column) for column in zip(*counted, strict=True)]
    assert sums == [
        total.count(),
        total.filter(success=True).count(),
        total.filter(kpi_measurement_success__isnull=False).count(),
    ]


def test_schedules_are_kept_or_skipped(played: Played) -> None:
    played.play(timedelta(hours=3), every=timedelta(seconds=20))
    turns = since(DeploymentExecution)
    assert turns.filter(status__in=["completed", "failed"], script_result__isnull=False).exists()
    assert not turns.filter(status="skipped").exclude(skip_reason="device_locked").exists()


def test_the_same_chance_gives_the_same_life(small_lab: Lab) -> None:
    def story() -> list[Any]:
        load(small_lab, days=1, until=UNTIL, replace=True)
        Played(seed=11).play(timedelta(minutes=10))
        return list(since(ScriptResult).order_by("id").values_list("id", "started_at", "success", "completed_at"))

    assert story() == story()


def test_a_simulator_that_starts_again_goes_on_where_the_tables_stand(played: Played) -> None:
    played.play(timedelta(minutes=10))
    running = ScriptResult.objects.running(played.clock.now).count()
    again = Simulator(played.clock, Random(99))
    again.step()
    assert ScriptResult.objects.running(played.clock.now).count() in {running, running + 1}
    played.simulator = again
    played.play(timedelta(minutes=30))
    left = since(ScriptResult).filter(
        execution_time_ms__isnull=True, started_at__lt=played.clock.now - timedelta(minutes=25)
    )
    assert not left.exists()


def test_after_a_night_asleep_graphs_have_no_hole_and_nothing_floods(played: Played) -> None:
    played.play(timedelta(seconds=10))
    played.clock.now += timedelta(hours=9)
    rows = played.simulator.step()
    hole = SystemMetric.objects.filter(host_name="rack-a1.demo", timestamp__gt=UNTIL).order_by("timestamp")
    times = [UNTIL, *hole.values_list("timestamp", flat=True), played.clock.now]
    assert max(b - a for a, b in pairwise(times)) < timedelta(minutes=16)
    assert rows < 5000
    assert not Device.objects.filter(status="offline").exists()
    assert played.simulator.step(played.clock.now + timedelta(seconds=1)) < 50


def test_a_very_long_sleep_is_filled_for_some_days_only(played: Played) -> None:
    played.clock.now += timedelta(days=40)
    played.simulator.step()
    early = played.clock.now - gap.LONGEST - timedelta(minutes=1)
    assert not ScriptResult.objects.filter(started_at__gt=UNTIL, started_at__lt=early).exists()
    assert since(ScriptResult).exists()


def test_after_clearing_the_simulator_writes_nothing_any_more(played: Played) -> None:
    played.play(timedelta(minutes=1))
    clear()
    assert played.play(timedelta(minutes=10)) == 0
    assert not SystemMetric.objects.exists()
    assert not PlatformAlert.objects.exists()


def test_a_lab_loaded_anew_is_the_one_that_lives_on(played: Played) -> None:
    played.play(timedelta(minutes=1))
    load(Lab(1, 1, 5), days=1, until=UNTIL, replace=True)
    played.play(timedelta(minutes=11), every=timedelta(seconds=10))
    hosts = set(since(SystemMetric).values_list("host_name", flat=True))
    assert hosts == {"rack-a1.demo", "server"}
    assert set(since(ScriptResult).values_list("host_name", flat=True)) <= {"rack-a1.demo"}


# What the platform's own writers set, from their code. ----------------------------------------------------------------

WRITTEN_BY_THE_PLATFORM: dict[str, set[str]] = {
    "script_results": {
        "id", "team_id", "script_name", "script_type", "userinterface_name", "host_name", "device_name", "success",
        "started_at", "completed_at", "metadata",
    },
    "execution_results": {
        "id", "team_id", "tree_id", "execution_type", "host_name", "device_model", "device_name", "success",
        "execution_time_ms", "message", "error_details", "executed_at", "script_result_id", "script_context",
    },
    "campaign_executions": {
        "id", "team_id", "campaign_name", "campaign_description", "campaign_execution_id", "userinterface_name",
        "host_name", "device_name", "status", "started_at", "success", "script_configurations", "execution_config",
        "script_result_ids", "executed_by",
    },
    "alerts": {
        "id", "host_name", "device_id", "device_name", "incident_type", "status", "consecutive_count", "start_time",
        "metadata",
    },
    "system_metrics": {
        "host_name", "timestamp", "cpu_percent", "memory_percent", "disk_percent", "uptime_seconds", "platform",
        "architecture", "ffmpeg_status", "monitor_status", "ffmpeg_service_uptime_seconds",
        "monitor_service_uptime_seconds", "cpu_temperature_celsius", "load_average_1m", "load_average_5m",
        "load_average_15m", "download_mbps", "upload_mbps", "speedtest_last_run", "speedtest_age_seconds",
        "disk_write_mb_per_sec",
    },
}  # fmt: skip
OPTIONAL = {"execution_results": {"edge_id", "action_set_id", "node_id"}, "system_metrics": {"server_name"}}


def test_inserts_have_the_columns_of_the_platforms_writers(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[dict[str, Any]]] = {}

    def recording(real: Callable[..., int]) -> Callable[..., int]:
        def copy(cursor: Any, table: str, rows: Any) -> int:
            rows = list(rows)
            seen.setdefault(table, []).extend(rows)
            return real(cursor, table, rows)

        return copy

    monkeypatch.setattr("apps.mirror.demo.life.copy_rows", recording(_copy_rows()))
    played.play(timedelta(minutes=40))
    for table, columns in WRITTEN_BY_THE_PLATFORM.items():
        assert seen[table], table
        for row in seen[table]:
            assert set(row) - OPTIONAL.get(table, set()) == columns, table
    for row in seen["script_results"]:
        assert row["success"] is False
        assert row["completed_at"] == row["started_at"]
        assert set(row["metadata"]) == {"device_id", "device_model"}
    for row in seen["execution_results"]:
        way = "edge_id" in row
        assert way != ("node_id" in row)
        assert row["execution_type"] == ("action" if way else "verification")
    for row in seen["campaign_executions"]:
        assert row["status"] == "running"
        assert row["campaign_execution_id"].startswith("campaign_exec_")
    for row in seen["alerts"]:
        assert row["consecutive_count"] == 1
        assert {"stream_path", "capture_path", "last_3_filenames", "last_3_thumbnails", "r2_images"} <= set(
            row["metadata"]
        )


def _copy_rows() -> Callable[..., int]:
    from apps.mirror.demo.stream import copy_rows

    return copy_rows


# When the database goes away. -----------------------------------------------------------------------------------------


def test_a_step_that_fails_writes_nothing_and_the_next_one_goes_on(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    played.play(timedelta(minutes=2))
    before = ScriptResult.objects.count(), SystemMetric.objects.count(), SystemIncident.objects.count()

    def away(*_: object) -> int:
        raise OperationalError("the server is away")

    played.clock.now += timedelta(minutes=5)
    with monkeypatch.context() as broken:
        broken.setattr("apps.mirror.demo.life.copy_rows", away)
        with pytest.raises(DatabaseError):
            played.simulator.step()
    assert (ScriptResult.objects.count(), SystemMetric.objects.count(), SystemIncident.objects.count()) == before
    assert played.simulator.step() > 0


def test_the_loop_waits_longer_and_longer_and_goes_on_when_the_database_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(command, "close_old_connections", lambda: None)
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return len(waits) > 10

    class Moody(Simulator):
        def step(self, now: datetime | None = None) -> int:
            if len(waits) < 9:
                raise OperationalError("the server is away")
            return 1

    command.run(Moody(lambda: datetime.now(UTC), Random(1)), Stop())
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30, 30, 1, 1]
    assert "the server is away" in caplog.text


def test_once_writes_one_step(small_lab: Lab) -> None:
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    load(small_lab, days=1, until=minute - timedelta(minutes=3), replace=True)
    output = StringIO()
    call_command("simulate", "--once", "--seed", "1", stdout=output)
    assert int(output.getvalue().split()[0]) >= 2  # the two servers ping every minute


def test_without_a_lab_the_command_says_what_to_do() -> None:
    clear()
    with pytest.raises(CommandError, match="load_demo"):
        call_command("simulate", "--once", stdout=StringIO())


@pytest.mark.parametrize("speed", ["0", "-1"])
def test_a_speed_of_nothing_is_refused(loaded: list[Loaded], speed: str) -> None:
    with pytest.raises(CommandError, match="speed"):
        call_command("simulate", "--once", "--speed", speed, stdout=StringIO())


def test_sigterm_ends_the_loop_at_once() -> None:
    """The command itself, in a process of its own, with a simulator that only says that it was called."""
    program = """
import django, sys
django.setup()
from apps.ingest.management.commands import simulate as command
class Quiet(command.Simulator):
    def step(self, now=None):
        print("step", flush=True)
        return 0
command.Simulator = Quiet
command.loaded_lab = lambda: True
command.SECONDS = 0.05
command.close_old_connections = lambda: None
command.Command().handle(speed=1.0, seed=None, once=False)
print("bye", flush=True)
"""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment)
    assert child.stdout is not None
    assert child.stdout.readline() == "step\n"
    child.send_signal(signal.SIGTERM)
    output, _ = child.communicate(timeout=20)
    assert child.returncode == 0
    assert output.splitlines()[-1] == "bye"
