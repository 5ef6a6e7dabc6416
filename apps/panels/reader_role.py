"""The login role that panels' SQL runs by, made on a database that the portal owns.

It may SELECT from the tables of the schema `public`, and nothing else: no other schema, so not the portal's own tables
when they live beside. PostgreSQL gives EXECUTE on its functions to everybody; where we have a superuser (the embedded
server) that is taken back for every volatile function that a query has no business with, from all but the database's
owner. Listed is what stays, so that a newer PostgreSQL's new functions are closed until somebody has looked at them.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from typing import Any, Final

import psycopg2
from psycopg2 import extensions, sql

SCHEMA: Final = "public"
LOCK: Final = 0x7670_746D_7061_6E65
"""Of the advisory lock under which processes make the role one after the other."""

OPEN_FUNCTIONS: Final = (
    "array_sample", "array_shuffle", "clock_timestamp", "current_query", "currval", "gen_random_uuid", "lastval",
    "nextval", "pg_blocking_pids", "pg_database_size", "pg_indexes_size", "pg_is_in_recovery", "pg_jit_available",
    "pg_lock_status", "pg_notification_queue_usage", "pg_partition_ancestors", "pg_partition_tree", "pg_relation_size",
    "pg_sequence_last_value", "pg_sleep", "pg_sleep_for", "pg_sleep_until", "pg_table_size", "pg_tablespace_size",
    "pg_total_relation_size", "random", "random_normal", "setseed", "setval", "timeofday", "uuidv4", "uuidv7",
)  # fmt: skip
"""Volatile functions that stay open to everybody: they give a value and change nothing. `nextval` and `setval`
need rights on the sequence, which the role lacks, and serial columns need them; sleep ends at the time limit."""

_CLOSE = """
DO $close$
DECLARE
    f regprocedure;
    owner regrole := (SELECT datdba FROM pg_database WHERE datname = current_database());
BEGIN
    FOR f IN
        SELECT p.oid FROM pg_proc p JOIN pg_type r ON r.oid = p.prorettype
         WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.provolatile = 'v' AND p.prokind = 'f'
           AND NOT p.proname = ANY (%s) AND p.proname NOT LIKE 'pg\\_stat\\_get\\_%%'
           -- What PostgreSQL calls by itself: triggers, handlers of access methods and languages.
           AND (r.typtype <> 'p' OR r.typname IN ('void', 'record', 'anyelement', 'anyarray'))
           AND NOT 'internal'::regtype = ANY (p.proargtypes)
           AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a
                                             WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE'))
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %%s TO %%s', f, owner);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %%s FROM PUBLIC', f);
    END LOOP;
END $close$
"""


def role_name(database: str) -> str:
    """The role's name: roles belong to a server, and a server may hold the databases of several portals."""
    return f"vptmonitor_reader_{hashlib.sha256(database.encode()).hexdigest()[:8]}"


def make_role(
    owner: Mapping[str, Any],
    superuser: Mapping[str, Any] | None,
    *,
    role: str,
    password: str,
    limits: Mapping[str, str] | None = None,
) -> bool:
    """Make the role `role` on the database of `owner` (libpq's parameters), or set it right; safe to repeat.

    With `superuser` the functions of the module's docstring are closed too. `limits` are settings that its sessions
    begin with. False when the owner may not make roles. Raises psycopg2.Error.
    """
    with contextlib.closing(psycopg2.connect(**owner)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT rolcreaterole OR rolsuper, rolsuper FROM pg_roles WHERE rolname = current_user")
            may_make, is_superuser = cursor.fetchone() or (False, False)
            if not may_make:
                return False
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            make_login(cursor, role, password)
            for name, value in (limits or {}).items():
                cursor.execute(
                    sql.SQL("ALTER ROLE {} SET {} = {}").format(
                        sql.Identifier(role), sql.Identifier(name), sql.Literal(value)
                    )
                )
            _grant(cursor, role)
        if superuser is None and is_superuser:
            superuser = owner
    if superuser is not None:
        with contextlib.closing(psycopg2.connect(**superuser)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            cursor.execute(_CLOSE, [list(OPEN_FUNCTIONS)])
    return True


def make_login(cursor: extensions.cursor, role: str, password: str) -> None:
    """Make the login role, or give it this password; it may nothing that its attributes or groups do not say."""
    # The verifier and not the password: a server may log statements.
    verifier = extensions.encrypt_password(password, role, scope=cursor.connection, algorithm="scram-sha-256")
    cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
    cursor.execute(
        # Who is no superuser may not name all attributes in ALTER, not even to leave them as they are.
        sql.SQL("ALTER ROLE {} LOGIN NOCREATEDB NOCREATEROLE CONNECTION LIMIT 32 PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(verifier)
        )
        if cursor.rowcount
        else sql.SQL(
            "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 32"
            " PASSWORD {}"
        ).format(sql.Identifier(role), sql.Literal(verifier))
    )
    for text in (
        "ALTER ROLE {role} SET default_transaction_read_only = on",
        "ALTER ROLE {role} SET search_path = {schema}",
    ):
        cursor.execute(sql.SQL(text).format(role=sql.Identifier(role), schema=sql.Identifier(SCHEMA)))


def _grant(cursor: extensions.cursor, role: str) -> None:
    names: dict[str, sql.Composable] = {"role": sql.Identifier(role), "schema": sql.Identifier(SCHEMA)}
    cursor.execute("SELECT quote_ident(current_database())")
    names["database"] = sql.SQL((cursor.fetchone() or ("",))[0])
    for text in (
        "GRANT CONNECT ON DATABASE {database} TO {role}",
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role}",
    ):
        cursor.execute(sql.SQL(text).format(**names))
