"""Folders and dashboards in the admin: who sees which, what is recorded, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from apps.accounts import teams
from apps.accounts.models import AuditEntry, User
from apps.dashboards.folders import folder_of
from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Dashboard, Folder
from tests.people import TEAM_A, TEAM_B, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])
LIST = reverse("admin:dashboards_dashboard_changelist")
FOLDERS = reverse("admin:dashboards_folder_changelist")


@pytest.fixture(autouse=True)
def _platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams.directory, "teams", lambda: [(TEAM_A, "Team A"), (TEAM_B, "Team B")])


def register(uid: str = "one", **fields: Any) -> Dashboard:
    folders = fields.pop("folders", ())
    return import_dashboard({"uid": uid, "title": uid, "panels": [], **fields}, folders=folders).dashboard


def change(user: User, row: Dashboard, **fields: Any) -> Any:
    address = reverse("admin:dashboards_dashboard_change", args=[row.pk])
    folder = row.folder_id or ""
    return signed_in(user).post(address, {"folder": folder, "team_id": "", "enabled": "on", "policy": "", **fields})


def test_the_list_tells_where_each_lies_and_whose_it_is(admin: User, alice: User) -> None:
    register(folders=("Lab", "Racks"), tags=["nightly"])
    Dashboard.objects.update(team_id=TEAM_A, team_name="Team A", policy="locked")
    register("two")
    Dashboard.objects.filter(uid="two").update(team_id=TEAM_B)
    shown = signed_in(admin).get(LIST).text
    for text in ("Lab / Racks", "Team A", "nightly", "/dashboards/one/history/", "two", "locked"):
        assert text in shown
    theirs = signed_in(alice).get(LIST).text
    assert "Lab / Racks" in theirs
    assert "/dashboards/two/history/" not in theirs
    assert "Lab" in signed_in(admin).get(FOLDERS).text


def test_a_change_is_recorded_and_a_doubled_title_is_warned_of(admin: User) -> None:
    row, other = register(), register("two", title="one", folders=("Lab",))
    answer = change(admin, row, folder=other.folder_id, team_id=str(TEAM_A), policy="observe", paused="on")
    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.folder, row.team_id, row.team_name, row.policy, row.paused) == (
        other.folder, TEAM_A, "Team A", "observe", True,
    )  # fmt: skip
    entry = AuditEntry.objects.filter(kind="dashboards.dashboard", object_id=str(row.pk)).first()
    assert entry is not None
    assert (entry.actor, entry.after["policy"], entry.before["policy"]) == (  # type: ignore[index]
        "admin", "observe", "",
    )  # fmt: skip
    told = [str(message) for message in get_messages(answer.wsgi_request)]
    assert any("another dashboard of this title (two)" in text for text in told)


def test_operators_look_and_nobody_deletes(admin: User, alice: User) -> None:
    row = register()
    assert change(alice, row, policy="locked").status_code == 403
    assert signed_in(admin).post(reverse("admin:dashboards_dashboard_delete", args=[row.pk])).status_code == 403
    added = signed_in(admin).get(reverse("admin:dashboards_dashboard_add"))
    assert added.headers["Location"] == "/dashboards/add/"
    assert Dashboard.objects.get().policy == ""


def test_actions_disable_pause_and_retire_with_an_entry_for_each(admin: User) -> None:
    rows = [register(), register("two")]
    chosen = {"_selected_action": [row.pk for row in rows]}
    client = signed_in(admin)
    client.post(LIST, {"action": "disable", **chosen})
    client.post(LIST, {"action": "pause", **chosen})
    assert set(Dashboard.objects.values_list("enabled", "paused")) == {(False, True)}
    asked = client.post(LIST, {"action": "retire_chosen", **chosen})
    assert "Retire 2 dashboards?" in asked.text
    assert not Dashboard.objects.exclude(retired_at=None).exists()
    client.post(LIST, {"action": "retire_chosen", "confirmed": "yes", "reason": "replaced", **chosen})
    assert not Dashboard.objects.registered().exists()
    kinds = AuditEntry.objects.filter(kind="dashboards.dashboard").order_by("id").values_list("action", flat=True)
    assert list(kinds) == ["add"] * 2 + ["change"] * 4 + ["delete"] * 2


def test_a_folder_gets_a_uid_that_stays_and_never_lies_in_itself(admin: User) -> None:
    client = signed_in(admin)
    client.post(reverse("admin:dashboards_folder_add"), {"title": "Lab", "parent": "", "team_id": ""})
    outer = Folder.objects.get()
    assert outer.uid
    client.post(reverse("admin:dashboards_folder_add"), {"title": "Racks", "parent": outer.pk, "team_id": str(TEAM_A)})
    inner = Folder.objects.get(title="Racks")
    assert (inner.parent, inner.team_name) == (outer, "Team A")
    address = reverse("admin:dashboards_folder_change", args=[outer.pk])
    answer = client.post(address, {"title": "Lab", "parent": inner.pk, "team_id": ""})
    assert "Lab cannot lie in itself." in answer.text
    client.post(address, {"title": "Laboratory", "parent": "", "team_id": ""})
    assert Folder.objects.get(title="Laboratory").uid == outer.uid
    answer = client.post(reverse("admin:dashboards_folder_add"), {"title": "Racks", "parent": outer.pk, "team_id": ""})
    assert f"A folder of this title lies there already, with the uid {inner.uid}." in answer.text
    actions = AuditEntry.objects.filter(kind="dashboards.folder").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["add", "add", "change"]
    assert folder_of(("Laboratory", "Racks")) == inner
