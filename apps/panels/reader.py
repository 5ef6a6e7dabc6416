"""Who a panel's SQL runs as: one login for each kind of rights, never more rights than the viewer has.

For people who may see everything:

* `SOURCE_READER_URL` names a login role that can only SELECT;
* on a database that we own the portal makes such a role (`reader_role`); its password follows from `SECRET_KEY` and is
  kept nowhere;
* else panels run by the source's own connection settings.

All of these read the rows of every team. People who are limited to teams get a login that reads the rows of these alone
(`team_roles`); a database that we do not own has none, and SQL of a dashboard does not run for them there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import psycopg2
from django.conf import settings
from django.db import connections
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string
from psycopg2 import errors as pg

from apps.accounts.scope import TeamScope
from apps.panels.errors import PanelError
from apps.panels.pool import CONNECT_SECONDS, Login
from apps.panels.reader_role import make_role, role_name
from apps.panels.team_roles import make_team_role, team_role_name

logger = logging.getLogger(__name__)

SOURCE: Final = "source"

MADE_SECONDS: Final = 86_400.0
"""How long a role that was made is taken for granted; asking again keeps it from being dropped as unused."""
REFUSED_SECONDS: Final = 60.0

_guard = threading.Lock()
_made: dict[tuple[object, ...], tuple[bool, float]] = {}
"""Database and role -> whether it is there, and until when (monotonic seconds) that is believed."""


def may_run(scope: TeamScope) -> bool:
    """Whether SQL of dashboards runs for somebody who may see `scope`."""
    return scope.everything or (settings.SOURCE_ACCESS == "own" and bool(scope.team_ids or scope.host_names))


def reader_for(scope: TeamScope) -> Login:
    """The login by which a panel's SQL runs for somebody who may see `scope`.

    Raises PanelError: `refused` for people who are limited to teams where no role can be, `unavailable` when the
    database is away.
    """
    if not scope.everything:
        return _for_teams(scope)
    address = settings.SOURCE_READER_ADDRESS
    if address is not None:
        given = {
            "host": address.host, "port": address.port, "dbname": address.name, "user": address.user,
            "password": address.password, **address.parameters,
        }  # fmt: skip
        return Login(f"given:{address.user}@{address.host}:{address.port}/{address.name}", _constant(given))
    source = _source()
    if settings.SOURCE_ACCESS == "own" and _has_reader(source):
        return _login(source, role_name(source["dbname"]))
    return Login(f"own:{source.get('user')}@{_place(source)}", lambda: _named(_source()), is_portals=True)


def _for_teams(scope: TeamScope) -> Login:
    if not scope.team_ids and not scope.host_names:
        raise PanelError(
            "refused",
            "You belong to no team, so there are no rows for you to see.",
            fix="An administrator can add you to a team.",
        )
    if settings.SOURCE_ACCESS != "own":
        raise PanelError(
            "refused",
            "Panels of dashboards show the rows of all teams here, and you may see those of your teams only.",
            fix="The portal's own pages show your teams' rows. An administrator can let you see all teams.",
        )
    source = _source()
    role = team_role_name(source["dbname"], scope)
    if not (_has_reader(source) and _is_made(source, role, lambda: _make_team_role(source, scope, role))):
        raise PanelError(
            "refused",
            "The database cannot keep your teams' rows apart from those of others.",
            fix="The portal's own pages show your teams' rows. Its log tells administrators what is in the way.",
        )
    return _login(source, role)


def _make_team_role(source: Mapping[str, Any], scope: TeamScope, role: str) -> bool:
    try:
        return make_team_role(source, scope, password=_password(role))
    except pg.LockNotAvailable:
        raise PanelError(
            "busy", "Your teams' rights on the database are still being set.", fix="Reload the panel in a moment."
        ) from None


def _login(source: Mapping[str, Any], role: str) -> Login:
    return Login(
        f"made:{role}@{_place(source)}", lambda: _named({**_source(), "user": role, "password": _password(role)})
    )


def _place(source: Mapping[str, Any]) -> str:
    return f"{source.get('host')}:{source.get('port')}/{source['dbname']}"


def forget() -> None:
    """Make the role anew at the next question: a database was made anew, or tables of another owner were added."""
    with _guard:
        _made.clear()


def _has_reader(source: Mapping[str, Any]) -> bool:
    """Whether the role is there that reads everything; with it, PostgreSQL's own functions are closed to all roles."""
    role = role_name(source["dbname"])

    def make() -> bool:
        superuser = import_string(settings.EMBEDDED_SUPERUSER)(SOURCE)
        made = make_role(source, superuser, role=role, password=_password(role))
        if not made:
            logger.warning(
                "the source's role may not make a reader role: panels run by its own rights, in read-only"
                " transactions; SOURCE_READER_URL can name a role that can only SELECT"
            )
        return made

    return _is_made(source, role, make)


def _is_made(source: Mapping[str, Any], role: str, make: Callable[[], bool]) -> bool:
    key = (_place(source), role)
    with _guard:
        made, until = _made.get(key, (False, 0.0))
        if time.monotonic() >= until:
            try:
                made = make()
            except psycopg2.OperationalError as error:
                raise _away(error) from None
            except psycopg2.Error as error:
                logger.warning("the role %s for panels cannot be made: %s", role, type(error).__name__)
                made = False
            _made[key] = (made, time.monotonic() + (MADE_SECONDS if made else REFUSED_SECONDS))
        return made


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
