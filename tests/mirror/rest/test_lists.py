"""Lists of the API: pages, orders, filters, formats, and what is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import connections
from django.test import Client

from apps.accounts import throttling, tokens
from apps.accounts.models import User
from apps.mirror.models import ScriptResult, SystemMetric, Team
from tests.pages import content_of
from tests.people import TEAM_A, program, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIST = "/api/v1/script-results"


@pytest.fixture(autouse=True)
def _no_limit() -> Iterator[None]:
    throttling.forget()
    tokens.forget()
    yield
    throttling.forget()


@pytest.fixture
def runs(team_a: Team) -> list[ScriptResult]:
    """Seven runs, an hour apart, two of them at the same moment; the newest first."""
    rows = [
        ScriptResult.objects.create(
            team_id=TEAM_A, script_name=f"script {number}", script_type="zap", host_name=f"rack-{number % 2}",
            device_name="Box", success=number % 3 == 0, execution_time_ms=1000 * number,
            started_at=NOON - timedelta(hours=min(number, 5)), completed_at=NOON,
            metadata={"note": number, "nested": {"api_key": "s3cret", "kept": [1, 2.5, None]}} if number == 1 else None,
        )
        for number in range(7)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.started_at, row.pk), reverse=True)


@pytest.fixture
def client() -> Client:
    """A program that sees everything."""
    return program(User.objects.create_superuser("root"))


def names(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200, answer.content
    return [row["script_name"] for row in answer.json()["results"]]


def refused(client: Client, query: str, path: str = LIST) -> dict[str, Any]:
    answer = client.get(f"{path}?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json"), answer.content
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("ordering", ["-started_at", "started_at"])
def test_pages_there_and_back(client: Client, runs: list[ScriptResult], ordering: str) -> None:
    expected = [str(row.pk) for row in (runs if ordering.startswith("-") else reversed(runs))]
    address: str | None = f"{LIST}?limit=2&ordering={ordering}"
    there, pages, bodies = [], [], []
    while address:
        body = client.get(address).json()
        bodies.append(body)
        pages.append([row["id"] for row in body["results"]])
        there += pages[-1]
        address = body["next"]
    assert there == expected
    assert bodies[0]["previous"] is None
    back = []
    address = bodies[-1]["previous"]
    while address:
        parts = urlsplit(address)
        assert parts.netloc == "testserver"
        body = client.get(f"{parts.path}?{parts.query}").json()
        back.append([row["id"] for row in body["results"]])
        address = body["previous"]
    assert [one for page in reversed(back) for one in page] + pages[-1] == expected


def test_filters(client: Client, runs: list[ScriptResult]) -> None:
    assert names(client, "host=rack-1") == ["script 1", "script 3", *names(client, "host=rack-1")[2:]]
    assert set(names(client, "host=rack-1")) == {"script 1", "script 3", "script 5"}
    assert len(names(client, "host=rack-1&host=rack-0")) == 7
    assert names(client, f"team={UUID(int=5)}") == []
    assert len(names(client, f"team={UUID(int=5)}&team={TEAM_A}")) == 7
    assert names(client, "from=2026-03-01T10:00:00Z") == ["script 0", "script 1", "script 2"]
    assert names(client, "from=2026-03-01T11:00:00%2B01:00&to=2026-03-01T12:00:00") == ["script 1", "script 2"]
    assert names(client, "from=2026-03-01T11:00:00+01:00&to=2026-03-01T11:30:00") == ["script 1", "script 2"]
    assert len(names(client, "from=2026-03-01")) == 7
    assert names(client, "from=now-1h") == []
    assert names(client, "from=2026-03-01&q=SCRIPT%203") == ["script 3"]
    assert names(client, "from=2026-03-01&q=%25") == [], "a percent sign is a percent sign"
    assert set(names(client, "from=2026-03-01&success=true")) == {"script 0", "script 3", "script 6"}
    assert set(names(client, "from=2026-03-01&state=failing")) == {"script 1", "script 2", "script 4", "script 5"}
    assert len(names(client, "from=2026-03-01&state=failing&state=ok")) == 7
    assert names(client, "script=script%202") == ["script 2"]


@pytest.mark.parametrize(
    ("query", "parameter", "said"),
    [
        ("limit=0", "limit", "from 1 to 1000"),
        ("limit=1001", "limit", "from 1 to 1000"),
        ("limit=ten", "limit", "from 1 to 1000"),
        ("limit=%D9%A3", "limit", "from 1 to 1000"),
        ("ordering=script_name", "ordering", "-started_at or started_at"),
        ("cursor=x", "cursor", "leave it out"),
        ("hots=rack-1", "hots", "there is no such parameter, but"),
        ("team=1", "team", "Enter a valid UUID"),
        ("host=", "host", "This field is required"),
        ("host=%00", "host", "Null characters"),
        ("from=yesterday", "from", "it is no moment"),
        ("from=now%2B1h", "from", "it is no moment"),
        ("from=2026-02-30", "from", "it is no moment"),
        ("from=2026-03-01T25:00:00Z", "from", "it is no moment"),
        ("from=now-999999w", "from", "too long ago"),
        ("from=now-1h&from=now-2h", "from", "one times at most"),
        ("from=now-1h&success=1", "success", "true or false"),
        ("from=now-1h&state=good", "state", "'good' is none of ok"),
        ("&".join(f"host={number}" for number in range(51)), "host", "50 times at most"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_fix(client: Client, query: str, parameter: str, said: str) -> None:
    body = refused(client, query)
    assert body["parameter"] == parameter
    assert said in body["detail"]


def test_all_wrong_filters_are_named_at_once(client: Client) -> None:
    body = refused(client, "team=1&from=bad")
    assert {error["parameter"] for error in body["errors"]} == {"team", "from"}


@pytest.mark.parametrize("query", ["q=zap", "success=true", "state=ok", "interface=x", "to=now&format=csv"])
def test_a_question_that_only_reading_everything_answers_needs_a_time_range(client: Client, query: str) -> None:
    body = refused(client, query)
    assert body["title"] == "The question is too wide"
    assert (body["parameter"], "from=now-24h" in body["detail"]) == ("from", True)
    assert client.get(f"{LIST}?{query}&from=now-24h").status_code == 200


def test_small_tables_need_none(client: Client) -> None:
    assert client.get("/api/v1/devices?q=box&status=online").status_code == 200
    assert client.get("/api/v1/devices?format=csv").status_code == 200


def test_csv_holds_all_rows_of_the_filters(client: Client, runs: list[ScriptResult]) -> None:
    ScriptResult.objects.filter(script_name="script 2").update(error_msg="=HYPERLINK(1)")
    answer = client.get(f"{LIST}?from=2026-03-01", headers={"accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="script_results-')
    rows = list(csv.DictReader(io.StringIO(content_of(answer))))
    assert [row["script_name"] for row in rows] == [row.script_name for row in runs]
    by_name = {row["script_name"]: row for row in rows}
    assert by_name["script 2"]["error_msg"] == "'=HYPERLINK(1)"
    assert by_name["script 0"]["state"] == "ok"
    assert "s3cret" not in by_name["script 1"]["metadata"]
    assert '"kept": [1, 2.5, null]' in by_name["script 1"]["metadata"]
    assert len(content_of(client.get(f"{LIST}?limit=3&format=csv")).splitlines()) == 4
    oldest = content_of(client.get(f"{LIST}?from=2026-03-01&ordering=started_at&format=csv")).splitlines()
    assert oldest[-1].split(",")[2] == "script 0"
    assert refused(client, "limit=3&cursor=abc&format=csv")["parameter"] == "cursor"


def test_secrets_in_json_are_hidden_and_the_rest_is_as_it_was(client: Client, runs: list[ScriptResult]) -> None:
    row = next(row for row in client.get(LIST).json()["results"] if row["script_name"] == "script 1")
    assert row["metadata"] == {"note": 1, "nested": {"api_key": "(hidden)", "kept": [1, 2.5, None]}}
    assert client.get(f"{LIST}/{row['id']}").json() == row


def test_numbers_that_json_lacks_come_as_text(client: Client) -> None:
    SystemMetric.objects.create(host_name="a", cpu_percent=1.5)
    with connections["source"].cursor() as cursor:
        cursor.execute("UPDATE system_metrics SET cpu_percent = 'NaN', memory_percent = 1e300")
    row = client.get("/api/v1/system-metrics").json()["results"][0]
    assert row["cpu_percent"] == "NaN"
    assert row["memory_percent"] == pytest.approx(1e300)


def test_a_person_reads_the_answer_as_a_page(client: Client, runs: list[ScriptResult]) -> None:
    ScriptResult.objects.update(error_msg="<script>alert(1)</script>")
    browser = signed_in(User.objects.get(username="root"))
    page = browser.get(f"{LIST}?limit=2")
    text = page.content.decode()
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script 0" in text
    assert "<script>alert" not in text
    assert "cursor=" in text
    assert browser.get(f"{LIST}/{runs[0].pk}").status_code == 200
    assert browser.get(f"{LIST}?limit=2&format=json").headers["Content-Type"] == "application/json"


def test_methods_and_formats(client: Client, runs: list[ScriptResult]) -> None:
    one = f"{LIST}/{runs[0].pk}"
    for address in (LIST, one):
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(client, method)(address)
            assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
            assert answer["Allow"] == "GET, HEAD, OPTIONS"
        head = client.head(address)
        assert (head.status_code, head.content) == (200, b"")
        options = client.options(address)
        assert (options.status_code, options["Allow"]) == (200, "GET, HEAD, OPTIONS")
    assert client.get(LIST, headers={"accept": "image/png"}).status_code == 406
    answer = client.get(f"{LIST}?format=xml")
    assert (answer.status_code, "json, csv, html" in answer.json()["detail"]) == (406, True)
    assert client.get(f"{one}?format=csv").status_code == 406
    assert client.get(one).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("key", ["nonsense", "1", str(UUID(int=1)), "..%2f", "%00"])
def test_what_is_not_there_is_a_404(client: Client, key: str) -> None:
    answer = client.get(f"{LIST}/{key}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert client.get("/api/v1/system-incidents/99999999999999999999").status_code == 404
