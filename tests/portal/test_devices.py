"""Devices: how their state is judged, how their tables are joined, who sees them."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from apps.accounts.models import HostTeam, User
from apps.accounts.scope import EVERYTHING
from apps.mirror.models import Controller, Deployment, DeviceFlag, PlatformAlert, SystemDeviceMetric, Team
from apps.portal.selectors import fleet
from apps.portal.selectors.fleet import DeviceStatus
from apps.triage.models import AlertTriage
from tests.mirror.reduced import platform_without_rule, without_column, without_table
from tests.people import HOST_A, HOST_B, TEAM_A, TEAM_B, signed_in
from tests.portal.lab import ago, alert, device, ping_of_device, ping_of_host, running_script, script

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def devices() -> list[DeviceStatus]:
    return fleet.fleet(scope=EVERYTHING, now=timezone.now())


def only() -> DeviceStatus:
    (found,) = devices()
    return found


@pytest.mark.parametrize(
    ("ping", "kinds", "state", "reason"),
    [
        ({}, (), "ok", ""),
        ({}, ("freeze",), "failing", "freeze"),
        ({}, ("audio_loss",), "warning", "audio loss"),
        ({}, ("audio_loss", "blackscreen"), "failing", "blackscreen, audio loss"),
        ({"ffmpeg_status": "stopped"}, (), "failing", "capture stopped"),
        ({"monitor_status": "stuck"}, (), "warning", "monitor stuck"),
        ({"ffmpeg_status": "unknown", "monitor_status": "unknown"}, (), "ok", ""),
        ({"timestamp": 10}, (), "ok", ""),
        ({"timestamp": 12}, (), "silent", "no ping for 12\u202fm"),
        ({"timestamp": 75}, ("freeze",), "silent", "no ping for 1\u202fh 15\u202fm, freeze"),
        ({"timestamp": 25 * 60}, (), "unknown", "no host reports a device of this name"),
    ],
)
def test_the_state_of_a_device_and_why(
    team_a: Team, ping: dict[str, Any], kinds: tuple[str, ...], state: str, reason: str
) -> None:
    if "timestamp" in ping:
        ping = {"timestamp": ago(minutes=ping["timestamp"])}
    device()
    ping_of_device(**ping)
    for kind in kinds:
        alert(kind=kind)
    assert (only().state, only().reason) == (state, reason)


def test_repeated_alerts_are_counted_and_resolved_or_discarded_ones_are_not(team_a: Team) -> None:
    platform_without_rule()
    ping_of_device()
    alert()
    alert()
    alert(kind="blackscreen", status="resolved")
    alert(kind="errors", discard=True)
    assert (only().reason, only().alert_count) == ("freeze ×2", 2)


def test_an_alert_that_somebody_took_no_longer_makes_the_device_fail(team_a: Team) -> None:
    ping_of_device()
    taken: PlatformAlert = alert()
    AlertTriage.objects.create(
        alert_id=taken.pk, state=AlertTriage.State.ACKNOWLEDGED, actor="alice", at=ago(minutes=1)
    )  # fmt: skip
    assert only().state == "ok"


def test_the_newest_ping_counts(team_a: Team) -> None:
    ping_of_device(timestamp=ago(hours=2), ffmpeg_status="stopped")
    ping_of_device(timestamp=ago(minutes=1))
    assert only().state == "ok"


def test_the_tables_are_joined_by_name_within_the_host_s_team(team_a: Team, team_b: Team, hosts: None) -> None:
    mine, theirs = device("Box"), device("Box", TEAM_B)
    ping_of_device(HOST_A, name="Box")
    ping_of_device(HOST_B, name="Box")
    assert {(one.host, one.id, one.team) for one in devices()} == {
        (HOST_A, mine.id, "Team A"), (HOST_B, theirs.id, "Team B"),
    }  # fmt: skip


def test_two_devices_of_a_name_are_not_confused_on_a_host_of_no_team(team_a: Team, team_b: Team) -> None:
    device("Box")
    device("Box", TEAM_B)
    ping_of_device("unmapped", name="Box")
    assert {(one.host, one.id is None) for one in devices()} == {("unmapped", True), ("", False)}


def test_a_device_that_only_flags_or_alerts_name_is_there(team_a: Team) -> None:
    DeviceFlag.objects.create(host_name=HOST_A, device_id="device7", device_name="Flagged", flags=["spare"])
    alert(device_id="device8", device_name="Alerting")
    alert(device_id="host", device_name="The host itself")
    assert {(one.name, one.state, one.flags) for one in devices()} == {
        ("Flagged", "unknown", ("spare",)), ("Alerting", "unknown", ()),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("word", "state"), [("online", "ok"), ("Offline", "silent"), ("error", "failing"), ("?", "unknown")]
)
def test_without_pings_the_row_s_own_word_counts(team_a: Team, word: str, state: str) -> None:
    device(status=word)
    assert only().state == state


def test_a_missing_status_column_reads_as_unknown(team_a: Team) -> None:
    device(status="online")
    with without_column("device", "status"):
        assert (only().state, only().reason) == ("unknown", "no host reports a device of this name")


def test_without_the_table_of_pings_alerts_still_tell(team_a: Team) -> None:
    DeviceFlag.objects.create(host_name=HOST_A, device_id="device1", device_name="Box")
    alert()
    with without_table("system_device_metrics"):
        assert (only().state, only().reason) == ("failing", "freeze, this database keeps no pings")


def test_the_sentence_of_the_page(team_a: Team) -> None:
    assert fleet.answer([]) == "No devices are known."
    ping_of_device(device_id="device1")
    assert fleet.answer(devices()) == "The one device is well."
    ping_of_device(device_id="device2", name="Phone", ffmpeg_status="stuck")
    device("Forgotten")
    assert fleet.answer(devices()) == "1 of 3 devices needs attention: 1 failing. 1 of unknown state."


def test_urgent_hosts_come_first_and_unplaced_devices_last(team_a: Team) -> None:
    device("Unplaced", status="error")
    ping_of_device("host-1")
    ping_of_device("host-2")
    ping_of_device("host-2", "device2", name="Phone", ffmpeg_status="stopped")
    assert [(host, [one.name for one in found]) for host, found in fleet.by_host(devices())] == [
        ("host-2", ["Phone", "Box"]), ("host-1", ["Box"]), ("", ["Unplaced"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Box", "Phone"}),
        ("state=attention", {"Phone"}),
        ("state=ok", {"Box"}),
        (f"host={HOST_A}", {"Box", "Phone"}),
        ("q=pho", {"Phone"}),
        ("alerts=1", {"Phone"}),
        (f"team={TEAM_A}", {"Box", "Phone"}),
        ("q=nothing", set()),
    ],
)
def test_the_filters_of_the_list(team_a: Team, alice: User, query: str, names: set[str]) -> None:
    device("Box")
    ping_of_device()
    ping_of_device(device_id="device2", name="Phone")
    alert(device_id="device2")
    for view in ("cards", "table"):
        page = signed_in(alice).get(f"/devices/?view={view}&{query}").text
        assert {name for name in ("Box", "Phone") if f">{name}</a>" in page} == names
    lines = list(csv.reader(io.StringIO(signed_in(alice).get(f"/devices/?format=csv&{query}").getvalue().decode())))
    assert {line[0] for line in lines[1:]} == names


def test_strangers_find_no_device_of_another_team(
    team_a: Team, team_b: Team, alice: User, bob: User, charlie: User
) -> None:
    row = device("Secret box")
    ping_of_device(name="Secret box")
    addresses = [f"/devices/{row.id}/", f"/devices/on-host/?host={HOST_A}&device=device1"]
    for person in (alice, bob):
        assert "Secret box" in signed_in(person).get("/devices/").text
        for address in addresses:
            assert signed_in(person).get(address).status_code == 200
    assert "Secret box" not in signed_in(charlie).get("/devices/").text
    assert "Secret" not in signed_in(charlie).get("/devices/?format=csv").getvalue().decode()
    for address in (*addresses, f"/devices/{UUID(int=7)}/", "/devices/on-host/"):
        assert signed_in(charlie).get(address).status_code == 404


def test_a_host_of_two_teams_is_seen_by_both_but_each_sees_its_own_device_row(
    team_a: Team, team_b: Team, charlie: User
) -> None:
    HostTeam.objects.create(host_name=HOST_A, team_id=TEAM_B)
    row = device("Box")
    ping_of_device(HOST_A, name="Box")
    client = signed_in(charlie)
    assert ">Box</a>" in client.get("/devices/").text
    assert client.get(f"/devices/on-host/?host={HOST_A}&device=device1").status_code == 200
    assert client.get(f"/devices/{row.id}/").status_code == 404


def test_the_page_of_a_device(team_a: Team, alice: User) -> None:
    row = device(controller_configs={"remote": {"implementation": "ir", "password": "hunter2"}})
    Controller.objects.create(team_id=TEAM_A, device=row, name="Grabber", type="av", status="error")
    Deployment.objects.create(
        team_id=TEAM_A, name="Every hour", host_name=HOST_A, device_id="device1", script_name="goto",
        userinterface_name="tv", cron_expression="0 * * * *",
    )  # fmt: skip
    DeviceFlag.objects.create(host_name=HOST_A, device_id="device1", device_name="Box", flags=["golden"])
    ping_of_device(cpu_temperature_celsius=61)
    script(name="fullzap")
    running_script(name="goto")
    alert(kind="audio_loss")
    page = signed_in(alice).get(f"/devices/{row.id}/").text
    for text in ("Warning: audio loss.", "Grabber", "Every hour", "golden", "fullzap", "running", "61", "Team A"):
        assert text in page
    assert "hunter2" not in page


def test_a_device_on_two_hosts_names_the_other(team_a: Team, admin: User) -> None:
    row = device()
    ping_of_device("host-1")
    ping_of_device("host-2", "device4", ffmpeg_status="stopped")
    page = signed_in(admin).get(f"/devices/{row.id}/").text
    assert "host-2" in page
    assert "host-1 as device1" in page


@pytest.mark.parametrize(
    "table",
    [
        "device", "system_device_metrics", "controllers", "device_flags", "alerts", "deployments", "script_results",
        "teams",
    ],
)  # fmt: skip
def test_the_pages_live_without_a_table(team_a: Team, admin: User, table: str) -> None:
    row = device()
    ping_of_device()
    script()
    client = signed_in(admin)
    with without_table(table):
        for address in ("/devices/", "/devices/?view=table", "/devices/?format=csv"):
            assert client.get(address).status_code == 200
        assert client.get(f"/devices/{row.id}/").status_code == (404 if table == "device" else 200)


@pytest.mark.parametrize("column", [field.column for field in SystemDeviceMetric._meta.concrete_fields])
def test_the_pages_live_without_a_column_of_the_pings(team_a: Team, admin: User, column: str) -> None:
    row = device()
    ping_of_device()
    client = signed_in(admin)
    with without_column("system_device_metrics", column):
        assert client.get("/devices/?view=table").status_code == 200
        assert client.get(f"/devices/{row.id}/").status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_devices(
    team_a: Team, admin: User, django_assert_num_queries: Any
) -> None:
    client = signed_in(admin)
    ping_of_host("host-0")
    for count in (1, 15):
        for number in range(count):
            row = device(f"Box {count} {number}")
            ping_of_device(f"host-{count}-{number}", name=row.name)
            script(host=f"host-{count}-{number}", device_name=row.name)
            alert(f"host-{count}-{number}")
        # Devices, teams, metrics, flags, alerts; hosts for the cards, last runs for the table.
        for address, queries in (("/devices/", 6), ("/devices/?view=table", 6), ("/devices/?format=csv", 5)):
            with django_assert_num_queries(queries, using="source"):
                client.get(address)
        # The device; the five above; chart, scripts, tests, runs per day, alerts, controllers, deployments.
        with django_assert_num_queries(13, using="source"):
            client.get(f"/devices/{row.id}/")
