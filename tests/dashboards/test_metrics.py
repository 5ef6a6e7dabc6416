"""Metrics over REST: the same numbers as the dashboards', for the same people, by interval and as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts import throttling, tokens
from apps.accounts.models import HostTeam, User
from apps.accounts.roles import Role
from apps.dashboards.metrics import METRICS
from apps.dashboards.shipped import register_shipped
from apps.mirror.models import ScriptResult
from tests.mirror.rows import Lab
from tests.pages import content_of
from tests.people import make_person, program

AT = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
RANGE = {"from": (AT - timedelta(hours=1)).isoformat(), "to": (AT + timedelta(hours=2)).isoformat()}
COMMITTED = pytest.mark.django_db(databases=["default", "source"], transaction=True)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    throttling.forget()
    tokens.forget()
    yield
    throttling.forget()


def ask(client: Client, name: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1/metrics/{name}", {**RANGE, **query})
    assert answer.status_code == 200, answer.content
    return answer.json()


def at(hours: int) -> str:
    return (AT + timedelta(hours=hours)).isoformat()


@COMMITTED
def test_the_numbers_are_those_of_the_rows_and_of_the_panels() -> None:
    one, two = Lab(at=AT, host="rack-1"), Lab(name="Lab Two", at=AT + timedelta(hours=1), host="rack-2")
    for lab in (one, two):
        HostTeam.objects.create(host_name=lab.host, team_id=lab.team_id)
    for milliseconds, success in ((1000, True), (3000, False), (8000, True)):
        ScriptResult.objects.create(
            team_id=one.team_id, script_name="zap.py", script_type="zap", host_name="rack-1", device_name="Box",
            success=success, execution_time_ms=milliseconds, started_at=AT + timedelta(minutes=10),
            completed_at=AT + timedelta(minutes=20),
        )  # fmt: skip
    everybody = program(User.objects.create_superuser("root"))
    owner = program(make_person("owner", Role.VIEWER, one.team_id))
    stranger = program(make_person("stranger", Role.VIEWER, two.team_id))

    body = ask(everybody, "success-rate", interval="1h")
    assert (body["from"], body["to"], body["interval"]) == (RANGE["from"], RANGE["to"], "1h")
    rates = [{"time": at(0), "success_rate": 75}, {"time": at(1), "success_rate": 100}]
    assert body["results"] == rates
    assert ask(owner, "success-rate", interval="1h")["results"] == rates[:1]
    assert ask(stranger, "success-rate", interval="1h")["results"] == rates[1:]
    assert ask(everybody, "success-rate", interval="1h", host="rack-2")["results"] == rates[1:]
    assert ask(everybody, "success-rate", interval="1h", team=[str(one.team_id), str(two.team_id)])["results"] == rates
    assert ask(everybody, "success-rate", interval="1h", device="O'Brien")["results"] == []
    assert len(ask(everybody, "success-rate", interval="5m")["results"]) == 3

    assert ask(owner, "runs", interval="1h")["results"] == [{"time": at(0), "passed": 3, "failed": 1, "without_end": 0}]
    (durations,) = ask(owner, "durations", interval="1h")["results"]
    taken = [120_000, 1000, 3000, 8000]
    assert durations["mean_ms"] == pytest.approx(sum(taken) / 4)
    assert durations["p50_ms"] == median(taken)
    assert durations["p95_ms"] == pytest.approx(8000 + 0.85 * (120_000 - 8000))

    (campaign,) = ask(owner, "campaigns")["results"]
    assert campaign == {
        "campaign": "Nightly", "runs": 1, "succeeded": 1, "failed": 0, "success_rate": 100, "mean_ms": None,
        "last_started_at": at(0),
    }  # fmt: skip
    assert [row["count"] for row in ask(everybody, "alerts", interval="1h")["results"]] == [1, 1]
    assert ask(owner, "alerts", interval="1h")["results"] == [{"time": at(0), "incident_type": "freeze", "count": 1}]
    (device,) = ask(owner, "device-health")["results"]
    assert (device["device"], device["host"], device["state"]) == ("Box", "rack-1", "silent")
    assert ask(owner, "device-health")["interval"] is None

    lines = content_of(everybody.get("/api/v1/metrics/runs", {**RANGE, "interval": "1h", "format": "csv"})).splitlines()
    assert lines == ["time,passed,failed,without_end", f"{at(0)},3,1,0", f"{at(1)},1,0,0"]

    register_shipped(settings.ROOT / "grafana_config" / "dashboards")
    asked: dict[str, str | int] = {**RANGE, "maxDataPoints": 3}
    panel = everybody.get("/api/v1/dashboards/virtualpytest-overview/panels/10/data", asked)
    names = [field["name"] for field in panel.json()["frames"][0]["schema"]["fields"]]
    assert {"Average", "Median", "95th percentile"} <= set(names)
    columns = dict(zip(names, panel.json()["frames"][0]["data"]["values"], strict=True))
    same = ask(everybody, "durations", interval=panel.json()["timing"]["interval"])["results"]
    for name, member in (("Average", "mean_ms"), ("Median", "p50_ms"), ("95th percentile", "p95_ms")):
        assert [value for value in columns[name] if value is not None] == [row[member] for row in same]


@pytest.mark.django_db(databases=["default", "source"])
def test_each_metric_has_the_columns_that_it_promises_also_without_rows(admin: User) -> None:
    client = program(admin)
    for metric in METRICS:
        body = ask(client, metric.name)
        assert body["results"] == []
        assert (body["interval"] is not None) is metric.by_interval
        csv = content_of(client.get(f"/api/v1/metrics/{metric.name}?format=csv"))
        assert csv.strip().split(",") == list(metric.columns.values())
        assert "<html" in client.get(f"/api/v1/metrics/{metric.name}?format=html").content.decode()


@pytest.mark.django_db(databases=["default", "source"])
@pytest.mark.parametrize(
    ("query", "parameter", "said"),
    [
        ("from=soon", "from", ""),
        ("from=now&to=now-1h", "from", "starts after it ends"),
        ("tz=Mars/Base", "tz", "no time zone"),
        ("interval=often", "interval", ""),
        ("interval=1ms", "interval", "at least 1s"),
        ("interval=1s&from=now-7d", "interval", "more than 10000"),
        ("team=A", "team", "a team's id"),
        ("host=%00", "host", "at most 200"),
        ("campaign=x", "campaign", "no such parameter"),
        ("interval=1h&interval=2h", "interval", "once"),
    ],
)
def test_what_cannot_be_asked(admin: User, query: str, parameter: str, said: str) -> None:
    answer = program(admin).get(f"/api/v1/metrics/runs?{query}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter), answer.content
    assert said in answer.json()["detail"]


@pytest.mark.django_db(databases=["default", "source"])
def test_who_sees_nothing_is_told_so(nobody: User) -> None:
    assert program(nobody).get("/api/v1/metrics/runs").status_code == 403
    homeless = make_person("homeless", Role.VIEWER)
    assert program(homeless).get("/api/v1/metrics/runs").status_code in {200, 403}
