"""Login roles for people who are limited to teams, on a database that the portal owns: one for each set of teams and
hosts that somebody may see.

A setting that SQL can change would be no boundary, so who asks is told by the login alone (`session_user`). A policy on
each table looks up that login's teams and hosts (`vptmonitor_panels.scopes`, which no reader can read or write) and
shows the rows of these: by `team_id`, else by `host_name`, else by the row that a foreign key names. Tables without any
of these, and views, which would read by their owner's rights, stay closed.

All login roles are members of one group, by which they hold their rights. The policies limit that group alone: for
everybody else nothing changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Mapping
from typing import Any, Final

import psycopg2
from psycopg2 import extensions, sql

from apps.accounts.scope import TeamScope
from apps.panels.reader_role import LOCK, SCHEMA, make_login

logger = logging.getLogger(__name__)

OWN_SCHEMA: Final = "vptmonitor_panels"
LIMIT_POLICY: Final = "vptmonitor_teams"
OPEN_POLICY: Final = "vptmonitor_everybody"
UNUSED_DAYS: Final = 30
"""A login that nobody asked for in this time is dropped: the teams or hosts of its people have changed."""

_OWN_OBJECTS: Final = """
CREATE SCHEMA IF NOT EXISTS {own};
REVOKE ALL ON SCHEMA {own} FROM PUBLIC;
CREATE TABLE IF NOT EXISTS {own}.scopes (
    role name PRIMARY KEY, teams uuid[] NOT NULL, hosts text[] NOT NULL, used_at timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON {own}.scopes FROM PUBLIC;
CREATE OR REPLACE FUNCTION {own}.teams() RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS 'SELECT s.teams FROM {own}.scopes s WHERE s.role = session_user';
CREATE OR REPLACE FUNCTION {own}.hosts() RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS 'SELECT s.hosts FROM {own}.scopes s WHERE s.role = session_user';
REVOKE ALL ON FUNCTION {own}.teams(), {own}.hosts() FROM PUBLIC;
GRANT USAGE ON SCHEMA {own}, {schema} TO {group};
GRANT EXECUTE ON FUNCTION {own}.teams(), {own}.hosts() TO {group}
"""
_TABLES: Final = """
SELECT c.relname, c.relrowsecurity,
       EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %(policy)s) AS limited,
       coalesce((SELECT array_agg(a.attname::text || ' ' || format_type(a.atttypid, NULL)) FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '{}') AS columns
  FROM pg_class c
 WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p')
   AND pg_has_role(current_user, c.relowner, 'USAGE')
"""
_REFERENCES: Final = """
SELECT child.relname, a.attname, parent.relname, b.attname
  FROM pg_constraint k
  JOIN pg_class child ON child.oid = k.conrelid
  JOIN pg_class parent ON parent.oid = k.confrelid
  JOIN pg_attribute a ON a.attrelid = child.oid AND a.attnum = k.conkey[1]
  JOIN pg_attribute b ON b.attrelid = parent.oid AND b.attnum = k.confkey[1]
 WHERE k.contype = 'f' AND cardinality(k.conkey) = 1 AND a.attnotnull
   AND child.relnamespace = %(schema)s::regnamespace AND parent.relnamespace = %(schema)s::regnamespace
 ORDER BY child.relname, a.attnum
"""
_EXPOSED: Final = """
SELECT c.oid::regclass::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%%'
   AND has_schema_privilege(%(group)s, n.oid, 'USAGE') AND has_any_column_privilege(%(group)s, c.oid, 'SELECT')
   AND NOT (c.relrowsecurity
            AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %(policy)s))
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                             AND d.deptype = 'e')
UNION ALL
SELECT f.oid::regprocedure::text
  FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
 WHERE f.prosecdef AND n.nspname <> %(own)s AND has_schema_privilege(%(group)s, n.oid, 'USAGE')
   AND has_function_privilege(%(group)s, f.oid, 'EXECUTE')
 ORDER BY 1
"""


def group_name(database: str) -> str:
    """The group's name on the server, which may hold the databases of several portals."""
    return f"vptmonitor_teams_{_digest(database)}"


def team_role_name(database: str, scope: TeamScope) -> str:
    """The name of the login for what `scope` may see: another set, another name."""
    teams, hosts = _members(scope)
    return f"{group_name(database)}_{_digest(*teams, '', *hosts)}"


def make_team_role(owner: Mapping[str, Any], scope: TeamScope, *, password: str) -> bool:
    """Make the login of `team_role_name` on the database of `owner` (libpq's parameters, may make roles), with the
    group and the policies that it needs; safe to repeat.

    False when something that everybody may read would show other teams' rows; the log names it. Raises psycopg2.Error.
    """
    database = str(owner["dbname"])
    names = {"own": OWN_SCHEMA, "group": group_name(database), "policy": LIMIT_POLICY, "schema": SCHEMA}
    teams, hosts = _members(scope)
    with contextlib.closing(psycopg2.connect(**owner)) as connection, connection.cursor() as cursor:
        # Each statement for itself, in an order in which none shows rows too many: locks on several tables at once
        # could meet those of whoever writes now. Nobody waits for us for long.
        connection.autocommit = True
        cursor.execute("SET lock_timeout = '2s'")
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %(group)s", names)
        if not cursor.rowcount:
            cursor.execute(_named("CREATE ROLE {group} NOLOGIN", names))
        cursor.execute(_named(_OWN_OBJECTS, names))
        _limit_tables(cursor, names)
        cursor.execute(_EXPOSED, names)
        if exposed := [name for (name,) in cursor.fetchall()]:
            logger.warning("panels stay closed to people limited to teams: everybody may read %s", ", ".join(exposed))
            return False
        _drop_unused(cursor, names)
        role = team_role_name(database, scope)
        make_login(cursor, role, password)
        cursor.execute(_named("GRANT {group} TO {role}", {**names, "role": role}))
        cursor.execute(
            _named(
                "INSERT INTO {own}.scopes (role, teams, hosts) VALUES (%s, %s::uuid[], %s)"
                " ON CONFLICT (role) DO UPDATE SET teams = EXCLUDED.teams, hosts = EXCLUDED.hosts, used_at = now()",
                names,
            ),
            [role, teams, hosts],
        )
    return True


def _members(scope: TeamScope) -> tuple[list[str], list[str]]:
    return sorted(map(str, scope.team_ids)), sorted(scope.host_names)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _named(text: str, names: Mapping[str, str]) -> sql.Composed:
    return sql.SQL(text).format(**{name: sql.Identifier(value) for name, value in names.items()})


def _limit_tables(cursor: extensions.cursor, names: Mapping[str, str]) -> None:
    """Let the group read each table that has a rule, through it; tables that are limited already are left alone."""
    cursor.execute(_TABLES, names)
    tables = cursor.fetchall()
    rules = {table: rule for table, _, _, columns in tables if (rule := _rule(table, columns))}
    cursor.execute(_REFERENCES, names)
    direct = set(rules)
    for child, column, parent, key in cursor.fetchall():
        if parent in direct and child not in rules:
            rules[child] = _named(
                "EXISTS (SELECT FROM {schema}.{parent} p WHERE p.{key} = {child}.{column})",
                {**names, "parent": parent, "key": key, "child": child, "column": column},
            )
    for table, secured, limited, _ in tables:
        rule, on = rules.get(table), {**names, "table": table, "open": OPEN_POLICY}
        if rule is None:
            cursor.execute(_named("REVOKE ALL ON {schema}.{table} FROM {group}", on))
            continue
        if not secured:
            # Who had rights on the table keeps seeing all of it; the owner is under no policy at all.
            cursor.execute(_named("DROP POLICY IF EXISTS {open} ON {schema}.{table}", on))
            cursor.execute(_named("CREATE POLICY {open} ON {schema}.{table} USING (true) WITH CHECK (true)", on))
            cursor.execute(_named("ALTER TABLE {schema}.{table} ENABLE ROW LEVEL SECURITY", on))
        if not limited:
            limit = "CREATE POLICY {policy} ON {schema}.{table} AS RESTRICTIVE FOR SELECT TO {group} USING ("
            cursor.execute(_named(limit, on) + rule + sql.SQL(")"))
        cursor.execute(_named("GRANT SELECT ON {schema}.{table} TO {group}", on))


def _rule(table: str, columns: list[str]) -> sql.Composable | None:
    """Which rows of a table belong to the login, by its columns (`name type`); None where they do not say it."""
    # In a subquery of their own: they are computed once and an index can serve.
    teams, hosts = f"(SELECT {OWN_SCHEMA}.teams())::uuid[]", f"(SELECT {OWN_SCHEMA}.hosts())::text[]"
    if "team_id uuid" in columns:
        return sql.SQL(f"team_id = ANY ({teams})")
    if "host_name text" in columns or "host_name character varying" in columns:
        return sql.SQL(f"host_name = ANY ({hosts})")
    return sql.SQL(f"id = ANY ({teams})") if table == "teams" and "id uuid" in columns else None


def _drop_unused(cursor: extensions.cursor, names: Mapping[str, str]) -> None:
    cursor.execute(
        _named("DELETE FROM {own}.scopes WHERE used_at < now() - %s * interval '1 day' RETURNING role", names),
        [UNUSED_DAYS],
    )
    for (role,) in cursor.fetchall():
        cursor.execute(_named("DROP ROLE IF EXISTS {role}", {"role": role}))
