"""Wake-ups of one database from process to process, by Redis, where `REDIS_URL` names one.

One of the processes listens to the database and passes on that something happened; the others are woken by that and
keep no connection for it. What happened stands in the database alone: a message says nothing, and one that is lost, or
a Redis that goes away, costs time and never an event. Who listens holds a key of Redis for as long as it renews it; two
who think that they do are one wake-up too many, no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import redis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from apps.live.ending import end

logger = logging.getLogger(__name__)

TURN_SECONDS: Final = 1.0
"""Between two looks at who listens, and between two attempts to reach Redis."""
LEASE_SECONDS: Final = 3.0
"""Whoever listened and is silent for this long is replaced."""
ANSWER_SECONDS: Final = 2.0
"""A Redis that takes longer is away."""


def channel_name(alias: str, identity: str) -> str:
    """The channel of a database, by the alias and the mark of its history; the key of who listens begins with it."""
    return f"vptmonitor:live:{alias}:{identity}"


class Relay:
    """`on_wake` is called on the loop for each wake-up, and whenever `up` or `leads` may have changed."""

    def __init__(self, url: str, channel: str, on_wake: Callable[[], None]) -> None:
        self.up = False
        """Whether Redis wakes this process now."""
        self.leads = False
        """Whether this process is the one that listens to the database for all."""
        self.able = True
        """Whether it can: the database answered when it was last asked."""
        self._channel = channel
        self._key = f"{channel}:listener"
        self._me = uuid4().hex
        self._on_wake = on_wake
        self._due = asyncio.Event()
        # An outage is for the stream to bridge, at once, not for the client to wait out.
        self._redis: Redis = Redis.from_url(
            url, retry=Retry(NoBackoff(), 0), socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        )

    async def run(self) -> None:
        """Take part until cancelled."""
        away = False
        try:
            while True:
                try:
                    await self._take_part()
                except (redis.RedisError, OSError) as error:
                    if not away:
                        # Its text may hold the address.
                        logger.warning("Redis is away, so every process listens itself: %s", type(error).__name__)
                    away = True
                finally:
                    self.up = self.leads = False
                    self._on_wake()
                await asyncio.sleep(TURN_SECONDS)
        finally:
            with contextlib.suppress(redis.RedisError, OSError):
                await self._redis.aclose()

    def tell(self) -> None:
        """Wake the others, if this process listens for them."""
        if self.leads:
            self._due.set()

    async def _take_part(self) -> None:
        async with self._redis.pubsub() as messages:
            await messages.subscribe(self._channel)
            if await messages.get_message(timeout=ANSWER_SECONDS) is None:
                raise redis.TimeoutError("no answer")
            # Who listens is settled before anybody relies on it.
            await self._take_turn()
            self.up = True
            logger.info("Redis wakes %s", self._channel)
            self._on_wake()
            tasks = [asyncio.ensure_future(self._hear(messages)), asyncio.ensure_future(self._keep())]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                # The stream need not wait for what follows, which takes a while where Redis hangs.
                self.up = False
                self._on_wake()
                await end(tasks)
                await self._give_up()

    async def _hear(self, messages: Any) -> None:
        while True:
            message = await messages.get_message(ignore_subscribe_messages=True, timeout=TURN_SECONDS)
            if message is not None and not self.leads:
                self._on_wake()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        turn = loop.time() + TURN_SECONDS
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), max(0.0, turn - loop.time()))
            if self._due.is_set():
                self._due.clear()
                await self._redis.publish(self._channel, "")
            if loop.time() >= turn:
                turn = loop.time() + TURN_SECONDS
                await self._take_turn()

    async def _take_turn(self) -> None:
        led = self.leads
        if not self.able:
            await self._give_up()
        elif await self._redis.set(self._key, self._me, nx=True, px=int(LEASE_SECONDS * 1000)):
            self.leads = True
        else:
            self.leads = await self._redis.get(self._key) == self._me.encode()
            if self.leads:
                await self._redis.pexpire(self._key, int(LEASE_SECONDS * 1000))
        if self.leads != led:
            # What nobody passed on meanwhile, the new one does.
            self.tell()
            self._on_wake()

    async def _give_up(self) -> None:
        """Let another one listen at once."""
        self.leads = False
        with contextlib.suppress(redis.RedisError, OSError):
            if await self._redis.get(self._key) == self._me.encode():
                await self._redis.delete(self._key)


def woken(url: str, channel: str) -> int:
    """How many processes Redis wakes. Raises redis.RedisError and OSError."""
    with redis.Redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS) as client:
        found: Any = client.pubsub_numsub(channel)
        return int(found[0][1])
