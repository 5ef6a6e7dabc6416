"""Run one query of a panel: contained, limited, shared and written down.

`run` is all that callers need. See `statement` for what is refused, `reader` for whose rights it has, `pool` for the
connections and `cache` for who shares an answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg2
from psycopg2 import errors as pg

from apps.accounts.scope import TeamScope
from apps.panels.cache import Answers
from apps.panels.errors import PanelError
from apps.panels.frames import Column
from apps.panels.pool import Connection, Login, Pool, Stop, Stopped
from apps.panels.reader import reader_for
from apps.panels.statement import TOO_LARGE, checked, looks_like_query, single_query

logger = logging.getLogger(__name__)

GRACE_SECONDS: Final = 0.5
"""How much later than the server's own limit the portal ends a query: SQL can lift the first, never the second."""
CACHE_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Query:
    """`sql` as it is to run, variables and macros filled in. `source` names what asks, for the log (`uid/3/A`); the
    answer is shown again for `keep_seconds` (see `cache.keep_seconds`)."""

    sql: str
    source: str = ""
    keep_seconds: float = 0


@dataclass(frozen=True)
class Who:
    """For whom a query runs: a name for the log, and what that person may see."""

    name: str
    scope: TeamScope


@dataclass(frozen=True)
class Limits:
    """Seconds from the moment that a connection is free, and as many to wait for one; rows (more are cut off, with a
    notice) and bytes (more are an error) of the answer."""

    seconds: float = 15
    rows: int = 50_000
    bytes: int = 32 * 1024 * 1024


@dataclass(frozen=True)
class Result:
    """What a query gave. `rows` may be shared with others: never change them.

    `duration_ms` is the database's time as the portal saw it, `age_seconds` how old the answer is (0 when fresh),
    `bytes` its size in the database; `notices` are sentences for the viewer.
    """

    columns: tuple[Column, ...]
    rows: Sequence[tuple[Any, ...]]
    duration_ms: float
    age_seconds: float = 0.0
    notices: tuple[str, ...] = ()
    bytes: int = 0


pool: Final = Pool()
answers: Final[Answers[Result]] = Answers(capacity=CACHE_BYTES, weigh=lambda result: 2 * result.bytes)


def run(query: Query, *, who: Who, limits: Limits = Limits(), cancelled: Stop | None = None) -> Result:
    """The rows of `query`, from the database or, when somebody has just asked the same, from memory.

    `cancelled` tells whether the viewer has left; it is called about 20 times a second, also by other threads. A query
    whose viewers have all left is cancelled in the database. Raises PanelError.
    """
    stop = cancelled or _never
    began = time.monotonic()
    outcome, rows, age = "ok", 0, 0.0
    try:
        login = reader_for(who.scope)
        statement = single_query(query.sql, by_portal=login.is_portals)

        def ask(everybody_left: Stop) -> Result:
            return execute(login, statement, limits=limits, stop=everybody_left)

        key = (login.key, statement, limits)
        result, age = answers.get(key, ask, keep=query.keep_seconds, stop=stop, stopped=_left)
        rows = len(result.rows)
        return replace(result, age_seconds=age)
    except PanelError as error:
        outcome = f"{error.kind} {error.sqlstate}".rstrip()
        raise
    finally:
        # Neither the text of the query nor the database's message: both can hold values.
        logger.log(
            logging.INFO if outcome == "ok" else logging.WARNING,
            "panel query %s for %s: %s, %d rows, %.0f ms, age %.0f s",
            query.source or "-", who.name, outcome, rows, (time.monotonic() - began) * 1000, age,
        )  # fmt: skip


def execute(login: Login, statement: str, *, limits: Limits, stop: Stop) -> Result:
    """Run `statement` (from `single_query`) by `login`, with nothing kept. Raises PanelError."""
    text, offset = checked(statement, rows=limits.rows, size=limits.bytes)
    try:
        return _on_connection(login, text, limits, stop)
    except Stopped as stopped:
        raise _too_slow(limits) if stopped.late else _left() from None
    except psycopg2.Error as error:
        raise _explained(error, statement, offset, limits) from None
    except (ValueError, OverflowError):
        # Dates before the year 1 or after 9999, and infinity.
        raise PanelError(
            "sql",
            "A value cannot be shown: a date or time that is out of range.",
            fix="Leave such rows out, or turn the column into text (::text).",
        ) from None


def _on_connection(login: Login, text: str, limits: Limits, stop: Stop) -> Result:
    waiting_until = time.monotonic() + limits.seconds
    for attempt in (1, 2):
        with pool.connection(login, deadline=waiting_until, stop=stop) as connection:
            deadline = time.monotonic() + limits.seconds + GRACE_SECONDS
            try:
                _begin(connection, limits, deadline, stop)
            except psycopg2.Error:
                # The server was restarted while the connection lay idle, and all the others with it.
                if attempt == 1 and connection.spoiled:
                    pool.forget(login)
                    continue
                raise
            return _fetch(connection, text, limits, deadline, stop)
    raise AssertionError("unreachable")


def _begin(connection: Connection, limits: Limits, deadline: float, stop: Stop) -> None:
    """Begin the transaction. A message of its own: how the next one is read depends on these settings."""
    milliseconds = max(1, round(limits.seconds * 1000))
    settings = {
        "statement_timeout": str(milliseconds),
        "lock_timeout": str(min(milliseconds, 2000)),
        "idle_in_transaction_session_timeout": "30000",
        "standard_conforming_strings": "on",
        "TimeZone": "UTC",
        "DateStyle": "ISO, MDY",
        "IntervalStyle": "postgres",
        "extra_float_digits": "1",
    }
    if connection.raw.server_version >= 140000:
        settings["client_connection_check_interval"] = "2000"
    local = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())
    connection.execute(f"BEGIN READ ONLY; {local}", deadline=deadline, stop=stop).close()


def _fetch(connection: Connection, text: str, limits: Limits, deadline: float, stop: Stop) -> Result:
    began = time.monotonic()
    with connection.execute(text, deadline=deadline, stop=stop) as cursor:
        rows = cursor.fetchall()
        columns = tuple(Column(each.name, each.type_code) for each in (cursor.description or ())[:-1])
    size = int(rows[-1][-1]) if rows else 0
    notices: tuple[str, ...] = ()
    if len(rows) > limits.rows:
        rows = rows[: limits.rows]
        notices = (f"Only the first {limits.rows:,} rows are shown; the query has more.",)
    plain = [row[:-1] for row in rows]
    return Result(columns, plain, (time.monotonic() - began) * 1000, notices=notices, bytes=size)


def _explained(error: psycopg2.Error, statement: str, offset: int, limits: Limits) -> PanelError:
    state = error.pgcode or ""
    if isinstance(error, pg.QueryCanceled):
        return _too_slow(limits)
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError) and not state.startswith(("53", "54")):
        return PanelError(
            "unavailable",
            "The connection to the database broke.",
            fix="Reload the panel; the health page says more about the source.",
            sqlstate=state,
        )
    message = (error.diag.message_primary or str(error).strip() or type(error).__name__).strip()
    if TOO_LARGE in message:
        return PanelError(
            "too_large",
            f"The answer is larger than {limits.bytes / 2**20:.0f} MB.",
            fix="Ask for fewer columns or rows, or for totals.",
            sqlstate=state,
        )
    if not looks_like_query(statement):
        return PanelError(
            "refused", "A panel runs one query (SELECT, WITH, VALUES), nothing else.", fix="Edit the panel's query.",
            sqlstate=state,
        )  # fmt: skip
    if isinstance(error, pg.InvalidCursorDefinition):
        return PanelError("refused", "A panel runs one query that returns rows.", fix=_EDIT, sqlstate=state)
    position = _position(error, statement, offset)
    if isinstance(error, pg.SyntaxError) and position is not None and position > len(statement):
        # PostgreSQL names what it met there, which is ours.
        message = "syntax error at the end of the query"
    fix = next((text for kinds, text in _FIXES if isinstance(error, kinds)), "")
    return PanelError("sql", message, position=position, fix=fix, sqlstate=state)


def _position(error: psycopg2.Error, statement: str, offset: int) -> int | None:
    inside, whole = error.diag.internal_position, error.diag.statement_position
    if inside and (error.diag.internal_query or "").strip() == statement.strip():
        # The text of the check begins with a line break.
        found = int(inside) - 1
    elif whole:
        found = int(whole) - offset
    else:
        return None
    return min(max(found, 1), len(statement) + 1)


def _too_slow(limits: Limits) -> PanelError:
    return PanelError(
        "timeout",
        f"The query took longer than {limits.seconds:g} seconds and was stopped.",
        fix="Choose a shorter time range.",
        sqlstate="57014",
    )


def _left() -> PanelError:
    return PanelError("cancelled", "Nobody waits for this panel any more; its query was stopped.")


def _never() -> bool:
    return False


_EDIT: Final = "Edit the panel's query."
_FIXES: Final[tuple[tuple[tuple[type[psycopg2.Error], ...], str], ...]] = (
    (
        (pg.UndefinedTable, pg.UndefinedColumn),
        "The connected database lacks it: `manage.py check_source` lists what it lacks.",
    ),
    ((pg.UndefinedFunction,), "Compare the types of the values, and the name of the function."),
    ((pg.InsufficientPrivilege,), "Panels may only read the platform's tables."),
    ((pg.ReadOnlySqlTransaction,), "Panels may only read."),
    ((pg.SyntaxError,), _EDIT),
    ((pg.LockNotAvailable,), "Somebody is changing the table; reload the panel in a moment."),
    ((pg.DivisionByZero,), "Divide by NULLIF(…, 0)."),
)
