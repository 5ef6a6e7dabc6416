"""What a database that the portal owns gets, so that it tells of changes whoever makes them: a table of events, and on
each table that takes part triggers that fill it and wake those who listen.

The triggers run once for a statement, over all the rows that it touched, and write one event for each team or host. A
transaction wakes listeners once, with an empty message: who listens asks for the events after its position. They run
by the rights of their owner, since the platform writes by roles of its own. A write must not fail since somebody
dropped a column that they name: then only those who see everything hear of it, and of no ids. (Reading in a block of
its own costs next to nothing; writing there would number a subtransaction each time.)

Done after every `migrate`; where all is as it should be, that is one question. On the platform's database everything
is in a schema of its own, which no reader may use.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.db import OperationalError, connections, transaction

from apps.live.events import MOST_IDS
from apps.live.tables import PORTAL, LiveTable, live_tables
from apps.mirror.shape import SOURCE

logger = logging.getLogger(__name__)

OWN_SCHEMA: Final = "vptmonitor_live"
"""Of the events in the platform's database; in the portal's own they are among its tables."""
LOCK: Final = 0x7670_746D_6C69_7665
"""Of the advisory lock under which processes install one after the other."""
TRIGGER: Final = "vptmonitor_live"

_BASE: Final = """
CREATE TABLE IF NOT EXISTS {schema}.live_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    topic text NOT NULL,
    op text NOT NULL,
    team uuid,
    host text,
    everybody boolean NOT NULL DEFAULT false,
    ids text[] NOT NULL DEFAULT '{{}}',
    rows bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS live_event_xid ON {schema}.live_event (xid, id);
CREATE TABLE IF NOT EXISTS {schema}.live_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    identity uuid NOT NULL DEFAULT gen_random_uuid(),
    pruned xid8 NOT NULL DEFAULT '0'
);
INSERT INTO {schema}.live_state DEFAULT VALUES ON CONFLICT DO NOTHING;
REVOKE ALL ON {schema}.live_event, {schema}.live_state FROM PUBLIC
"""
_RESTORED: Final = """
WITH gone AS (DELETE FROM {schema}.live_event WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) RETURNING 1)
UPDATE {schema}.live_state SET identity = gen_random_uuid(), pruned = '0'
 WHERE pruned >= pg_snapshot_xmax(pg_current_snapshot()) OR EXISTS (SELECT FROM gone)
"""
"""Transactions of the future: this is a copy of another server's database, and begins a history of its own."""
_FUNCTION: Final = """
CREATE OR REPLACE FUNCTION {schema}.{function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $live$
DECLARE
    found_rows jsonb;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO {schema}.live_event (topic, op, everybody, rows) VALUES ({topic}, 'truncate', true, 0);
    ELSE
        BEGIN
            SELECT jsonb_agg(jsonb_build_object('team', g.team, 'host', g.host, 'ids', g.ids, 'rows', g.rows))
              INTO found_rows
              FROM (SELECT team, host, {ids} AS ids, count(*) AS rows
                      FROM (SELECT {key}::text AS key, {team} AS team, {host} AS host FROM touched r) t
                     GROUP BY team, host) g;
        EXCEPTION WHEN undefined_column OR undefined_table THEN
            SELECT jsonb_agg(jsonb_build_object('rows', g.rows)) INTO found_rows
              FROM (SELECT count(*) AS rows FROM touched) g WHERE g.rows > 0;
        END;
        INSERT INTO {schema}.live_event (topic, op, team, host, everybody, ids, rows)
        SELECT {topic}, lower(TG_OP), f.team, f.host, {everybody}, coalesce(f.ids, '{{}}'), f.rows
          FROM jsonb_to_recordset(found_rows) AS f (team uuid, host text, ids text[], rows bigint);
    END IF;
    IF FOUND THEN
        PERFORM pg_notify({channel}, '');
    END IF;
    RETURN NULL;
END $live$;
REVOKE ALL ON FUNCTION {schema}.{function}() FROM PUBLIC;
COMMENT ON FUNCTION {schema}.{function}() IS {comment}
"""
_EVENTS: Final = {
    "insert": "REFERENCING NEW TABLE AS touched",
    "update": "REFERENCING NEW TABLE AS touched",
    "delete": "REFERENCING OLD TABLE AS touched",
    "truncate": "",
}
_TRIGGER: Final = """
CREATE OR REPLACE TRIGGER {name} AFTER {event} ON {table} {referencing}
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.{function}()
"""
_INSTALLED: Final = """
SELECT c.relname, obj_description(p.oid, 'pg_proc')
  FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE t.tgname LIKE %s AND c.relnamespace = current_schema()::regnamespace
 GROUP BY c.relname, p.oid HAVING count(*) = %s
"""
_TABLES: Final = """
SELECT relname FROM pg_class
 WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND relname = ANY (%s)
"""


def owned(alias: str) -> bool:
    """Whether the portal may make tables and triggers there."""
    return alias == PORTAL or (alias == SOURCE and settings.SOURCE_ACCESS == "own")


def schema_of(alias: str) -> str:
    """The schema of the events. Raises django.db.Error when the database cannot be asked."""
    if alias == SOURCE:
        return OWN_SCHEMA
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str((cursor.fetchone() or ("public",))[0])


def channel_of(schema: str) -> str:
    """The name that listeners wait on; two schemas of one database have each their own."""
    return f"vptmonitor_live_{schema}"[:63]


def after_migrate(using: str, **_: Any) -> None:
    """Receiver of `post_migrate`."""
    if using in {PORTAL, SOURCE} and owned(using):
        install(using)


def install(alias: str) -> list[str]:
    """Make what is missing; the names of the tables that now have triggers and had none, or old ones.

    A table that somebody holds for long keeps what it has: the log names it, and the next `migrate` tries again.
    Raises django.db.Error.
    """
    connection = connections[alias]
    with connection.cursor() as cursor:
        schema = schema_of(alias)
        _base(cursor, alias, connection.ops.quote_name(schema))
        waiting = missing(alias)
    made = []
    for table in waiting:
        try:
            with transaction.atomic(using=alias), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
                for statement in _statements(table, schema, connection.ops.quote_name):
                    cursor.execute(statement)
        except OperationalError as error:
            logger.warning("%s does not tell of its changes yet: %s", table.name, str(error).splitlines()[0])
        else:
            made.append(table.name)
    return made


def missing(alias: str) -> list[LiveTable]:
    """The tables that are there and should tell of their changes, and do not, or by an older rule."""
    with connections[alias].cursor() as cursor:
        schema = schema_of(alias)
        cursor.execute(_TABLES, [[table.name for table in live_tables(alias)]])
        there = {name for (name,) in cursor.fetchall()}
        cursor.execute(_INSTALLED, [f"{TRIGGER}%", len(_EVENTS)])
        installed = dict(cursor.fetchall())
    quote = connections[alias].ops.quote_name
    return [
        table
        for table in live_tables(alias)
        if table.name in there and installed.get(table.name) != _version(table, schema, quote)
    ]


def _base(cursor: Any, alias: str, schema: str) -> None:
    cursor.execute("SELECT to_regclass(%s), to_regclass(%s)", [f"{schema}.live_event", f"{schema}.live_state"])
    if None in (cursor.fetchone() or (None,)):
        with transaction.atomic(using=alias):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            if alias == SOURCE:
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
                cursor.execute(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")
            cursor.execute(_BASE.format(schema=schema))
    cursor.execute(_RESTORED.format(schema=schema))


def _statements(table: LiveTable, schema: str, quote: Any) -> Sequence[str]:
    function = _function(table, schema, quote)
    return [
        _FUNCTION.format(**function, comment=_literal(_version(table, schema, quote))),
        *(
            _TRIGGER.format(
                **function, name=quote(f"{TRIGGER}_{event}"), event=event.upper(), referencing=referencing,
                table=quote(table.name),
            )
            for event, referencing in _EVENTS.items()
        ),
    ]  # fmt: skip


def _version(table: LiveTable, schema: str, quote: Any) -> str:
    """A digest of what the table's function should be."""
    text = _FUNCTION.format(**_function(table, schema, quote), comment="")
    return hashlib.sha256(f"{text}{_TRIGGER}{_EVENTS}".encode()).hexdigest()[:16]


def _function(table: LiveTable, schema: str, quote: Any) -> dict[str, Any]:
    """The parts of the statements. Names are those of models, quoted; no value of a row is among them."""
    team = f"r.{quote(table.team)}" if table.team else "NULL::uuid"
    if table.through:
        column, parent, key = (quote(name) for name in table.through)
        team = f"(SELECT p.{quote(table.team)} FROM public.{parent} p WHERE p.{key} = r.{column})"  # noqa: S608
    return {
        "schema": quote(schema),
        "function": quote(f"live_of_{table.name}"[:63]),
        "topic": _literal(table.name),
        "channel": _literal(channel_of(schema)),
        "key": f"r.{quote(table.key)}",
        "team": team,
        "host": f"r.{quote(table.host)}" if table.host else "NULL::text",
        "everybody": "f.team IS NULL" if table.open and table.team else str(table.open).lower(),
        "ids": "'{}'::text[]" if table.open and not table.team else f"(array_agg(key))[1:{MOST_IDS}]",
    }


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
