"""By which login Grafana reads the platform's database. Grafana runs whatever SQL its users send, so it gets one that
can only SELECT, or none.

* `GRAFANA_READER_URL` names it, else `SOURCE_READER_URL`;
* on a database that we own the portal makes a role, for Grafana alone; its password follows from `SECRET_KEY`;
* else the source's own login, when the database says that it can only read;
* else none: `manage.py reader_role_sql` prints the SQL that makes one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final, Protocol

from django.conf import settings
from django.db import connections
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from apps.grafana.configuration import Postgres
from apps.panels.reader_role import make_role

SOURCE: Final = "source"
LIMITS: Final = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}
"""Settings of the role: Grafana has no time limit of its own for a query."""

_CAN_ONLY_READ: Final = """
SELECT NOT (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication)
   AND NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
   AND NOT EXISTS (
        SELECT FROM pg_namespace n
         WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
           AND has_schema_privilege(n.oid, 'CREATE'))
   AND NOT EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
           AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
  FROM pg_roles r WHERE r.rolname = current_user
"""


class NoSafeLoginError(Exception):
    """There is no login that can only read. The text says so, with the way to one."""


class Address(Protocol):
    """What the settings hold of a PostgreSQL address."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, str]: ...


def of_address(address: Address) -> Postgres:
    """An address of the settings, in Grafana's words."""
    return Postgres(
        address.host, address.port, address.name, address.user, address.password,
        _ssl_mode(address.host, address.parameters.get("sslmode")),
        *(address.parameters.get(name, "") for name in ("sslrootcert", "sslcert", "sslkey")),
    )  # fmt: skip


def role_name(database: str) -> str:
    """The role that the portal makes for Grafana on the database: roles belong to a server, which may hold several."""
    return f"vptmonitor_grafana_{hashlib.sha256(database.encode()).hexdigest()[:8]}"


def source_login() -> Postgres:
    """The login of the module's docstring; it may start the embedded server and make a role there.

    Raises NoSafeLoginError, psycopg2.Error, and django.db.OperationalError when the source is away.
    """
    given = settings.GRAFANA_READER_ADDRESS or settings.SOURCE_READER_ADDRESS
    if given is not None:
        return of_address(given)
    parameters = connections[SOURCE].get_connection_params()
    if settings.SOURCE_ACCESS == "own" and (made := _made(parameters)):
        return made
    with connections[SOURCE].cursor() as cursor:
        cursor.execute(_CAN_ONLY_READ)
        (only_reads,) = cursor.fetchone() or (False,)
    if only_reads:
        return _of_parameters(parameters, str(parameters["user"]), str(parameters.get("password") or ""))
    raise NoSafeLoginError(
        "Grafana gets no data source: the portal's own role could write, and Grafana runs any SQL. Make a role that can"
        " only read (`manage.py reader_role_sql` prints how) and name it in GRAFANA_READER_URL."
    )


def _made(parameters: Mapping[str, Any]) -> Postgres | None:
    """A role of our making; None where the source's role may make none."""
    role = role_name(str(parameters["dbname"]))
    password = salted_hmac("apps.grafana.source_login", role, algorithm="sha256").hexdigest()
    superuser = import_string(settings.EMBEDDED_SUPERUSER)(SOURCE)
    if not make_role(parameters, superuser, role=role, password=password, limits=LIMITS):
        return None
    return _of_parameters(parameters, role, password)


def _of_parameters(parameters: Mapping[str, Any], user: str, password: str) -> Postgres:
    host = str(parameters.get("host") or "localhost")
    return Postgres(
        host, int(parameters.get("port") or 5432), str(parameters["dbname"]), user, password,
        _ssl_mode(host, parameters.get("sslmode")),
        *(str(parameters.get(name) or "") for name in ("sslrootcert", "sslcert", "sslkey")),
    )  # fmt: skip


def _ssl_mode(host: str, mode: str | None) -> str:
    """Grafana knows no mode that may or may not encrypt: on this machine it then does not, elsewhere it does."""
    if mode in ("require", "verify-ca", "verify-full", "disable"):
        return mode
    return "disable" if host.startswith("/") or host in ("localhost", "127.0.0.1", "::1") else "require"
