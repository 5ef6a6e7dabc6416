"""Hosts and servers: when they are silent or under strain, what their pages show, and to whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.scope import EVERYTHING
from apps.mirror.models import Deployment, SystemIncident, SystemMetric, Team
from apps.portal.selectors import system
from apps.portal.selectors.system import HostStatus
from tests.mirror.reduced import without_column, without_table
from tests.people import HOST_A, HOST_B, TEAM_A, signed_in
from tests.portal.lab import ago, ping_of_device, ping_of_host

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def hosts() -> list[HostStatus]:
    return system.hosts(scope=EVERYTHING, now=timezone.now())


@pytest.mark.parametrize(
    ("host", "minutes", "values", "state", "reason"),
    [
        ("rack", 1, {}, "ok", ""),
        ("rack", 10, {}, "ok", ""),
        ("rack", 12, {"disk_percent": 99}, "silent", "no ping for 12\u202fm"),
        ("server", 2, {"server_name": "cloud"}, "ok", ""),
        ("server", 4, {"server_name": "cloud"}, "silent", "no ping for 4\u202fm"),
        ("rack", 1, {"disk_percent": 85}, "warning", "disk 85\u202f%"),
        ("rack", 1, {"disk_percent": 84.9}, "ok", ""),
        ("rack", 1, {"disk_percent": 95, "cpu_percent": 99}, "failing", "disk 95\u202f%, CPU 99\u202f%"),
        ("rack", 1, {"cpu_temperature_celsius": 91}, "failing", "CPU at 91\u202f°C"),
        ("rack", 1, {"memory_percent": 97}, "failing", "memory 97\u202f%"),
    ],
)
def test_the_state_of_a_host_and_why(host: str, minutes: int, values: dict[str, Any], state: str, reason: str) -> None:
    ping_of_host(host, timestamp=ago(minutes=minutes), **values)
    (found,) = hosts()
    assert (found.state, found.reason) == (state, reason)


def test_servers_are_told_apart_by_their_name_and_hosts_that_changed_server_count_once() -> None:
    ping_of_host("server", server_name="cloud")
    ping_of_host("server", server_name="office")
    ping_of_host("rack", server_name="cloud", timestamp=ago(minutes=40), cpu_percent=1)
    ping_of_host("rack", server_name="office", cpu_percent=2)
    assert {(one.name, one.kind, one.cpu) for one in hosts()} == {
        ("cloud", "server", 10), ("office", "server", 10), ("rack", "host", 2),
    }  # fmt: skip


def test_silent_ones_come_first() -> None:
    ping_of_host("a")
    ping_of_host("b", disk_percent=99)
    ping_of_host("c", timestamp=ago(hours=2))
    assert [one.name for one in hosts()] == ["c", "b", "a"]


def test_the_sentence_of_the_page() -> None:
    assert system.answer([]) == "No host or server pinged within the last 24 hours."
    ping_of_host("a")
    assert system.answer(hosts()) == "1 host answers, none under strain."
    ping_of_host("server", server_name="cloud")
    assert system.answer(hosts()) == "1 host and 1 server answer, none under strain."
    ping_of_host("b", timestamp=ago(hours=1))
    ping_of_host("c", disk_percent=90)
    assert system.answer(hosts()) == "1 silent and 1 warning, of 3 hosts and 1 server."


def test_strangers_find_no_host_of_another_team(alice: User, charlie: User) -> None:
    ping_of_host(HOST_A)
    ping_of_host(HOST_B)
    assert HOST_A in signed_in(alice).get("/system/").text
    assert signed_in(alice).get(f"/system/{HOST_A}/").status_code == 200
    assert HOST_A not in signed_in(charlie).get("/system/").text
    assert HOST_A not in signed_in(charlie).get("/system/?format=csv").getvalue().decode()
    assert signed_in(charlie).get(f"/system/{HOST_A}/").status_code == 404
    assert signed_in(alice).get("/system/unheard-of/").status_code == 404


def test_the_page_of_a_host(team_a: Team, alice: User) -> None:
    ping_of_host(HOST_A, cpu_temperature_celsius=61, uptime_seconds=7200)
    ping_of_device(HOST_A, name="Box")
    SystemIncident.objects.create(
        host_name=HOST_A, device_id="device1", device_name="Box", capture_folder="capture1",
        incident_type="ffmpeg_failure", severity="critical", component="ffmpeg", detected_at=ago(hours=1),
    )  # fmt: skip
    Deployment.objects.create(
        team_id=TEAM_A, name="Every hour", host_name=HOST_A, device_id="device1", script_name="goto",
        userinterface_name="tv", cron_expression="0 * * * *",
    )  # fmt: skip
    page = signed_in(alice).get(f"/system/{HOST_A}/").text
    for text in ("nothing is under strain", "61", "2\u202fh", "Box", "ffmpeg_failure", "Every hour", "CPU temperature"):
        assert text in page


def test_a_host_and_a_server_of_one_name_have_a_page_each(admin: User) -> None:
    ping_of_host("twin", platform="host-os")
    ping_of_host("server", server_name="twin", platform="server-os")
    assert "host-os" in signed_in(admin).get("/system/twin/").text
    assert "server-os" in signed_in(admin).get("/system/twin/?kind=server").text


@pytest.mark.parametrize("name", ["a/b", "ü", "100%", "a b?c", "devices"])
def test_any_name_has_an_address(admin: User, name: str) -> None:
    ping_of_host(name)
    (found,) = hosts()
    assert signed_in(admin).get(found.url).status_code == 200


def test_a_chart_has_the_mean_of_each_bucket_and_a_gap_where_the_host_was_away() -> None:
    now = datetime(2026, 3, 10, 15, 0, tzinfo=timezone.get_default_timezone())
    for minutes, cpu in ((120, 10), (115, 30), (100, 50), (20, 70), (15, 90)):
        ping_of_host("rack", timestamp=now - timedelta(minutes=minutes), cpu_percent=cpu)
    status = system.hosts(scope=EVERYTHING, now=now)[0]
    charts = system.host_charts(scope=EVERYTHING, host=status, now=now, span="24h")
    cpu_line = next(one for one in charts[0][2] if one.label == "CPU")
    assert [value for _, value in cpu_line.points] == [None, 20, 50, None, 80, None]
    assert (cpu_line.points[0][0], cpu_line.points[-1][0]) == (now - timedelta(hours=24), now)
    assert [at for at, _ in cpu_line.points] == sorted(at for at, _ in cpu_line.points)


@pytest.mark.parametrize("span", [*system.BUCKETS, "nonsense", ""])
def test_the_range_of_the_charts_comes_from_the_address(admin: User, span: str) -> None:
    ping_of_host("rack")
    page = signed_in(admin).get("/system/rack/", {"range": span})
    chosen = span if span in system.BUCKETS else "24h"
    assert f'value="{chosen}" checked' in page.text


def test_the_filters_and_the_csv(admin: User) -> None:
    ping_of_host("rack-1", platform="=cmd()")
    ping_of_host("rack-2", timestamp=ago(hours=1))
    ping_of_host("server", server_name="cloud")
    client = signed_in(admin)
    for query, names in (
        ("state=silent", {"rack-2"}), ("state=attention", {"rack-2"}), ("kind=server", {"cloud"}),
        ("q=RACK-1", {"rack-1"}),
    ):  # fmt: skip
        lines = client.get(f"/system/?format=csv&{query}").getvalue().decode().splitlines()[1:]
        assert {line.split(",")[0] for line in lines} == names
    assert "'=cmd()" in client.get("/system/?format=csv").getvalue().decode()


def test_without_the_table_the_page_says_so(admin: User) -> None:
    with without_table("system_metrics"):
        assert "no table “system_metrics”" in signed_in(admin).get("/system/").text
        assert signed_in(admin).get("/system/rack/").status_code == 404


@pytest.mark.parametrize("column", [field.column for field in SystemMetric._meta.concrete_fields])
def test_the_pages_live_without_a_column(admin: User, column: str) -> None:
    ping_of_host("rack")
    with without_column("system_metrics", column):
        assert signed_in(admin).get("/system/").status_code == 200
        assert signed_in(admin).get("/system/rack/").status_code in {200, 404}


def test_the_number_of_queries_does_not_grow_with_the_hosts(admin: User, django_assert_num_queries: Any) -> None:
    client = signed_in(admin)
    for count in (1, 20):
        for number in range(count):
            ping_of_host(f"rack-{count}-{number}")
            ping_of_device(f"rack-{count}-{number}")
        with django_assert_num_queries(1, using="source"):
            client.get("/system/")
        # The host; devices, teams, metrics, flags, alerts; charts, incidents, deployments.
        with django_assert_num_queries(9, using="source"):
            client.get(f"/system/rack-{count}-0/")
