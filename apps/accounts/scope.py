"""Whose rows somebody may see, as a plain value that every layer can take without knowing about users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from apps.accounts.models import HostTeam, User


@dataclass(frozen=True)
class TeamScope:
    """Everything, or the rows of some teams and of the hosts that belong to them.

    `team_ids` are ids of the platform's teams; `host_names` scope the tables that have no team column.
    """

    everything: bool = False
    team_ids: frozenset[UUID] = frozenset()
    host_names: frozenset[str] = frozenset()


EVERYTHING: Final = TeamScope(everything=True)
NOTHING: Final = TeamScope()


def scope_of(user: User | AnonymousUser) -> TeamScope:
    """What `user` may see: superusers and people with `all_teams` everything, others their teams and these hosts.

    Whoever is signed out or deactivated sees nothing. The answer is kept on the user object, which lives as long as its
    request: two queries at the first call, none after.
    """
    if not isinstance(user, User) or not user.is_active:
        return NOTHING
    if user.is_superuser or user.all_teams:
        return EVERYTHING
    kept: TeamScope | None = getattr(user, "_team_scope", None)
    if kept is None:
        teams = frozenset(user.memberships.values_list("team_id", flat=True))
        hosts = (
            frozenset(HostTeam.objects.filter(team_id__in=teams).values_list("host_name", flat=True))
            if teams
            else frozenset()
        )
        kept = TeamScope(team_ids=teams, host_names=hosts)
        user._team_scope = kept  # type: ignore[attr-defined]
    return kept
