"""Decisions about alerts: what the platform's table and the portal's own hold afterwards, and who was first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from apps.accounts.models import AuditEntry, User
from apps.mirror.models import PlatformAlert
from apps.triage import decisions
from apps.triage.decisions import Decision, decide, history
from apps.triage.models import AlertTriage
from apps.triage.overlay import STATES, decisions_about, in_state, needs_attention, state_of
from tests.mirror.reduced import platform_without_rule, without_column
from tests.people import HOST_A, HOST_B

pytestmark = pytest.mark.django_db(databases=["default", "source"])

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def new_alert(**given: Any) -> PlatformAlert:
    values: dict[str, Any] = {
        "host_name": HOST_A, "device_id": "device1", "device_name": "Box", "incident_type": "freeze",
        "start_time": timezone.now() - timedelta(minutes=5), "updated_at": LONG_AGO,
        "metadata": {"capture_path": "capture1", "r2_images": {"time_key": "1200"}},
    }  # fmt: skip
    return PlatformAlert.objects.create(**values | given)


def standing_of(alert: PlatformAlert) -> str:
    alert.refresh_from_db()
    return state_of(alert, decisions_about([alert.pk]).get(alert.pk))


@pytest.fixture
def reading(settings: Settings) -> None:
    """The platform's database may only be read; a session that is read only proves that nothing is tried."""
    settings.SOURCE_ACCESS = "read"


def read_only_source() -> None:
    with connections["source"].cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")


def test_acknowledging_leaves_the_platforms_row_alone(alice: User) -> None:
    alert = new_alert()
    read_only_source()
    outcome = decide([alert.pk], Decision.ACKNOWLEDGE, actor=alice, comment="on it")
    assert (outcome.changed, outcome.refused, outcome.sentence) == ((alert.pk,), (), "1 alert acknowledged.")
    assert standing_of(alert) == "acknowledged"
    assert alert.updated_at == LONG_AGO
    kept = AlertTriage.objects.get()
    assert (kept.actor, kept.actor_id, kept.comment) == ("alice", alice.pk, "on it")
    assert (kept.host_name, kept.device_id, kept.device_name, kept.incident_type, kept.start_time) == (
        HOST_A, "device1", "Box", "freeze", alert.start_time,
    )  # fmt: skip


def test_resolving_writes_what_the_platform_writes(alice: User) -> None:
    alert = new_alert()
    decide([alert.pk], Decision.RESOLVE, actor=alice, comment="rebooted")
    alert.refresh_from_db()
    assert alert.status == "resolved"
    assert alert.end_time is not None
    assert alert.end_time > alert.start_time + timedelta(minutes=4)
    assert alert.metadata == {
        "capture_path": "capture1", "r2_images": {"time_key": "1200"}, "resolved_by": "alice",
        "resolution_comment": "rebooted",
    }  # fmt: skip
    assert alert.updated_at is not None
    assert alert.updated_at > LONG_AGO
    assert not alert.checked
    assert not AlertTriage.objects.exists()


def test_an_alert_never_ends_before_it_started(alice: User) -> None:
    alert = new_alert(start_time=timezone.now() + timedelta(minutes=5), metadata=None)
    decide([alert.pk], Decision.RESOLVE, actor=alice)
    alert.refresh_from_db()
    assert alert.end_time == alert.start_time + timedelta(seconds=1)
    assert alert.metadata == {"resolved_by": "alice"}


@pytest.mark.parametrize(
    ("before", "comment", "after"),
    [
        ({}, "", ("manual", None)),
        ({}, "test run", ("manual", "test run")),
        ({"checked": True, "check_type": "ai", "discard_comment": "Standby."}, "", ("ai_and_human", "Standby.")),
        (
            {"checked": True, "check_type": "ai", "discard_comment": "Real."},
            "no, 100 % fine",
            ("ai_and_human", "Real.\n\nHuman: no, 100 % fine"),
        ),
    ],
)
def test_discarding_keeps_what_the_ai_said(
    alice: User, before: dict[str, Any], comment: str, after: tuple[str, str | None]
) -> None:
    alert = new_alert(**before)
    decide([alert.pk], Decision.DISCARD, actor=alice, comment=comment)
    alert.refresh_from_db()
    assert (alert.discard, alert.checked, alert.status) == (True, True, "active")
    assert (alert.check_type, alert.discard_comment) == after
    assert alert.updated_at is not None
    assert alert.updated_at > LONG_AGO


def test_reopening_takes_back_each_decision(alice: User) -> None:
    for decision in (Decision.ACKNOWLEDGE, Decision.RESOLVE, Decision.DISCARD):
        alert = new_alert(device_id=decision)
        decide([alert.pk], decision, actor=alice)
        outcome = decide([alert.pk], Decision.REOPEN, actor=alice)
        assert outcome.sentence == "1 alert re-opened."
        assert (standing_of(alert), alert.end_time, alert.discard) == ("active", None, False)


def test_a_false_alarm_that_was_over_stays_over_when_it_is_reopened(alice: User) -> None:
    ended = timezone.now()
    alert = new_alert(status="resolved", end_time=ended, discard=True)
    decide([alert.pk], Decision.REOPEN, actor=alice)
    assert (standing_of(alert), alert.end_time) == ("resolved", ended)
    assert history(alert.pk)[0].after == {"state": "resolved", "kept_in": "platform"}


@pytest.mark.parametrize("decision", [Decision.ACKNOWLEDGE, Decision.RESOLVE, Decision.DISCARD])
def test_of_two_operators_the_second_learns_who_was_first(
    alice: User, admin: User, decision: Decision, settings: Settings
) -> None:
    for access in ("own", "read"):
        settings.SOURCE_ACCESS = access
        alert = new_alert(device_id=access)
        seen_by_admin = PlatformAlert.objects.get(pk=alert.pk)
        decide([alert.pk], decision, actor=alice, comment="mine")
        # The admin's request has read the alert before alice's decision was written.
        why = decisions._decide(seen_by_admin, None, decision, admin, "too late", None)
        assert why.startswith("alice ")
        assert why == decide([alert.pk], decision, actor=admin).refused[0].why
        assert [entry.actor for entry in history(alert.pk)] == ["alice"]
        alert.refresh_from_db()
        assert "too late" not in str(alert.metadata) + str(alert.discard_comment)
        assert not AlertTriage.objects.filter(alert_id=alert.pk, actor="admin").exists()


def test_a_decision_after_the_platform_resolved_it_says_so(alice: User) -> None:
    alert = new_alert(status="resolved")
    outcome = decide([alert.pk], Decision.ACKNOWLEDGE, actor=alice)
    assert outcome.refused[0].why == "It is resolved already."
    assert outcome.sentence == ""


@pytest.mark.usefixtures("reading")
def test_where_the_source_is_read_only_decisions_are_the_portals(alice: User) -> None:
    alert, other = new_alert(), new_alert(device_id="device2")
    read_only_source()
    decide([alert.pk], Decision.RESOLVE, actor=alice)
    decide([other.pk], Decision.DISCARD, actor=alice)
    assert (standing_of(alert), standing_of(other)) == ("resolved", "discarded")
    assert (alert.status, other.discard) == ("active", False)
    decide([alert.pk], Decision.DISCARD, actor=alice)
    assert standing_of(alert) == "discarded"
    decide([alert.pk, other.pk], Decision.REOPEN, actor=alice)
    assert (standing_of(alert), standing_of(other)) == ("active", "active")


@pytest.mark.usefixtures("reading")
def test_what_the_platform_decided_cannot_be_taken_back_without_writing(alice: User) -> None:
    alert = new_alert(status="resolved")
    read_only_source()
    refusal = decide([alert.pk], Decision.REOPEN, actor=alice).refused[0]
    assert refusal.why == "The platform itself resolved it, and its database is read only."
    decide([alert.pk], Decision.DISCARD, actor=alice)
    decide([alert.pk], Decision.REOPEN, actor=alice)
    assert standing_of(alert) == "resolved"


def test_a_role_that_may_not_write_is_told_and_nothing_is_kept(alice: User, settings: Settings) -> None:
    settings.SOURCE_ACCESS = "write"
    alert = new_alert()
    read_only_source()
    outcome = decide([alert.pk], Decision.RESOLVE, actor=alice)
    assert "may not write" in outcome.refused[0].why
    assert history(alert.pk) == []


@pytest.mark.parametrize("ours", [True, False])
def test_a_newer_alert_of_the_kind_keeps_an_old_one_closed(alice: User, ours: bool) -> None:
    if not ours:
        platform_without_rule()
    old = new_alert(status="resolved")
    new_alert()
    outcome = decide([old.pk], Decision.REOPEN, actor=alice)
    assert "there is a newer one" in outcome.refused[0].why
    assert (standing_of(old), history(old.pk)) == ("resolved", [])


def test_one_that_opens_at_the_same_moment_is_the_databases_word(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    old = new_alert(status="resolved")
    new_alert()
    monkeypatch.setattr(decisions, "_another_is_active", lambda _: False)
    outcome = decide([old.pk], Decision.REOPEN, actor=alice)
    assert "there is a newer one" in outcome.refused[0].why
    assert (standing_of(old), history(old.pk)) == ("resolved", [])


def test_only_operators_decide_and_only_about_their_teams_alerts(alice: User, bob: User, charlie: User) -> None:
    alert, foreign = new_alert(), new_alert(host_name=HOST_B)
    with pytest.raises(PermissionDenied):
        decide([alert.pk], Decision.ACKNOWLEDGE, actor=bob)
    outcome = decide([alert.pk, foreign.pk], Decision.RESOLVE, actor=charlie)
    assert outcome.changed == (foreign.pk,)
    assert [refusal.alert_id for refusal in outcome.refused] == [alert.pk]
    assert standing_of(alert) == "active"


def test_each_decision_is_in_the_audit_trail(alice: User) -> None:
    alert = new_alert()
    decide([alert.pk], Decision.ACKNOWLEDGE, actor=alice, comment="looking")
    decide([alert.pk], Decision.RESOLVE, actor=alice, comment="done")
    entries = history(alert.pk)
    assert [(entry.before, entry.after, entry.reason) for entry in entries] == [
        ({"state": "acknowledged"}, {"state": "resolved", "kept_in": "platform"}, "done"),
        ({"state": "active"}, {"state": "acknowledged", "kept_in": "portal"}, "looking"),
    ]
    assert {entry.action for entry in entries} == {AuditEntry.Action.TRIAGE}
    assert {entry.label for entry in entries} == {"freeze on Box"}


def test_each_alert_is_in_exactly_one_state(alice: User, settings: Settings) -> None:
    alerts = [new_alert(device_id=f"device{number}") for number in range(6)]
    alerts += [
        new_alert(status="resolved"),
        new_alert(status="resolved", discard=True),
        new_alert(device_id="host", discard=True),
    ]
    decide([alerts[0].pk], Decision.ACKNOWLEDGE, actor=alice)
    decide([alerts[1].pk], Decision.RESOLVE, actor=alice)
    decide([alerts[2].pk], Decision.DISCARD, actor=alice)
    settings.SOURCE_ACCESS = "read"
    decide([alerts[3].pk], Decision.RESOLVE, actor=alice)
    decide([alerts[4].pk, alerts[6].pk], Decision.DISCARD, actor=alice)
    listed = {state: {row.pk for row in in_state(PlatformAlert.objects.all(), state)} for state in STATES}
    assert sum(map(len, listed.values())) == len(alerts)
    decided = decisions_about(alert.pk for alert in alerts)
    for alert in PlatformAlert.objects.all():
        assert alert.pk in listed[state_of(alert, decided.get(alert.pk))]
    assert {row.pk for row in needs_attention(PlatformAlert.objects.all())} == {alerts[5].pk}


def test_without_a_column_for_it_a_discard_is_kept_by_the_portal(alice: User) -> None:
    alert = new_alert()
    with without_column("alerts", "discard"):
        decide([alert.pk], Decision.DISCARD, actor=alice)
        assert AlertTriage.objects.get().state == "discarded"
        assert not needs_attention(PlatformAlert.objects.all()).exists()


def test_a_look_is_one_query_of_each_database(alice: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(5):
        decide([new_alert(device_id=f"d{number}").pk], Decision.ACKNOWLEDGE, actor=alice)
    with django_assert_num_queries(1):
        rows = needs_attention(PlatformAlert.objects.all())
    with django_assert_num_queries(1, using="source"):
        assert list(rows) == []
