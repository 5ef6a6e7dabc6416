"""Who a panel's SQL runs as: one login for each kind of rights, never more rights than the viewer has.

* `SOURCE_READER_URL` names a login role that can only SELECT;
* on a database that we own the portal makes such a role (`reader_role`); its password follows from `SECRET_KEY` and is
  kept nowhere;
* else panels run by the source's own connection settings.

All of these read the rows of every team. A filter, or a setting that SQL could change, would be no boundary, so people
who are limited to teams are refused: SQL of a dashboard runs for people who may see everything.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import psycopg2
from django.conf import settings
from django.db import connections
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from apps.accounts.scope import TeamScope
from apps.panels.errors import PanelError
from apps.panels.pool import CONNECT_SECONDS, Login
from apps.panels.reader_role import make_role, role_name

logger = logging.getLogger(__name__)

SOURCE: Final = "source"

_guard = threading.Lock()
_made: dict[tuple[object, ...], bool] = {}
"""Address of a database that we own -> whether its reader role was made by this process."""


def may_run(scope: TeamScope) -> bool:
    """Whether SQL of dashboards runs for somebody who may see `scope`."""
    return scope.everything


def reader_for(scope: TeamScope) -> Login:
    """The login by which a panel's SQL runs for somebody who may see `scope`.

    Raises PanelError: `refused` for people who are limited to teams, `unavailable` when the database is away.
    """
    if not may_run(scope):
        raise PanelError(
            "refused",
            "Panels of dashboards show the rows of all teams, and you may see those of your teams only.",
            fix="The portal's own pages show your teams' rows. An administrator can let you see all teams.",
        )
    address = settings.SOURCE_READER_ADDRESS
    if address is not None:
        given = {
            "host": address.host, "port": address.port, "dbname": address.name, "user": address.user,
            "password": address.password, **address.parameters,
        }  # fmt: skip
        return Login(f"given:{address.user}@{address.host}:{address.port}/{address.name}", _constant(given))
    source = _source()
    place = f"{source.get('host')}:{source.get('port')}/{source['dbname']}"
    if settings.SOURCE_ACCESS == "own" and _is_made(source):
        role = role_name(source["dbname"])

        def made() -> Mapping[str, Any]:
            return _named({**_source(), "user": role, "password": _password(role)})

        return Login(f"made:{role}@{place}", made)
    return Login(f"own:{source.get('user')}@{place}", lambda: _named(_source()))


def forget() -> None:
    """Make the role anew at the next question: a database was made anew, or tables of another owner were added."""
    with _guard:
        _made.clear()


def _is_made(source: Mapping[str, Any]) -> bool:
    key = (source.get("host"), source.get("port"), source["dbname"])
    with _guard:
        if key not in _made:
            role = role_name(source["dbname"])
            try:
                superuser = import_string(settings.EMBEDDED_SUPERUSER)(SOURCE)
                _made[key] = make_role(source, superuser, role=role, password=_password(role))
            except psycopg2.OperationalError as error:
                raise _away(error) from None
            if not _made[key]:
                logger.warning(
                    "the source's role may not make a reader role: panels run by its own rights, in read-only"
                    " transactions; SOURCE_READER_URL can name a role that can only SELECT"
                )
        return _made[key]


def _source() -> dict[str, Any]:
    try:
        return connections[SOURCE].get_connection_params()
    except Exception as error:  # it may start the embedded server, whose errors this layer does not know
        raise _away(error) from None


def _away(error: Exception) -> PanelError:
    logger.warning("the source is away: %s", type(error).__name__)
    return PanelError(
        "unavailable",
        "The database does not answer.",
        fix="See the health page: it says what is wrong with the source.",
    )


def _named(parameters: dict[str, Any]) -> Mapping[str, Any]:
    return {**parameters, "application_name": "vptmonitor panels", "connect_timeout": int(CONNECT_SECONDS)}


def _password(role: str) -> str:
    return salted_hmac("apps.panels.reader", role, algorithm="sha256").hexdigest()


def _constant(parameters: dict[str, Any]) -> Callable[[], Mapping[str, Any]]:
    return lambda: _named(parameters)
