"""The sync over REST: starting a run, its record, how each dashboard stands, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from apps.accounts import throttling, tokens
from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.grafana import api
from apps.grafana.models import GrafanaInstance, SyncRun
from apps.grafana.run_lock import AlreadyRunningError
from tests.grafana.sync.site import Site
from tests.people import TEAM_A, make_person, program

pytestmark = pytest.mark.django_db(databases=["default", "source"])
START = "/api/v1/sync/start"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    throttling.forget()
    tokens.forget()
    yield
    throttling.forget()


def start(client: Client, **wishes: Any) -> Any:
    return client.post(START, wishes, content_type="application/json")


def test_a_run_is_started_and_its_record_found_where_the_answer_says(
    admin: User, site: Site, instance: GrafanaInstance
) -> None:
    dashboard = site.register("new")
    client = program(admin, "admin", "read")
    answer = start(client, dashboards=[dashboard.uid], instances=[instance.name], reason="from CI")
    assert answer.status_code == 201, answer.content
    (told,) = answer.json()["results"]
    assert (told["instance"], told["status"], told["total"], told["changed"]) == (instance.name, "done", 1, 1)
    assert site.has("new")
    assert answer["Location"] == told["address"]
    record = client.get(urlsplit(told["address"]).path).json()
    assert (record["actor"], record["reason"], record["what"]) == ("admin", "from CI", "push")
    assert client.get("/api/v1/sync/runs?what=push").json()["results"] == [record]
    (row,) = client.get("/api/v1/sync/placements").json()["results"]
    assert (row["dashboard_id"], row["state"], row["base_version"]) == (dashboard.pk, "in-sync", 1)
    assert start(client, what="check").json()["results"][0]["changed"] == 0


@pytest.mark.parametrize(
    ("wishes", "status", "said"),
    [
        ({"what": "prune"}, 400, "what: "),
        ({"dashboards": "all"}, 400, "dashboards: "),
        ({"dashboards": ["nobody"]}, 422, "no dashboard nobody"),
        ({"instances": ["nowhere"]}, 422, "no enabled Grafana named nowhere"),
        ({"reason": "\0"}, 400, "reason: "),
    ],
)
def test_what_cannot_be_started(admin: User, wishes: dict[str, Any], status: int, said: str) -> None:
    answer = start(program(admin, "admin"), **wishes)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
    assert said in answer.json()["detail"]
    assert not SyncRun.objects.exists()


def test_bodies_that_are_no_wishes(admin: User) -> None:
    client = program(admin, "admin")
    for body, kind, status in (
        ("[]", "application/json", 400),
        ("{", "application/json", 400),
        ("a=1", "text/plain", 415),
    ):
        assert client.post(START, body, content_type=kind).status_code == status
    assert start(client).status_code == 422, "there is nothing to sync"


def test_one_run_at_a_time(admin: User, site: Site, instance: GrafanaInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    site.register("new")

    def busy(*_: object) -> None:
        raise AlreadyRunningError

    monkeypatch.setitem(api.WORDS, "push", busy)
    answer = start(program(admin, "admin"))
    assert answer.status_code == 409
    assert "Ask again" in answer.json()["detail"]


def test_only_administrators_with_the_right_token_start_and_read_runs(admin: User, alice: User, bob: User) -> None:
    assert start(program(alice, "admin")).status_code == 403
    assert start(program(admin, "read", "ingest")).status_code == 403
    assert program(alice).get("/api/v1/sync/runs").status_code == 403
    assert program(alice).get("/api/v1/sync/placements").status_code == 200
    assert program(bob).get("/api/v1/sync/placements").status_code == 403


def test_a_team_sees_how_its_own_dashboards_stand(admin: User, site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("new")
    start(program(admin, "admin"))
    owner, stranger = make_person("owner", Role.OPERATOR, TEAM_A), make_person("stranger", Role.OPERATOR)
    dashboard.team_id = TEAM_A
    dashboard.save()
    assert len(program(owner).get("/api/v1/sync/placements").json()["results"]) == 1
    assert program(stranger).get("/api/v1/sync/placements").json()["results"] == []
