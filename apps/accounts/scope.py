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

    For a request that came by a token, no more than the token is limited to. Whoever is signed out or deactivated sees
    nothing. The answer is kept on the user object, which lives as long as its request (or as the token is remembered):
    at most three queries at the first call, none after.
    """
    if not isinstance(user, User) or not user.is_active:
        return NOTHING
    if user.token is None:
        return held_scope(user)
    kept: TeamScope | None = getattr(user, "_token_scope", None)
    if kept is None:
        kept = _within(held_scope(user), frozenset(user.token.team_ids), frozenset(user.token.host_names))
        user._token_scope = kept  # type: ignore[attr-defined]
    return kept


def held_scope(user: User) -> TeamScope:
    """What the person may see, whatever token the request came by."""
    if user.is_superuser or user.all_teams:
        return EVERYTHING
    kept: TeamScope | None = getattr(user, "_team_scope", None)
    if kept is None:
        teams = frozenset(user.memberships.values_list("team_id", flat=True))
        kept = TeamScope(team_ids=teams, host_names=_hosts_of(teams))
        user._team_scope = kept  # type: ignore[attr-defined]
    return kept


def _within(scope: TeamScope, teams: frozenset[UUID], hosts: frozenset[str]) -> TeamScope:
    """`scope` within a token's limits. Limited to hosts alone it sees no table that knows teams; limited to teams alone
    it sees the hosts of these."""
    if not teams and not hosts:
        return scope
    seen_teams = teams if scope.everything else teams & scope.team_ids
    seen_hosts = hosts if scope.everything else hosts & scope.host_names
    return TeamScope(team_ids=seen_teams, host_names=seen_hosts if hosts else _hosts_of(seen_teams))


def _hosts_of(teams: frozenset[UUID]) -> frozenset[str]:
    if not teams:
        return frozenset()
    return frozenset(HostTeam.objects.filter(team_id__in=teams).values_list("host_name", flat=True))
