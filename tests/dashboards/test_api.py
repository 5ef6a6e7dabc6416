"""What a panel shows, asked of the API: its data, its view, and what is wrong with the question."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from apps.accounts.models import User
from apps.dashboards.models import Dashboard
from tests.dashboards.conftest import Register, panel, query_variable
from tests.people import TEAM_A
from vptmonitor.database_url import from_url

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


def test_values_of_variables_come_from_the_address(client: Client, register: Register) -> None:
    register(panel(1, "SELECT h FROM unnest(ARRAY[$host]) h"), variables=(HOSTS,))
    assert values(ask(client, var__host=["rack-1", "o'brien"])) == [["rack-1", "o'brien"]]
    assert values(ask(client, var__host="$__all")) == [["rack-1", "o'brien", "rack-3"]]
    assert values(ask(client)) == [["rack-1", "o'brien", "rack-3"]]


def test_a_copy_of_a_repeated_panel_asks_for_its_own_value(client: Client, register: Register) -> None:
    register(panel(1, "SELECT '$host' AS h", repeat="host"), variables=(HOSTS,))
    assert values(ask(client, var__host="$__all", scope__host="o'brien")) == [["o'brien"]]


def test_the_range_and_the_zone_come_from_the_address(client: Client, register: Register) -> None:
    register(panel(1, "SELECT $__timeFrom() AS a, $__timeTo() AS b"))
    answer = ask(client, from_="2026-03-01", to="2026-03-02", tz="Asia/Tokyo")
    assert values(answer) == [["2026-02-28T15:00:00Z"], ["2026-03-01T15:00:00Z"]]


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({"from_": "soon"}, "from"),
        ({"to": "x" * 5000}, "to"),
        ({"from_": "now", "to": "now-1d"}, "from"),
        ({"tz": "Mars/Olympus"}, "tz"),
        ({"maxDataPoints": "0"}, "maxDataPoints"),
        ({"maxDataPoints": "many"}, "maxDataPoints"),
        ({"maxDataPoints": "9" * 30}, "maxDataPoints"),
        ({"height": "-1"}, "height"),
        ({"as_": "picture"}, "as"),
        ({"var__host": "rack-9"}, "var-host"),
        ({"var__host": "' OR true --"}, "var-host"),
        ({"var__host": "a\0b"}, "var-host"),
        ({"scope__host": "rack-9"}, "scope-host"),
    ],
)
def test_bad_input_is_a_problem_that_names_the_parameter(
    client: Client, register: Register, parameters: dict[str, Any], parameter: str
) -> None:
    register(panel(1, "SELECT '$host'"), variables=(HOSTS,))
    answer = ask(client, **parameters)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["parameter"], problem["title"]) == (400, parameter, "A parameter is wrong")
    assert parameter in problem["detail"]


def test_what_a_panel_does_not_use_is_not_looked_at(client: Client, register: Register) -> None:
    register(panel(1, "SELECT 1 AS n"), variables=(HOSTS, query_variable("broken", "SELECT nothing")))
    assert values(ask(client, var__host="rack-9", var__broken="x", kiosk="1")) == [[1]]


@pytest.mark.parametrize(("uid", "number"), [("nowhere", 1), ("lab", 7), ("lab", 2)])
def test_what_is_not_there_is_404(client: Client, register: Register, uid: str, number: int) -> None:
    register(panel(1, "SELECT 1"), {"id": 2, "type": "row", "title": "Row", "panels": []})
    answer = ask(client, number, uid=uid)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/api/", "/api/v1/dashboards/lab/", "/api/v2/x"])
def test_an_address_that_the_api_does_not_have_is_a_problem_too(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_only_reading_is_allowed(client: Client, register: Register) -> None:
    register(panel(1, "SELECT 1"))
    answer = client.post("/api/v1/dashboards/lab/panels/1/data")
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")


def test_a_query_that_fails_is_a_problem_for_programs(client: Client, register: Register) -> None:
    register(panel(1, "SELECT nothing FROM nowhere"))
    answer = ask(client)
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    problem = answer.json()
    assert (problem["kind"], problem["ref_id"], problem["position"]) == ("sql", "A", 21)
    assert problem["detail"].startswith('relation "nowhere" does not exist')


def test_a_query_that_fails_is_a_part_of_the_view(client: Client, register: Register) -> None:
    register(panel(1, "SELECT nothing FROM nowhere"))
    answer = ask(client, as_="view")
    body = answer.json()
    assert answer.status_code == 200
    assert (body["error"]["text"], body["error"]["position"]) == ('relation "nowhere" does not exist', 21)
    assert body["error"]["fix"]
    assert [one["sql"] for one in body["sql"]] == ["SELECT nothing FROM nowhere"]


def test_a_fault_of_the_portal_is_a_problem_without_its_insides(
    client: Client, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(panel(1, "SELECT 1"))
    monkeypatch.setattr("apps.dashboards.api.open_dashboard", None)
    client.raise_request_exception = False
    answer = ask(client)
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert "NoneType" not in answer.content.decode()


def test_dashboards_of_other_teams_are_not_there(alice: User, charlie: User, register: Register) -> None:
    register(panel(1, "SELECT 1 AS n"))
    Dashboard.objects.update(team_id=TEAM_A)
    for person, status in ((alice, 200), (charlie, 404)):
        client = Client()
        client.force_login(person)
        assert ask(client).status_code == status
    Dashboard.objects.update(team_id=TEAM_A, enabled=False)
    client.force_login(alice)
    assert ask(client).status_code == 404


def test_who_is_signed_out_or_has_no_role_is_refused(nobody: User, register: Register) -> None:
    register(panel(1, "SELECT 1"))
    client = Client()
    assert ask(client).status_code == 401
    client.force_login(nobody)
    assert ask(client).status_code == 403


def test_rows_that_cannot_be_kept_apart_are_refused(alice: User, register: Register, settings: Settings) -> None:
    settings.SOURCE_ACCESS = "read"
    register(panel(1, "SELECT 1"))
    client = Client()
    client.force_login(alice)
    assert (ask(client).status_code, ask(client).json()["kind"]) == (403, "refused")
    assert ask(client, as_="view").json()["error"]["kind"] == "refused"


def test_an_answer_costs_few_queries_of_the_portals_own(
    client: Client, register: Register, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    register(panel(1, "SELECT 1 AS n"))
    ask(client)
    with django_assert_max_num_queries(4):  # session, person, role, dashboard
        ask(client)


def test_what_json_has_no_number_for_is_left_out(client: Client, register: Register) -> None:
    register(panel(1, "SELECT 'NaN'::float AS a, 'Infinity'::float AS b, 1.5::float AS c"))
    assert values(ask(client)) == [[None], [None], [1.5]]
    assert ask(client, as_="view").status_code == 200


def test_a_new_version_of_a_dashboard_is_shown_at_once(client: Client, register: Register) -> None:
    register(panel(1, "SELECT 'old' AS v"))
    assert values(ask(client)) == [["old"]]
    register(panel(1, "SELECT 'new' AS v"))
    assert values(ask(client)) == [["new"]]


def test_while_a_database_is_away_the_answer_is_a_problem_that_says_when_to_come_back(
    client: Client, register: Register, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(panel(1, "SELECT '$host'"), variables=(HOSTS,))
    settings.SOURCE_READER_ADDRESS = from_url("postgresql://reader:x@127.0.0.1:1/nowhere")
    source = ask(client)
    assert (source.status_code, source["Content-Type"]) == (503, "application/problem+json")
    assert (source.json()["kind"], source["Retry-After"]) == ("unavailable", "2")

    def away(*_: Any) -> None:
        raise OperationalError("refused")

    monkeypatch.setattr("apps.dashboards.api.reading.find", away)
    portal = ask(client)
    assert (portal.status_code, portal["Content-Type"]) == (503, "application/problem+json")
    assert int(portal["Retry-After"]) > 0
