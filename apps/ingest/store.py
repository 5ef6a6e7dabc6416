"""A batch of new rows into its table: one transaction, one statement whatever the size, and a verdict for every row.

    INSERT INTO t SELECT ... FROM json_to_recordset(the batch) ON CONFLICT (key) DO NOTHING RETURNING key

Rows that come back are new. Of the others a second statement tells whether the row that is there says the same. Where
the database refuses a row, `faults` finds all that share the reason, and the rest is tried again: either all rows that
were accepted are committed, or none is, and the answer says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from http import HTTPStatus
from typing import Any, Final

import msgspec
from django.db import DatabaseError, connections, transaction

from apps.accounts.problems import Problem
from apps.ingest import alerts, faults, metrics
from apps.ingest.body import Rows
from apps.ingest.kinds import Kind
from apps.ingest.plan import Plan, literal, plan_of, quoted
from apps.ingest.rows import Row, derived_key, read_batch, read_row, settle_times
from apps.ingest.verdicts import Answer, Fault, Refused, Status, Verdict, in_order, refusal
from apps.ingest.writers import MayWrite, Owners
from apps.mirror.shape import SOURCE

MOST_TRIES: Final = 8
"""Each try gets rid of all rows that break one rule of the table."""
SKEW: Final = timedelta(seconds=60)
"""A sender's clock that is further ahead is told so."""
Key = tuple[str, ...]


@dataclass(slots=True)
class Entry:
    """A row that was accepted so far; `twins` are the numbers of rows of the batch that say the same."""

    number: int
    row: Row
    key: Key
    id: Any
    bare: bool = False
    """Whether the row came without a key of its own."""
    twins: list[int] = field(default_factory=list)

    def verdicts(self, verdict: Verdict) -> list[Verdict]:
        """Of the row, and of its twins."""
        if not self.twins:
            return [verdict]
        status: Status = "refused" if verdict.status == "refused" else "already there"
        return [verdict, *(msgspec.structs.replace(verdict, row=twin, status=status) for twin in self.twins)]


def store(
    kind: Kind,
    sent: Rows,
    *,
    may_write: MayWrite,
    zone: tzinfo | None = None,
    leave_out_unknown: bool = False,
) -> Answer:
    """Store the rows that were sent.

    Raises Problem: 404 where the table is missing, 403 where it may not be written, 422 where the database refuses the
    batch as a whole, 503 where it has no time; and OperationalError where it is away.
    """
    plan = plan_of(kind)
    answer = Answer(kind.name)
    entries = _accepted(plan, sent, answer, may_write=may_write, zone=zone, leave_out_unknown=leave_out_unknown)
    _write(plan, entries, answer)
    answer.verdicts = in_order(answer.verdicts)
    return answer


def leave_out(plan: Plan, row: Row, answer: Answer) -> None:
    """Take out what the table has no room for, and what its own clock says; the answer notes it."""
    if plan.absent or plan.clocks:
        for name in plan.absent.keys() & row.keys():
            del row[name]
            answer.note(f"The connected database has no column {plan.kind.table}.{name}: rows are stored without it.")
        for name in plan.clocks.keys() & row.keys():
            del row[name]
            answer.note(f"{name} is what the database's clock says: the rows' own is left out.")


def key_document(kind: Kind, row: Row) -> Any:
    """The row's key as answers show it."""
    return row[kind.key[0]] if len(kind.key) == 1 else {name: row[name] for name in kind.key}


# What the rows say --------------------------------------------------------------------------------------------------


def _accepted(
    plan: Plan,
    sent: Rows,
    answer: Answer,
    *,
    may_write: MayWrite,
    zone: tzinfo | None,
    leave_out_unknown: bool,
) -> list[Entry]:
    kind = plan.kind
    rows: list[tuple[int, Row]] = []
    times, unwanted = plan.time_columns, {*plan.absent, *plan.clocks}
    whole = read_batch(plan, sent.whole)
    if whole is not None and len(whole) != len(sent):
        whole = None  # a line that holds two objects
    for number, raw in enumerate(sent.each):
        try:
            if whole is not None:
                row = whole[number]
            else:
                row, left_out = read_row(
                    raw, plan.decoder, plan.known, plan.json_columns, leave_out_unknown=leave_out_unknown
                )
                for name in left_out:
                    answer.note(f"There is no field {name}: it was left out.")
            settle_times(row, times, zone)
            if not unwanted.isdisjoint(row):
                leave_out(plan, row, answer)
        except Refused as refused:
            answer.verdicts.append(refusal(number, None, refused.fault))
            continue
        rows.append((number, row))
    owners = Owners(plan, [row for _, row in rows], may_write)
    entries: dict[Key, Entry] = {}
    states: set[str] = set()
    for number, row in rows:
        try:
            owners.settle(row, answer)
            entry = _entry(plan, number, row)
            if (first := entries.get(entry.key)) is not None:
                if first.row != row:
                    raise Refused(
                        kind.key[0], f"row {first.number} of the batch has the same key and other values",
                        "Send every row under a key of its own.",
                    )  # fmt: skip
                first.twins.append(number)
                continue
            if kind.update:
                said = entry.row.keys() & set(kind.update)
                states = states or said
                if said != states:
                    raise Refused(
                        kind.key[0], "it names other fields than the rows before it",
                        f"Send rows that all say {', '.join(sorted(states))}, or each on its own.",
                    )  # fmt: skip
        except Refused as refused:
            answer.verdicts.append(refusal(number, _given_key(kind, row), refused.fault))
            continue
        entries[entry.key] = entry
    if kind.update:
        # In one order for everybody: two batches with the same keys wait for each other instead of for ever.
        return sorted(entries.values(), key=lambda entry: entry.key)
    return list(entries.values())


def _entry(plan: Plan, number: int, row: Row) -> Entry:
    kind = plan.kind
    bare = len(kind.key) == 1 and row.get(kind.key[0]) is None
    if bare:
        row[kind.key[0]] = derived_key(plan, row)
    if len(kind.key) == 1:
        key = str(row[kind.key[0]])
        return Entry(number, row, (key,), key, bare)
    return Entry(number, row, tuple(str(row[name]) for name in kind.key), key_document(kind, row), bare)


def _given_key(kind: Kind, row: Row) -> Any:
    return None if any(row.get(name) is None for name in kind.key) else key_document(kind, row)


# Into the table -----------------------------------------------------------------------------------------------------


def _write(plan: Plan, entries: list[Entry], answer: Answer) -> None:
    """Store what the database takes; verdicts go into `answer`."""
    for _ in range(MOST_TRIES):
        try:
            with transaction.atomic(using=SOURCE), connections[SOURCE].cursor() as cursor:
                found, now = _one_try(cursor, plan, entries)
        except DatabaseError as error:
            guilty = faults.guilty(
                plan, [entry.row for entry in entries], error, lambda some: _probe(plan, [entries[n] for n in some])
            )
            for number in sorted(guilty, reverse=True):
                entry = entries.pop(number)
                answer.verdicts += entry.verdicts(refusal(entry.number, entry.id, guilty[number]))
            continue
        latest = now + SKEW
        for entry, verdict in zip(entries, found, strict=True):
            at = entry.row.get(plan.kind.time) if plan.kind.time else None
            if at is not None and at > latest:
                verdict.clock_skew_seconds = round((at - now).total_seconds())
                answer.note("A sender's clock is ahead of the database's: see clock_skew_seconds.")
            answer.verdicts += entry.verdicts(verdict)
        answer.received_at = now.isoformat()
        return
    raise busy("The rows break one rule of the table after the other, or other requests keep changing them.")


def _probe(plan: Plan, entries: list[Entry]) -> DatabaseError | None:
    """What the database says to these rows alone; nothing is kept."""
    try:
        with transaction.atomic(using=SOURCE), connections[SOURCE].cursor() as cursor:
            _one_try(cursor, plan, entries)
            transaction.set_rollback(True, using=SOURCE)
    except DatabaseError as error:
        return error
    return None


def _one_try(cursor: Any, plan: Plan, entries: list[Entry]) -> tuple[list[Verdict], datetime]:
    kind = plan.kind
    verdicts: dict[Key, Verdict] = {}
    rest = entries
    if kind.rule == "alerts":
        room = alerts.make_room(cursor, plan, [(entry.row, entry.bare) for entry in entries])
        verdicts = {entries[n].key: Verdict(entries[n].number, "updated", id_) for n, id_ in room.updated.items()}
        rest = [replace(entry, row=room.rows[n]) for n, entry in enumerate(entries) if n in room.rows]
    names = _names(plan, rest)
    stored, now = _insert(cursor, plan, names, rest)
    for entry in rest:
        if (fresh := stored.get(entry.key)) is not None:
            verdicts[entry.key] = Verdict(entry.number, "stored" if fresh else "updated", entry.id)
    missing = [entry for entry in rest if entry.key not in verdicts]
    if missing:
        differing = _compare(cursor, plan, names, missing)
        for entry in missing:
            verdicts[entry.key] = _about_known(plan, entry, differing.get(entry.key))
    if kind.rule == "steps" and stored:
        metrics.count_steps(cursor, plan, [entry.row["id"] for entry in rest if entry.key in stored])
    return [verdicts[entry.key] for entry in entries], now


def _names(plan: Plan, entries: Iterable[Entry]) -> tuple[str, ...]:
    """The columns that any of the rows fills, in the table's order."""
    given: set[str] = set()
    for entry in entries:
        given.update(entry.row)
    return tuple(name for name in plan.columns if name in given)


def source_sql(plan: Plan, names: Sequence[str]) -> str:
    """The batch as a relation `r`; one parameter, its JSON. What a row leaves out, or says null for, is the default."""
    chosen = ", ".join(
        f"coalesce({quoted(name)}, {default.replace('%', '%%')}) AS {quoted(name)}"
        if (default := plan.columns[name].default)
        else quoted(name)
        for name in names
    )
    return f"(SELECT {chosen} FROM json_to_recordset(%s) AS given ({plan.record(names)})) AS r"  # noqa: S608


def as_json(rows: Iterable[Row]) -> str:
    """The parameter of `source_sql`."""
    return msgspec.json.encode(list(rows)).decode()


def _insert(
    cursor: Any, plan: Plan, names: tuple[str, ...], entries: Sequence[Entry]
) -> tuple[dict[Key, bool], datetime]:
    """The keys that were written, with whether the row is new; and the database's time."""
    if not entries:
        cursor.execute("SELECT now()")
        return {}, cursor.fetchone()[0]
    kind = plan.kind
    listed = ", ".join(map(quoted, names))
    keys = ", ".join(map(quoted, kind.key))
    sql = (
        f"WITH written AS (INSERT INTO {quoted(kind.table)} AS t ({listed})"  # noqa: S608
        f" SELECT {listed} FROM {source_sql(plan, names)}"
        f" ON CONFLICT ({keys}) {_on_conflict(plan, names)} RETURNING {keys}, xmax = 0 AS fresh)"
        f" SELECT CASE WHEN (SELECT count(*) FROM written WHERE fresh) < %s"
        f" THEN (SELECT coalesce(json_agg(json_build_array({keys}, fresh)), '[]')::text FROM written) END, now()"
    )
    cursor.execute(sql, [as_json(entry.row for entry in entries), len(entries)])
    found, now = cursor.fetchone()
    if found is None:  # all of them
        return {entry.key: True for entry in entries}, now
    stored = {tuple(map(str, key)): fresh for *key, fresh in msgspec.json.decode(found)}
    return stored, now


def _on_conflict(plan: Plan, names: Sequence[str]) -> str:
    kind = plan.kind
    changed = [name for name in kind.update if name in names]
    if not changed:
        return "DO NOTHING"
    setters = [f"{quoted(name)} = coalesce(excluded.{quoted(name)}, t.{quoted(name)})" for name in changed]
    if plan.keeps_updated_at:
        setters.append("updated_at = now()")
    differs = " OR ".join(f"t.{quoted(name)} IS DISTINCT FROM excluded.{quoted(name)}" for name in changed)
    # Somebody else's row keeps its values, whatever its key says.
    same = f" AND t.{quoted(kind.team)} IS NOT DISTINCT FROM excluded.{quoted(kind.team)}" if kind.team in names else ""
    return f"DO UPDATE SET {', '.join(setters)} WHERE ({differs}){same}"


def _compare(cursor: Any, plan: Plan, names: Sequence[str], entries: Sequence[Entry]) -> dict[Key, list[str]]:
    """For each key that is in the table: the columns in which the row there differs from the one that was sent."""
    kind = plan.kind
    # The type json, unlike jsonb, cannot be compared.
    others = {*kind.mutable, *kind.key, *(name for name, column in plan.columns.items() if column.type == "json")}
    settled = [name for name in names if name not in others]
    tests = [
        f"CASE WHEN r.{column} IS NOT NULL AND t.{column} IS DISTINCT FROM r.{column} THEN {literal(name)} END"
        for name in settled
        for column in [quoted(name)]
    ]
    keys = ", ".join(f"t.{quoted(name)}" for name in kind.key)
    match = " AND ".join(f"t.{quoted(name)} = r.{quoted(name)}" for name in kind.key)
    cursor.execute(
        f"SELECT json_agg(json_build_array({keys}, array_remove(ARRAY[{', '.join(tests)}]::text[], NULL)))::text"  # noqa: S608
        f" FROM json_to_recordset(%s) AS r ({plan.record(names)}) JOIN {quoted(kind.table)} AS t ON {match}",
        [as_json(entry.row for entry in entries)],
    )
    return {tuple(map(str, key)): differing for *key, differing in msgspec.json.decode(cursor.fetchone()[0] or "[]")}


def _about_known(plan: Plan, entry: Entry, differing: list[str] | None) -> Verdict:
    if differing is None:
        fault = Fault("", "another request removed the row at the same moment", "Send it again.")
    elif not differing:
        return Verdict(entry.number, "already there", entry.id)
    elif plan.kind.update and plan.kind.team in differing:
        fault = Fault(plan.kind.team, "the row that is there belongs to another team", "Send its own team's id.")
    else:
        said = ", ".join(differing[:5])
        fault = Fault(
            differing[0],
            f"a row with this key is there, with another value of {said}",
            "Send the row as it was sent first, or under a key of its own.",
        )
    return refusal(entry.number, entry.id, fault)


def busy(detail: str) -> Problem:
    """The batch was not stored, and may be sent again as it is."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Not now", f"{detail} Nothing was stored: send the batch again.")
