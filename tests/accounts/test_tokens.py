"""API tokens: what they open and what not, whose rows they see, how long they live, who makes them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from apps.accounts import throttling, tokens
from apps.accounts.models import ApiToken, AuditEntry, HostTeam, TeamMembership, User
from apps.accounts.roles import Role
from apps.accounts.tokens import authenticate, issue, may_write_for
from tests.people import HOST_A, HOST_B, TEAM_A, TEAM_B, make_person, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])
Scope = ApiToken.Scope
ours = pytest.mark.urls("tests.accounts.urls")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    tokens.forget()
    throttling.forget()
    yield
    throttling.forget()


def bearer(text: str, **headers: str) -> Client:
    """A program that sends the token."""
    return Client(headers={"authorization": f"Bearer {text}", **headers})


def made(owner: User, *scopes: Scope, **options: Any) -> str:
    return issue(owner=owner, name="nightly", scopes=scopes or (Scope.READ,), **options)[1]


def test_the_text_is_random_recognisable_and_not_kept(alice: User) -> None:
    token, text = issue(owner=alice, name="nightly", scopes=[Scope.READ])
    assert re.fullmatch(r"vpt_[A-Za-z0-9]{43}", text)
    assert text != made(alice)
    token.refresh_from_db()
    assert token.token_digest == hashlib.sha256(text.encode()).hexdigest()
    assert text.startswith(token.begins)
    assert len(token.begins) == 10
    assert text[10:] not in " ".join(str(value) for value in ApiToken.objects.values_list().get(pk=token.pk))


@ours
def test_a_token_signs_its_owner_in_for_one_request_below_api_only(alice: User) -> None:
    client = bearer(made(alice), accept="application/json")
    answer = client.get("/api/seen/")
    assert answer.status_code == 200, answer.content
    assert (answer.json()["who"], answer.json()["token"]) == ("alice", "nightly")
    assert "sessionid" not in client.cookies
    browser = bearer(made(alice), accept="text/html")
    assert browser.get("/seen/").status_code == 302, "pages ask to sign in"
    assert browser.get("/admins/").status_code == 302


@ours
@pytest.mark.parametrize(
    "header",
    ["Bearer ", "Bearer vpt_", "Bearer vpt_" + "x" * 43, "bearer nonsense", "Bearer " + "é" * 47, "Bearer\tvpt_x"],
)
def test_a_bad_token_is_refused_also_beside_a_good_session(alice: User, header: str) -> None:
    client = Client()
    client.force_login(alice)
    answer = client.get("/api/seen/", headers={"authorization": header.encode().decode("latin-1")})
    if header.startswith("Bearer\t"):
        assert answer.status_code == 200, "another scheme: the session counts"
        return
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert client.get("/seen/", headers={"authorization": header.encode().decode("latin-1")}).status_code == 200


@ours
def test_without_either_the_answer_names_both_ways(db: None) -> None:
    answer = Client().get("/api/seen/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer" in answer.json()["detail"]


@ours
def test_scopes_are_checked_against_what_the_view_declares(alice: User, admin: User) -> None:
    reading, writing = bearer(made(alice)), bearer(made(alice, Scope.INGEST))
    assert reading.get("/api/seen/").status_code == 200
    refused = writing.get("/api/seen/")
    assert refused.status_code == 403
    assert refused.json()["detail"] == "This needs a token with the scope read; this one has ingest."
    assert reading.post("/api/written/").status_code == 403
    assert writing.post("/api/written/").json() == {"written": True}, "and no CSRF token is asked for"
    assert bearer(made(alice, Scope.READ, Scope.INGEST)).post("/api/seen/").status_code == 403, "admin by default"
    assert bearer(made(admin, Scope.ADMIN)).post("/api/seen/").json() == {"administered": True}
    assert AuditEntry.objects.filter(action="refused", actor="alice", label="/api/seen/").count() == 2


@ours
def test_a_session_still_needs_its_csrf_token(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post("/api/written/").status_code == 403
    assert client.post("/api/written/", headers={"authorization": f"Bearer {made(alice, Scope.INGEST)}"}).json() == {
        "written": True
    }


@ours
def test_the_role_of_the_owner_bounds_the_token(bob: User) -> None:
    text = made(bob, Scope.INGEST)
    answer = bearer(text).post("/api/written/")
    assert answer.status_code == 403
    assert "needs the role operator; yours is viewer" in answer.json()["detail"]
    bob.groups.add(Group.objects.get(name="operator"))
    assert bearer(text).post("/api/written/").status_code == 200


@ours
@pytest.mark.parametrize(
    ("team_ids", "host_names", "seen"),
    [
        ([], [], ([TEAM_A], [HOST_A])),
        ([TEAM_A], [], ([TEAM_A], [HOST_A])),
        ([TEAM_A, TEAM_B], [HOST_A, HOST_B], ([TEAM_A], [HOST_A])),
        ([TEAM_B], [], ([], [])),
        ([], [HOST_A], ([], [HOST_A])),
        ([], [HOST_B], ([], [])),
    ],
)
def test_limits_narrow_and_never_widen(
    alice: User, team_ids: list[UUID], host_names: list[str], seen: tuple[list[UUID], list[str]]
) -> None:
    body = bearer(made(alice, team_ids=team_ids, host_names=host_names)).get("/api/seen/").json()
    assert (body["everything"], body["teams"], body["hosts"]) == (False, [str(team) for team in seen[0]], seen[1])


@ours
def test_limits_hold_for_owners_who_see_everything(admin: User) -> None:
    assert bearer(made(admin)).get("/api/seen/").json()["everything"] is True
    body = bearer(made(admin, team_ids=[TEAM_B])).get("/api/seen/").json()
    assert (body["everything"], body["teams"], body["hosts"]) == (False, [str(TEAM_B)], [HOST_B])
    body = bearer(made(admin, host_names=["rack-x"])).get("/api/seen/").json()
    assert (body["everything"], body["teams"], body["hosts"]) == (False, [], ["rack-x"])


def test_expired_revoked_and_orphaned_tokens_open_nothing(alice: User) -> None:
    now = timezone.now()
    assert authenticate(made(alice, expires_at=now - timedelta(seconds=1))) is None
    token, text = issue(owner=alice, name="ci", scopes=[Scope.READ], expires_at=now + timedelta(hours=1))
    assert authenticate(text) == token
    assert tokens.revoke(token)
    assert not tokens.revoke(token), "once"
    assert authenticate(text) is None
    text = made(alice)
    assert authenticate(text)
    alice.is_active = False
    alice.save()
    assert authenticate(text) is None
    alice.delete()
    assert authenticate(text) is None


def test_a_remembered_token_costs_no_query_and_expires_on_time(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, text = issue(owner=alice, name="ci", scopes=[Scope.READ], expires_at=timezone.now() + timedelta(hours=1))
    with django_assert_num_queries(2):
        authenticate(text)
    with django_assert_num_queries(0):
        assert authenticate(text) == token
        assert authenticate("vpt_short") is None
    with monkeypatch.context() as patched:
        patched.setattr(timezone, "now", lambda: token.expires_at)
        assert authenticate(text) is None
    monkeypatch.setattr(tokens, "REMEMBERED_SECONDS", 0)
    with django_assert_num_queries(1):
        assert authenticate(text) == token


def test_the_last_use_is_written_once_a_minute(alice: User) -> None:
    token, text = issue(owner=alice, name="ci", scopes=[Scope.READ])

    def written() -> Any:
        return ApiToken.objects.get(pk=token.pk).last_used_at

    authenticate(text)
    first = written()
    assert first is not None
    authenticate(text)
    tokens.forget()
    authenticate(text)
    assert written() == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    tokens.forget()
    authenticate(text)
    assert written() >= first


@ours
@pytest.mark.parametrize("change", ["membership", "host", "role"])
def test_what_the_owner_loses_the_token_loses(alice: User, change: str) -> None:
    client = bearer(made(alice))
    assert client.get("/api/seen/").json()["hosts"] == [HOST_A]
    match change:
        case "membership":
            TeamMembership.objects.get().delete()
        case "host":
            HostTeam.objects.get(host_name=HOST_A).delete()
        case _:
            alice.groups.clear()
    answer = client.get("/api/seen/")
    assert answer.status_code == 403 if change == "role" else answer.json()["hosts"] == []


class TestWriting:
    """`may_write_for`: the contract of whoever stores what hosts send."""

    def test_people_and_plain_tokens(self, alice: User, bob: User, admin: User) -> None:
        token, _ = issue(owner=alice, name="host", scopes=[Scope.INGEST])
        for who in (alice, token):
            assert may_write_for(who, host=HOST_A, team_id=None)
            assert may_write_for(who, host=HOST_A, team_id=TEAM_A)
            assert may_write_for(who, host=None, team_id=TEAM_A)
            assert may_write_for(who, host="rack-new", team_id=TEAM_A), "it belongs to nobody yet"
            assert not may_write_for(who, host="rack-new", team_id=None)
            assert not may_write_for(who, host=HOST_B, team_id=TEAM_A), "another team's host"
            assert not may_write_for(who, host=HOST_A, team_id=TEAM_B)
            assert not may_write_for(who, host=HOST_B, team_id=None)
            assert not may_write_for(who, host=None, team_id=None)
        assert not may_write_for(bob, host=HOST_A, team_id=TEAM_A), "a viewer writes nothing"
        assert may_write_for(admin, host=HOST_B, team_id=None)
        assert may_write_for(admin, host=None, team_id=None)

    def test_the_scope_read_writes_nothing(self, admin: User) -> None:
        token, _ = issue(owner=admin, name="ci", scopes=[Scope.READ, Scope.ADMIN])
        assert not may_write_for(token, host=HOST_A, team_id=TEAM_A)

    def test_limited_to_hosts(self, admin: User) -> None:
        token, _ = issue(owner=admin, name="rack", scopes=[Scope.INGEST], host_names=[HOST_A, "rack-new"])
        assert may_write_for(token, host=HOST_A, team_id=None)
        assert may_write_for(token, host=HOST_A, team_id=TEAM_A)
        assert not may_write_for(token, host=HOST_A, team_id=TEAM_B), "the host is team A's"
        assert may_write_for(token, host="rack-new", team_id=TEAM_B), "it belongs to nobody yet"
        assert not may_write_for(token, host=HOST_B, team_id=TEAM_B)
        assert not may_write_for(token, host="rack-other", team_id=TEAM_A)
        assert not may_write_for(token, host=None, team_id=TEAM_A)

    def test_limited_to_teams(self, admin: User) -> None:
        token, _ = issue(owner=admin, name="team", scopes=[Scope.INGEST], team_ids=[TEAM_A])
        assert may_write_for(token, host=HOST_A, team_id=TEAM_A)
        assert may_write_for(token, host=HOST_A, team_id=None)
        assert may_write_for(token, host=None, team_id=TEAM_A)
        assert not may_write_for(token, host=HOST_A, team_id=TEAM_B)
        assert not may_write_for(token, host=HOST_B, team_id=TEAM_A)
        assert not may_write_for(token, host=None, team_id=None)

    def test_a_host_token_of_a_limited_owner_reaches_no_other_team(self, alice: User) -> None:
        token, _ = issue(owner=alice, name="rack", scopes=[Scope.INGEST], host_names=[HOST_A, HOST_B])
        assert may_write_for(token, host=HOST_A, team_id=TEAM_A)
        assert not may_write_for(token, host=HOST_A, team_id=TEAM_B)
        assert not may_write_for(token, host=HOST_B, team_id=TEAM_B)


class TestThrottling:
    def test_a_minutes_requests_then_an_even_flow(self, settings: Settings) -> None:
        settings.API_REQUESTS_PER_MINUTE = 60
        assert [throttling.take("a", 100.0) for _ in range(60)] == [0.0] * 60
        assert throttling.take("a", 100.0) == pytest.approx(1.0)
        assert throttling.take("b", 100.0) == 0.0, "each has their own"
        assert throttling.take("a", 100.5) == pytest.approx(0.5), "and being refused costs nothing"
        assert throttling.take("a", 101.01) == 0.0
        assert throttling.take("a", 101.01) > 0
        settings.API_REQUESTS_PER_MINUTE = 0
        assert throttling.take("a", 101.01) == 0.0

    @ours
    def test_too_many_requests_are_told_when_to_come_back(self, settings: Settings, alice: User) -> None:
        settings.API_REQUESTS_PER_MINUTE = 2
        one, other = bearer(made(alice)), bearer(made(alice))
        assert [one.get("/api/seen/").status_code for _ in range(3)] == [200, 200, 429]
        answer = one.get("/api/seen/")
        assert answer["Content-Type"] == "application/problem+json"
        assert 1 <= int(answer["Retry-After"]) <= 30
        assert other.get("/api/seen/").status_code == 200
        client = Client()
        client.force_login(alice)
        assert client.get("/api/seen/").status_code == 200, "and so has the session"


class TestAdmin:
    ADD = "/admin/accounts/apitoken/add/"
    LIST = "/admin/accounts/apitoken/"

    def form(self, owner: User, **changes: Any) -> dict[str, Any]:
        return {"name": "rack one", "owner": owner.pk, "scopes": ["ingest"], "lifetime": "30", **changes}

    def test_for_administrators_alone(self, alice: User, admin: User) -> None:
        assert signed_in(alice).get(self.LIST).status_code == 403
        assert signed_in(admin).get(self.LIST).status_code == 200
        assert signed_in(admin).get(self.ADD).status_code == 200

    def test_made_and_shown_once(self, admin: User, alice: User) -> None:
        client = signed_in(admin)
        answer = client.post(self.ADD, self.form(alice, host_names="rack-a\r\n\r\n rack-b \n"))
        assert answer.status_code == 200, answer.headers
        found = re.search(r"vpt_[A-Za-z0-9]{43}", answer.content.decode())
        assert found, answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
        text = found.group()
        token = authenticate(text)
        assert token is not None
        assert (token.owner, token.scopes, token.host_names) == (alice, ["ingest"], ["rack-a", "rack-b"])
        assert token.expires_at is not None
        assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
        for path in (self.LIST, f"{self.LIST}{token.pk}/change/", f"{self.LIST}{token.pk}/history/"):
            page = client.get(path).content.decode()
            assert token.begins in page, path
            assert text not in page
            assert token.token_digest not in page
        entry = AuditEntry.objects.get(action="add", kind="accounts.apitoken")
        assert entry.after is not None
        assert entry.after["token_digest"] == "(hidden)"
        assert text not in str(entry.after)

    def test_for_ever_has_to_be_said(self, admin: User, alice: User) -> None:
        signed_in(admin).post(self.ADD, self.form(alice, lifetime=""))
        assert ApiToken.objects.get().expires_at is None

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"scopes": []}, "This field is required"),
            ({"scopes": ["root"]}, "not one of the available choices"),
            ({"team_ids": ["nonsense"]}, "not one of the available choices"),
            ({"host_names": "x" * 256}, "at most 255 characters"),
            ({"lifetime": "4000"}, "not one of the available choices"),
        ],
    )
    def test_what_cannot_be_made(self, admin: User, alice: User, changes: dict[str, Any], said: str) -> None:
        answer = signed_in(admin).post(self.ADD, self.form(alice, **changes))
        assert said in answer.content.decode()
        assert not ApiToken.objects.exists()

    def test_nobody_makes_a_token_of_a_superuser_but_superusers(self, admin: User) -> None:
        root = User.objects.create_superuser("root")
        assert "Select a valid choice" in signed_in(admin).post(self.ADD, self.form(root)).content.decode()
        assert "vpt_" in signed_in(root).post(self.ADD, self.form(root)).content.decode()

    def test_only_the_name_changes(self, admin: User, alice: User) -> None:
        token, _ = issue(owner=alice, name="old", scopes=[Scope.READ])
        signed_in(admin).post(
            reverse("admin:accounts_apitoken_change", args=[token.pk]),
            {"name": "new", "scopes": ["admin"], "owner": admin.pk, "lifetime": ""},
        )
        token.refresh_from_db()
        assert (token.name, token.scopes, token.owner, token.expires_at) == ("new", ["read"], alice, None)

    def test_revoked_after_a_question(self, admin: User, alice: User) -> None:
        token, text = issue(owner=alice, name="old", scopes=[Scope.READ])
        client = signed_in(admin)
        assert "revoke/" in client.get(f"{self.LIST}{token.pk}/change/").content.decode()
        question = client.get(f"{self.LIST}{token.pk}/revoke/").content.decode()
        assert "This cannot be taken back" in question
        chosen = {"action": "revoke", "_selected_action": [token.pk]}
        assert "Change nothing" in client.post(self.LIST, chosen).content.decode()
        assert authenticate(text) is not None
        client.post(self.LIST, {**chosen, "confirmed": "yes"})
        assert authenticate(text) is None
        entry = AuditEntry.objects.get(action="change", kind="accounts.apitoken")
        assert entry.after is not None
        assert set(entry.after) == {"revoked_at"}
        assert "revoked" in client.get(self.LIST).content.decode()

    def test_a_token_may_not_be_revoked_by_others(self, alice: User) -> None:
        token, _ = issue(owner=alice, name="old", scopes=[Scope.READ])
        assert signed_in(alice).get(f"{self.LIST}{token.pk}/revoke/").status_code == 403


def test_signing_in_by_token_leaves_no_trace_of_the_text_in_the_log(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    text = made(alice)
    bearer(text).get("/api/v1/nowhere")
    bearer(text[:-1] + "!").get("/api/v1/nowhere")
    assert text[10:] not in caplog.text


def test_no_role_is_enough_for_what_needs_none(nobody: User) -> None:
    dora = make_person("dora", Role.NONE)
    assert bearer(made(dora)).get("/api/v1/nowhere").status_code == 404
