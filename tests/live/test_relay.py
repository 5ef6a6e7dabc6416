"""Wake-ups by a real Redis: who listens, who is woken, and what happens when Redis goes and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.db import connections
from django.test import Client

from apps.accounts.models import HostTeam
from apps.accounts.roles import Role
from apps.health.checks import live
from apps.health.findings import State
from apps.live import relay
from apps.live.ending import end
from apps.live.events import Batch
from apps.live.hub import hub
from apps.live.stream import APPLICATION_NAME, FOLLOWER_NAME, Stream
from apps.mirror.models import PlatformAlert
from apps.mirror.shape import SOURCE
from tests.live.sockets import cookie_of, eventually, play, sockets, write
from tests.people import HOST_A, TEAM_A, make_person, signed_in

SERVER = shutil.which("redis-server")

pytestmark = [
    pytest.mark.skipif(SERVER is None, reason="NO redis-server IS INSTALLED: live changes by Redis are NOT tested"),
    pytest.mark.django_db(databases=["default", "source"], transaction=True),
    pytest.mark.usefixtures("committed"),
]


class Server:
    """A Redis on a socket file of its own, which is killed and started again."""

    def __init__(self, socket: Path) -> None:
        self.url = f"unix://{socket}"
        self._socket = socket
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run, and wait until it answers."""
        assert SERVER is not None
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir", str(self._socket.parent)]
        self._process = subprocess.Popen([SERVER, *options], stdout=subprocess.DEVNULL)

        async def answers() -> bool:
            with contextlib.suppress(redis.RedisError), redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
            return False

        asyncio.run(eventually(answers))

    def signal(self, number: signal.Signals) -> None:
        """Stop it, or let it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Iterator[Server]:
    """Running, and named by the settings. The path of a socket is short."""
    made = Server(tmp_path_factory.mktemp("r") / "s")
    made.start()
    settings.REDIS_URL = made.url
    yield made
    made.kill()


@pytest.fixture
def alice() -> Client:
    HostTeam.objects.create(host_name=HOST_A, team_id=TEAM_A)
    return signed_in(make_person("alice", Role.VIEWER, TEAM_A))


def alert() -> str:
    device = uuid4().hex  # one alert is active at a time for each device
    return str(PlatformAlert.objects.create(host_name=HOST_A, device_id=device, incident_type="freeze").pk)


def sessions(name: str) -> int:
    """How many connections of a name the source's database has."""
    with connections[SOURCE].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()", [name]
        )
        return int(cursor.fetchone()[0])


class Other:
    """What another web process has: a stream of the source, and what it was told."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.stream = Stream(SOURCE, self._take)
        self.task = asyncio.ensure_future(self.stream.run())

    def _take(self, stream: Stream, batch: Batch) -> None:
        self.ids += [key for event in batch.events for key in event.ids if event.topic == "alerts"]

    @property
    def leads(self) -> bool:
        return self.stream.relay is not None and self.stream.relay.leads

    async def end(self) -> None:
        await end([self.task])


@contextlib.asynccontextmanager
async def others(number: int) -> AsyncIterator[list[Other]]:
    """So many other processes; the first of them listens."""
    made: list[Other] = []
    try:
        for _ in range(number):
            made.append(Other())
            await eventually(lambda: made[0].leads and all(one.stream.follows for one in made[1:]))
        yield made
    finally:
        for one in made:
            await one.end()


def mine() -> Stream:
    """The stream of the source in this process's hub."""
    return next(one for one in hub().streams if one.alias == SOURCE)


def test_one_process_listens_and_redis_wakes_the_others(alice: Client, server: Server) -> None:
    async def scene() -> None:
        async with others(1) as (listener,), sockets() as make:
            one = make(cookie_of(alice))
            await one.open("alerts")
            await eventually(lambda: mine().follows and mine()._following)
            # Sooner than it would look by itself, and so by Redis.
            keys = [await write(alert) for _ in range(3)]
            await one.until(lambda: len(one.ids("alerts")) >= 3)
            assert one.ids("alerts") == keys
            await eventually(lambda: listener.ids == keys)
            found = await write(live.check)
            assert found.state is State.OK
            assert "Redis connects 2" in found.text

    play(scene)


def test_who_follows_keeps_no_connection(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.live.stream.IDLE_SECONDS", 0.1)

    async def scene() -> None:
        async with others(3) as processes:
            await eventually(lambda: all(one.stream._wire is None for one in processes[1:]))
            key = await write(alert)
            await eventually(lambda: all(one.ids == [key] for one in processes))
            await eventually(lambda: all(one.stream._wire is None for one in processes[1:]))

            async def one_alone() -> bool:
                # The server's processes take a moment to go.
                return await write(sessions, APPLICATION_NAME) == 1 and await write(sessions, FOLLOWER_NAME) == 0

            await eventually(one_alone)

    play(scene)


def test_another_one_listens_when_the_listener_ends(server: Server) -> None:
    async def scene() -> None:
        async with others(3) as processes:
            keys = [await write(alert)]
            await eventually(lambda: all(one.ids == keys for one in processes))
            await processes[0].end()
            keys.append(await write(alert))
            await eventually(lambda: any(one.leads for one in processes[1:]))
            keys.append(await write(alert))
            await eventually(lambda: all(one.ids == keys for one in processes[1:]))

    play(scene)


def test_a_listener_that_loses_its_database_gives_way_and_nothing_is_lost(server: Server) -> None:
    def kill() -> None:
        with connections[SOURCE].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = %s AND datname = current_database()",
                [APPLICATION_NAME],
            )

    async def scene() -> None:
        async with others(2) as processes:
            await write(kill)
            keys = [await write(alert) for _ in range(3)]
            await eventually(lambda: all(one.ids == keys for one in processes))
            await eventually(lambda: sum(one.leads for one in processes) == 1)

    play(scene)


def test_without_redis_all_listen_and_with_it_again_one(alice: Client, server: Server) -> None:
    async def scene() -> None:
        async with others(1) as (listener,), sockets() as make:
            one = make(cookie_of(alice))
            await one.open("alerts")
            await eventually(lambda: mine().follows)
            await asyncio.to_thread(server.kill)
            keys = [await write(alert) for _ in range(3)]
            await one.until(lambda: len(one.ids("alerts")) >= 3)
            await eventually(lambda: not mine().follows and not mine()._following)
            keys.append(await write(alert))
            await one.until(lambda: len(one.ids("alerts")) >= 4)
            found = await write(live.check)
            assert found.state is State.WARNING
            assert "Redis is away" in found.text
            await asyncio.to_thread(server.start)
            await eventually(lambda: mine().follows != (listener.stream.follows))
            keys.append(await write(alert))
            await one.until(lambda: len(one.ids("alerts")) >= 5)
            assert one.ids("alerts") == keys
            assert not one.of("reload")
            await eventually(lambda: listener.ids == keys)

    play(scene)


def test_a_redis_that_hangs_is_away(alice: Client, server: Server) -> None:
    async def scene() -> None:
        async with others(1), sockets() as make:
            one = make(cookie_of(alice))
            await one.open("alerts")
            await eventually(lambda: mine().follows)
            server.signal(signal.SIGSTOP)
            key = await write(alert)
            await one.until(lambda: one.ids("alerts") == [key])
            assert not mine().follows
            server.signal(signal.SIGCONT)

    play(scene)


def test_a_redis_that_is_not_there_changes_nothing(alice: Client, settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody"

    async def scene() -> None:
        async with sockets() as make:
            one = make(cookie_of(alice))
            await one.open("alerts")
            key = await write(alert)
            await one.until(lambda: one.ids("alerts") == [key])

    play(scene)


def test_a_listener_that_hangs_is_replaced(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "LEASE_SECONDS", 0.5)
    monkeypatch.setattr(relay, "TURN_SECONDS", 0.1)

    async def scene() -> None:
        async with others(2) as (first, second):
            assert first.stream._relaying is not None
            with redis.Redis.from_url(server.url) as client:
                (key,) = client.keys("vptmonitor:live:*:listener")
                # As if it had not renewed its key for too long.
                client.set(key, "another", px=100)
            await eventually(lambda: first.leads != second.leads)

    play(scene)
