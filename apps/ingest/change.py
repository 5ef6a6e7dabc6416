"""What happens to rows later: a script ends, an alert is resolved, a KPI arrives. Idempotent, as storing is.

A change names the row by its key and says what is different; what it leaves out stays. One transaction, two statements
whatever the size (a third counts the KPIs of edges anew).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import DatabaseError, connections, transaction
from msgspec import Raw

from apps.ingest import alerts, faults, metrics
from apps.ingest.body import Rows
from apps.ingest.kinds import Kind
from apps.ingest.plan import ALERT_KEY, Plan, plan_of, quoted
from apps.ingest.rows import Row, read_row, settle_times
from apps.ingest.store import MOST_TRIES, as_json, busy, leave_out
from apps.ingest.verdicts import Answer, Fault, Refused, Verdict, in_order, refusal
from apps.ingest.writers import MayWrite, Owner, Owners, not_allowed, parents
from apps.mirror.shape import SOURCE

NOT_THERE: Final = "there is no such row"


def change(
    kind: Kind,
    sent: Rows,
    *,
    may_write: MayWrite,
    zone: tzinfo | None = None,
    key: UUID | None = None,
) -> Answer:
    """Apply the changes that were sent; `key` is the row's where the address names it.

    Raises what `store` raises. Kinds whose `finish` is empty have nothing to change: ValueError.
    """
    if not kind.finish:
        raise ValueError(f"{kind.name} are written once")
    plan = plan_of(kind)
    answer = Answer(kind.name)
    changes: dict[int, Row] = {}
    for number, raw in enumerate(sent.each):
        try:
            changes[number] = _read(plan, raw, zone, key, answer)
        except Refused as refused:
            answer.verdicts.append(refusal(number, key, refused.fault))
    _apply(plan, changes, may_write, answer)
    answer.verdicts = in_order(answer.verdicts)
    return answer


def _read(plan: Plan, raw: bytes | Raw, zone: tzinfo | None, key: UUID | None, answer: Answer) -> Row:
    json_columns = [name for name in plan.json_columns if name in plan.changeable]
    row, _ = read_row(raw, plan.change_decoder, plan.changeable, json_columns)
    settle_times(row, plan.time_columns, zone)
    leave_out(plan, row, answer)
    (name,) = plan.kind.key
    if key is not None:
        if row.setdefault(name, key) != key:
            raise Refused(name, "the address names another row", "Leave it out of the body.")
    elif row.get(name) is None and (plan.kind.rule != "alerts" or any(row.get(part) is None for part in ALERT_KEY)):
        raise Refused(name, "it is missing", f"Send {plan.known[name].expected}.")
    if plan.kind.rule == "alerts" and row.get(name) is not None:
        for part in ALERT_KEY:
            row.pop(part, None)
    if all(row.get(part) is None for part in plan.kind.finish):
        raise Refused("", "it changes nothing", f"Send one of {', '.join(plan.kind.finish)}.")
    return row


def _apply(plan: Plan, changes: dict[int, Row], may_write: MayWrite, answer: Answer) -> None:
    for _ in range(MOST_TRIES):
        try:
            with transaction.atomic(using=SOURCE), connections[SOURCE].cursor() as cursor:
                verdicts, now = _one_try(cursor, plan, changes, may_write)
        except DatabaseError as error:
            numbers = list(changes)
            guilty = faults.guilty(
                plan,
                list(changes.values()),
                error,
                lambda some: _probe(plan, {numbers[n]: changes[numbers[n]] for n in some}, may_write),  # noqa: B023
            )
            for place, fault in guilty.items():
                row = changes.pop(numbers[place])
                answer.verdicts.append(refusal(numbers[place], row.get(plan.kind.key[0]), fault))
            continue
        answer.verdicts += verdicts
        answer.received_at = now.isoformat()
        return
    raise busy("The changes break one rule of the table after the other, or other requests keep changing the rows.")


def _probe(plan: Plan, changes: dict[int, Row], may_write: MayWrite) -> DatabaseError | None:
    """What the database says to these changes alone; nothing is kept."""
    try:
        with transaction.atomic(using=SOURCE), connections[SOURCE].cursor() as cursor:
            _one_try(cursor, plan, changes, may_write)
            transaction.set_rollback(True, using=SOURCE)
    except DatabaseError as error:
        return error
    return None


def _one_try(cursor: Any, plan: Plan, changes: dict[int, Row], may_write: MayWrite) -> tuple[list[Verdict], datetime]:
    kind, (key,) = plan.kind, plan.kind.key
    wanted = {number: dict(row) for number, row in changes.items()}
    verdicts: dict[int, Verdict] = {}
    if kind.rule == "alerts" and (nameless := {n: row for n, row in wanted.items() if row.get(key) is None}):
        found = alerts.find_open(cursor, nameless)
        for number in nameless:
            if number in found:
                row = wanted[number]
                wanted[number] = {name: value for name, value in row.items() if name not in ALERT_KEY} | {
                    key: found[number]
                }
            else:
                fault = Fault(ALERT_KEY[0], "no alert is active for this host, device and type", "Send its id.")
                verdicts[number] = refusal(number, None, fault)
                del wanted[number]
    names = [name for name in plan.columns if any(name in row for row in wanted.values())]
    states, now = _look(cursor, plan, names, wanted)
    owners = Owners(plan, (), may_write)
    of_parents = parents({state[1] for state in states.values()}) if kind.owner else {}
    different = []
    for number, row in wanted.items():
        state = states.get(number)
        try:
            if state is None:
                raise Refused(key, NOT_THERE, "Store the row first, then change it.")
            host, team, differs, status = state
            owner: Owner = of_parents.get(team, (None, None)) if kind.owner else (host, team)
            if not owners.allows(owner):
                raise not_allowed(key)
            if kind.rule == "alerts" and row.get("status") == "active" and status != "active":
                raise Refused("status", "the alert is over", "Send a new alert.")
        except Refused as refused:
            verdicts[number] = refusal(number, row[key], refused.fault)
            continue
        verdicts[number] = Verdict(number, "updated" if differs else "already there", row[key])
        if differs:
            different.append(row)
    if different:
        setters = [f"{quoted(name)} = {_target(plan, name, names)}" for name in _set_names(plan, names)]
        if plan.keeps_updated_at:
            setters.append("updated_at = now()")
        # One statement for each row of the batch that is named several times would lose the later ones.
        for some in _rounds(different, key):
            cursor.execute(
                f"UPDATE {quoted(kind.table)} AS t SET {', '.join(setters)}"  # noqa: S608
                f" FROM json_to_recordset(%s) AS r ({plan.record(names)}) WHERE t.{quoted(key)} = r.{quoted(key)}",
                [as_json(some)],
            )
        if kind.rule == "steps":
            metrics.recount_kpis(cursor, plan, [row[key] for row in different])
    return list(verdicts.values()), now


def _rounds(rows: Sequence[Row], key: str) -> list[list[Row]]:
    """The rows in as few groups as it takes that none has a key twice, in order."""
    rounds: list[list[Row]] = []
    turn: dict[str, int] = {}
    for row in rows:
        number = turn.get(str(row[key]), 0)
        turn[str(row[key])] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(row)
    return rounds


def _set_names(plan: Plan, names: Sequence[str]) -> list[str]:
    found = [name for name in names if name in plan.kind.finish]
    if plan.kind.rule == "alerts" and "status" in names and "end_time" not in names and plan.has("end_time"):
        found.append("end_time")
    return found


def _target(plan: Plan, name: str, names: Sequence[str]) -> str:
    """SQL for what a column is to be, with `t` the row and `r` the change."""
    kind, column = plan.kind, quoted(name)
    if kind.rule == "alerts" and name == "end_time":
        # Resolved without an end, it ends now, once; and never less than a second after its start.
        given = f"r.{column}" if name in names else "NULL::timestamptz"
        end = f"coalesce({given}, t.{column}, now())"
        if "status" in names:
            end = f"CASE WHEN r.status = 'resolved' OR {given} IS NOT NULL THEN {end} ELSE t.{column} END"
        else:
            end = f"coalesce({given}, t.{column})"
        return f"CASE WHEN {end} IS NULL THEN NULL ELSE greatest({end}, t.start_time + interval '1 second') END"
    if name in kind.merge:
        return f"CASE WHEN r.{column} IS NULL THEN t.{column} ELSE coalesce(t.{column}, '{{}}') || r.{column} END"
    if name in kind.append:
        new = f"SELECT one FROM unnest(r.{column}) AS one WHERE one <> ALL (coalesce(t.{column}, '{{}}'))"  # noqa: S608
        return f"CASE WHEN r.{column} IS NULL THEN t.{column} ELSE coalesce(t.{column}, '{{}}') || ARRAY({new}) END"
    return f"coalesce(r.{column}, t.{column})"


def _look(
    cursor: Any, plan: Plan, names: Sequence[str], changes: dict[int, Row]
) -> tuple[dict[int, tuple[Any, Any, bool, Any]], datetime]:
    """Of each row that is there, by the number of its change: host, team (or the owner's id), whether it would differ,
    and its status. The rows are locked, in one order for everybody."""
    if not changes:
        cursor.execute("SELECT now()")
        return {}, cursor.fetchone()[0]
    kind, (key,) = plan.kind, plan.kind.key

    def column(name: str) -> str:
        return f"t.{quoted(name)}" if name and plan.has(name) else "NULL"

    differs = " OR ".join(
        f"t.{quoted(name)} IS DISTINCT FROM {_target(plan, name, names)}" for name in _set_names(plan, names)
    )
    sent = [row | {"change number": number} for number, row in changes.items()]
    cursor.execute(
        f'SELECT "change number", {column(kind.host)}, {column(kind.owner or kind.team)}, {differs or "false"},'  # noqa: S608
        f' {column("status")} FROM json_to_recordset(%s) AS r ("change number" integer, {plan.record(names)})'
        f" JOIN {quoted(kind.table)} AS t ON t.{quoted(key)} = r.{quoted(key)}"
        f" ORDER BY t.{quoted(key)} FOR UPDATE OF t",
        [msgspec.json.encode(sent).decode()],
    )
    states = {
        number: (host, team if team is None else UUID(str(team)), bool(differs), status)
        for number, host, team, differs, status in cursor.fetchall()
    }
    cursor.execute("SELECT now()")
    return states, cursor.fetchone()[0]
