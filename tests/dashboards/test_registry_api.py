"""The registry over REST: folders, dashboards, their JSON and revisions, each for whom they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.accounts import throttling, tokens
from apps.accounts.models import User
from apps.dashboards.folders import folder_of
from apps.dashboards.models import Cause, Dashboard
from apps.dashboards.revisions import record
from tests.dashboards.conftest import Register, panel
from tests.people import TEAM_A, TEAM_B, program

pytestmark = pytest.mark.django_db(databases=["default", "source"])


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    throttling.forget()
    tokens.forget()
    yield
    throttling.forget()


def test_a_dashboard_its_json_and_its_revisions(admin: User, register: Register) -> None:
    row = register(panel(1, "SELECT 1"))
    first = dict(row.body)
    record(row, {**first, "title": "Newer"}, actor="alice", reason="a better title", cause=Cause.EDIT)
    client = program(admin)
    (listed,) = client.get("/api/v1/dashboards?q=newer").json()["results"]
    assert (listed["uid"], listed["title"], listed["tags"]) == ("lab", "Newer", [])
    assert client.get("/api/v1/dashboards/lab").json() == listed
    assert client.get("/api/v1/dashboards/lab/json").json() == {**first, "title": "Newer"}
    revisions = client.get("/api/v1/dashboards/lab/revisions").json()["results"]
    assert (revisions[0]["number"], revisions[0]["actor"], revisions[0]["reason"]) == (2, "alice", "a better title")
    assert client.get("/api/v1/dashboards/lab/revisions/1").json() == revisions[1]
    assert client.get("/api/v1/dashboards/lab/revisions/1/json").json() == first
    csv = b"".join(client.get("/api/v1/dashboards/lab/revisions?format=csv")).decode()
    assert csv.splitlines()[0] == "id,number,actor,cause,reason,at"
    for path in ("nobody", "nobody/json", "nobody/revisions", "lab/revisions/9", "lab/revisions/9/json"):
        answer = client.get(f"/api/v1/dashboards/{path}")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json"), path


def test_a_teams_dashboards_and_folders_are_the_teams(
    register: Register, admin: User, alice: User, bob: User, charlie: User
) -> None:
    row = register(panel(1, "SELECT 1"))
    outer = folder_of(("Racks", "Inner"))
    assert outer is not None
    Dashboard.objects.filter(pk=row.pk).update(folder=outer)
    for person in (alice, bob, charlie, admin):
        assert len(program(person).get("/api/v1/folders").json()["results"]) == 2
    assert outer.parent is not None
    outer.parent.team_id = TEAM_A
    outer.parent.save()
    addresses = ("lab", "lab/json", "lab/revisions", "lab/revisions/1", "lab/revisions/1/json")
    for person, seen in ((alice, True), (bob, True), (admin, True), (charlie, False)):
        client = program(person)
        assert bool(client.get("/api/v1/dashboards").json()["results"]) is seen
        assert bool(client.get("/api/v1/folders").json()["results"]) is seen
        for path in addresses:
            assert client.get(f"/api/v1/dashboards/{path}").status_code == (200 if seen else 404), (person, path)
    limited = program(admin, "read", team_ids=[TEAM_B])
    assert limited.get("/api/v1/dashboards").json()["results"] == []


def test_what_it_costs(alice: User, register: Register) -> None:
    register(panel(1, "SELECT 1"))
    client = program(alice)
    client.get("/api/v1/folders")
    for path, most in (
        ("folders", 1), ("dashboards", 1), ("dashboards/lab", 1), ("dashboards/lab/json", 1),
        ("dashboards/lab/revisions", 2), ("dashboards/lab/revisions/1/json", 2),
    ):  # fmt: skip
        with CaptureQueriesContext(connections["default"]) as queries:
            assert client.get(f"/api/v1/{path}").status_code == 200
        assert len(queries) <= most, (path, [one["sql"] for one in queries])
