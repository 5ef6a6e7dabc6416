"""Alerts in the admin: decisions with a comment, asked for before they are taken."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import AuditEntry, User
from apps.mirror.models import PlatformAlert
from apps.triage.models import AlertTriage
from tests.people import HOST_A, HOST_B, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])
LIST = "/admin/mirror/platformalert/"


def alert(host: str = HOST_A, **columns: Any) -> PlatformAlert:
    return PlatformAlert.objects.create(
        **{"host_name": host, "device_id": "device1", "device_name": "Box", "incident_type": "freeze", **columns}
    )


def ask(browser: Client, action: str, *alerts: PlatformAlert) -> Any:
    chosen = {"action": action, "_selected_action": [str(one.pk) for one in alerts], "index": "0"}
    return browser.post(LIST, chosen)


def confirm(browser: Client, action: str, *alerts: PlatformAlert, comment: str = "") -> Any:
    chosen = {"action": action, "_selected_action": [str(one.pk) for one in alerts], "confirmed": "yes"}
    return browser.post(LIST, {**chosen, "comment": comment}, follow=True)


def test_a_decision_is_asked_for_first_and_taken_with_its_comment(alice: User) -> None:
    one, other = alert(), alert(incident_type="blackscreen")
    browser = signed_in(alice)
    page = ask(browser, "discard_alerts", one, other)
    assert page.status_code == 200
    text = page.content.decode()
    assert "Discard as a false alarm: 2 alerts" in text
    assert "blackscreen on Box" in text
    one.refresh_from_db()
    assert not one.discard
    done = confirm(browser, "discard_alerts", one, other, comment="a screensaver")
    assert "2 alerts discarded." in done.content.decode()
    one.refresh_from_db()
    assert (one.discard, one.discard_comment, one.check_type) == (True, "a screensaver", "manual")
    entry = AuditEntry.objects.filter(action="triage").latest("id")
    assert (entry.actor, entry.reason) == ("alice", "a screensaver")
    history = browser.get(f"{LIST}{one.pk}/history/").content.decode()
    assert "a screensaver" in history


def test_resolve_and_reopen(alice: User) -> None:
    one = alert()
    browser = signed_in(alice)
    confirm(browser, "resolve", one)
    one.refresh_from_db()
    assert (one.status, one.end_time is not None) == ("resolved", True)
    assert "1 alert re-opened." in confirm(browser, "reopen", one).content.decode()
    one.refresh_from_db()
    assert (one.status, one.end_time) == ("active", None)
    assert "alice re-opened it" in confirm(browser, "reopen", one).content.decode()


def test_decisions_are_taken_beside_a_read_only_source(alice: User, settings: Settings) -> None:
    settings.SOURCE_ACCESS = "read"
    one = alert()
    browser = signed_in(alice)
    confirm(browser, "resolve", one, comment="seen")
    one.refresh_from_db()
    assert one.status == "active"
    assert AlertTriage.objects.get().state == "resolved"
    page = browser.get(LIST)
    assert "resolved" in page.content.decode()
    assert len(browser.get(LIST, {"state": "resolved"}).context["cl"].result_list) == 1
    assert len(browser.get(LIST, {"state": "active"}).context["cl"].result_list) == 0
    kept = browser.get("/admin/triage/alerttriage/")
    assert "seen" in kept.content.decode()


def test_a_stranger_finds_and_decides_nothing(charlie: User) -> None:
    one = alert(HOST_A)
    mine = alert(HOST_B)
    browser = signed_in(charlie)
    assert [row.pk for row in browser.get(LIST).context["cl"].result_list] == [mine.pk]
    confirm(browser, "resolve", one)
    one.refresh_from_db()
    assert one.status == "active"
    AlertTriage.objects.create(alert_id=one.pk, state="resolved", actor="alice", at=one.start_time, host_name=HOST_A)
    assert list(browser.get("/admin/triage/alerttriage/").context["cl"].result_list) == []


def test_without_the_permission_there_is_no_such_action(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    one = alert()
    browser = signed_in(alice)
    assert "Resolve…" in browser.get(LIST).content.decode()
    group = alice.groups.get()
    group.permissions.filter(codename="triage_alert").delete()
    assert "Resolve…" not in browser.get(LIST).content.decode()
    confirm(browser, "resolve", one)
    one.refresh_from_db()
    assert one.status == "active"


def test_the_form_leaves_what_is_decided_to_the_actions(admin: User) -> None:
    one = alert()
    form = signed_in(admin).get(f"{LIST}{one.pk}/change/").context["adminform"].form
    assert not {"status", "discard", "checked", "end_time"} & set(form.fields)
