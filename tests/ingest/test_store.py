"""Storing: once, whoever sends and however often; whose rows; which times; what the connected database lacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import ApiToken, HostTeam, User
from apps.ingest.kinds import KINDS
from apps.mirror.models import (
    CampaignExecution,
    DeviceFlag,
    Heatmap,
    PlatformAlert,
    ScriptResult,
    SystemMetric,
    TestExecution,
    ZapResult,
)
from tests.ingest import rows
from tests.ingest.sending import Host, sure
from tests.mirror.reduced import without_column, without_table
from tests.people import HOST_A, HOST_B, TEAM_A, TEAM_B

pytestmark = pytest.mark.django_db(databases=["default", "source"])


# Once -----------------------------------------------------------------------------------------------------------------


def test_sent_twice_stored_once(host: Host) -> None:
    batch = [rows.script() for _ in range(5)]
    first = host.send("script-results", batch)
    assert (first.status, set(first.statuses)) == (201, {"stored"})
    second = host.send("script-results", [*batch, rows.script()])
    assert (second.status, second.statuses) == (201, ["already there"] * 5 + ["stored"])
    assert second.document["counts"] == {"received": 6, "stored": 1, "already_there": 5, "updated": 0, "refused": 0}
    assert [row["id"] for row in second.document["rows"][:5]] == [row["id"] for row in batch]
    assert host.send("script-results", batch).status == 200
    assert ScriptResult.objects.count() == 6


def test_the_same_id_with_other_content_is_told_and_not_stored(host: Host) -> None:
    row = rows.script()
    host.send("script-results", row)
    answer = host.send("script-results", row | {"script_name": "other.py"})
    assert (answer.status, answer.row["field"]) == (422, "script_name")
    assert ScriptResult.objects.values_list("script_name", flat=True).get() == "goto.py"


def test_a_late_second_sending_of_what_has_changed_since_is_the_same_row(host: Host) -> None:
    row = rows.script()
    host.send("script-results", row)
    host.change("script-results", row["id"], {"success": True, "execution_time_ms": 5, "metadata": {"a": 1}})
    assert host.send("script-results", row).statuses == ["already there"]
    assert ScriptResult.objects.values_list("success", "metadata").get() == (True, {"a": 1})


def test_a_row_without_an_id_gets_one_from_what_it_says(host: Host) -> None:
    ping = rows.host_ping()
    assert "id" not in ping
    first, second = host.send("system-metrics", ping), host.send("system-metrics", ping)
    assert (first.statuses, second.statuses) == (["stored"], ["already there"])
    assert UUID(first.row["id"]) == SystemMetric.objects.get().id == UUID(second.row["id"])
    assert host.send("system-metrics", ping | {"timestamp": rows.iso(5)}).statuses == ["stored"]
    assert host.send("zap-results", [rows.zap(), rows.zap(), rows.zap(iteration_index=2)]).statuses == [
        "stored", "already there", "stored",
    ]  # fmt: skip
    other = host.send("system-metrics", ping | {"cpu_percent": 99})
    assert (other.statuses, other.fields) == (["refused"], ["cpu_percent"])


def test_another_key_of_the_table_that_is_taken(host: Host) -> None:
    row = rows.campaign()
    host.send("campaign-executions", row)
    twin = rows.campaign(campaign_execution_id=row["campaign_execution_id"])
    fresh = rows.campaign()
    again = rows.campaign(campaign_execution_id=fresh["campaign_execution_id"])
    answer = host.send("campaign-executions", [twin, fresh, again, rows.campaign()])
    assert sorted(answer.statuses) == ["refused", "refused", "stored", "stored"]
    assert answer.fields[0] == "campaign_execution_id"
    assert CampaignExecution.objects.count() == 3


def test_flags_are_a_state(host: Host) -> None:
    assert host.send("device-flags", rows.flags()).statuses == ["stored"]
    assert host.send("device-flags", rows.flags()).statuses == ["already there"]
    before = sure(DeviceFlag.objects.get().updated_at)
    assert host.send("device-flags", rows.flags(flags=["a", "b"])).statuses == ["updated"]
    found = DeviceFlag.objects.get()
    assert found.flags == ["a", "b"]
    assert sure(found.updated_at) >= before
    uneven = [rows.flags(), {"host_name": HOST_A, "device_id": "device2", "device_name": "Other"}]
    assert host.send("device-flags", uneven).statuses == ["updated", "refused"]


def test_a_few_statements_whatever_the_size(host: Host, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    host.send("script-results", rows.script())
    for size in (1, 1000):
        batch = [rows.script() for _ in range(size)]
        with django_assert_num_queries(3, using="source"):  # two are the savepoint of the test's transaction
            assert set(host.send("script-results", batch).statuses) == {"stored"}
        with django_assert_num_queries(4, using="source"):
            assert set(host.send("script-results", batch).statuses) == {"already there"}
        with django_assert_num_queries(1, using="default"):
            pings = [rows.host_ping(timestamp=rows.iso(size + n)) for n in range(size)]
            host.send("system-metrics", pings)


def test_defaults_are_the_database_s(host: Host) -> None:
    sent: list[rows.Payload] = [
        {"host_name": HOST_A, "device_id": "1", "incident_type": "freeze", "start_time": rows.iso(n)} for n in (0, 1)
    ]
    sent[1] |= {"checked": None, "discard": True}
    host.send("alerts", sent)
    first, second = PlatformAlert.objects.order_by("start_time")
    assert (first.consecutive_count, first.checked, first.discard) == (1, False, False)
    assert (second.status, second.checked, second.discard) == ("active", False, True)


# When -----------------------------------------------------------------------------------------------------------------


def test_a_time_without_a_zone_needs_one(host: Host) -> None:
    row = rows.script(started_at="2026-07-01T12:00:00", completed_at="2026-07-01T12:00:00.5")
    answer = host.send("script-results", row)
    assert (answer.status, answer.row["field"]) == (422, "started_at")
    assert "X-Time-Zone" in answer.row["fix"]
    assert host.send("script-results", row, zone="Europe/Zurich").status == 201
    assert ScriptResult.objects.get().started_at == datetime(2026, 7, 1, 10, tzinfo=UTC)
    wrong = host.send("script-results", row, zone="Mars/Olympus")
    assert (wrong.status, wrong.document["parameter"]) == (400, "X-Time-Zone")


@pytest.mark.parametrize(
    "text", ["2026-07-01 12:00:00+00:00", "2026-07-01T12:00Z", "2026-07-01T14:00:00+02:00", "2026-07-01T12:00:00.000Z"]
)
def test_times_as_people_write_them(host: Host, text: str) -> None:
    assert host.send("script-results", rows.script(started_at=text)).status == 201
    assert ScriptResult.objects.get().started_at == datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_a_column_without_a_zone_holds_utc(host: Host) -> None:
    host.send("heatmaps", rows.heatmap(generated_at="2026-07-01T12:00:00+02:00"))
    assert Heatmap.objects.get().generated_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_the_database_s_clock_says_when_it_came_and_whose_clock_is_ahead(host: Host) -> None:
    ahead = timezone.now() + timedelta(hours=1)
    row = rows.script(started_at=ahead.isoformat(), created_at="2001-01-01T00:00:00Z")
    answer = host.send("script-results", [row, rows.script()])
    assert 3590 <= answer.document["rows"][0]["clock_skew_seconds"] <= 3601
    assert "clock_skew_seconds" not in answer.document["rows"][1]
    assert abs(datetime.fromisoformat(answer.document["received_at"]) - timezone.now()) < timedelta(minutes=5)
    assert any("created_at" in note for note in answer.document["notes"])
    assert ScriptResult.objects.filter(created_at__year=2001).count() == 0


# Whose ----------------------------------------------------------------------------------------------------------------


def test_a_token_of_a_team_writes_for_it_alone(rack_a: Host) -> None:
    sent = [
        rows.script(),
        rows.script(team_id=str(TEAM_B)),
        rows.script(host_name=HOST_B),
        rows.script(team_id=str(TEAM_B), host_name=HOST_B),
    ]
    answer = rack_a.send("script-results", sent)
    assert answer.statuses == ["stored", "refused", "refused", "refused"]
    assert ScriptResult.objects.count() == 1
    assert rack_a.send("alerts", [rows.alert(), rows.alert(host_name=HOST_B)]).statuses == ["stored", "refused"]
    assert rack_a.send("test-executions", rows.test_run(team_id=str(TEAM_B))).fields == ["team_id"]


def test_a_token_of_a_host_writes_for_it_alone(admin: User, host: Host) -> None:
    limited = Host(admin, host_names=[HOST_A])
    assert limited.send("system-metrics", [rows.host_ping(), rows.host_ping(host_name=HOST_B)]).statuses == [
        "stored", "refused",
    ]  # fmt: skip


def test_the_host_s_team_is_filled_in(host: Host) -> None:
    row = rows.script()
    del row["team_id"]
    assert host.send("script-results", row).statuses == ["stored"]
    assert ScriptResult.objects.get().team_id == TEAM_A
    unknown = host.send("script-results", row | {"id": None, "host_name": "rack-x"})
    assert (unknown.status, unknown.row["field"]) == (422, "team_id")
    HostTeam.objects.create(host_name=HOST_A, team_id=TEAM_B)
    assert host.send("script-results", row | {"id": None}).fields == ["team_id"]


def test_a_host_of_no_team_is_stored_and_told(host: Host, rack_a: Host) -> None:
    answer = host.send("alerts", rows.alert(host_name="rack-x"))
    assert answer.status == 201
    assert "rack-x belongs to no team" in answer.document["notes"][0]
    assert rack_a.send("alerts", rows.alert(host_name="rack-x", device_id="2")).statuses == ["refused"]


def test_somebody_else_s_counts_keep_their_values(host: Host, rack_a: Host) -> None:
    from tests.ingest.test_writers import _tree

    row = {"edge_id": "e", "tree_id": str(_tree().id), "action_set_id": "s", "total_executions": 1}
    host.send("edge-metrics", row | {"team_id": str(TEAM_B)})
    answer = rack_a.send("edge-metrics", row | {"team_id": str(TEAM_A), "total_executions": 9})
    assert (answer.statuses, answer.fields) == (["refused"], ["team_id"])


def test_who_may_not(alice: User, bob: User, host: Host) -> None:
    viewer = Host(bob)
    assert viewer.send("alerts", rows.alert()).status == 403
    reader = Host(alice)
    ApiToken.objects.filter(owner=alice).update(scopes=["read"])
    assert reader.send("alerts", rows.alert()).status == 403
    assert PlatformAlert.objects.count() == 0


def test_a_database_that_may_only_be_read(host: Host) -> None:
    with override_settings(SOURCE_ACCESS="read"):
        answer = host.send("alerts", rows.alert())
        changed = host.change("alerts", UUID(int=1), {"status": "resolved"})
    assert (answer.status, changed.status) == (403, 403)
    assert answer.document["setting"] == "SOURCE_ACCESS"
    assert "SOURCE_ACCESS=write" in answer.document["detail"]


# Where ----------------------------------------------------------------------------------------------------------------


def test_a_column_that_is_missing_is_left_out_and_told(host: Host) -> None:
    with without_column("zap_results", "total_zap_duration_ms"):
        answer = host.send("zap-results", rows.zap())
        assert answer.status == 201
        assert any("zap_results.total_zap_duration_ms" in note for note in answer.document["notes"])
        assert ZapResult.objects.count() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_that_is_missing_is_told(host: Host, kind: str) -> None:
    with without_table(KINDS[kind].table):
        answer = host.send(kind, {})
        assert answer.status == 404
        assert KINDS[kind].table in answer.document["detail"]


def test_a_column_that_no_model_knows_is_filled(host: Host) -> None:
    from apps.mirror.shape import forget

    with connections["source"].cursor() as cursor:
        cursor.execute("ALTER TABLE test_executions ADD COLUMN build varchar(8) NOT NULL")
        forget()
        try:
            sent: list[Any] = [rows.test_run(build=text) for text in ("1.2", "much too long", None)] + [rows.test_run()]
            answer = host.send("test-executions", sent)
            assert answer.statuses == ["stored", "refused", "refused", "refused"]
            assert set(answer.fields[1:]) == {"build"}
            cursor.execute("SELECT build FROM test_executions")
            assert cursor.fetchall() == [("1.2",)]
        finally:
            forget()


def test_fields_that_there_are_not(host: Host) -> None:
    row = rows.test_run(hots_name="a", colour={"nested": {"a": 1}})
    answer = host.send("test-executions", row)
    assert (answer.status, answer.row["field"]) == (422, "hots_name")
    assert (
        host.send("test-executions", rows.test_run(exection_id="a")).row["fix"].startswith("Did you mean execution_id?")
    )
    kept = host.send("test-executions", row, query="?unknown=ignore")
    assert kept.status == 201
    assert len(kept.document["notes"]) == 2
    assert TestExecution.objects.count() == 1


def test_no_such_kind(host: Host) -> None:
    assert host.send("teams", {}).status == 404
    assert host.change("heatmaps", UUID(int=1), {}).status == 405
