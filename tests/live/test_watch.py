"""A database that is not ours: changes are found by looking, by one process, and told as all others are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from apps.accounts.models import HostTeam
from apps.accounts.roles import Role
from apps.live import watch
from apps.live.watch import Table, Watch
from apps.mirror.models import CampaignExecution, PlatformAlert, ScriptResult, SystemMetric, Team
from tests.live.sockets import cookie_of, play, sockets, write
from tests.people import HOST_A, TEAM_A, make_person, signed_in

pytestmark = [
    pytest.mark.django_db(databases=["default", "source"], transaction=True),
    pytest.mark.usefixtures("committed"),
]


def alert(**fields: Any) -> PlatformAlert:
    return PlatformAlert.objects.create(
        **{"host_name": HOST_A, "device_id": "device1", "incident_type": "freeze", **fields}
    )


def script(**fields: Any) -> ScriptResult:
    now = timezone.now()
    given = {"team_id": TEAM_A, "script_name": "zap", "script_type": "test", "host_name": HOST_A, "device_name": "stb",
             "success": False, "started_at": now, "completed_at": now, **fields}  # fmt: skip
    return ScriptResult.objects.create(**given)


def looked(model: Any) -> Callable[[], list[tuple[str, tuple[str, ...]]]]:
    """A table that has been looked at once; what further looks find."""
    table = Table(model)
    assert table.look() == []
    return lambda: [(one.op, one.ids) for one in table.look()]


@pytest.fixture
def team() -> Team:
    return Team.objects.create(id=TEAM_A, name="A", tenant_id=TEAM_A)


def test_new_rows_are_found_whoever_wrote_them_and_once() -> None:
    look = looked(PlatformAlert)
    one = alert(start_time=timezone.now() - timedelta(days=3))
    assert look() == [("insert", (str(one.pk),))]
    assert look() == []


def test_what_is_open_is_followed_to_its_end_however_old_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "NEWEST", 2)
    old = alert(start_time=timezone.now() - timedelta(days=9))
    for _ in range(3):
        alert(status="resolved")
    look = looked(PlatformAlert)
    PlatformAlert.objects.filter(pk=old.pk).update(checked=True)
    assert look() == [("update", (str(old.pk),))]
    PlatformAlert.objects.filter(pk=old.pk).update(status="resolved", end_time=timezone.now())
    assert look() == [("update", (str(old.pk),))]
    assert look() == []
    again = alert(start_time=timezone.now() - timedelta(days=9))
    assert look() == [("insert", (str(again.pk),))]
    key = str(again.pk)
    again.delete()
    assert look() == [("delete", (key,))]


def test_a_script_that_ends_and_a_campaign(team: Team) -> None:
    run = script()
    campaign = CampaignExecution.objects.create(
        team=team, campaign_name="nightly", campaign_execution_id=str(uuid4()), host_name=HOST_A, device_name="stb",
        status="running", started_at=timezone.now(),
    )  # fmt: skip
    scripts, campaigns = looked(ScriptResult), looked(CampaignExecution)
    ScriptResult.objects.filter(pk=run.pk).update(success=True, execution_time_ms=900, completed_at=timezone.now())
    CampaignExecution.objects.filter(pk=campaign.pk).update(status="completed", success=True)
    assert scripts() == [("update", (str(run.pk),))]
    assert campaigns() == [("update", (str(campaign.pk),))]


def test_a_row_that_comes_up_again_when_others_go_is_not_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "NEWEST", 2)
    now = timezone.now()
    rows = [alert(status="resolved", start_time=now - timedelta(minutes=age)) for age in range(4)]
    look = looked(PlatformAlert)
    rows[0].delete()
    assert look() == []


def test_of_a_flood_it_is_told_that_there_was_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "NEWEST", 3)
    alert(status="resolved")
    table = Table(PlatformAlert)
    table.look()
    for _ in range(5):
        alert(status="resolved")
    (found,) = table.look()
    assert (len(found.ids), found.more) == (3, True)


def test_each_host_is_told_of_its_own() -> None:
    table = Table(SystemMetric)
    table.look()
    for host in ("one", "two"):
        SystemMetric.objects.create(host_name=host, timestamp=timezone.now())
    assert {one.host for one in table.look()} == {"one", "two"}


def by_the_platform(action: Callable[[], Any]) -> Any:
    """Do what a connection of the portal may not."""
    with connections["source"].cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
    return action()


def test_one_of_two_processes_looks_and_the_other_takes_over() -> None:
    first, second = Watch(), Watch()
    assert first.leads()
    led: list[bool] = []

    def elsewhere() -> None:
        try:
            led.append(second.leads())
        finally:
            connections.close_all()

    def ask() -> bool:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        return led.pop()

    assert not ask()
    assert first.leads(), "for as long as its connection lives"
    connections["default"].close()
    assert ask()


def test_through_a_socket_and_after_a_change_of_who_looks(settings: Any) -> None:
    settings.SOURCE_ACCESS = "read"
    HostTeam.objects.create(host_name=HOST_A, team_id=TEAM_A)
    alice: Client = signed_in(make_person("alice", Role.VIEWER, TEAM_A))

    async def scene() -> None:
        async with sockets() as make:
            one = make(cookie_of(alice))
            await one.open("alerts")
            watching = Watch()
            thread = threading.Thread(target=watching.run)
            thread.start()
            try:
                await one.until(lambda: one.rows("alerts") == 0 and bool(one.of("events")))
                assert one.of("events")[0]["events"][0]["more"], "what happened before is unknown"
                made = await write(by_the_platform, lambda: str(alert().pk))
                await one.until(lambda: one.ids("alerts") == [made])
                rows = PlatformAlert.objects.filter(pk=made)
                await write(by_the_platform, lambda: rows.update(status="resolved"))
                await one.until(lambda: one.ids("alerts", "changed") == [made])
            finally:
                watching.stop()
                thread.join()

    settings.LIVE_POLL_SECONDS = 0.05
    play(scene)


def test_a_database_of_our_own_is_not_looked_at() -> None:
    assert watch.start() is None
