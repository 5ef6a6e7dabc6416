"""What becomes of rows: scripts and campaigns end, KPIs arrive and are counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.mirror.models import CampaignExecution, Deployment, DeploymentExecution, EdgeMetric, NodeMetric, ScriptResult
from tests.ingest import rows
from tests.ingest.sending import Host, sure
from tests.ingest.test_writers import _tree
from tests.people import HOST_B, TEAM_A, TEAM_B

pytestmark = pytest.mark.django_db(databases=["default", "source"])

END: dict[str, Any] = {
    "success": True, "completed_at": rows.iso(2), "updated_at": rows.iso(2), "execution_time_ms": 120_000,
    "html_report_r2_path": "r.html", "html_report_r2_url": "https://r2.example.com/r.html", "logs_r2_path": "l.txt",
    "logs_r2_url": "https://r2.example.com/l.txt", "error_msg": None, "metadata": {"target": "example.com"},
}  # fmt: skip
"""update_script_execution_result."""


def test_a_script_ends(host: Host) -> None:
    row = rows.script()
    host.send("script-results", row)
    before = ScriptResult.objects.get()
    assert ScriptResult.objects.all().running(rows.NOON + timedelta(minutes=1)).exists()
    answer = host.change("script-results", row["id"], END)
    assert (answer.status, answer.statuses) == (200, ["updated"])
    assert host.change("script-results", row["id"], END).statuses == ["already there"]
    found = ScriptResult.objects.get()
    assert (found.success, found.execution_time_ms, found.metadata) == (True, 120_000, {"target": "example.com"})
    assert found.completed_at == rows.NOON + timedelta(minutes=2)
    assert sure(found.updated_at) >= sure(before.updated_at)
    assert found.script_name == "goto.py"


def test_a_row_that_is_not_there(host: Host) -> None:
    answer = host.change("script-results", UUID(int=5), END)
    assert (answer.status, answer.row["status"]) == (404, "refused")
    row = rows.script()
    host.send("script-results", row)
    batch = [{"id": str(UUID(int=5)), "success": True}, {"id": row["id"], "success": True}, {"success": True}]
    answer = host.change("script-results", None, batch)
    assert (answer.status, answer.statuses) == (207, ["refused", "updated", "refused"])


def test_what_may_not_be_changed(host: Host) -> None:
    row = rows.script()
    host.send("script-results", row)
    assert host.change("script-results", row["id"], {"script_name": "x"}).row["field"] == "script_name"
    assert host.change("script-results", row["id"], {"id": str(uuid4()), "success": True}).row["field"] == "id"
    assert host.change("script-results", row["id"], {}).status == 422
    assert host.change("script-results", row["id"], [{}, {}]).status == 400
    assert host.change("script-results", row["id"], b'{"success":true,"success":false}').status == 422
    assert host.change("script-results", row["id"], b'{"metadata":{"a":"\\u0000"}}').status == 422
    campaign = rows.campaign()
    host.send("campaign-executions", [campaign])
    wrong = host.change("campaign-executions", campaign["id"], {"status": "finished"})
    assert (wrong.status, wrong.row["field"]) == (422, "status")


def test_only_one_s_own_rows(host: Host, rack_a: Host) -> None:
    own, other = rows.script(), rows.script(team_id=str(TEAM_B), host_name=HOST_B)
    host.send("script-results", [own, other])
    changes = [{"id": own["id"], "success": True}, {"id": other["id"], "success": True}]
    assert rack_a.change("script-results", None, changes).statuses == ["updated", "refused"]
    assert ScriptResult.objects.filter(success=True).count() == 1


def test_a_campaign_collects_its_scripts_and_ends(host: Host) -> None:
    row = rows.campaign()
    host.send("campaign-executions", row)
    scripts = [str(uuid4()) for _ in range(3)]
    for known in (scripts[:1], scripts[:2], scripts[1:]):
        host.change("campaign-executions", row["id"], {"script_result_ids": known})
    end = {
        "status": "completed",
        "success": True,
        "completed_at": "2026-03-01T13:30:00",
        "execution_time_ms": 1_800_000,
    }
    assert host.change("campaign-executions", row["id"], end).row["field"] == "completed_at"
    assert host.change("campaign-executions", row["id"], end, zone="Europe/Zurich").statuses == ["updated"]
    found = CampaignExecution.objects.get()
    assert [str(one) for one in sure(found.script_result_ids)] == scripts
    assert found.completed_at == rows.NOON + timedelta(minutes=30)
    assert found.status == "completed"


def test_several_changes_of_one_row_in_a_batch(host: Host) -> None:
    row = rows.campaign()
    host.send("campaign-executions", row)
    scripts = [str(uuid4()) for _ in range(3)]
    host.change("campaign-executions", None, [{"id": row["id"], "script_result_ids": [one]} for one in scripts])
    assert [str(one) for one in sure(CampaignExecution.objects.get().script_result_ids)] == scripts


def test_a_turn_of_a_schedule_ends(host: Host, rack_a: Host) -> None:
    schedule, foreign = rows.schedule(), rows.schedule(team_id=str(TEAM_B), host_name=HOST_B)
    host.send("deployments", [schedule, foreign])
    turns = [rows.turn(schedule["id"]), rows.turn(foreign["id"])]
    assert rack_a.send("deployment-executions", turns).statuses == ["stored", "refused"]
    host.send("deployment-executions", turns)
    ends = [{"id": turn["id"], "status": "completed", "success": True} for turn in turns]
    assert rack_a.change("deployment-executions", None, ends).statuses == ["updated", "refused"]
    assert DeploymentExecution.objects.filter(status="completed").count() == 1
    count = {"execution_count": 3, "last_executed_at": rows.iso(1)}
    assert rack_a.change("deployments", schedule["id"], count).statuses == ["updated"]
    assert Deployment.objects.get(pk=schedule["id"]).execution_count == 3


def test_a_change_that_only_a_trigger_refuses(host: Host) -> None:
    from django.db import connections

    with connections["source"].cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.no_seven() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF NEW.execution_time_ms = 7 THEN RAISE EXCEPTION 'not seven'; END IF; RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER no_seven BEFORE UPDATE ON script_results FOR EACH ROW EXECUTE FUNCTION pg_temp.no_seven()"
        )
    batch = [rows.script() for _ in range(9)]
    host.send("script-results", batch)
    changes = [{"id": row["id"], "execution_time_ms": number + 3} for number, row in enumerate(batch)]
    answer = host.change("script-results", None, changes)
    assert [n for n, status in enumerate(answer.statuses) if status == "refused"] == [4]
    assert "not seven" in answer.document["rows"][4]["problem"]
    assert ScriptResult.objects.filter(execution_time_ms__isnull=False).count() == 8


# Counts of edges and nodes --------------------------------------------------------------------------------------------


def test_steps_are_counted_once_and_kpis_anew(host: Host) -> None:
    tree = str(_tree().id)
    steps = [rows.action(tree_id=tree, success=n != 2, execution_time_ms=100 * n) for n in (1, 2, 3)]
    checks = [rows.verification(tree_id=tree), rows.verification(tree_id=tree, success=True)]
    for _ in range(2):
        host.send("execution-results", steps + checks)
    edge, node = EdgeMetric.objects.get(), NodeMetric.objects.get()
    assert (edge.total_executions, edge.successful_executions, edge.avg_execution_time_ms) == (3, 2, 200)
    assert edge.success_rate == pytest.approx(0.6667)
    assert (node.total_executions, node.successful_executions, node.success_rate) == (2, 1, 0.5)
    assert (edge.team_id, edge.total_kpi_measurements) == (TEAM_A, 0)

    kpi = {"kpi_measurement_success": True, "kpi_measurement_ms": 900, "kpi_report_url": "https://r2.example.com/k"}
    assert host.change("execution-results", steps[0]["id"], kpi).statuses == ["updated"]
    assert host.change("execution-results", steps[0]["id"], kpi).statuses == ["already there"]
    more = [
        {"id": steps[1]["id"], "kpi_measurement_success": True, "kpi_measurement_ms": 1101},
        {"id": steps[2]["id"], "kpi_measurement_success": False, "kpi_measurement_error": "no match"},
    ]
    assert host.change("execution-results", None, more).statuses == ["updated", "updated"]
    edge = EdgeMetric.objects.get()
    assert (edge.total_kpi_measurements, edge.successful_kpi_measurements, edge.avg_kpi_ms) == (3, 2, 1000)
    assert (edge.min_kpi_ms, edge.max_kpi_ms, edge.total_executions) == (900, 1101, 3)
    assert edge.kpi_success_rate == pytest.approx(0.6667)
    # A better measurement replaces the first one.
    host.change("execution-results", steps[0]["id"], {"kpi_measurement_ms": 1099})
    assert EdgeMetric.objects.values_list("avg_kpi_ms", "min_kpi_ms").get() == (1100, 1099)


def test_where_the_platform_counts_by_itself_nothing_is_counted_twice(host: Host) -> None:
    from django.db import connections

    from apps.mirror.shape import forget

    with connections["source"].cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION update_metrics() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER counts AFTER INSERT ON execution_results FOR EACH ROW EXECUTE FUNCTION update_metrics()"
        )
    forget()
    step = rows.action(tree_id=str(_tree().id))
    try:
        host.send("execution-results", step)
        assert EdgeMetric.objects.count() == 0
        kpi = {"kpi_measurement_success": True, "kpi_measurement_ms": 900}
        host.change("execution-results", step["id"], kpi)
    finally:
        forget()
    assert EdgeMetric.objects.values_list("total_kpi_measurements", "avg_kpi_ms").get() == (1, 900)


def test_a_few_statements_for_many_changes(host: Host, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    batch = [rows.action(tree_id=str(_tree().id)) for _ in range(200)]
    host.send("execution-results", batch)
    changes = [{"id": row["id"], "kpi_measurement_success": True, "kpi_measurement_ms": 7} for row in batch]
    with django_assert_num_queries(6, using="source"):
        assert set(host.change("execution-results", None, changes).statuses) == {"updated"}
