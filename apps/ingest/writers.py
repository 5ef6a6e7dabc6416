"""Whose the rows are: the team of a host, and whether the sender may write for them.

A host that belongs to no team yet is no fault: its rows are stored, and seen by those who see all teams, until somebody
says in the admin (Hosts of teams) whose it is. A sender that is limited to teams or hosts writes for these alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from uuid import UUID

from apps.accounts.models import HostTeam
from apps.ingest.plan import Plan
from apps.ingest.rows import Row
from apps.ingest.verdicts import Answer, Refused
from apps.mirror.models import Deployment, SystemMetric

MayWrite = Callable[[str | None, UUID | None], bool]
"""Whether the sender may write rows of this host and this team; None where a row has no such column."""
Owner = tuple[str | None, UUID | None]
MOST_OWNERS: Final = 500
"""Different hosts and teams of one batch: for each of them the sender's rights may be a query."""


class Owners:
    """Says of each row of a batch whose it is, with one query for all teams of hosts; and asks once per owner."""

    def __init__(self, plan: Plan, rows: Iterable[Row], may_write: MayWrite) -> None:
        self._plan = plan
        self._may_write = may_write
        self._asked: dict[Owner, bool] = {}
        self._teams: dict[str, list[UUID]] = {}
        self._parents: dict[Any, Owner] = {}
        kind = plan.kind
        if kind.owner:
            self._parents = parents({row[kind.owner] for row in rows})
        elif kind.host:
            hosts = {row[kind.host] for row in rows if not kind.team or row.get(kind.team) is None}
            found = HostTeam.objects.filter(host_name__in=hosts).values_list("host_name", "team_id") if hosts else ()
            for host, team in found:
                self._teams.setdefault(host, []).append(team)

    def settle(self, row: Row, answer: Answer) -> None:
        """Fill in the team that is missing, and refuse what the sender may not write. Raises Refused."""
        kind = self._plan.kind
        host: str | None = row.get(kind.host) if kind.host else None
        team: UUID | None = row.get(kind.team) if kind.team else None
        if kind.owner:
            if row[kind.owner] not in self._parents:
                raise Refused(kind.owner, "there is no such deployment", "Send the id of a deployment that is stored.")
            host, team = self._parents[row[kind.owner]]
        elif kind.team and team is None and self._plan.has(kind.team):
            team = self._team_of(host)
            if team is not None:
                row[kind.team] = team
        elif host is not None and not kind.team and host not in self._teams and host != SystemMetric.SERVER_HOST:
            answer.note(f"The host {host} belongs to no team yet: only people who see all teams see its rows.")
        if not self.allows((host, team)):
            raise not_allowed(kind.owner or (kind.host if host is not None else kind.team))

    def allows(self, owner: Owner) -> bool:
        """Whether the sender may write for this owner. Raises Refused for more owners than a batch may have."""
        known = self._asked.get(owner)
        if known is None:
            if len(self._asked) >= MOST_OWNERS:
                kind = self._plan.kind
                raise Refused(
                    kind.host or kind.team, f"the batch has rows of more than {MOST_OWNERS} hosts and teams",
                    "Send smaller batches.",
                )  # fmt: skip
            known = self._asked[owner] = self._may_write(*owner)
        return known

    def _team_of(self, host: str | None) -> UUID | None:
        kind = self._plan.kind
        teams = self._teams.get(host or "", [])
        if len(teams) == 1:
            return teams[0]
        if not self._plan.columns[kind.team].not_null:
            return None
        why = (
            f"it is missing, and the host {host} belongs to {len(teams)} teams" if host is not None else "it is missing"
        )
        raise Refused(kind.team, why, "Send the id of the team, or add the host to one team in the admin.")


def not_allowed(field: str) -> Refused:
    """The refusal of a row that the sender may not write."""
    return Refused(
        field,
        "the sender may not write for this host or team",
        "Use a token for it, or have an administrator add the host to the token's team (Hosts of teams).",
    )


def parents(ids: set[Any]) -> dict[Any, Owner]:
    """Host and team of the deployments with these ids."""
    found = Deployment.objects.filter(pk__in=ids).values_list("pk", "host_name", "team_id")
    return {key: (host, team) for key, host, team in found}
