"""What a panel shows, asked of the API: its data, its view, and what is wrong with the question."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from tests.dashboards.conftest import Register, panel, query_variable

pytestmark = pytest.mark.django_db(databases=["default", "source"])

HOSTS = query_variable(
    "host", "SELECT * FROM (VALUES ('rack-1'), ('o''brien'), ('rack-3')) h(name)", multi=True, includeAll=True
)


@pytest.fixture
def client(admin: User) -> Client:
    """Somebody who may see all teams."""
    client = Client()
    client.force_login(admin)
    return client


def ask(client: Client, number: int = 1, *, uid: str = "lab", **parameters: Any) -> Any:
    query = {name.replace("__", "-").rstrip("_"): value for name, value in parameters.items()}
    return client.get(f"/api/v1/dashboards/{uid}/panels/{number}/data", query)


def values(answer: Any) -> list[Any]:
    assert answer.status_code == 200, answer.content
    found: list[Any] = answer.json()["frames"][0]["data"]["values"]
    return found


def test_the_data_come_as_frames_with_configuration_and_timing(client: Client, register: Register) -> None:
    register(panel(1, "SELECT 'a' AS word, 2 AS number", fieldConfig={"defaults": {"unit": "ms"}, "overrides": []}))
    answer = ask(client)
    body = answer.json()
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/json", "no-store")
    assert [field["name"] for field in body["frames"][0]["schema"]["fields"]] == ["word", "number"]
    assert body["frames"][0]["data"]["values"] == [["a"], [2]]
    assert body["fieldConfig"]["defaults"] == {"unit": "ms"}
    assert (body["title"], body["notices"]) == ("Panel 1", [])
    assert body["timing"]["total_ms"] >= body["timing"]["query_ms"] > 0


def test_the_view_is_worked_out(client: Client, register: Register) -> None:
    unit = {"defaults": {"unit": "ms"}}
    register(panel(1, "SELECT 1500 AS took", title="In $host", fieldConfig=unit), variables=(HOSTS,))
    body = ask(client, as_="view", var__host="rack-3").json()
    assert body["title"] == "In rack-3"
    assert body["view"]["kind"] == "table"
    assert body["view"]["columns"][0]["texts"] == ["1.5 s"]
    assert body["error"] is None
    assert [one["sql"] for one in body["sql"]] == ["SELECT 1500 AS took"]
