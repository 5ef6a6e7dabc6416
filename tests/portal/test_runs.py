"""The timeline of runs and the page of each kind of run."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.accounts.scope import EVERYTHING
from apps.mirror.models import (
    CampaignExecution,
    Device,
    ExecutionResult,
    MirrorModel,
    NavigationEdge,
    NavigationTree,
    ScriptResult,
    Team,
    TestCase,
    TestExecution,
    TestResult,
    ZapResult,
)
from apps.portal.selectors.runs import timeline
from tests.mirror.reduced import like_an_installation, without_column, without_table
from tests.people import HOST_A, HOST_B, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def ago(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)


def new_script(team: Team, minutes: float = 10, **given: Any) -> ScriptResult:
    start = given.pop("at", ago(minutes))
    values: dict[str, Any] = {
        "script_name": "zap.py", "script_type": "zap", "host_name": HOST_A, "device_name": "Box", "success": True,
        "execution_time_ms": 60_000, "started_at": start, "completed_at": start + timedelta(minutes=1),
    }  # fmt: skip
    row: ScriptResult = ScriptResult.objects.create(team=team, **values | given)
    return row


def new_running(team: Team, minutes: float = 2, **given: Any) -> ScriptResult:
    start = ago(minutes)
    return new_script(
        team, at=start, completed_at=start + timedelta(milliseconds=3), success=False, execution_time_ms=None, **given
    )


def new_campaign(team: Team, minutes: float = 10, **given: Any) -> CampaignExecution:
    start = given.pop("at", ago(minutes))
    values: dict[str, Any] = {
        "campaign_name": "Nightly", "campaign_execution_id": uuid4().hex, "host_name": HOST_A, "device_name": "Box",
        "status": "completed", "success": True, "execution_time_ms": 300_000, "started_at": start,
        "completed_at": start + timedelta(minutes=5),
    }  # fmt: skip
    row: CampaignExecution = CampaignExecution.objects.create(team=team, **values | given)
    return row


def new_test(team: Team, minutes: float = 10, name: str = "Login", **given: Any) -> TestExecution:
    case = TestCase.objects.get_or_create(
        team=team, name=name, defaults={"test_type": "functional", "start_node": "home"}
    )[0]
    values: dict[str, Any] = {"execution_id": uuid4().hex, "status": "completed", "duration": 42}
    row: TestExecution = TestExecution.objects.create(
        team=team, test=case, created_at=given.pop("at", ago(minutes)), **values | given
    )
    return row


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


def listed(client: Client, query: str = "") -> list[UUID]:
    found = re.findall(r'data-href="/runs/\w+/([0-9a-f-]{36})/"', text(client.get(f"/runs/?{query}")))
    return [UUID(one) for one in found]


def test_the_three_kinds_are_one_timeline_newest_first(alice: User, team_a: Team) -> None:
    rows: list[MirrorModel] = [
        new_script(team_a, 3), new_test(team_a, 1), new_campaign(team_a, 2), new_test(team_a, 5), new_script(team_a, 4),
    ]  # fmt: skip
    client = signed_in(alice)
    assert listed(client) == [rows[index].pk for index in (1, 2, 0, 4, 3)]
    assert "of the 5 shown that ended, none failed" in text(client.get("/runs/")).replace("Of", "of")


def test_the_cursor_walks_over_ties_both_ways_and_sees_each_run_once(team_a: Team) -> None:
    moments = [ago(minutes) for minutes in (1, 2, 2, 2, 3)]
    for at in moments:
        new_script(team_a, at=at)
        new_campaign(team_a, at=at)
        new_test(team_a, at=at)
    whole = timeline(scope=EVERYTHING, now=timezone.now())
    everything = [(run.kind, run.id) for run in whole.page(100).rows]
    assert len(set(everything)) == 15
    for size in (1, 2, 4, 7):
        seen, cursor, pages = [], "", []
        while True:
            cut = whole.page(size, cursor)
            pages.append([(run.kind, run.id) for run in cut.rows])
            seen += pages[-1]
            if not cut.older or len(seen) > 20:
                break
            cursor = cut.older
        assert seen == everything
        newer = cut.newer
        for page in reversed([page for page in pages[:-1] if page]):
            back = whole.page(size, newer)
            assert [(run.kind, run.id) for run in back.rows] == page
            newer = back.newer
        assert newer == ""


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WyJvbGRlciIsIm5vIiwic2NyaXB0IiwiMSJd", "%00", "eyJhIjoxfQ"])
def test_a_cursor_of_somebody_elses_making_starts_anew(alice: User, team_a: Team, cursor: str) -> None:
    row = new_script(team_a)
    assert listed(signed_in(alice), f"cursor={cursor}") == [row.pk]


def test_a_running_script_is_not_a_failure(alice: User, team_a: Team) -> None:
    running, lost = new_running(team_a), new_running(team_a, 300)
    failed = new_script(team_a, success=False, error_msg="Home not reached")
    client = signed_in(alice)
    assert listed(client, "state=running") == [running.pk]
    assert listed(client, "state=failing") == [failed.pk]
    assert listed(client, "state=unknown") == [lost.pk]
    assert "1 runs now; of the 1 shown that ended, 1 failed." in text(client.get("/runs/"))
    assert "Running for 2" in text(client.get(f"/runs/script/{running.pk}/"))
    assert "nothing was heard of it since" in text(client.get(f"/runs/script/{lost.pk}/"))
    assert "Home not reached" in text(client.get(f"/runs/script/{failed.pk}/"))


def test_filters_narrow_each_kind(admin: User, team_a: Team, team_b: Team) -> None:
    device = Device.objects.create(team=team_a, name="Kitchen TV")
    script = new_script(team_a, 1, userinterface_name="horizon")
    campaign = new_campaign(team_b, 2, host_name=HOST_B, device_name="Phone", status="failed", success=False)
    test = new_test(team_a, 3, device=device, status="FAILED")
    old = new_script(team_a, 60 * 24 * 9, script_name="old.py")
    client = signed_in(admin)
    for query, expected in (
        ("", [script, campaign, test]),
        ("range=30d", [script, campaign, test, old]),
        ("kind=campaign", [campaign]),
        ("state=failing", [campaign, test]),
        (f"host={HOST_B}", [campaign]),
        ("device=kitchen", [test]),
        ("device=pho", [campaign]),
        ("interface=horizon", [script]),
        (f"team={team_b.pk}", [campaign]),
        ("q=log", [test]),
        ("q=zap", [script]),
        ("kind=test&host=rack-a", []),
        ("q=%00", [script, campaign, test]),
    ):
        assert listed(client, query) == [row.pk for row in expected], query


def test_a_stranger_finds_nothing(alice: User, charlie: User, team_a: Team) -> None:
    rows = {"script": new_script(team_a), "campaign": new_campaign(team_a), "test": new_test(team_a)}
    mine, theirs = signed_in(alice), signed_in(charlie)
    assert len(listed(mine)) == 3
    assert listed(theirs) == []
    for kind, row in rows.items():
        assert mine.get(f"/runs/{kind}/{row.pk}/").status_code == 200
        assert theirs.get(f"/runs/{kind}/{row.pk}/").status_code == 404
    assert mine.get(f"/runs/script/{rows['test'].pk}/").status_code == 404
    assert mine.get(f"/runs/device/{rows['test'].pk}/").status_code == 404


def test_the_csv_has_every_run_of_the_filter(alice: User, team_a: Team) -> None:
    for minutes in range(60):
        new_script(team_a, minutes, error_msg="=cmd()" if minutes == 3 else None)
    new_test(team_a)
    answer: Any = signed_in(alice).get("/runs/?kind=script&format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert len(rows) == 60
    assert {row["kind"] for row in rows} == {"script"}
    assert [row["error"] for row in rows if row["error"]] == ["'=cmd()"]


def test_a_script_tells_its_steps_zaps_and_what_was_before(alice: User, team_a: Team) -> None:
    tree = NavigationTree.objects.create(team=team_a, name="horizon map")
    NavigationEdge.objects.create(
        team=team_a, tree=tree, edge_id="e1", source_node_id="a", target_node_id="b", label="Home → Guide",
        action_sets=[{"id": "x"}], default_action_set_id="x",
    )  # fmt: skip
    for minutes, duration in ((30, 50_000), (40, 60_000), (50, 70_000)):
        new_script(team_a, minutes, execution_time_ms=duration)
    script = new_script(
        team_a, execution_time_ms=120_000, html_report_r2_url="https://reports.example/1", logs_r2_url="javascript:x",
        metadata={"domain": "example.org", "password": "hunter2"},
    )  # fmt: skip
    campaign = new_campaign(team_a, 11, script_result_ids=[script.pk])
    step: dict[str, Any] = {
        "team": team_a, "tree": tree, "host_name": HOST_A, "script_result": script, "executed_at": script.started_at,
    }  # fmt: skip
    ExecutionResult.objects.create(**step, edge_id="e1", execution_type="action", success=True, execution_time_ms=1500)
    ExecutionResult.objects.create(
        **step | {"tree": None}, node_id="n9", execution_type="verification", success=False,
        message="<b>not seen</b>", error_details={"confidence": 0.4},
    )  # fmt: skip
    ZapResult.objects.create(
        team=team_a, script_result=script, host_name=HOST_A, device_name="Box", execution_date=script.started_at,
        iteration_index=1, action_command="live_chup", duration_seconds=6, channel_name="Channel Nine",
    )  # fmt: skip
    page = text(signed_in(alice).get(f"/runs/script/{script.pk}/"))
    for shown in (
        "Home → Guide", "horizon map", "Outside the maps", "&lt;b&gt;not seen&lt;/b&gt;", "confidence", "Channel Nine",
        "https://reports.example/1", "+100\u202f%", "of the 3 runs before it, 3 went well", "example.org",
        f"/runs/campaign/{campaign.pk}/",
    ):  # fmt: skip
        assert shown in page
    for hidden in ("hunter2", "javascript:x", "<b>not seen"):
        assert hidden not in page


def test_a_campaign_tells_its_scripts_and_those_that_have_not_started(alice: User, team_a: Team) -> None:
    script = new_script(team_a, success=False)
    campaign = new_campaign(
        team_a, status="running", success=False, execution_time_ms=None, completed_at=None,
        script_result_ids=[script.pk, uuid4()],
        script_configurations=[{"script_name": "zap.py"}, {"script_name": "gone.py"}, {"script_name": "dns.py"}],
    )  # fmt: skip
    page = text(signed_in(alice).get(f"/runs/campaign/{campaign.pk}/"))
    assert f"/runs/script/{script.pk}/" in page
    assert "dns.py" in page
    assert "not started" in page
    assert "1 failed, 1 not started" in page


def test_a_test_tells_its_results(alice: User, team_a: Team) -> None:
    run = new_test(team_a, status="failed")
    TestResult.objects.create(
        team=team_a, execution=run, test=run.test, status="failed", error_message="expected <Home>",
        stack_trace="at line 7", metrics={"fps": 25},
    )  # fmt: skip
    page = text(signed_in(alice).get(f"/runs/test/{run.pk}/"))
    for shown in ("expected &lt;Home&gt;", "at line 7", "fps", "42\u202fs"):
        assert shown in page


def test_query_counts_are_the_same_for_few_and_many_rows(
    alice: User, team_a: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(alice)
    for _ in range(2):
        for number in range(20):
            new_script(team_a, number)
            new_test(team_a, number)
            new_campaign(team_a, number)
        # Session, user, groups of the role, memberships and hosts of the scope.
        with django_assert_num_queries(5), django_assert_num_queries(3, using="source"):
            # The page in one union, and the interfaces and teams to choose from.
            client.get("/runs/")
    script = ScriptResult.objects.latest("started_at")
    for _ in range(2):
        for number in range(5):
            ExecutionResult.objects.create(
                team=team_a, host_name=HOST_A, script_result=script, execution_type="action", success=True,
                edge_id=f"e{number}", tree=NavigationTree.objects.create(team=team_a, name="t"),
            )  # fmt: skip
        with django_assert_num_queries(7, using="source"):
            # The script, its steps, zaps, earlier runs, campaigns, and the names of maps and ways.
            client.get(f"/runs/script/{script.pk}/")


@pytest.mark.parametrize(
    ("model", "kind"), [(ScriptResult, "script"), (CampaignExecution, "campaign"), (TestExecution, "test")]
)
def test_without_a_column_or_the_table_the_pages_still_open(
    admin: User, team_a: Team, model: type[MirrorModel], kind: str
) -> None:
    rows = {"script": new_script(team_a), "campaign": new_campaign(team_a), "test": new_test(team_a)}
    client = signed_in(admin)
    for field in model._meta.concrete_fields:
        with without_column(model._meta.db_table, str(field.column)):
            assert client.get("/runs/").status_code == 200, field.column
            assert client.get(f"/runs/{kind}/{rows[kind].pk}/").status_code in {200, 404}, field.column
    with without_table(model._meta.db_table):
        page = text(client.get("/runs/"))
        assert f"({model._meta.db_table})" in page
        assert page.count("<tr data-href") == 2
    with like_an_installation():
        assert len(listed(client)) == 3
