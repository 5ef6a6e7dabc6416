"""How a run is, in the eight words; and that a running one is never called a failure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.mirror import states
from apps.mirror.models import (
    CampaignExecution,
    DeploymentExecution,
    ExecutionResult,
    PlatformAlert,
    ScriptResult,
    SystemIncident,
    SystemMetric,
    TestExecution,
    TestResult,
)
from tests.mirror.reduced import without_column
from tests.mirror.rows import NOON, Lab

pytestmark = pytest.mark.django_db(databases=["default", "source"])

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def state_of(model: Any, now: Any = NOON, **values: Any) -> str:
    Lab()
    model.objects.update(**values)
    return str(model.objects.with_state(now).get().state)


@pytest.mark.parametrize(
    ("success", "duration", "age", "length", "state"),
    [
        (True, 60_000, MINUTE, MINUTE, states.OK),
        (False, 60_000, MINUTE, MINUTE, states.FAILING),
        (False, None, MINUTE, timedelta(0), states.RUNNING),
        (False, None, MINUTE, timedelta(milliseconds=3), states.RUNNING),
        (False, None, 2 * HOUR, timedelta(0), states.UNKNOWN),
        (False, None, 2 * HOUR, MINUTE, states.FAILING),
    ],
)
def test_a_script_without_a_duration_runs_until_it_is_too_old(
    success: bool, duration: int | None, age: timedelta, length: timedelta, state: str
) -> None:
    start = NOON - age
    found = state_of(
        ScriptResult, success=success, execution_time_ms=duration, started_at=start, completed_at=start + length
    )
    assert found == state


def test_running_finished_failed_and_abandoned_scripts_are_told_apart() -> None:
    lab = Lab()
    place = {"team_id": lab.team_id, "script_type": "s", "host_name": "h", "device_name": "d"}
    rows = ScriptResult.objects
    DeploymentExecution.objects.all().delete()
    rows.all().delete()
    scripts = [
        ("good", True, 5, HOUR),
        ("bad", False, 5, HOUR),
        ("on", False, None, MINUTE),
        ("lost", False, None, 9 * HOUR),
    ]
    for name, success, duration, age in scripts:
        start = NOON - age
        rows.create(
            script_name=name, success=success, execution_time_ms=duration, started_at=start, completed_at=start, **place
        )
    names = {
        "running": rows.running(NOON),
        "finished": rows.finished(NOON),
        "failed": rows.failed(NOON),
        "abandoned": rows.abandoned(NOON),
    }
    assert {key: sorted(found.values_list("script_name", flat=True)) for key, found in names.items()} == {
        "running": ["on"],
        "finished": ["bad", "good"],
        "failed": ["bad"],
        "abandoned": ["lost"],
    }


@pytest.mark.parametrize(
    ("status", "success", "age", "state"),
    [
        ("pending", False, HOUR, states.QUEUED),
        ("running", False, HOUR, states.RUNNING),
        ("running", False, 25 * HOUR, states.UNKNOWN),
        ("completed", True, HOUR, states.OK),
        ("completed", False, HOUR, states.FAILING),
        ("failed", False, HOUR, states.FAILING),
        ("cancelled", False, HOUR, states.SKIPPED),
        (None, False, HOUR, states.UNKNOWN),
    ],
)
def test_a_campaign_run_is_what_its_status_says(status: str | None, success: bool, age: timedelta, state: str) -> None:
    assert state_of(CampaignExecution, status=status, success=success, started_at=NOON - age) == state


@pytest.mark.parametrize(
    ("status", "success", "state"),
    [
        ("queued", None, states.QUEUED),
        ("running", None, states.RUNNING),
        ("skipped", None, states.SKIPPED),
        ("failed", None, states.FAILING),
        ("completed", True, states.OK),
        ("completed", False, states.FAILING),
        ("completed", None, states.UNKNOWN),
    ],
)
def test_a_deployment_run_is_what_its_status_says(status: str, success: bool | None, state: str) -> None:
    assert state_of(DeploymentExecution, status=status, success=success, scheduled_at=NOON - MINUTE) == state


@pytest.mark.parametrize("model", [TestExecution, TestResult])
@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("completed", states.OK),
        ("Passed", states.OK),
        ("FAILED", states.FAILING),
        ("error", states.FAILING),
        ("running", states.RUNNING),
        ("pending", states.QUEUED),
        ("cancelled", states.SKIPPED),
        ("odd", states.UNKNOWN),
    ],
)
def test_a_free_status_is_read_whatever_its_case(model: Any, status: str, state: str) -> None:
    assert state_of(model, status=status) == state


def test_a_step_is_over_when_it_is_written() -> None:
    Lab()
    for success, state in ((True, states.OK), (False, states.FAILING)):
        ExecutionResult.objects.update(success=success)
        assert [row.state for row in ExecutionResult.objects.with_state()] == [state]


def test_a_missing_column_gives_no_verdict() -> None:
    Lab()
    for model in (ScriptResult, ExecutionResult, CampaignExecution):
        with without_column(model._meta.db_table, "success"):
            assert model.objects.with_state(NOON).get().state == states.UNKNOWN
    with without_column("test_executions", "status"):
        assert TestExecution.objects.with_state(NOON).get().state == states.UNKNOWN


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="broken"):
        ScriptResult.objects.in_state("broken")


def test_active_alerts_leave_out_false_alarms() -> None:
    Lab()
    assert PlatformAlert.objects.active().count() == 1
    PlatformAlert.objects.update(discard=None)
    assert PlatformAlert.objects.active().count() == 1
    PlatformAlert.objects.update(discard=True)
    assert PlatformAlert.objects.active().count() == 0
    assert PlatformAlert.objects.discarded().count() == 1
    PlatformAlert.objects.update(status="resolved")
    assert PlatformAlert.objects.resolved().count() == 1


def test_an_incident_is_open_until_it_is_resolved_or_closed() -> None:
    Lab()
    assert SystemIncident.objects.open().count() == 1
    SystemIncident.objects.update(status="resolved")
    assert SystemIncident.objects.open().count() == 0


def test_the_latest_sample_of_each_host_is_found_within_the_window() -> None:
    for host, age, cpu in [
        ("a", 3 * HOUR, 1),
        ("a", MINUTE, 2),
        ("a", 2 * MINUTE, 3),
        ("b", HOUR, 4),
        ("c", 30 * HOUR, 5),
    ]:
        SystemMetric.objects.create(host_name=host, timestamp=NOON - age, cpu_percent=cpu)
    latest = SystemMetric.objects.latest_per("host_name", since=NOON - 24 * HOUR)
    assert [(row.host_name, row.cpu_percent) for row in latest] == [("a", 2), ("b", 4)]


def test_a_period_starts_with_its_first_moment_and_ends_before_its_last() -> None:
    Lab()
    assert ScriptResult.objects.between(NOON, NOON + SECOND).count() == 1
    assert ScriptResult.objects.between(NOON - SECOND, NOON).count() == 0
