"""What the source lets us do, and what it really applied of what we asked for."""

from __future__ import annotations

from typing import Any

import psycopg2
from django.apps import apps
from django.conf import settings
from django.db import connections

from apps.health.checks.databases import variable, why_away
from apps.health.findings import Verdict, failing, ok, warning
from apps.mirror.demo.presence import demo_rows_present
from apps.mirror.shape import shape_of

SETTINGS = ("default_transaction_read_only", "statement_timeout", "TimeZone", "search_path", "server_encoding")

RIGHTS = """
    SELECT count(*),
           coalesce(array_agg(relname::text ORDER BY relname)
                    FILTER (WHERE NOT has_table_privilege(oid, 'SELECT')), '{}'),
           coalesce(array_agg(relname::text ORDER BY relname)
                    FILTER (WHERE has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE')), '{}'),
           coalesce(array_agg(relname::text ORDER BY relname) FILTER (WHERE row_security_active(oid)), '{}')
      FROM pg_class
     WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid) AND relname = ANY(%s)
"""
ROLE = """
    SELECT current_user::text, rolsuper, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
      FROM pg_roles WHERE rolname = current_user
"""


def mirrored_tables() -> list[str]:
    """The platform's tables that the portal knows."""
    return [model._meta.db_table for model in apps.get_app_config("mirror").get_models()]


def session() -> Verdict:
    """The settings of our session, as the server says them and not as we sent them."""
    with connections["source"].cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(SETTINGS)])
        applied: dict[str, object] = dict(cursor.fetchall())
    if settings.SOURCE_ACCESS == "own":
        return ok("The portal owns this database: no limits are asked for.", **applied)
    if settings.SOURCE_ACCESS == "read" and applied["default_transaction_read_only"] != "on":
        return failing(
            "The session is not read-only, though only reading is wanted: the server did not keep what was asked for.",
            "Use a role that can only SELECT, and no pooler in transaction mode.",
            **applied,
        )
    if applied["statement_timeout"] != str(settings.SOURCE_STATEMENT_TIMEOUT):
        return failing(
            "Statements have another time limit than was asked for.", "Use no pooler in transaction mode.", **applied
        )
    seconds = settings.SOURCE_STATEMENT_TIMEOUT / 1000
    kept = "Read-only" if settings.SOURCE_ACCESS == "read" else "Writing allowed"
    return ok(f"{kept}, statements end after {seconds:g} s.", **applied)


def rights() -> Verdict:
    """What the role could do if the session let it."""
    with connections["source"].cursor() as cursor:
        cursor.execute(ROLE)
        role, superuser, may_create = cursor.fetchone() or ("", False, False)
        cursor.execute(RIGHTS, [mirrored_tables()])
        count, unreadable, writable, filtered = cursor.fetchone() or (0, [], [], [])
    details: dict[str, object] = {
        "role": role, "superuser": superuser, "tables": count, "writable_tables": len(writable),
        "unreadable_tables": ", ".join(unreadable), "row_security_on": ", ".join(filtered),
    }  # fmt: skip
    if unreadable:
        return failing(
            f"The role may not read {_tables(unreadable)}.", "Grant it SELECT on all tables of the schema.", **details
        )
    if filtered:
        return warning(
            f"Row-level security hides rows of {_tables(filtered)} from the role: pages may look empty.",
            "Give the role BYPASSRLS, or policies that let it read.",
            **details,
        )
    access = settings.SOURCE_ACCESS
    if access == "own" and not may_create:
        return failing("The role may not make tables, though SOURCE_ACCESS is own.", "Grant it CREATE.", **details)
    if access == "write" and len(writable) < count:
        return warning(
            f"The role can write {len(writable)} of {count} tables, though SOURCE_ACCESS is write.",
            "Grant it INSERT, UPDATE and DELETE, or set SOURCE_ACCESS=read.",
            **details,
        )
    if superuser and settings.SOURCE_ADDRESS is not None:
        return warning("The role is a superuser.", "Use a role that can do only what the portal needs.", **details)
    if access == "read" and writable:
        return warning(
            f"The role could write {len(writable)} of {count} tables; only the session keeps it from doing so.",
            "Use a role that can only SELECT.",
            **details,
        )
    return ok("It can only read." if access == "read" else "It can do what it should.", **details)


def _tables(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} tables"


def reader() -> Verdict:
    """The role by which panels' SQL is to run: can it be used, and can it really not write."""
    address = settings.SOURCE_READER_ADDRESS
    if address is None:
        if settings.SOURCE_ACCESS == "own":
            return ok("None is given: the portal makes roles that can only read its database.", given=False)
        return ok("None is given: SQL of dashboards is for people who may see all teams.", given=False)
    options: dict[str, Any] = {"connect_timeout": 3, "application_name": "vptmonitor checks", **address.parameters}
    try:
        connection = psycopg2.connect(
            host=address.host, port=address.port, dbname=address.name, user=address.user, password=address.password,
            **options,
        )  # fmt: skip
    except psycopg2.OperationalError as error:
        return why_away(error, "SOURCE_READER_URL")
    try:
        connection.set_session(readonly=True)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '2s'")
            cursor.execute(ROLE)
            role, superuser, may_create = cursor.fetchone() or ("", False, False)
            cursor.execute(RIGHTS, [mirrored_tables()])
            count, unreadable, writable, filtered = cursor.fetchone() or (0, [], [], [])
    finally:
        connection.close()
    details: dict[str, object] = {
        "role": role, "superuser": superuser, "may_create": may_create, "tables": count,
        "writable_tables": ", ".join(writable), "unreadable_tables": ", ".join(unreadable),
        "row_security_on": ", ".join(filtered),
    }  # fmt: skip
    if superuser or writable or may_create:
        what = "is a superuser" if superuser else "can write" if writable else "can make tables"
        return failing(f"The reader role {what}.", "Let SOURCE_READER_URL name a role that can only SELECT.", **details)
    if count == 0:
        return warning("The reader role sees none of the platform's tables.", "Grant it USAGE and SELECT.", **details)
    if unreadable:
        return warning(f"The reader role may not read {_tables(unreadable)}.", "Grant it SELECT.", **details)
    return ok("It can only read.", **details)


def shape() -> Verdict:
    """What the connected database lacks of the mirrored tables; pages show it as unknown."""
    found = shape_of()
    missing = sorted(set(found.gaps) - set(found.tables))
    columns = {table: ", ".join(sorted(gap)) for table, gap in found.gaps.items() if table in found.tables}
    if not found.gaps:
        return ok("All tables and columns are there.")
    if not found.tables:
        return failing(
            "None of the platform's tables is here, or the role may read none.",
            f"See whether {variable('source')} names the right database and a role with SELECT on its tables.",
        )
    count = sum(len(found.gaps[table]) for table in columns)
    parts = [f"{len(missing)} table{'s' * (len(missing) != 1)}"] if missing else []
    parts += [f"{count} column{'s' * (count != 1)}"] if columns else []
    # An installation that is older or newer than the portal is no fault: the pages know how to live with it.
    return ok(
        f"{' and '.join(parts)} of the platform are missing or unreadable here; pages show them as unknown. "
        "`manage.py check_source` lists them.",
        missing_tables=", ".join(missing),
        **columns,
    )


def demo() -> Verdict:
    """Are the rows made up, and does the lab behind them go on."""
    if not demo_rows_present():
        if settings.DEMO:
            return ok("On, and there are no made-up rows: `manage.py load_demo` makes some.")
        return ok("Off: nothing is made up.")
    if settings.DEMO:
        return ok("On: the rows are made up, and the worker keeps the lab alive.")
    return ok("Off, and made-up rows are there: `manage.py clear_demo` removes them.")
