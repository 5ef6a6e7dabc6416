"""Which teams and hosts there are to choose from in the admin's forms.

They are rows of the platform's database, which this app does not know: the app that does registers how to ask for them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError

logger = logging.getLogger(__name__)


def _none() -> list[tuple[UUID, str]]:
    return []


def _no_hosts() -> list[str]:
    return []


@dataclass
class Directory:
    """How to ask for the teams (id, name) and for the names of the hosts."""

    teams: Callable[[], Iterable[tuple[UUID, str]]] = _none
    hosts: Callable[[], Iterable[str]] = _no_hosts


directory = Directory()


def known_teams() -> dict[UUID, str]:
    """Names of the platform's teams by id, sorted by name; empty while its database cannot be asked."""
    try:
        return dict(sorted(directory.teams(), key=lambda team: (team[1].casefold(), team[0])))
    except DatabaseError as error:
        logger.warning("the platform's teams cannot be read: %s", type(error).__name__)
        return {}


def known_hosts() -> list[str]:
    """Names of the platform's hosts, sorted; empty while its database cannot be asked."""
    try:
        return sorted(set(directory.hosts()))
    except DatabaseError as error:
        logger.warning("the platform's hosts cannot be read: %s", type(error).__name__)
        return []
