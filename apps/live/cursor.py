"""Where somebody stands in the stream of events, exact even where transactions commit in another order than they began.

A number that only grows would not do: who writes event 7 may commit after who writes event 8, and whoever then asks for
"all after 8" never hears of 7. So a position is a snapshot of PostgreSQL: all transactions that had ended by then
(`xmin` and below, and those below `xmax` that are not in the list of what was still under way). What comes after it is
every event whose transaction that snapshot could not see: no gap, no event twice, and nobody waits for a transaction
that stays open for long.

A token is such a position in each database that is listened to, as a client keeps it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

LONGEST_TOKEN: Final = 8000
_POSITION: Final = re.compile(r"([0-9a-f]{8})\.(\d{1,19})\.(\d{1,19})\.((?:\d{1,19}(?:,\d{1,19})*)?)", re.ASCII)
_LARGEST: Final = 2**63 - 1


class BadTokenError(ValueError):
    """A token that the portal did not make. The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Position:
    """A snapshot of one database. `identity` tells one database's history from that of another at its place."""

    identity: str
    xmin: int
    xmax: int
    running: tuple[int, ...] = ()

    @classmethod
    def of(cls, identity: str, snapshot: str) -> Self:
        """From PostgreSQL's own text of a pg_snapshot."""
        xmin, xmax, running = snapshot.split(":")
        return cls(identity, int(xmin), int(xmax), tuple(int(xid) for xid in running.split(",") if xid))

    @property
    def snapshot(self) -> str:
        """PostgreSQL's text."""
        return f"{self.xmin}:{self.xmax}:{','.join(map(str, self.running))}"

    def sees(self, xid: int) -> bool:
        """Whether what that transaction wrote was there, given that it has committed by now."""
        return xid < self.xmin or (xid < self.xmax and xid not in self.running)


@dataclass(frozen=True, slots=True)
class Token:
    """Positions in the databases that are listened to, in a fixed order."""

    positions: tuple[Position, ...]

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises BadTokenError."""
        if len(text) > LONGEST_TOKEN:
            raise BadTokenError("It is too long.")
        return cls(tuple(_position(part) for part in text.split("~")))

    def __str__(self) -> str:
        return "~".join(
            f"{one.identity}.{one.xmin}.{one.xmax}.{','.join(map(str, one.running))}" for one in self.positions
        )


def _position(text: str) -> Position:
    found = _POSITION.fullmatch(text)
    if found is None:
        raise BadTokenError("It is none that an answer of this address gave.")
    xmin, xmax = int(found[2]), int(found[3])
    running = tuple(int(xid) for xid in found[4].split(",") if xid)
    # PostgreSQL refuses a snapshot that contradicts itself.
    ordered = 0 < xmin <= xmax <= _LARGEST and all(
        low <= xid < xmax for low, xid in zip((xmin, *running), running, strict=False)
    )
    if not ordered or len(set(running)) != len(running):
        raise BadTokenError("It is none that an answer of this address gave.")
    return Position(found[1], xmin, xmax, running)
