"""Django's PostgreSQL backend, grown by what the portal needs of a connection.

A DATABASES entry says in `PLACE` where its database is:

* `given`: at the address that the entry holds;
* `embedded`: on the portal's own server, which is started by the first connection (never by an import);
* `beside`: the portal's own tables live in the schema `vptmonitor` of the source's database, where the role may make
  such a schema; else on the embedded server (`placement` tells which it became).

A connection to a source that we do not own is read-only by its session (unless `SOURCE_ACCESS` is `write`) and has a
statement timeout. Both are set by statements after connecting, since poolers ignore start-up options.
"""

from __future__ import annotations

import threading
from typing import Any

import psycopg2
from django.conf import settings
from django.db import OperationalError
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import is_psycopg3

from vptmonitor.database.operations import DatabaseOperations
from vptmonitor.embedded import EmbeddedCluster

if is_psycopg3:  # pragma: no cover -- a test keeps it out of the lock file
    raise ImportError("psycopg 3 is installed; the portal runs on psycopg2 alone. Remove the package psycopg.")

PORTAL_SCHEMA = "vptmonitor"

_lock = threading.Lock()
_placements: dict[str, str] = {}


def placement(alias: str = "default") -> str:
    """Where the alias's tables really are: `given`, `embedded` or `schema`; the first call connects.

    Raises django.db.OperationalError.
    """
    with _lock:
        if alias not in _placements:
            _placements[alias] = _find_placement(alias)
        return _placements[alias]


def _find_placement(alias: str) -> str:
    entry = settings.DATABASES[alias]
    if entry["PLACE"] != "beside":
        return str(entry["PLACE"])
    try:
        connection = psycopg2.connect(
            dbname=entry["NAME"], user=entry["USER"], password=entry["PASSWORD"], host=entry["HOST"],
            port=entry["PORT"], **entry["OPTIONS"],
        )  # fmt: skip
    except psycopg2.OperationalError as error:
        raise OperationalError(*error.args) from error
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %s),"
                " has_database_privilege(current_database(), 'CREATE')",
                [PORTAL_SCHEMA],
            )
            usable, may_create = cursor.fetchone() or (None, False)
            if usable is None and may_create:
                cursor.execute("SET default_transaction_read_only = off")
                # Two processes may come here at once: the second finds the schema made.
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {PORTAL_SCHEMA}")
                usable = True
            return "schema" if usable else "embedded"
    finally:
        connection.close()


def embedded_cluster() -> EmbeddedCluster:
    """The portal's own server, not started by this call."""
    return EmbeddedCluster(settings.EMBEDDED_DIR, durable=settings.EMBEDDED_DURABLE)


def hold_embedded() -> None:
    """Where the source is on the embedded server: keep that up until this process ends, whatever it becomes by exec.

    Raises EmbeddedError.
    """
    if settings.DATABASES["source"]["PLACE"] == "embedded":
        embedded_cluster().hold(through_exec=True)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to `default` or `source`, by the rules of the module's docstring."""

    ops_class = DatabaseOperations

    @property
    def placement(self) -> str:
        """Where this connection's tables are: `given`, `embedded` or `schema`; it may connect to find out."""
        return placement(self.alias)

    def get_connection_params(self) -> dict[str, Any]:
        entry = self.settings_dict
        place = entry.get("PLACE", "given")
        if place == "beside":
            place = placement(self.alias)
        if place == "embedded":
            cluster = embedded_cluster()
            info = cluster.ensure_running()
            name = entry["NAME"] if entry["PLACE"] == "embedded" else "vptmonitor"
            if name in {"vptmonitor", "virtualpytest"}:
                cluster.ensure_database(name)
            connection = {"HOST": info.host, "PORT": str(info.port), "USER": info.user, "PASSWORD": info.password}
            self.settings_dict = entry = {**entry, **connection, "NAME": name}
        return super().get_connection_params()

    def init_connection_state(self) -> None:
        super().init_connection_state()
        with self.connection.cursor() as cursor:
            # PostgreSQL 14 and newer; asked of the catalogue, since older ones refuse an unknown name.
            cursor.execute(
                "SELECT set_config(name, '2s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'"
            )
            if self.settings_dict.get("PLACE") == "beside" and placement(self.alias) == "schema":
                # That schema alone: none of ours may land among the platform's tables.
                cursor.execute(f"SET search_path = {PORTAL_SCHEMA}")
            if self.alias == "source" and settings.SOURCE_ACCESS != "own":
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, false)", [str(settings.SOURCE_STATEMENT_TIMEOUT)]
                )
                if settings.SOURCE_ACCESS == "read":
                    cursor.execute("SET default_transaction_read_only = on")
        if not self.get_autocommit():
            self.connection.commit()
