"""What happened to rows, as the databases keep it for a while, and what of it somebody is told.

An event says that some rows of a table came, changed or went, by their ids; never what is in them. One statement makes
one event for each team or host whose rows it touched. What a client is told is a `Change` for each table: however many
events there were, it is no larger than `MOST_IDS` ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, cast
from uuid import UUID

from apps.accounts.scope import TeamScope
from apps.live.cursor import Position

Operation = Literal["insert", "update", "delete", "truncate", "gap"]
"""What a statement did; `gap`: nobody knows what happened to the table for a while."""

MOST_IDS: Final = 50
"""Ids in one event and in one change; of more rows only the number is told."""
MOST_EVENTS: Final = 5_000
"""Events that are read at once; whoever has missed more is told to reload."""
WORDS: Final[dict[Operation, str]] = {"insert": "added", "update": "changed", "delete": "removed"}

AFTER: Final = """
SELECT pg_current_snapshot()::text, s.identity, s.pruned::text::bigint,
       e.id, e.xid::text::bigint, e.topic, e.op, e.team, e.host, e.everybody, e.ids, e.rows, e.at
  FROM {schema}.live_state s
  LEFT JOIN LATERAL (
        SELECT * FROM {schema}.live_event
         WHERE xid >= pg_snapshot_xmin(%(after)s::pg_snapshot) AND xid < pg_snapshot_xmax(pg_current_snapshot())
           AND NOT pg_visible_in_snapshot(xid, %(after)s::pg_snapshot)
         ORDER BY xid, id LIMIT %(most)s + 1
       ) e ON true
"""
"""The present position of a database and the events after one, in a single statement and so from a single snapshot.

Transactions of the future are those of another server, whose copy this database is."""
HERE: Final = "SELECT pg_current_snapshot()::text, s.identity FROM {schema}.live_state s"


@dataclass(frozen=True, slots=True)
class Event:
    """Rows of one table, of one team or host, that one statement touched."""

    id: int
    xid: int
    topic: str
    op: Operation
    team: UUID | None
    host: str | None
    everybody: bool
    ids: tuple[str, ...]
    rows: int
    at: datetime

    def is_for(self, scope: TeamScope) -> bool:
        """Whether whoever sees `scope` may hear of it."""
        if scope.everything or self.everybody:
            return True
        return (self.team is not None and self.team in scope.team_ids) or (
            self.host is not None and self.host in scope.host_names
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """The events after a position. `complete` is False where some of them are no longer kept, or there are too many:
    then whoever stood there must load everything anew."""

    position: Position
    events: Sequence[Event]
    complete: bool


def batch_of(rows: Sequence[Sequence[Any]], after: Position | None) -> Batch:
    """What `AFTER` answered, asked with the position `after`; None stands for the present. Raises LookupError when
    the database keeps no events (yet)."""
    if not rows:
        raise LookupError("this database keeps no events")
    snapshot, identity, pruned = rows[0][0], str(rows[0][1])[:8], int(rows[0][2])
    position = Position.of(identity, snapshot)
    if after is None:
        return Batch(position, (), complete=True)
    events = [_event(row[3:]) for row in rows if row[3] is not None]
    lasting = after.identity == identity and after.xmax <= position.xmax and pruned < after.xmin
    if not lasting or len(events) > MOST_EVENTS:
        return Batch(position, (), complete=False)
    return Batch(position, events, complete=True)


def _event(row: Sequence[Any]) -> Event:
    number, xid, topic, op, team, host, everybody, ids, rows, at = row
    return Event(number, xid, topic, cast("Operation", op), team, host, everybody, tuple(ids), rows, at)


@dataclass(slots=True)
class Change:
    """What happened to one table since the last message. Ids are in the order of their first mention; `more` says that
    not all are named."""

    topic: str
    rows: int = 0
    more: bool = False
    ids: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, operation: Operation, ids: Iterable[str], rows: int, *, more: bool = False) -> None:
        """Take in more of it."""
        self.rows += rows
        self.more = self.more or more or operation not in WORDS
        if word := WORDS.get(operation):
            named = self.ids.setdefault(word, {})
            for key in ids:
                if len(named) >= MOST_IDS and key not in named:
                    self.more = True
                    break
                named[key] = None

    def merge(self, other: Change) -> None:
        """Take in what happened after."""
        self.rows += other.rows
        self.more = self.more or other.more
        operations = {word: operation for operation, word in WORDS.items()}
        for word, keys in other.ids.items():
            self.add(operations[word], keys, 0)

    def as_json(self) -> dict[str, Any]:
        """As a client gets it."""
        return {
            "topic": self.topic,
            "rows": self.rows,
            **{word: list(self.ids.get(word, ())) for word in WORDS.values()},
            "more": self.more,
        }


def changes_for(events: Iterable[Event], scope: TeamScope, topics: frozenset[str]) -> dict[str, Change]:
    """By topic, what somebody who sees `scope` and asked for `topics` is told of these events."""
    found: dict[str, Change] = {}
    for event in events:
        if event.topic in topics and event.is_for(scope):
            change = found.setdefault(event.topic, Change(event.topic))
            change.add(event.op, event.ids, event.rows, more=event.rows > len(event.ids))
    return found
