"""`GET /api/v1/live/events`: the same changes for browsers and programs without a socket."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.mirror.models import PlatformAlert
from tests.people import HOST_A, HOST_B, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"], transaction=True)
URL = "/api/v1/live/events"


def ask(client: Client, **query: str) -> Any:
    return client.get(URL, {"topics": "alerts", **query}, headers={"accept": "application/json"})


def alert(host: str) -> str:
    return str(PlatformAlert.objects.create(host_name=host, device_id=str(uuid4()), incident_type="freeze").pk)


def test_from_a_token_on_each_hears_what_the_teams_allow(alice: User, charlie: User) -> None:
    start = ask(signed_in(alice)).json()
    assert (start["type"], start["events"], start["again"]) == ("events", [], 3)
    a, b = alert(HOST_A), alert(HOST_B)
    told = ask(signed_in(alice), after=start["token"])
    assert told["Cache-Control"] == "no-store"
    assert [change["added"] for change in told.json()["events"]] == [[a]]
    assert [change["added"] for change in ask(signed_in(charlie), after=start["token"]).json()["events"]] == [[b]]
    assert ask(signed_in(alice), after=told.json()["token"]).json()["events"] == []


def test_whoever_is_signed_out_or_has_no_role_hears_nothing(nobody: User) -> None:
    assert ask(Client()).status_code == 401
    assert ask(signed_in(nobody)).status_code == 403


@pytest.mark.parametrize(
    ("query", "parameter"),
    [({"topics": ""}, "topics"), ({"topics": "alerts,accounts_user"}, "topics"), ({"after": "x"}, "after"),
     ({"after": "0011aaff.5.4."}, "after"), ({"topics": "alerts\0"}, "topics")],
)  # fmt: skip
def test_what_is_asked_wrongly_is_a_problem_with_its_parameter(bob: User, query: Any, parameter: str) -> None:
    answer = ask(signed_in(bob), **query)
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


def test_a_token_of_another_database_is_told_to_reload(bob: User) -> None:
    answer = ask(signed_in(bob), after="00000000.5.6.").json()
    assert answer["type"] == "reload"
    assert ask(signed_in(bob), after=answer["token"]).json()["type"] == "events"
