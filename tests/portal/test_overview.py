"""The first page: its sentence, what counts as broken, and what the numbers are counted from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.scope import EVERYTHING, NOTHING
from apps.mirror.models import CampaignExecution, Team, TestExecution
from apps.portal.selectors import recent
from apps.portal.selectors.overview import overview
from tests.mirror.reduced import like_an_installation
from tests.people import HOST_A, HOST_B, TEAM_A, TEAM_B, signed_in
from tests.portal.lab import ago, alert, device, ping_of_device, ping_of_host, running_script, script

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def answer() -> str:
    return overview(scope=EVERYTHING, now=timezone.now()).answer


def test_the_sentence_when_nothing_was_ever_heard() -> None:
    assert answer().startswith("Nothing is known yet")


def test_the_sentence_when_all_is_well(team_a: Team) -> None:
    device()
    ping_of_host()
    ping_of_device()
    assert answer() == "Everything is well."


def test_the_sentence_does_not_call_well_what_is_unknown(team_a: Team) -> None:
    device("Never heard of")
    assert answer() == "Nothing is known to be broken; the state of 1 device is unknown."


def test_the_sentence_counts_devices_hosts_and_servers_apart(team_a: Team) -> None:
    ping_of_device(device_id="device1", name="Box", ffmpeg_status="stopped")
    ping_of_device(device_id="device2", name="Phone", timestamp=ago(minutes=12))
    ping_of_host(HOST_A, disk_percent=96)
    ping_of_host("server", server_name="cloud", timestamp=ago(minutes=4))
    assert answer() == "2 devices, 1 host and 1 server need attention."


def test_one_thing_needs_attention(team_a: Team) -> None:
    ping_of_host(timestamp=ago(minutes=12))
    assert answer() == "1 host needs attention."


def test_a_silent_host_stands_for_its_silent_devices(team_a: Team) -> None:
    ping_of_host(timestamp=ago(minutes=30))
    ping_of_device(device_id="device1", timestamp=ago(minutes=30))
    ping_of_device(device_id="device2", name="Phone", timestamp=ago(minutes=30))
    (trouble,) = overview(scope=EVERYTHING, now=timezone.now()).troubles
    assert (trouble.name, trouble.state) == (HOST_A, "silent")
    assert trouble.reason.endswith("2 devices with it")


def test_running_scripts_are_no_failures_and_abandoned_ones_are_told(team_a: Team) -> None:
    now = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
    running_script(started_at=now - timedelta(minutes=2))
    running_script(started_at=now - timedelta(hours=3))
    script(started_at=now - timedelta(minutes=10))
    seen = overview(scope=EVERYTHING, now=now)
    assert seen.success.today == recent.Tally(ok=1, failing=0, unknown=1)
    assert seen.success.today.rate == 1.0
    assert [run.state for run in seen.running] == ["running"]


def test_success_today_is_compared_with_the_same_hours_last_week(team_a: Team) -> None:
    now = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
    script(started_at=now - timedelta(hours=1))
    script(started_at=now - timedelta(days=7, hours=1), success=False)
    script(started_at=now - timedelta(days=7) + timedelta(hours=1))
    TestExecution.objects.create(
        team_id=TEAM_A, execution_id="1", status="failed", created_at=now - timedelta(days=7, hours=2)
    )
    seen = recent.success(scope=EVERYTHING, now=now)
    assert (seen.today, seen.week_ago) == (recent.Tally(ok=1), recent.Tally(failing=2))
    days = dict(seen.days)
    assert days[(now - timedelta(days=7)).date()] == recent.Tally(ok=1, failing=2)
    assert len(days) == recent.TREND_DAYS


def test_the_latest_runs_of_all_kinds_stand_in_one_order(team_a: Team) -> None:
    script(name="second", started_at=ago(minutes=20))
    TestExecution.objects.create(team_id=TEAM_A, execution_id="first", status="completed", start_time=ago(minutes=10))
    CampaignExecution.objects.create(
        team_id=TEAM_A, campaign_name="third", campaign_execution_id="1", host_name=HOST_A, device_name="Box",
        status="completed", success=False, started_at=ago(minutes=30),
    )  # fmt: skip
    runs = recent.latest(scope=EVERYTHING, now=timezone.now())
    assert [(run.name, run.kind, run.state) for run in runs] == [
        ("first", "test", "ok"), ("second", "script", "ok"), ("third", "campaign", "failing"),
    ]  # fmt: skip


def test_each_viewer_sees_their_teams_alone(team_a: Team, team_b: Team, alice: User, bob: User, charlie: User) -> None:
    device("Secret box")
    ping_of_host(HOST_A, timestamp=ago(minutes=30))
    ping_of_device(name="Secret box")
    alert(kind="macroblocks")
    script(name="secret_script")
    device("Other box", TEAM_B)
    ping_of_host(HOST_B)
    ping_of_device(HOST_B, name="Other box")
    for person in (alice, bob):
        page = signed_in(person).get("/").text
        assert "Secret box" in page
        assert "secret_script" in page
        assert "Other box" not in page
    page = signed_in(charlie).get("/").text
    assert "Everything is well." in page
    assert "ecret" not in page
    assert "macroblocks" not in page
    assert HOST_A not in page


def test_nobody_s_scope_shows_nothing(team_a: Team) -> None:
    device()
    ping_of_host()
    ping_of_device()
    script()
    seen = overview(scope=NOTHING, now=timezone.now())
    assert (seen.devices, seen.hosts, seen.alerts, seen.latest) == ([], [], [], [])


def test_the_number_of_queries_does_not_grow_with_the_rows(
    team_a: Team, admin: User, django_assert_num_queries: object
) -> None:
    client = signed_in(admin)
    for count in (1, 12):
        for number in range(count):
            device(f"Box {number}")
            ping_of_host(f"host-{number}")
            ping_of_device(f"host-{number}", name=f"Box {number}")
            alert(f"host-{number}", f"device{count}")
            script(name=f"script {number}", device_name=f"Box {number}")
            running_script(name=f"running {number}")
        # Source: running campaigns and scripts; devices, teams, device metrics, flags, alerts of devices; host metrics;
        # alerts by type; latest scripts, tests, campaigns; scripts and tests per day.
        # Portal: session, user, groups; decisions about alerts (twice), teams of hosts.
        with (
            django_assert_num_queries(14, using="source"),  # type: ignore[operator]
            django_assert_num_queries(6, using="default"),  # type: ignore[operator]
        ):
            assert client.get("/").status_code == 200


@pytest.mark.parametrize("address", ["/", "/?kiosk"])
def test_it_opens_on_a_database_that_lacks_tables_and_columns(team_a: Team, admin: User, address: str) -> None:
    script()
    ping_of_host()
    ping_of_device()
    with like_an_installation():
        assert signed_in(admin).get(address).status_code == 200
