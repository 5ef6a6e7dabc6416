"""The pages of alerts: who sees what, triage in the row, folding, and decisions laid over what the platform says."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from apps.accounts.models import User
from apps.mirror.models import PlatformAlert, ScriptResult, Team
from apps.triage.models import AlertTriage
from tests.mirror.reduced import platform_without_rule, without_column, without_table
from tests.people import HOST_A, HOST_B, TEAM_A, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def new_alert(**given: Any) -> PlatformAlert:
    values: dict[str, Any] = {
        "host_name": HOST_A, "device_id": "device1", "device_name": "Box", "incident_type": "freeze",
        "start_time": timezone.now() - timedelta(minutes=5), "metadata": {"capture_path": "capture1"},
    }  # fmt: skip
    alert: PlatformAlert = PlatformAlert.objects.create(**values | given)
    return alert


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


def decide(client: Client, decision: str, *alerts: PlatformAlert, **more: str) -> Any:
    body = {"decision": decision, "alert": [str(alert.pk) for alert in alerts], **more}
    return client.post("/alerts/decide/", body)


def test_the_page_opens_with_what_needs_attention(alice: User) -> None:
    new_alert()
    new_alert(incident_type="audio_loss", device_id="device2", start_time=timezone.now() - timedelta(hours=3))
    new_alert(status="resolved", device_name="Old box")
    page = text(signed_in(alice).get("/alerts/"))
    assert "2 alerts need attention: 1 audio loss, 1 freeze; the oldest began 3\u202fh ago." in page
    assert "Old box" not in page


def test_without_alerts_the_page_says_what_would_raise_one(alice: User) -> None:
    page = text(signed_in(alice).get("/alerts/"))
    assert "No alert needs attention." in page
    assert "No alerts yet" in page


def test_one_click_acknowledges_and_the_alert_leaves_the_list(alice: User) -> None:
    client, alert = signed_in(alice), new_alert()
    page = text(client.get("/alerts/?host=rack-a"))
    assert 'data-key="a"' in page
    answer = decide(client, "acknowledge", alert, next="/alerts/?host=rack-a", comment="")
    assert (answer.status_code, answer["Location"]) == (302, "/alerts/?host=rack-a")
    page = text(client.get("/alerts/"))
    assert "1 alert acknowledged." in page
    assert "No alert needs attention." in page
    assert "alice acknowledged it" in text(client.get("/alerts/?state=acknowledged"))


def test_a_decision_that_came_too_late_says_who_was_first(alice: User, admin: User) -> None:
    alert = new_alert()
    decide(signed_in(alice), "resolve", alert)
    client = signed_in(admin)
    decide(client, "discard", alert)
    decide(client, "resolve", alert)
    assert "freeze on Box: admin discarded it" in text(client.get("/alerts/"))


def test_viewers_look_on(bob: User) -> None:
    client, alert = signed_in(bob), new_alert()
    assert 'value="acknowledge"' not in text(client.get("/alerts/"))
    assert "your role looks on" in text(client.get(f"/alerts/{alert.pk}/"))
    assert decide(client, "resolve", alert).status_code == 403
    alert.refresh_from_db()
    assert alert.status == "active"


def test_a_stranger_finds_nothing(alice: User, charlie: User) -> None:
    alert = new_alert()
    client = signed_in(charlie)
    assert "No alert needs attention." in text(client.get("/alerts/"))
    assert str(alert.pk) not in text(client.get(f"/alerts/?state=all&host={HOST_A}"))
    assert client.get(f"/alerts/{alert.pk}/").status_code == 404
    decide(client, "resolve", alert)
    assert "belongs to another team" in text(client.get("/alerts/"))
    alert.refresh_from_db()
    assert alert.status == "active"
    assert signed_in(alice).get(f"/alerts/{alert.pk}/").status_code == 200
    assert signed_in(alice).get(f"/alerts/{uuid4()}/").status_code == 404


@pytest.mark.parametrize("bad", [{"decision": "explode"}, {"decision": "resolve", "alert": "1; DROP TABLE"}])
def test_what_is_no_decision_is_refused(alice: User, bad: dict[str, str]) -> None:
    assert signed_in(alice).post("/alerts/decide/", bad).status_code == 400


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil"])
def test_nobody_is_led_elsewhere(alice: User, elsewhere: str) -> None:
    answer = decide(signed_in(alice), "resolve", new_alert(), next=elsewhere)
    assert answer["Location"] == "/alerts/"


def test_repeated_alerts_are_one_row_and_are_decided_together(alice: User) -> None:
    platform_without_rule()
    client = signed_in(alice)
    alerts = [new_alert(start_time=timezone.now() - timedelta(minutes=n)) for n in range(1, 4)]
    new_alert(device_id="device2", device_name="Other")
    folded, each = text(client.get("/alerts/")), text(client.get("/alerts/?repeated=each"))
    assert (folded.count("<tr data-href"), each.count("<tr data-href")) == (2, 4)
    assert "×3" in folded
    assert all(folded.count(str(alert.pk)) >= 1 for alert in alerts)
    decide(client, "resolve", *alerts)
    assert PlatformAlert.objects.filter(status="resolved").count() == 3


def test_filters_narrow_and_combine(admin: User, team_a: Team) -> None:
    client = signed_in(admin)
    new_alert(device_name="Box one")
    new_alert(device_name="Box two", incident_type="blackscreen")
    new_alert(device_name="Far away", host_name=HOST_B, status="resolved", discard_comment="standby all night")
    for query, shown in (
        ("type=blackscreen", ["Box two"]),
        (f"host={HOST_A}", ["Box one", "Box two"]),
        (f"team={TEAM_A}", ["Box one", "Box two"]),
        ("device=one", ["Box one"]),
        ("state=resolved", ["Far away"]),
        ("state=all&q=standby", ["Far away"]),
        ("state=all&host=rack-b&type=blackscreen", []),
        ("range=1h", ["Box one", "Box two"]),
    ):
        page = text(client.get(f"/alerts/?{query}"))
        found = [name for name in ("Box one", "Box two", "Far away") if name in page]
        assert found == shown, query


def test_a_decision_of_the_portal_counts_everywhere(alice: User, settings: Settings) -> None:
    settings.SOURCE_ACCESS = "read"
    client, alert = signed_in(alice), new_alert()
    decide(client, "discard", alert, comment="the TV was off")
    assert AlertTriage.objects.count() == 1
    assert "No alert needs attention." in text(client.get("/alerts/"))
    page = text(client.get("/alerts/?state=discarded"))
    assert "the TV was off" in page
    assert "read only for this portal" in page
    [row] = csv.DictReader(io.StringIO(b"".join(client.get("/alerts/?state=all&format=csv")).decode()))
    assert (row["state"], row["status"], row["decided_by"], row["comment"]) == (
        "discarded", "active", "alice", "the TV was off",
    )  # fmt: skip


def test_the_detail_tells_the_history_the_neighbours_and_what_ran(alice: User, team_a: Team) -> None:
    alert = new_alert(
        metadata={
            "note": "<script>alert(1)</script>", "api_token": "hunter2",
            "r2_images": {"thumbnail_url": "https://pictures.example/1.jpg", "closure_url": "javascript:alert(1)"},
        }
    )  # fmt: skip
    new_alert(incident_type="macroblocks", status="resolved")
    ScriptResult.objects.create(
        team=team_a, script_name="zap.py", script_type="zap", host_name=HOST_A, device_name="Box", success=True,
        execution_time_ms=5, started_at=alert.start_time - timedelta(minutes=9), completed_at=alert.start_time,
    )  # fmt: skip
    client = signed_in(alice)
    decide(client, "acknowledge", alert, comment="looking into it")
    page = text(client.get(f"/alerts/{alert.pk}/"))
    for shown in ("looking into it", "macroblocks", "zap.py", "https://pictures.example/1.jpg", "kept in the portal"):
        assert shown in page
    for hidden in ("<script>alert(1)", "hunter2", 'href="javascript'):
        assert hidden not in page


def test_query_counts_are_the_same_for_few_and_many_rows(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(alice)
    for wanted in (3, 30):
        for number in range(wanted):
            new_alert(device_id=f"device{wanted}-{number}")
        # Session, user, memberships and hosts of the scope, groups of the role, permissions of user and of groups;
        # decisions in force three times (the filter, the sentence, the rows of the page).
        with django_assert_num_queries(10), django_assert_num_queries(3, using="source"):
            # The page's alerts, those that need attention by type, the teams to choose from.
            client.get("/alerts/")


@pytest.mark.parametrize(
    "column", ["status", "discard", "metadata", "start_time", "device_name", "host_name", "check_type", "id"]
)
def test_without_a_column_the_pages_still_open(admin: User, column: str) -> None:
    client, alert = signed_in(admin), new_alert()
    with without_column("alerts", column):
        for address in ("/alerts/", "/alerts/?state=all&repeated=each", "/alerts/?state=all&format=csv"):
            assert client.get(address).status_code == 200
        assert client.get(f"/alerts/{alert.pk}/").status_code == (404 if column == "id" else 200)


def test_without_the_table_the_page_explains(admin: User) -> None:
    with without_table("alerts"):
        assert "no table “alerts”" in text(signed_in(admin).get("/alerts/"))
