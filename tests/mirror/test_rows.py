"""The mirrored tables behave as the platform's own: its SQL works on them, and ours reads what it writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connections, transaction
from django.db.models import Avg

from apps.mirror.models import (
    Deployment,
    DeploymentExecution,
    Device,
    Heatmap,
    NavigationEdge,
    PlatformAlert,
    ScriptResult,
    SystemMetric,
    Team,
    TestExecution,
)
from apps.mirror.shape import SOURCE, mirrored_models
from tests.mirror.rows import NOON, Lab

pytestmark = pytest.mark.django_db(databases=["default", "source"])

CLIENTS_QUERIES = {
    "success rate over time": """
        SELECT floor(extract(epoch FROM created_at) / 3600) * 3600 AS "time",
          COUNT(CASE WHEN status = 'completed' THEN 1 END)::numeric / NULLIF(COUNT(*), 0) * 100 as "Success Rate %"
        FROM test_executions WHERE created_at BETWEEN now() - interval '1 day' AND now() + interval '1 day'
        GROUP BY 1 ORDER BY 1""",
    "device connectivity": """
        SELECT name as "Device", model as "Model", COALESCE(status, 'unknown') as "Status", updated_at as "Last Updated"
        FROM device ORDER BY updated_at DESC""",
    "campaign success": """
        SELECT c.name as "Campaign", COUNT(te.id) as "Total Tests",
          COUNT(CASE WHEN te.status = 'completed' THEN 1 END) as "Completed",
          ROUND(COUNT(CASE WHEN te.status = 'completed' THEN 1 END)::numeric / NULLIF(COUNT(te.id), 0) * 100, 2)
            as "Success Rate %"
        FROM campaigns c LEFT JOIN test_executions te ON c.id = te.campaign_id
        GROUP BY c.id, c.name ORDER BY "Success Rate %" DESC""",
    "active alerts": """
        SELECT floor(extract(epoch FROM created_at) / 3600) * 3600 AS "time",
          COUNT(CASE WHEN status = 'active' THEN 1 END) as "Active Alerts",
          COUNT(CASE WHEN status = 'resolved' THEN 1 END) as "Resolved Alerts"
        FROM alerts WHERE created_at BETWEEN now() - interval '1 day' AND now() + interval '1 day'
        GROUP BY 1 ORDER BY 1""",
    "controller health": "SELECT status, count(*) FROM controllers GROUP BY status",
}
"""The document's queries, Grafana's macros replaced by what they stand for; the last one is only described there."""

FIRST_VALUES = {
    "device connectivity": ("Box", "stb", "online"),
    "campaign success": ("Nightly", 1, 1, 100),
    "controller health": ("online", 1),
}


@pytest.mark.parametrize("name", CLIENTS_QUERIES)
def test_the_clients_queries_find_the_rows(name: str) -> None:
    Lab()
    with connections[SOURCE].cursor() as cursor:
        cursor.execute(CLIENTS_QUERIES[name])
        [row] = cursor.fetchall()
    if name in FIRST_VALUES:
        assert row[: len(FIRST_VALUES[name])] == FIRST_VALUES[name]
    else:
        assert row[1] in {1, 100}


def test_the_platform_inserts_what_it_knows_and_the_database_adds_the_rest() -> None:
    team = Team.objects.create(name="Lab", tenant_id=uuid4())
    with connections[SOURCE].cursor() as cursor:
        cursor.execute(
            "INSERT INTO alerts (host_name, device_id, incident_type) VALUES ('h', 'device1', 'freeze') RETURNING id"
        )
        alert = PlatformAlert.objects.get(pk=cursor.fetchone()[0])
        cursor.execute(
            "INSERT INTO test_cases (name, test_type, start_node, team_id) VALUES ('t', 'functional', 'home', %s)"
            " RETURNING steps, tags, priority, compatible_devices::text",
            [team.id],
        )
        assert cursor.fetchone() == ("[]", [], 1, '["all"]')
        cursor.execute(
            "INSERT INTO system_incident (host_name, device_id, device_name, capture_folder, incident_type, severity,"
            " component, detected_at) VALUES ('h', 'd', 'd', 'c', 'x', 'high', 'c', now())"
            " RETURNING incident_id, status"
        )
        assert cursor.fetchone()[1] == "open"
    assert (alert.status, alert.consecutive_count, alert.checked, alert.discard) == ("active", 1, False, False)
    assert alert.start_time == alert.created_at


def test_deleting_a_team_takes_its_rows_along_as_on_the_platform() -> None:
    lab, other = Lab(), Lab(name="Lab Two", host="host-2")
    DeploymentExecution.objects.all().delete()
    Team.objects.filter(pk=lab.team_id).delete()
    for model in mirrored_models():
        if model.team_lookup in {"id", "team_id"}:
            assert list(model.objects.values_list(model.team_lookup, flat=True)) == [other.team_id], model


def test_a_script_result_that_a_deployment_refers_to_cannot_be_deleted() -> None:
    lab = Lab()
    with pytest.raises(IntegrityError, match="deployment_executions"), transaction.atomic(using=SOURCE):
        ScriptResult.objects.filter(pk=lab.of(ScriptResult).pk).delete()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("alerts", "incident_type = 'smoke'"),
        ("alerts", "consecutive_count = 0"),
        ("campaign_executions", "status = 'paused'"),
        ("deployments", "status = 'paused for now'"),
        ("device_models", "types = '{}'"),
        ("device_models", "name = ' '"),
        ("navigation_edges", "action_sets = '[]'"),
        ("navigation_edges", "default_action_set_id = 'live_to_home'"),
        ("navigation_trees", "is_root_tree = false"),
        ("navigation_trees", "tree_depth = 6"),
        ("system_device_metrics", "capture_folder = 'unknown'"),
        ("test_cases", "priority = 6"),
    ],
)
def test_the_database_refuses_what_the_platforms_refuses(table: str, change: str) -> None:
    Lab()
    with (
        connections[SOURCE].cursor() as cursor,
        pytest.raises(IntegrityError),
        transaction.atomic(using=SOURCE),
    ):
        cursor.execute(f"UPDATE {table} SET {change}")


def test_a_form_learns_of_a_broken_rule_before_the_database_does() -> None:
    alert = Lab().of(PlatformAlert)
    alert.status = "ignored"
    with pytest.raises(ValidationError, match="alerts_status_check"):
        alert.full_clean()


def test_measurements_are_floats_also_when_averaged() -> None:
    Lab()
    row = SystemMetric.objects.get()
    assert (row.cpu_percent, row.load_average_1m, row.cpu_temperature_celsius) == (12.5, 0.25, None)
    average = SystemMetric.objects.aggregate(value=Avg("cpu_percent"))["value"]
    assert type(average) is float
    assert average == 12.5


def test_a_timestamp_without_zone_is_utc_whichever_way_it_is_asked_for() -> None:
    Lab()
    heatmap = Heatmap.objects.get()
    assert heatmap.generated_at == NOON
    in_paris = NOON.astimezone(timezone(timedelta(hours=1)))
    assert Heatmap.objects.filter(generated_at=in_paris).exists()
    assert Heatmap.objects.filter(generated_at__range=(in_paris, NOON)).exists()
    assert not Heatmap.objects.filter(generated_at__lt=in_paris).exists()
    with connections[SOURCE].cursor() as cursor:
        cursor.execute("SELECT generated_at::text FROM heatmaps")
        assert cursor.fetchone() == ("2026-03-01 12:00:00",)


def test_saving_a_row_moves_its_moment_of_change_and_adding_keeps_a_given_one() -> None:
    team = Lab().of(Team)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    device = Device.objects.create(team=team, name="Old", updated_at=long_ago)
    assert Device.objects.get(pk=device.pk).updated_at == long_ago
    device.save()
    changed = Device.objects.get(pk=device.pk).updated_at
    assert changed is not None
    assert changed > long_ago


def test_a_reference_to_a_row_that_is_gone_is_none() -> None:
    lab = Lab()
    run = lab.of(TestExecution)
    TestExecution.objects.update(device=uuid4())
    run.refresh_from_db()
    assert run.device is None
    assert run.device_id is not None


def test_every_row_names_itself() -> None:
    lab = Lab()
    assert str(lab.of(NavigationEdge)) == "n1 → n2"
    assert str(lab.of(Deployment)) == "hourly"
    assert str(lab.of(PlatformAlert)) == "freeze on Box"
    assert all(str(row) for row in lab.rows.values())


def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", "mirror", check=True, dry_run=True, verbosity=0)


def test_every_list_of_a_big_table_can_be_read_off_an_index() -> None:
    with connections[SOURCE].cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_incremental_sort = off")
    for model in mirrored_models():
        if model._meta.ordering:
            assert list(model._meta.ordering) == [f"-{model.time_field}", f"-{model._meta.pk.name}"]
            plan = model.objects.all()[:20].explain()
            assert "Sort" not in plan, f"{model._meta.db_table}: {plan}"
