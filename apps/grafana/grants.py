"""Permissions of folders: what is declared is given, what somebody else gave is reported and stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.dashboards.models import Folder
from apps.grafana.answers import Grant, Team
from apps.grafana.client import Client
from apps.grafana.models import FolderGrant
from apps.grafana.plan_file import Row
from apps.grafana.verdict import Action, State


@dataclass(frozen=True)
class Grants:
    """What a folder's access list lacks: `wanted` are the declared ones that can be given, `words` the differences."""

    wanted: tuple[Grant, ...]
    missing: bool
    absent: tuple[str, ...]
    words: str

    @property
    def state(self) -> State:
        if self.missing:
            return State.DRIFTED
        return State.BLOCKED if self.absent else State.IN_SYNC

    def row(self, folder: Folder) -> Row:
        """The line of a plan."""
        return Row(
            kind="grants",
            uid=folder.uid,
            title=f"permissions of {folder.title}",
            state=self.state.value,
            action=(Action.UPDATE if self.missing else Action.NONE).value,
            words=self.words,
            live_digest=self.words,
            desired_digest=", ".join(f"{grant.name}:{grant.permission}" for grant in self.wanted),
        )


def declared(folders: Iterable[Folder]) -> dict[int, list[FolderGrant]]:
    """What is declared, by the folder's primary key."""
    found: dict[int, list[FolderGrant]] = {}
    for grant in FolderGrant.objects.filter(folder__in=[folder.pk for folder in folders]):
        found.setdefault(grant.folder_id, []).append(grant)
    return found


def teams_of(client: Client, declared: Mapping[int, Sequence[FolderGrant]]) -> dict[str, Team]:
    """Grafana's teams by name; it is only asked when a declaration names one."""
    named = any(grant.team for grants in declared.values() for grant in grants)
    return {team.name: team for team in client.teams()} if named else {}


def compare(
    client: Client, folder: Folder, declared: Sequence[FolderGrant], teams: Mapping[str, Team], *, new: bool
) -> Grants:
    """Compare what is declared with what the folder has; a `new` one has nothing yet. Raises GrafanaError."""
    own = {} if new else _own(client.folder_permissions(folder.uid))
    wanted, lacking, absent = [], [], []
    for one in declared:
        if one.team and one.team not in teams:
            absent.append(one.team)
            continue
        name = one.team or one.role
        grant = Grant(one.level, role=one.role, team_id=teams[one.team].id if one.team else 0, name=name)
        wanted.append(grant)
        found = own.pop(_who(grant), None)
        if found is None:
            lacking.append(f"{name} may not {one.get_level_display()} it")
        elif found.permission != one.level:
            lacking.append(f"{name} may {_level(found)} it, not {one.get_level_display()}")
    words = list(lacking)
    if absent:
        words.append(f"Grafana has no team {', '.join(absent)}")
    if others := sorted(f"{grant.name} ({_level(grant)})" for grant in own.values() if grant.name):
        words.append(f"not declared, and left: {', '.join(others)}")
    return Grants(tuple(wanted), bool(lacking), tuple(absent), "; ".join(words))


def give(client: Client, folder: Folder, grants: Grants) -> None:
    """Add what is lacking to what the folder has now, since Grafana takes whole lists only. Raises GrafanaError."""
    now = _own(client.folder_permissions(folder.uid))
    now.update({_who(grant): grant for grant in grants.wanted})
    client.set_folder_permissions(folder.uid, now.values())


def _own(grants: Iterable[Grant]) -> dict[tuple[str, int, int], Grant]:
    return {_who(grant): grant for grant in grants if not grant.inherited}


def _who(grant: Grant) -> tuple[str, int, int]:
    return (grant.role, grant.team_id, grant.user_id)


def _level(grant: Grant) -> str:
    return {level.value: str(level.label) for level in FolderGrant.Level}.get(
        grant.permission, "do something else with"
    )
