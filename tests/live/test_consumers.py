"""A socket hears what its viewer may see, from any writer, without a gap and nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.utils import timezone

from apps.accounts.models import HostTeam, TeamMembership, User
from apps.accounts.roles import Role
from apps.live import consumers
from apps.live.hub import hub
from apps.mirror.models import PlatformAlert
from tests.live.sockets import cookie_of, eventually, play, sockets, write
from tests.people import HOST_A, HOST_B, TEAM_A, TEAM_B, make_person, signed_in

pytestmark = [
    pytest.mark.django_db(databases=["default", "source"], transaction=True),
    pytest.mark.usefixtures("committed"),
]


@pytest.fixture
def alice() -> Client:
    """Signed in, of team A, whose host is A."""
    HostTeam.objects.create(host_name=HOST_A, team_id=TEAM_A)
    HostTeam.objects.create(host_name=HOST_B, team_id=TEAM_B)
    return signed_in(make_person("alice", Role.VIEWER, TEAM_A))


def alert(host: str = HOST_A) -> str:
    return str(PlatformAlert.objects.create(host_name=host, device_id=str(uuid4()), incident_type="freeze").pk)


@contextlib.contextmanager
def raw(alias: str = "source") -> Iterator[Any]:
    """A connection of somebody else's program."""
    parameters = connections[alias].get_connection_params()
    parameters.pop("cursor_factory", None)
    made = psycopg2.connect(**parameters)
    try:
        yield made
    finally:
        made.close()


INSERT = (
    "INSERT INTO alerts (host_name, device_id, incident_type) VALUES (%s, gen_random_uuid(), 'freeze')"
    " RETURNING id::text"
)


def test_a_row_of_ones_own_team_is_heard_of_and_no_other(alice: Client) -> None:
    async def scene() -> None:
        async with sockets() as make:
            one = make(cookie_of(alice))
            assert await one.open("alerts")
            await write(alert, HOST_B)
            key = await write(alert)
            await one.until(lambda: bool(one.ids("alerts")))
            assert one.ids("alerts") == [key]
            assert one.of("events")[0]["events"][0]["rows"] == 1

    play(scene)


def test_what_was_not_asked_for_is_not_told_until_it_is(alice: Client) -> None:
    async def scene() -> None:
        async with sockets() as make:
            one = make(cookie_of(alice))
            await one.open("script_results")
            await write(alert)
            await eventually(lambda: bool(hub()._told))
            assert await one.silent()
            await one.say({"type": "topics", "topics": ["alerts"]})
            assert await one.silent()
            key = await write(alert)
            await one.until(lambda: one.ids("alerts") == [key])

    play(scene)


def test_a_dropped_socket_comes_back_to_what_it_missed_and_to_nothing_twice(alice: Client) -> None:
    async def scene() -> None:
        async with sockets() as make:
            first = make(cookie_of(alice))
            await first.open("alerts")
            keys = [await write(alert)]
            await first.until(lambda: first.ids("alerts") == keys)
            await first.leave()
            keys += [await write(alert) for _ in range(3)]
            second = make(cookie_of(alice))
            await second.open("alerts", after=first.token)
            await second.until(lambda: len(second.ids("alerts")) >= 3)
            keys.append(await write(alert))
            await second.until(lambda: len(second.ids("alerts")) >= 4)
            assert first.ids("alerts") + second.ids("alerts") == keys
            assert await second.silent()

    play(scene)


def test_what_commits_late_is_not_lost(alice: Client) -> None:
    """Where a cursor of ids would go past it: the event that was written first is committed last."""

    async def scene() -> None:
        async with sockets() as make:
            with raw() as slow, slow.cursor() as cursor:
                cursor.execute(INSERT, [HOST_A])
                late = cursor.fetchone()[0]
                first = make(cookie_of(alice))
                await first.open("alerts")
                early = await write(alert)
                await first.until(lambda: first.ids("alerts") == [early])
                await first.leave()
                slow.commit()
            second = make(cookie_of(alice))
            await second.open("alerts", after=first.token)
            await second.until(lambda: bool(second.ids("alerts")))
            assert second.ids("alerts") == [late]

    play(scene)


def test_a_page_drawn_before_the_socket_opened_hears_what_came_between(alice: Client) -> None:
    async def scene() -> None:
        async with sockets() as make:
            await make(cookie_of(alice)).open("alerts")
            await eventually(lambda: hub()._told_since < time.time())
            hub()._told_since -= 60  # as if this process had listened for a minute
            drawn = timezone.now()
            key = await write(alert)
            await eventually(lambda: bool(hub()._told))
            late = make(cookie_of(alice))
            await late.open("alerts", since=drawn.isoformat())
            await late.until(lambda: late.ids("alerts") == [key])
            older = make(cookie_of(alice))
            await older.open("alerts", since=(drawn - timedelta(hours=1)).isoformat())
            await older.until(lambda: bool(older.of("reload")))

    play(scene)


def test_whoever_was_away_for_longer_than_events_are_kept_loads_anew(alice: Client, settings: Any) -> None:
    from apps.live.retention import prune

    async def scene() -> None:
        async with sockets() as make:
            first = make(cookie_of(alice))
            await first.open("alerts")
            await first.leave()
            await write(alert)
            settings.LIVE_KEEP_EVENTS = 0
            await write(prune)
            second = make(cookie_of(alice))
            await second.open("alerts", after=first.token)
            await second.until(lambda: bool(second.of("reload")))
            third = make(cookie_of(alice))
            await third.open("alerts", after=second.token)
            assert await third.silent(), "from here on all is known"

    play(scene)


def test_a_burst_arrives_whole_in_a_quarter_of_a_second_after_its_end(alice: Client) -> None:
    async def scene() -> None:
        async with sockets() as make:
            everybody = [make(cookie_of(alice)) for _ in range(20)]
            for one in everybody:
                await one.open("alerts")
            with raw() as other, other.cursor() as cursor:
                other.autocommit = True

                def burst() -> set[str]:
                    keys = set()
                    for _ in range(1000):
                        cursor.execute(INSERT, [HOST_A])
                        keys.add(cursor.fetchone()[0])
                    return keys

                keys = await asyncio.to_thread(burst)
            ended = time.monotonic()
            await asyncio.gather(*(one.until_rows("alerts", 1000) for one in everybody))
            took = time.monotonic() - ended
            assert [one.rows("alerts") for one in everybody] == [1000] * 20
            assert set(everybody[0].ids("alerts")) <= keys
            assert took < 2.5, "0.25 s on a machine of its own: benchmarks/live.py measures it"

    play(scene)


# --- Who may ---------------------------------------------------------------------------------------------------------


FOREIGN = [
    (None, "testserver"), ("null", "testserver"), ("http://evil.example", "testserver"),
    ("http://testserver:8080", "testserver"), ("https://testserver", "testserver"),
    ("http://testserver.evil.example", "testserver"), ("http://testserver", "evil.example"),
    ("http://evil.example", "evil.example"), ("http://testserver@evil.example", "testserver"),
    ("http://testserver/path", "testserver"), ("ftp://testserver", "testserver"), ("http://[", "testserver"),
]  # fmt: skip


def test_pages_of_other_origins_get_no_socket(alice: Client) -> None:
    async def scene() -> None:
        async with sockets() as make:
            assert await make(cookie_of(alice)).open()
            for origin, host in FOREIGN:
                assert not await make(cookie_of(alice), origin=origin, host=host).open(), (origin, host)

    play(scene)


def test_the_public_address_and_that_behind_tls_are_own(alice: Client, settings: Any) -> None:
    settings.PUBLIC_URL = "https://portal.example.org"

    async def scene() -> None:
        async with sockets() as make:
            assert await make(cookie_of(alice), origin="https://portal.example.org").open()
            assert await make(cookie_of(alice), origin="https://testserver:443", scheme="wss").open()
            assert not await make(cookie_of(alice), origin="http://portal.example.org").open()

    play(scene)


def test_without_a_session_a_role_or_a_free_place_there_is_no_socket(alice: Client, settings: Any) -> None:
    settings.LIVE_SOCKETS_PER_USER = 2
    nobody = signed_in(make_person("nobody", Role.NONE))

    async def scene() -> None:
        async with sockets() as make:
            assert not await make().open()
            assert not await make("vptmonitor_session=made-up").open()
            assert not await make(cookie_of(nobody)).open()
            for _ in range(2):
                assert await make(cookie_of(alice)).open("alerts")
            assert not await make(cookie_of(alice)).open()

    play(scene)


@pytest.mark.parametrize("how", ["signs out", "is deactivated", "gets another password", "loses the role", "expires"])
def test_whoever_may_no_longer_is_dropped_within_five_seconds(alice: Client, how: str) -> None:
    def end() -> None:
        user = User.objects.get(username="alice")
        match how:
            case "signs out":
                alice.post("/account/logout/")
            case "is deactivated":
                User.objects.filter(pk=user.pk).update(is_active=False)
            case "gets another password":
                user.set_password("another one, quite long")
                user.save()
            case "loses the role":
                user.groups.remove(Group.objects.get(name="viewer"))
            case "expires":
                Session.objects.update(expire_date=timezone.now())

    async def scene() -> None:
        async with sockets() as make:
            one = make(cookie_of(alice))
            await one.open("alerts")
            await write(end)
            await one.until(lambda: one.closed == 4401, 5)

    play(scene)


def test_another_team_is_another_view_at_once(alice: Client) -> None:
    def change() -> None:
        TeamMembership.objects.update(team_id=TEAM_B)

    async def scene() -> None:
        async with sockets() as make:
            one = make(cookie_of(alice))
            await one.open("alerts")
            await write(change)
            await one.until(lambda: bool(one.of("reload")), 5)
            await write(alert, HOST_A)
            key = await write(alert, HOST_B)
            await one.until(lambda: bool(one.ids("alerts")))
            assert one.ids("alerts") == [key]

    play(scene)


# --- What is said wrongly --------------------------------------------------------------------------------------------


WRONG = [
    "", "{", "[]", "1", '{"type": 1}', '{"type": "events"}', '{"type": "topics", "topics": ["alerts"]}',
    '{"type": "hello"}', '{"type": "hello", "topics": []}', '{"type": "hello", "topics": "alerts"}',
    '{"type": "hello", "topics": [1]}', '{"type": "hello", "topics": ["no_such_table"]}',
    '{"type": "hello", "topics": ["accounts_user"]}', '{"type": "hello", "topics": ["alerts"], "after": 5}',
    '{"type": "hello", "topics": ["alerts"], "after": "x"}', '{"type": "hello", "topics": ["alerts"], "since": 5}',
    '{"type": "hello", "topics": ["alerts"], "since": "2026-01-01T00:00:00"}', "[" * 15_000,
    "x" * 20_000, '{"type": "hello", "topics": ["\\ud800\\u0000"]}',
]  # fmt: skip


def test_what_cannot_be_understood_closes_with_a_reason(alice: Client) -> None:
    async def scene() -> None:
        async with sockets() as make:
            for said in WRONG:
                one = make(cookie_of(alice))
                assert await one.open(), said
                await one.say(said)
                assert await one.until_closed() == 4400, said

    play(scene)


def test_a_flood_of_messages_closes(alice: Client) -> None:
    async def scene() -> None:
        async with sockets() as make:
            one = make(cookie_of(alice))
            await one.open("alerts")
            for _ in range(40):
                await one.say({"type": "ping"})
            await one.until(lambda: one.closed == 4400)

    play(scene)


# --- Faults ----------------------------------------------------------------------------------------------------------


def test_a_listener_that_is_killed_listens_again_and_loses_nothing(alice: Client) -> None:
    def kill() -> None:
        with connections["source"].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'vptmonitor live' AND datname = current_database()"
            )

    async def scene() -> None:
        async with sockets() as make:
            one = make(cookie_of(alice))
            await one.open("alerts")
            keys = []
            for _ in range(5):
                await write(kill)
                keys += [await write(alert) for _ in range(3)]
            await one.until(lambda: len(one.ids("alerts")) >= 15)
            keys.append(await write(alert))
            await one.until(lambda: len(one.ids("alerts")) >= 16)
            assert sorted(one.ids("alerts")) == sorted(keys)
            assert not one.of("reload")

    play(scene)


def test_a_wake_up_that_got_lost_costs_time_and_no_event(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.live.stream.LOOK_SECONDS", 0.2)

    async def scene() -> None:
        async with sockets() as make:
            one = make(cookie_of(alice))
            await one.open("alerts")
            for stream in hub().streams:
                await stream._wire.ask("UNLISTEN *")  # type: ignore[union-attr]
            key = await write(alert)
            await one.until(lambda: one.ids("alerts") == [key])

    play(scene)


def test_a_slow_reader_is_merged_and_then_dropped(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "SLOW_SECONDS", 0.3)

    async def scene() -> None:
        free = asyncio.Event()
        sent: list[Any] = []
        said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def send(message: Any) -> None:
            if message.get("type") == "websocket.send" and len(sent) >= 2:
                await free.wait()
            sent.append(message)

        async with sockets():
            scope = {"headers": [(b"cookie", cookie_of(alice).encode())]}
            said.put_nowait({"type": "websocket.connect"})
            said.put_nowait({"type": "websocket.receive", "text": '{"type": "hello", "topics": ["alerts"]}'})
            running = asyncio.ensure_future(consumers.LiveConsumer.as_asgi(scope, said.get, send))
            await eventually(lambda: len(sent) == 2)
            (client,) = hub().clients
            for _ in range(60):
                if running.done():
                    break
                await write(alert)
                assert len(client._unsent) <= consumers.WAITING  # type: ignore[attr-defined]
            await asyncio.wait_for(running, 5)
            assert sent[-1]["type"] == "websocket.close"
            assert sent[-1]["code"] == 4408
            assert client not in hub().clients

    play(scene)
