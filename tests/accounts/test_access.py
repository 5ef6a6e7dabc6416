"""The gate before every view."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry, User
from apps.accounts.roles import Role
from tests.people import make_person, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]

PATHS = ("/everybody/", "/signed-in/", "/viewers/", "/operators/", "/wrapped/", "/admins/", "/undeclared/")


def statuses(client: Client) -> list[int]:
    return [client.get(path).status_code for path in PATHS]


def test_each_role_opens_its_own_pages_and_those_below(alice: User, bob: User, admin: User, nobody: User) -> None:
    assert statuses(Client(headers={"accept": "text/html"})) == [200, 302, 302, 302, 302, 302, 403]
    assert statuses(signed_in(nobody)) == [200, 200, 403, 403, 403, 403, 403]
    assert statuses(signed_in(bob)) == [200, 200, 200, 403, 403, 403, 403]
    assert statuses(signed_in(alice)) == [200, 200, 200, 200, 200, 403, 403]
    assert statuses(signed_in(admin)) == [200, 200, 200, 200, 200, 200, 403]


def test_not_even_a_superuser_passes_an_undeclared_view(caplog: pytest.LogCaptureFixture) -> None:
    root = User.objects.create_superuser("root")
    with caplog.at_level(logging.ERROR, logger="apps.accounts.middleware"):
        assert signed_in(root).get("/undeclared/").status_code == 403
    assert "declares no access" in caplog.text


def test_the_way_back_after_signing_in(db: None) -> None:
    browser = Client(headers={"accept": "text/html"})
    assert browser.get("/viewers/?page=2").url == "/account/login/?next=/viewers/%3Fpage%3D2"  # type: ignore[attr-defined]
    assert browser.post("/operators/").url == "/account/login/?next=/"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/operators/", "application/json"), ("/operators/", "*/*"), ("/api/operators/", "text/html")],
)
def test_programs_get_problem_documents(bob: User, path: str, accept: str) -> None:
    client = Client(headers={"accept": accept})
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer["WWW-Authenticate"]
    client.force_login(bob)
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert "needs the role operator" in answer.json()["detail"]


def test_the_page_says_which_role_is_needed(bob: User) -> None:
    page = signed_in(bob).get("/operators/").content.decode()
    assert "This needs the role operator; yours is viewer." in page


def test_refusals_of_signed_in_people_are_remembered(bob: User) -> None:
    browser = signed_in(bob)
    browser.get("/operators/", headers={"X-Request-ID": "given-by-a-proxy"})
    browser.get("/refusing/")
    Client().get("/operators/")
    entries = AuditEntry.objects.filter(action=AuditEntry.Action.REFUSED).order_by("id")
    assert [(entry.actor, entry.label) for entry in entries] == [("bob", "/operators/"), ("bob", "/refusing/")]
    assert [entry.reason for entry in entries] == [
        "This needs the role operator; yours is viewer. An administrator can change that.",
        "This run belongs to another team.",
    ]
    assert entries[0].request_id == "given-by-a-proxy"
    assert entries[0].address == "127.0.0.1"


def test_a_deactivated_person_is_signed_out_at_once(bob: User) -> None:
    browser = signed_in(bob)
    assert browser.get("/viewers/").status_code == 200
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert browser.get("/viewers/").status_code == 302


def test_a_role_taken_away_counts_at_the_next_click() -> None:
    dora = make_person("dora", Role.OPERATOR)
    browser = signed_in(dora)
    assert browser.get("/operators/").status_code == 200
    dora.groups.clear()
    assert browser.get("/operators/").status_code == 403
