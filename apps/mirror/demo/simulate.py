"""The made-up lab going on living: what its hosts and servers would write, second by second.

Nothing is kept but in memory and in the tables, so that a simulator which was stopped, or whose database went away,
meets the lab again as it stands there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from django.db import connections, transaction

from apps.mirror.demo import adopt, gap
from apps.mirror.demo.lab import team_id
from apps.mirror.demo.life import Life


class Simulator:
    """Keeps the loaded demo lab alive; `step` is called every second or so, by a command, a worker or a test.

    `clock` tells the time when `step` is not told; `rng` decides what happens; `speed` makes scripts, alerts and
    silences shorter and more frequent by that factor, while pings keep the platform's rhythm.
    """

    def __init__(self, clock: Callable[[], datetime], rng: Random, *, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"the speed must be greater than 0, not {speed}")
        self._clock = clock
        self._rng = rng
        self._speed = speed
        self._life: Life | None = None
        self._loading = ""

    def step(self, now: datetime | None = None) -> int:
        """Write what happened since the last step, in one transaction; return how many rows were written or changed.

        0 where no demo lab is loaded. After a DatabaseError, which it lets through, the next step meets the lab
        anew. A pause is not made up for ping by ping, but a long one is filled with an ordinary stretch of life.
        """
        now = (now or self._clock()).astimezone(UTC)
        life = self._life
        self._life = None  # an error leaves it unknown what was written
        with transaction.atomic(using="source"), connections["source"].cursor() as cursor:
            loading = _hold(cursor)
            if loading is None:
                return 0
            if life is not None and (loading != self._loading or not timedelta(0) <= now - life.now < gap.SHORTEST):
                life = None
            filled = 0
            if life is None:
                life, filled = adopt.meet(cursor, self._rng, self._speed, now)
                if life is None:
                    return 0
            rows = filled + life.go_on(cursor, now)
        self._life, self._loading = life, loading
        return rows


def _hold(cursor: Any) -> str | None:
    """A word for the loading that the demo rows are from, or None without any; until the end of the transaction they
    can be neither cleared nor replaced, so that no row of a host is written after its lab went."""
    cursor.execute("SELECT xmin::text FROM teams WHERE id = %s FOR KEY SHARE", [team_id(0)])
    found = cursor.fetchone()
    return found[0] if found else None
