"""The admin of people, teams, audit and blocked sign-ins: who may, what happens, what is remembered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from apps.accounts import sign_in, teams
from apps.accounts.admin_base import AuditedModelAdmin, BoundedPaginator
from apps.accounts.audit import record
from apps.accounts.models import AuditEntry, HostTeam, SignInAttempt, TeamMembership, User
from apps.mirror.models import Team
from tests.people import PASSWORD, TEAM_A, TEAM_B, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])
Action = AuditEntry.Action
NEW_PASSWORD = {"password1": "another long one", "password2": "another long one", "usable_password": "true"}


@pytest.fixture(autouse=True)
def _platform(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform with two teams and one host that has reported."""
    monkeypatch.setattr(teams.directory, "teams", lambda: [(TEAM_B, "Zeta lab"), (TEAM_A, "alpha lab")])
    monkeypatch.setattr(teams.directory, "hosts", lambda: ["rack-a"])


def user_form(user: User, **changes: Any) -> dict[str, Any]:
    """What the change form of a user posts."""
    memberships = list(user.memberships.all())
    form: dict[str, Any] = {
        "username": user.username, "first_name": user.first_name, "last_name": "", "email": "", "is_active": "on",
        "groups": [group.pk for group in user.groups.all()],
        "memberships-TOTAL_FORMS": len(memberships) + 1, "memberships-INITIAL_FORMS": len(memberships),
    }  # fmt: skip
    for number, membership in enumerate(memberships):
        form[f"memberships-{number}-id"] = membership.pk
        form[f"memberships-{number}-user"] = user.pk
        form[f"memberships-{number}-team_id"] = str(membership.team_id)
    return form | changes


def change(client: Client, user: User, **changes: Any) -> Any:
    return client.post(reverse("admin:accounts_user_change", args=[user.pk]), user_form(user, **changes))


def entries(*actions: str) -> list[tuple[str, str, Any, Any]]:
    rows = AuditEntry.objects.filter(action__in=actions or ("add", "change", "delete")).order_by("id")
    return [(row.action, row.kind, row.before, row.after) for row in rows]


def test_the_door_is_the_role_and_signing_in_is_the_portals(alice: User, bob: User) -> None:
    anonymous = Client(headers={"accept": "text/html"})
    assert anonymous.get("/admin/").url == "/account/login/?next=/admin/"  # type: ignore[attr-defined]
    assert anonymous.get("/admin/login/?next=/admin/auth/").url == "/account/login/?next=/admin/auth/"  # type: ignore[attr-defined]
    assert anonymous.post("/admin/login/", {"username": "alice", "password": PASSWORD}).status_code == 302
    assert "_auth_user_id" not in anonymous.session
    assert signed_in(bob).get("/admin/").status_code == 403
    page = signed_in(alice).get("/admin/")
    assert page.status_code == 200
    assert "vptmonitor" in page.content.decode()
    assert not User.objects.filter(is_staff=True).exists()
    assert signed_in(alice).get("/admin/password_change/").url == reverse("password_change")  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", ["user", "teammembership", "hostteam", "auditentry", "signinattempt"])
def test_people_and_access_are_for_administrators(alice: User, admin: User, model: str) -> None:
    record(Action.COMMAND, reason="something to list")
    sign_in.count("somebody", "192.0.2.1")
    address = reverse(f"admin:accounts_{model}_changelist")
    assert signed_in(alice).get(address).status_code == 403
    assert signed_in(admin).get(address).status_code == 200


def test_a_change_of_a_person_is_remembered_with_groups_and_teams(admin: User, bob: User) -> None:
    operator = Group.objects.get(name="operator")
    membership = bob.memberships.get()
    answer = change(
        signed_in(admin), bob, first_name="Robert", groups=[operator.pk],
        **{"memberships-0-DELETE": "on", "memberships-1-user": bob.pk, "memberships-1-team_id": str(TEAM_B)},
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    told = entries()
    assert told[0][:2] == (Action.DELETE, "accounts.teammembership")
    assert told[0][2]["team_id"] == str(membership.team_id)
    assert told[1][:2] == (Action.ADD, "accounts.teammembership")
    assert told[1][3]["team_name"] == "Zeta lab", "the team's name is copied"
    before, after = {"first_name": "", "groups": ["viewer"]}, {"first_name": "Robert", "groups": ["operator"]}
    assert told[2] == (Action.CHANGE, "accounts.user", before, after)
    requests = set(
        AuditEntry.objects.filter(action__in=["add", "change", "delete"]).values_list("request_id", flat=True)
    )
    assert len(requests) == 1
    assert requests != {""}
    assert {entry.actor for entry in AuditEntry.objects.filter(action="change")} == {"admin"}


def test_saving_without_a_change_remembers_nothing(admin: User, bob: User) -> None:
    TeamMembership.objects.update(team_name="alpha lab")
    assert change(signed_in(admin), bob).status_code == 302
    assert entries() == []


def test_adding_and_deleting_people(admin: User, bob: User) -> None:
    browser = signed_in(admin)
    form = {"username": "dora", **NEW_PASSWORD, "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    assert browser.post(reverse("admin:accounts_user_add"), form).status_code == 302
    browser.post(reverse("admin:accounts_user_delete", args=[bob.pk]), {"post": "yes"})
    dora = User.objects.get(username="dora")
    chosen = {"action": "delete_selected", "_selected_action": [dora.pk], "post": "yes"}
    browser.post(reverse("admin:accounts_user_changelist"), chosen)
    rows = AuditEntry.objects.filter(kind="accounts.user", action__in=["add", "delete"]).order_by("id")
    assert [(row.actor, row.action, row.label) for row in rows] == [
        ("admin", Action.ADD, "dora"),
        ("admin", Action.DELETE, "bob"),
        ("admin", Action.DELETE, "dora"),
    ]
    assert (AuditEntry.objects.get(action=Action.ADD).after or {})["password"] == "(hidden)"


def test_an_administrator_is_no_superuser_and_cannot_become_one(admin: User) -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    browser = signed_in(admin)
    change(browser, admin, is_superuser="on")
    admin.refresh_from_db()
    assert not admin.is_superuser
    change(browser, root, first_name="Taken")
    assert browser.post(reverse("admin:auth_user_password_change", args=[root.pk]), NEW_PASSWORD).status_code == 403
    assert browser.post(reverse("admin:accounts_user_delete", args=[root.pk]), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"}
    browser.post(reverse("admin:accounts_user_changelist"), chosen)
    root.refresh_from_db()
    assert (root.first_name, root.check_password(PASSWORD)) == ("", True)


def test_nobody_deletes_themselves(admin: User) -> None:
    assert (
        signed_in(admin).post(reverse("admin:accounts_user_delete", args=[admin.pk]), {"post": "yes"}).status_code
        == 403
    )


def test_a_password_set_by_an_administrator_is_remembered(admin: User, bob: User) -> None:
    browser, address = signed_in(admin), reverse("admin:auth_user_password_change", args=[bob.pk])
    browser.post(address, {"password1": "one", "password2": "two", "usable_password": "true"})
    assert entries(Action.CHANGE) == []
    answer = browser.post(address, NEW_PASSWORD)
    assert answer.status_code == 302
    assert entries(Action.CHANGE) == [(Action.CHANGE, "accounts.user", None, {"password": "(hidden)"})]
    bob.refresh_from_db()
    assert bob.check_password("another long one")


def test_the_groups_of_the_roles_cannot_be_changed(admin: User) -> None:
    viewer = Group.objects.get(name="viewer")
    browser = signed_in(admin)
    assert browser.get(reverse("admin:auth_group_change", args=[viewer.pk])).status_code == 200
    assert browser.post(reverse("admin:auth_group_change", args=[viewer.pk]), {"name": "all"}).status_code == 403
    assert browser.post(reverse("admin:auth_group_delete", args=[viewer.pk]), {"post": "yes"}).status_code == 403
    own = Group.objects.create(name="made by hand")
    browser.post(reverse("admin:auth_group_change", args=[own.pk]), {"name": "renamed"})
    assert entries() == [(Action.CHANGE, "auth.group", {"name": "made by hand"}, {"name": "renamed"})]


def test_teams_are_chosen_by_name_and_taken_by_id_where_they_cannot_be_read(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, address = signed_in(admin), reverse("admin:accounts_hostteam_add")
    page = browser.get(address).content.decode()
    assert page.index("alpha lab") < page.index("Zeta lab")
    assert "Known hosts: rack-a" in page
    browser.post(address, {"host_name": "rack-x", "team_id": str(TEAM_A)})
    assert HostTeam.objects.get(host_name="rack-x").team_name == "alpha lab"
    assert (
        browser.post(address, {"host_name": "rack-y", "team_id": "00000000-0000-0000-0000-0000000000ff"}).status_code
        == 200
    )

    monkeypatch.setattr(teams.directory, "teams", list)
    browser.post(address, {"host_name": "rack-y", "team_id": str(TEAM_B)})
    assert HostTeam.objects.get(host_name="rack-y").team_id == TEAM_B


def test_the_audit_trail_is_only_looked_at(admin: User) -> None:
    entry = record(
        Action.CHANGE, actor="<b>mallory</b>", label="<script>", before={"a": "<i>"}, after={"a": {"b": [1]}}, kind="x"
    )
    browser = signed_in(admin)
    address = reverse("admin:accounts_auditentry_change", args=[entry.pk])
    page = browser.get(address).content.decode()
    assert "&lt;i&gt;" in page
    assert "{&quot;b&quot;: [1]}" in page
    assert "<b>mallory" not in page
    assert browser.post(address, {"actor": "somebody else"}).status_code == 403
    assert browser.get(reverse("admin:accounts_auditentry_add")).status_code == 403
    assert (
        browser.post(reverse("admin:accounts_auditentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    )
    found = browser.get(reverse("admin:accounts_auditentry_changelist"), {"q": "mallory", "action__exact": "change"})
    assert found.context["cl"].result_count == 1


def test_long_lists_are_counted_no_further_than_needed(
    admin: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(BoundedPaginator, "LIMIT", 20)
    AuditEntry.objects.bulk_create(AuditEntry(actor="x", action=Action.COMMAND) for _ in range(30))
    browser = signed_in(admin)
    with django_assert_num_queries(7) as asked:  # session, user, role, permissions of user and of groups, count, rows
        answer = browser.get(reverse("admin:accounts_auditentry_changelist"))
    assert answer.context["cl"].result_count == 20
    counts = [query["sql"] for query in asked.captured_queries if "COUNT(" in query["sql"]]
    assert len(counts) == 1
    assert "LIMIT 20" in counts[0]


def test_an_administrator_lets_somebody_in_again(admin: User, settings: Settings) -> None:
    for _ in range(6):
        sign_in.count("alice", "192.0.2.1")
    browser, address = signed_in(admin), reverse("admin:accounts_signinattempt_changelist")
    assert "both|192.0.2.1|alice" in browser.get(address).content.decode()
    chosen = {"action": "unlock", "_selected_action": ["both|192.0.2.1|alice"]}
    browser.post(address, chosen)
    assert sign_in.count("alice", "192.0.2.1") is None
    assert entries()[0][:2] == (Action.DELETE, "accounts.signinattempt")
    browser.post(address, {"action": "delete_selected", "_selected_action": ["name|alice"], "post": "yes"})
    assert SignInAttempt.objects.filter(key="name|alice").exists()


@pytest.mark.django_db(databases=["default", "source"])
def test_a_change_on_the_platform_is_recorded_when_it_is_committed(
    admin: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    team = Team.objects.create(id=TEAM_A, name="Old", tenant_id=UUID(int=1))
    request = RequestFactory().post("/")
    request.user = admin
    model_admin = AuditedModelAdmin(Team, django_admin.site)
    with django_capture_on_commit_callbacks(using="source") as callbacks:
        model_admin.delete_model(request, team)
    assert entries() == []
    for callback in callbacks:
        callback()
    assert [(row.action, row.object_id, row.label, row.actor) for row in AuditEntry.objects.all()] == [
        (Action.DELETE, str(TEAM_A), "Old", "admin")
    ]
