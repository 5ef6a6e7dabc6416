"""From an error of the database to the rows that are at fault, so that their neighbours can be stored.

A rule of the table that is broken is asked about all rows at once. For what cannot be told from a rule (a trigger, an
expression) halves of the batch are tried until single rows remain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from django.db import DatabaseError, connections, transaction

from apps.accounts.problems import Problem
from apps.ingest.plan import Plan, Rule, quoted
from apps.ingest.rows import Row
from apps.ingest.verdicts import Fault
from apps.mirror.shape import SOURCE, forget

Guilty = dict[int, Fault]
Probe = Callable[[Sequence[int]], DatabaseError | None]
MOST_PROBES: Final = 64

_TRY_AGAIN: Final = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATE of serialization_failure, deadlock_detected, lock_not_available."""
_UNIQUE: Final = "23505"
_CHANGED: Final = frozenset({"42P01", "42703"})
_OF_ROWS: Final = ("22", "23", "44", "54", "P0")
"""Classes of SQLSTATE that are the rows' fault: data, integrity, views, limits, triggers."""


def guilty(plan: Plan, rows: Sequence[Row], error: DatabaseError, probe: Probe) -> Guilty:
    """The numbers of the rows that `error` is about, each with what to say; empty when it is worth trying again.

    Raises Problem where the batch as a whole cannot be stored, and `error` itself where the database is away.
    """
    code = getattr(error.__cause__, "pgcode", None) or ""
    if code in _TRY_AGAIN:
        return {}
    _refuse_whole(plan, code, error)
    found = _by_rule(plan, rows, code, error)
    if not found and code == _UNIQUE and probe(range(len(rows))) is None:
        # A partial index, and somebody who writes past the door was in the way: now there is room.
        return {}
    found = found or _by_halves(range(len(rows)), error, probe)
    if not found:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The database refuses the batch", _said(error))
    return found


def _refuse_whole(plan: Plan, code: str, error: DatabaseError) -> None:
    table = plan.kind.table
    if code == "42501":
        detail = f"The portal's role may not write the table {table}: GRANT INSERT, UPDATE ON {table} to it."
        raise Problem(HTTPStatus.FORBIDDEN, "Not allowed", detail)
    if code == "25006":
        detail = "The database takes no writes: it is a standby, or its role's transactions are read-only."
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Read-only", detail)
    if code == "42P10":
        detail = (
            f"The table {table} has no unique constraint on {', '.join(plan.kind.key)}, by which rows are known again."
        )
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "A constraint is missing", detail)
    if code in _CHANGED:
        forget()
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "The table has changed", "Nothing was stored: send it again.")
    if code == "57014":
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too slow", "The database took too long. Nothing was stored.")
    if code in {"53100", "53200"}:
        raise Problem(HTTPStatus.INSUFFICIENT_STORAGE, "No room", "The database has no room left. Nothing was stored.")
    if not code.startswith(_OF_ROWS):
        raise error


def _by_rule(plan: Plan, rows: Sequence[Row], code: str, error: DatabaseError) -> Guilty:
    diagnosis = error.__cause__.diag  # type: ignore[union-attr]
    if diagnosis.table_name != plan.kind.table:
        return {}
    if code == "23502" and (column := plan.columns.get(diagnosis.column_name)) is not None:
        fault = Fault(column.name, "it is missing", f"Send {column.expected}.")
        return {number: fault for number, row in enumerate(rows) if row.get(column.name) is None}
    rule = plan.rules.get(diagnosis.constraint_name or "")
    if rule is None or not rule.columns or not all(plan.has(name) for name in rule.columns):
        return {}
    match rule.type:
        case "c":
            allowed = rule.check if len(rule.check) <= 300 else f"{rule.check[:299]}…"
            fault = Fault(rule.columns[0], "the table does not allow this value", f"It allows: {allowed}.")
            return dict.fromkeys(_matching(plan, rows, rule, f"NOT ({rule.check.replace('%', '%%')})"), fault)
        case "f":
            pairs = zip(rule.columns, rule.target, strict=True)
            match = " AND ".join(f"there.{quoted(target)} = r.{quoted(name)}" for name, target in pairs)
            condition = f"NOT EXISTS (SELECT FROM {rule.table} AS there WHERE {match})"
            given = " AND ".join(f"r.{quoted(name)} IS NOT NULL" for name in rule.columns)
            fault = Fault(rule.columns[0], f"no row of {rule.table} has this id", "Store that row first.")
            return dict.fromkeys(_matching(plan, rows, rule, f"{given} AND {condition}"), fault)
        case _:
            match = " AND ".join(f"there.{quoted(name)} = r.{quoted(name)}" for name in rule.columns)
            condition = f"EXISTS (SELECT FROM {quoted(plan.kind.table)} AS there WHERE {match})"
            said = ", ".join(rule.columns)
            fault = Fault(rule.columns[0], f"another row has the same {said}", "Send a value of its own.")
            return dict.fromkeys({*_matching(plan, rows, rule, condition), *_twins(rows, rule)}, fault)


def _twins(rows: Sequence[Row], rule: Rule) -> list[int]:
    """Rows that have the same values as an earlier one of the batch."""
    seen, found = set(), []
    for number, row in enumerate(rows):
        key = tuple(row.get(name) for name in rule.columns)
        if None not in key and key in seen:
            found.append(number)
        seen.add(key)
    return found


def _matching(plan: Plan, rows: Sequence[Row], rule: Rule, condition: str) -> list[int]:
    """Numbers of the rows for which `condition` holds, in which `r` is the row as it would be stored."""
    names = rule.columns
    given = [{name: row.get(name) for name in names} | {"row number": number} for number, row in enumerate(rows)]
    chosen = ", ".join(
        f"coalesce({quoted(name)}, {default.replace('%', '%%')}) AS {quoted(name)}"
        if (default := plan.columns[name].default)
        else quoted(name)
        for name in names
    )
    sql = (
        f'SELECT "row number" FROM (SELECT "row number", {chosen} FROM json_to_recordset(%s)'  # noqa: S608
        f' AS given ("row number" integer, {plan.record(names)})) AS r WHERE {condition}'
    )
    with transaction.atomic(using=SOURCE), connections[SOURCE].cursor() as cursor:
        cursor.execute(sql, [msgspec.json.encode(given).decode()])
        return [number for (number,) in cursor.fetchall()]


def _by_halves(numbers: Sequence[int], error: DatabaseError, probe: Probe) -> Guilty:
    found: Guilty = {}
    left: list[tuple[Sequence[int], DatabaseError]] = [(numbers, error)]
    for _ in range(MOST_PROBES):
        if not left:
            return found
        some, said = left.pop()
        if len(some) == 1:
            found[some[0]] = Fault(
                "", f"the database refuses the row: {_said(said)}", "Mend the row, or the table's rule."
            )
            continue
        middle = len(some) // 2
        for half in (some[:middle], some[middle:]):
            if (problem := probe(half)) is not None:
                left.append((half, problem))
    return found if not left else {}


def _said(error: DatabaseError) -> str:
    """The first line of what the database says, which names no value."""
    diagnosis: Any = getattr(error.__cause__, "diag", None)
    text: Mapping[str, str] | str = getattr(diagnosis, "message_primary", None) or str(error).partition("\n")[0]
    return str(text)[:200]
