"""One active alert per host, device and type of incident, also where no unique index can be made.

Whoever writes active alerts holds a lock on their keys until the end of the transaction. As the platform does it, a
new alert takes the place of the open one, which ends where the new one begins. An alert without an id of its own says
no more than that the trouble goes on: then the open one is updated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from apps.ingest.plan import ALERT_KEY, Plan
from apps.ingest.rows import Row

BUCKETS: Final = 256
"""Locks that there are for all keys together: a batch of many keys must not fill the server's table of locks."""
LOCK_CLASS: Final = 0x56_50_54
SHORTEST: Final = timedelta(seconds=1)
"""The platform's alerts end at least so long after their start."""


@dataclass
class Room:
    """What is to be inserted, by the row's number in the batch, and which rows were merged into an open alert (its id).

    A row is a copy where it changed: one that was followed by another of its key in the same batch is over.
    """

    rows: dict[int, Row] = field(default_factory=dict)
    updated: dict[int, str] = field(default_factory=dict)


@dataclass
class _Open:
    id: str
    start: datetime


def make_room(cursor: Any, plan: Plan, entries: Sequence[tuple[Row, bool]]) -> Room:
    """Lock the keys of the active alerts among `entries` (rows, and whether each came without an id); resolve or update
    those that are open. At most four statements."""
    room = Room({number: row for number, (row, _) in enumerate(entries)})
    active = [n for n, (row, _) in enumerate(entries) if row.get("status") in {None, "active"}]
    if not active or not all(plan.has(name) for name in (*ALERT_KEY, "status", "start_time")):
        return room
    lock(cursor, [_key(entries[n][0]) for n in active])
    there, opened, now = _look(cursor, {n: entries[n][0] for n in active})
    groups: dict[tuple[str, ...], list[int]] = {}
    for number in active:
        if number not in there:
            groups.setdefault(_key(entries[number][0]), []).append(number)
    resolved: list[dict[str, Any]] = []
    merged: list[dict[str, Any]] = []
    for key, numbers in groups.items():
        before = opened.get(key, [])
        if before:
            newest = max(before, key=lambda one: one.start)
            for number in [number for number in numbers if entries[number][1]]:
                numbers.remove(number)
                row = room.rows.pop(number)
                room.updated[number] = newest.id
                merged.append({name: row.get(name) for name in ("metadata", "consecutive_count")} | {"id": newest.id})
        _line_up(room, numbers, before, resolved, now)
    if merged:
        _merge(cursor, plan, merged)
    if resolved:
        cursor.execute(
            "UPDATE alerts AS t SET status = 'resolved', end_time = r.end_time"  # noqa: S608
            + (", updated_at = now()" if plan.keeps_updated_at else "")
            + " FROM json_to_recordset(%s) AS r (id uuid, end_time timestamptz)"
            " WHERE t.id = r.id AND t.status = 'active'",
            [msgspec.json.encode(resolved).decode()],
        )
    return room


def find_open(cursor: Any, rows: dict[int, Row]) -> dict[int, str]:
    """The id of the alert that is open for the key of each of these rows, where there is one."""
    _, opened, _ = _look(cursor, {n: {"id": None, **row} for n, row in rows.items()})
    newest = {key: max(found, key=lambda one: one.start).id for key, found in opened.items()}
    return {n: newest[_key(row)] for n, row in rows.items() if _key(row) in newest}


def lock(cursor: Any, keys: Sequence[tuple[str, ...]]) -> None:
    """Hold the locks of these keys until the transaction ends; always in the same order, so that nobody waits in a
    circle."""
    buckets = {int.from_bytes(hashlib.sha256("\0".join(key).encode()).digest()[:4], "big") % BUCKETS for key in keys}
    cursor.execute(
        "SELECT count(*) FROM (SELECT pg_advisory_xact_lock(%s, bucket) FROM unnest(%s) AS bucket) AS held",
        [LOCK_CLASS, sorted(buckets)],
    )


def _key(row: Row) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in ALERT_KEY)


def _look(cursor: Any, rows: dict[int, Row]) -> tuple[set[int], dict[tuple[str, ...], list[_Open]], datetime]:
    """Which rows are in the table already, which alerts of their keys are open, and the database's time."""
    sent = [{"n": n, "id": row["id"], **{name: row.get(name) for name in ALERT_KEY}} for n, row in rows.items()]
    cursor.execute(
        "WITH r AS MATERIALIZED (SELECT * FROM json_to_recordset(%s) AS given"
        " (n integer, id uuid, host_name text, device_id text, incident_type text))"
        " SELECT now(), (SELECT json_agg(r.n) FROM r JOIN alerts AS t ON t.id = r.id)::text,"
        " (SELECT json_agg(DISTINCT jsonb_build_array(t.host_name, t.device_id, t.incident_type, t.id, t.start_time))"
        " FROM r JOIN alerts AS t USING (host_name, device_id, incident_type) WHERE t.status = 'active')::text",
        [msgspec.json.encode(sent).decode()],
    )
    now, there, active = cursor.fetchone()
    opened: dict[tuple[str, ...], list[_Open]] = {}
    for host, device, incident, id_, start in msgspec.json.decode(active or "[]"):
        opened.setdefault((host, device, incident), []).append(_Open(id_, datetime.fromisoformat(start)))
    return set(msgspec.json.decode(there or "[]")), opened, now


def _line_up(
    room: Room, numbers: list[int], before: list[_Open], resolved: list[dict[str, Any]], now: datetime
) -> None:
    """Of the new alerts of one key all but the newest are over when the next one begins; so are those that are open,
    unless one of them began later than the newest."""
    if not numbers:
        return
    starts = {number: room.rows[number].get("start_time") or now for number in numbers}
    numbers.sort(key=lambda number: (starts[number], number))
    later = [one.start for one in before if one.start > starts[numbers[-1]]]
    ends: list[datetime | None] = [*(starts[number] for number in numbers[1:]), min(later, default=None)]
    for number, end in zip(numbers, ends, strict=True):
        if end is not None:
            over = {"status": "resolved", "end_time": max(end, starts[number] + SHORTEST)}
            room.rows[number] = room.rows[number] | over
    if not later:
        newest = starts[numbers[-1]]
        resolved += [{"id": one.id, "end_time": max(newest, one.start + SHORTEST)} for one in before]


def _merge(cursor: Any, plan: Plan, merged: list[dict[str, Any]]) -> None:
    setters = []
    if plan.has("metadata"):
        setters.append("metadata = coalesce(t.metadata, '{}') || r.metadata")
    if plan.has("consecutive_count"):
        setters.append("consecutive_count = greatest(t.consecutive_count, r.consecutive_count)")
    if plan.keeps_updated_at:
        setters.append("updated_at = now()")
    if not setters:
        return
    # Several reports of one alert in a batch: the last one's values win, as if they had come one by one.
    latest: dict[str, dict[str, Any]] = {}
    for one in merged:
        known = latest.setdefault(one["id"], {"id": one["id"], "metadata": {}, "consecutive_count": 1})
        if one["metadata"] is not None:
            known["metadata"] |= _object(one["metadata"])
        known["consecutive_count"] = max(known["consecutive_count"], one["consecutive_count"] or 1)
    cursor.execute(
        f"UPDATE alerts AS t SET {', '.join(setters)}"  # noqa: S608
        " FROM json_to_recordset(%s) AS r (id uuid, metadata jsonb, consecutive_count integer) WHERE t.id = r.id",
        [msgspec.json.encode(list(latest.values())).decode()],
    )


def _object(raw: Any) -> dict[str, Any]:
    found = msgspec.json.decode(raw)
    return found if isinstance(found, dict) else {}
