"""What machines ask, with the databases there and away, and the health page."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, connections
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import User
from apps.health import findings, metrics
from apps.mirror.models import PlatformAlert, SystemMetric
from vptmonitor.database import base

from .conftest import Away, Given

pytestmark = pytest.mark.django_db(databases=["default", "source"])
TOKEN = "a-long-c4nary-token"


def a_user(role: str, all_teams: bool = False) -> User:
    user = User.objects.create_user(role, all_teams=all_teams)
    if role != "nobody":
        user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def all_away(monkeypatch: pytest.MonkeyPatch, away: Away) -> Iterator[None]:
    """Neither database can be reached, by no thread: a view that asks one fails."""

    def refuse(wrapper: base.DatabaseWrapper, *args: object) -> None:
        raise OperationalError("connection refused")

    away("default")
    away("source")
    monkeypatch.setattr(base.DatabaseWrapper, "cursor", refuse)
    monkeypatch.setattr(base.DatabaseWrapper, "connect", refuse)
    yield
    monkeypatch.undo()


def test_a_live_process_says_so(client: Client) -> None:
    response = client.get("/livez")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["/readyz", "/server/health"])
def test_a_portal_with_its_databases_is_ready(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.json()["status"] == "ok"


def test_without_its_source_the_portal_is_degraded_and_ready(client: Client, away: Away) -> None:
    away("source")
    assert client.get("/readyz").json() == {
        "status": "degraded",
        "dependencies": {
            "portal_database": {"status": "up", "required": True},
            "source_database": {"status": "down", "required": False},
        },
    }
    response = client.get("/server/health")
    assert (response.status_code, response.json()["supabase"]) == (200, "unavailable")


@pytest.mark.usefixtures("all_away")
def test_probes_answer_while_the_databases_are_away(client: Client) -> None:
    # The cookie of a session must not lead to the database either.
    client.cookies["vptmonitor_session"] = "x" * 32
    assert client.get("/livez").status_code == 200
    for path in ("/readyz", "/server/health"):
        response = client.get(path)
        assert (response.status_code, response.json()["status"]) == (503, "unavailable")


def test_a_database_that_says_nothing_is_given_up_within_a_second(client: Client, mute: Away) -> None:
    mute("default")
    mute("source")
    started = time.monotonic()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert time.monotonic() - started < 1.0


def test_many_probes_ask_the_databases_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    connect = base.DatabaseWrapper.connect

    def note(wrapper: base.DatabaseWrapper) -> None:
        opened.append(wrapper.alias)
        connect(wrapper)

    monkeypatch.setattr(base.DatabaseWrapper, "connect", note)
    for _ in range(20):
        client.get("/readyz")
    # At most once a second, and this machine may be slow.
    assert len(opened) <= 6


def test_probes_tell_no_address(client: Client, given: Given) -> None:
    address = given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    told = client.get("/readyz").content + client.get("/server/health").content
    assert address.user.encode() not in told
    assert address.host.encode() not in told


# The page -------------------------------------------------------------------------------------------------------------


def test_the_page_is_for_viewers(client: Client) -> None:
    assert client.get("/health/", headers={"Accept": "text/html"}).status_code == 302
    client.force_login(a_user("nobody"))
    assert client.get("/health/").status_code == 403


def test_the_page_says_first_how_it_is(client: Client) -> None:
    client.force_login(a_user("viewer"))
    text = client.get("/health/").content.decode()
    assert "Everything is well." in text
    assert "Portal database" in text


def test_details_are_for_administrators(client: Client, given: Given) -> None:
    address = given("GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}")
    client.force_login(a_user("viewer"))
    text = client.get("/health/").content.decode()
    # The role, that the portal's own rows are kept on the embedded server, and that nobody looks for changes.
    assert "3 things need attention." in text
    assert "Use a role that can only SELECT." in text
    assert address.user not in text
    client.force_login(a_user("admin"))
    text = client.get("/health/").content.decode()
    assert address.user in text
    assert address.password not in text


def test_the_page_lists_what_the_source_lacks(client: Client, given: Given) -> None:
    given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", "REVOKE SELECT ON heatmaps FROM {role}")
    client.force_login(a_user("viewer"))
    text = client.get("/health/").content.decode()
    assert "What the source lacks" in text
    assert "<code>heatmaps</code>" in text


def test_the_page_works_while_the_source_is_away(client: Client, away: Away) -> None:
    client.force_login(a_user("viewer"))
    away("source")
    response = client.get("/health/")
    assert response.status_code == 200
    assert "1 thing does not work." in response.content.decode()


# Metrics --------------------------------------------------------------------------------------------------------------


def samples(text: str) -> dict[str, float]:
    """The exposition as a scraper reads it; fails on a line that it could not read."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            assert name not in found
            found[name] = float(value)
    return found


def test_metrics_want_a_session_or_the_token(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    client.force_login(a_user("nobody"))
    assert client.get("/metrics").status_code == 401
    client.force_login(a_user("viewer"))
    assert client.get("/metrics").status_code == 200


def test_without_a_configured_token_none_opens_the_metrics(client: Client) -> None:
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": ""}).status_code == 401


def test_requests_are_counted_by_route(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(metrics.REQUESTS, "_answered", {})
    monkeypatch.setattr(metrics.REQUESTS, "_durations", {})
    for path in ("/livez", "/livez", "/nothing/here", '/nothing/"else"'):
        client.get(path)
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(response.content.decode())
    assert found['vptmonitor_http_requests_total{route="/livez",method="GET",status="200"}'] == 2
    assert found['vptmonitor_http_requests_total{route="none",method="GET",status="404"}'] == 2
    assert found['vptmonitor_http_request_duration_seconds_count{route="/livez"}'] == 2
    assert found['vptmonitor_http_request_duration_seconds_bucket{route="/livez",le="+Inf"}'] == 2
    assert found['vptmonitor_database_up{database="portal"}'] == 1
    assert found["vptmonitor_disk_free_bytes"] > 0


def test_a_label_cannot_break_its_line() -> None:
    family = metrics.Family("m", "gauge", "A\nB", [("", {"a": 'x"y\\z\n'}, 1.5)])
    assert metrics.render([family]) == '# HELP m A\\nB\n# TYPE m gauge\nm{a="x\\"y\\\\z\\n"} 1.5\n'


def test_the_buckets_of_a_histogram_add_up() -> None:
    counter = metrics.RequestCounter()
    for seconds in (0.01, 0.3, 0.3, 60):
        counter.note("/x", "GET", 200, seconds)
    found = samples(metrics.render(counter.families()))
    name = "vptmonitor_http_request_duration_seconds"
    buckets = [found[f'{name}_bucket{{route="/x",le="{bound}"}}'] for bound in (0.01, 0.25, 0.5, 10.0, "+Inf")]
    assert buckets == [1, 1, 3, 3, 4]
    assert found[f'{name}_sum{{route="/x"}}'] == pytest.approx(60.61)


def test_alerts_and_silent_hosts_are_counted_for_those_who_see_all_teams(client: Client) -> None:
    connection = connections["source"]
    PlatformAlert.objects.create(host_name="h1", device_id="d", incident_type="freeze")
    PlatformAlert.objects.create(host_name="h1", device_id="e", incident_type="freeze", discard=True)
    for host in ("h1", "h2", "server"):
        SystemMetric.objects.create(host_name=host)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE system_metrics SET timestamp = now() - interval '20 minutes' WHERE host_name <> 'h1'")
    client.force_login(a_user("viewer", all_teams=True))
    found = samples(client.get("/metrics").content.decode())
    assert found["vptmonitor_alerts_active"] == 1
    assert found["vptmonitor_hosts_silent"] == 1
    assert found["vptmonitor_hosts"] == 2
    client.force_login(a_user("operator"))
    assert "vptmonitor_alerts_active" not in samples(client.get("/metrics").content.decode())


@pytest.mark.usefixtures("all_away")
def test_the_token_opens_the_metrics_while_the_databases_are_away(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    findings.forget()
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    found = samples(response.content.decode())
    assert found['vptmonitor_database_up{database="portal"}'] == 0
    assert "vptmonitor_alerts_active" not in found
