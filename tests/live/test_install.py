"""What the databases tell of, to whom, and at what cost to those who write."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connections, transaction
from django.utils import timezone

from apps.accounts.models import HostTeam
from apps.accounts.scope import EVERYTHING, NOTHING, TeamScope
from apps.dashboards.models import Folder
from apps.live.events import changes_for
from apps.live.install import install, missing, schema_of
from apps.live.reading import Missed, missed
from apps.live.tables import live_tables, topics
from apps.mirror.models import Deployment, DeploymentExecution, PlatformAlert, ScriptResult, Team
from tests.people import HOST_A, TEAM_A, TEAM_B

pytestmark = [
    pytest.mark.usefixtures("committed"),
    pytest.mark.django_db(databases=["default", "source"], transaction=True),
]

ALL = topics()
A = TeamScope(team_ids=frozenset({TEAM_A}), host_names=frozenset({HOST_A}))
B = TeamScope(team_ids=frozenset({TEAM_B}))


def after(start: Missed, scope: TeamScope = EVERYTHING) -> dict[str, Any]:
    found = missed(start.token, scope, ALL)
    assert found.complete
    return {topic: change.as_json() for topic, change in found.changes.items()}


def here() -> Missed:
    return missed(None, EVERYTHING, ALL)


def script(**fields: Any) -> ScriptResult:
    now = timezone.now()
    given = {"team_id": TEAM_A, "script_name": "zap", "script_type": "test", "host_name": HOST_A, "device_name": "stb",
             "success": False, "started_at": now, "completed_at": now, **fields}  # fmt: skip
    return ScriptResult(**given)


def test_every_mirrored_table_and_those_that_apps_name_take_part() -> None:
    assert {"alerts", "script_results", "system_metrics", "dashboards_dashboard", "triage_alerttriage"} <= ALL
    assert {"grafana_placement", "grafana_syncrun"} <= ALL
    assert missing("default") == []
    assert missing("source") == []
    assert install("source") == [], "the second time there is nothing to do"


def test_one_statement_is_one_event_for_each_team() -> None:
    start = here()
    rows = [script() for _ in range(3)] + [script(team_id=TEAM_B)]
    Team.objects.bulk_create(Team(id=key, name="T", tenant_id=key) for key in (TEAM_A, TEAM_B))
    start = here()
    ScriptResult.objects.bulk_create(rows)
    assert after(start)["script_results"]["rows"] == 4
    told = after(start, A)["script_results"]
    assert told["rows"] == 3
    assert sorted(told["added"]) == sorted(str(row.pk) for row in rows[:3])
    assert after(start, B)["script_results"]["added"] == [str(rows[3].pk)]
    assert after(start, NOTHING) == {}


def test_rows_that_change_and_go_are_told_and_none_that_were_not_touched() -> None:
    alert = PlatformAlert.objects.create(host_name=HOST_A, device_id="device1", incident_type="freeze")
    start = here()
    PlatformAlert.objects.filter(pk=uuid4()).update(status="resolved")
    assert after(start) == {}
    PlatformAlert.objects.filter(pk=alert.pk).update(status="resolved")
    assert after(start, A)["alerts"]["changed"] == [str(alert.pk)]
    key = str(alert.pk)
    alert.delete()
    told = after(start, A)["alerts"]
    assert (told["changed"], told["removed"]) == ([key], [key])
    assert after(start, B) == {}


def test_what_is_rolled_back_has_not_happened() -> None:
    start = here()
    with transaction.atomic(using="source"):
        PlatformAlert.objects.create(host_name=HOST_A, device_id="device1", incident_type="freeze")
        transaction.set_rollback(True, using="source")
    assert after(start) == {}


def test_a_row_whose_team_stands_in_another_table() -> None:
    Team.objects.create(id=TEAM_A, name="A", tenant_id=TEAM_A)
    plan = Deployment.objects.create(
        team_id=TEAM_A, name="nightly", host_name=HOST_A, device_id="device1", script_name="zap",
        userinterface_name="horizon", parameters="", cron_expression="0 3 * * *",
    )  # fmt: skip
    start = here()
    run = DeploymentExecution.objects.create(deployment=plan, scheduled_at=timezone.now())
    assert after(start, A)["deployment_executions"]["added"] == [str(run.pk)]
    assert after(start, B) == {}


def test_many_rows_are_a_number_and_some_ids() -> None:
    Team.objects.create(id=TEAM_A, name="A", tenant_id=TEAM_A)
    start = here()
    ScriptResult.objects.bulk_create([script() for _ in range(300)])
    told = after(start)["script_results"]
    assert (told["rows"], len(told["added"]), told["more"]) == (300, 50, True)


def test_a_table_that_is_emptied_is_told_to_all() -> None:
    start = here()
    with connections["source"].cursor() as cursor:
        cursor.execute("TRUNCATE alerts")
    assert after(start, B)["alerts"]["more"] is True


def test_of_rows_that_are_for_some_by_other_rows_only_their_number_is_told() -> None:
    start = here()
    Folder.objects.create(uid="all", title="For all")
    Folder.objects.create(uid="a", title="Of A", team_id=TEAM_A)
    told = after(start, B)["dashboards_folder"]
    assert (told["rows"], told["added"], told["more"]) == (2, [], True)


def test_changes_of_rights_are_heard_by_who_sees_everything() -> None:
    start = here()
    HostTeam.objects.create(host_name=HOST_A, team_id=TEAM_A)
    assert "accounts_hosttteam" not in after(start, A)
    assert after(start)["accounts_hostteam"]["rows"] == 1


def test_a_role_that_may_only_write_the_table_makes_events_and_reads_none() -> None:
    start = here()
    with connections["source"].cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS live_writer")
        cursor.execute("CREATE ROLE live_writer")
        cursor.execute("GRANT live_writer TO CURRENT_USER WITH SET TRUE, INHERIT TRUE")
        try:
            cursor.execute("GRANT INSERT ON alerts TO live_writer")
            with transaction.atomic(using="source"):
                cursor.execute("SET LOCAL ROLE live_writer")
                cursor.execute("INSERT INTO alerts (host_name, device_id, incident_type) VALUES ('h', 'd', 'freeze')")
            cursor.execute("SELECT has_schema_privilege('live_writer', %s, 'USAGE')", [schema_of("source")])
            assert cursor.fetchone() == (False,)
        finally:
            cursor.execute("DROP OWNED BY live_writer")
            cursor.execute("DROP ROLE live_writer")
    assert after(start)["alerts"]["rows"] == 1


@pytest.mark.parametrize("column", ["host_name", "id"])
def test_a_column_that_somebody_dropped_keeps_nobody_from_writing(column: str) -> None:
    start = here()
    with transaction.atomic(using="source"):
        with connections["source"].cursor() as cursor:
            cursor.execute(f"ALTER TABLE alerts DROP COLUMN {column} CASCADE")
            cursor.execute(
                "INSERT INTO alerts (device_id, incident_type) VALUES ('d', 'freeze')"
                if column != "id"
                else "INSERT INTO alerts (host_name, device_id, incident_type) VALUES ('h', 'd', 'freeze')"
            )
            cursor.execute(f"SELECT rows, ids, host FROM {schema_of('source')}.live_event ORDER BY id DESC LIMIT 1")
            assert cursor.fetchone() == (1, [], None)
        transaction.set_rollback(True, using="source")
    assert after(start) == {}


def test_a_trigger_that_somebody_dropped_comes_back_with_the_next_migrate() -> None:
    with connections["source"].cursor() as cursor:
        cursor.execute("DROP TRIGGER vptmonitor_live_insert ON alerts")
    assert [table.name for table in missing("source")] == ["alerts"]
    assert install("source") == ["alerts"]
    assert missing("source") == []


def test_a_copy_on_another_server_begins_a_history_of_its_own() -> None:
    start = here()
    with connections["source"].cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {schema_of('source')}.live_event (xid, topic, op, rows)"
            " VALUES ((pg_current_xact_id()::text::bigint + 100000)::text::xid8, 'alerts', 'insert', 1)"
        )
    assert after(start) == {}, "events of the future are those of another server"
    install("source")
    assert not missed(start.token, EVERYTHING, ALL).complete


def test_a_rule_that_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.dashboards.apps import DashboardsConfig

    monkeypatch.setattr(DashboardsConfig, "live_tables", {"Dashboard": "teams"})
    with pytest.raises(ValueError, match="is no rule"):
        live_tables.__wrapped__("default")


def test_changes_are_of_the_topics_that_were_asked_for() -> None:
    assert changes_for([], EVERYTHING, frozenset({"alerts"})) == {}
