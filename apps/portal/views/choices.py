"""What the selects of the lists offer: hosts, teams and interfaces that the viewer may see."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from apps.accounts.models import HostTeam
from apps.accounts.scope import scope_of
from apps.accounts.teams import known_hosts
from apps.mirror.models import Team, UserInterface
from apps.portal.components import Choice

LONGEST_NAME = 255


def hosts(request: HttpRequest) -> list[Choice]:
    """The hosts that are known, and the one that the address names: a link to a host's rows must not lose its host."""
    scope = scope_of(request.user)
    names = set(known_hosts() if scope.everything else scope.host_names)
    return _with_given(request, "host", names)


def interfaces(request: HttpRequest) -> list[Choice]:
    """The interfaces under test, and the one that the address names."""
    rows = UserInterface.objects.visible_to(scope_of(request.user)).order_by().values_list("name", flat=True)
    return _with_given(request, "interface", {name for name in rows[:500] if name})


def teams(request: HttpRequest) -> list[Choice]:
    """The teams that the viewer may see."""
    rows = Team.objects.visible_to(scope_of(request.user)).order_by().values_list("id", "name")
    found = [Choice(str(id), name or str(id)) for id, name in rows[:500] if id]
    return sorted(found, key=lambda choice: choice.label.casefold())


def hosts_of_team(team: str) -> list[str]:
    """The hosts that belong to a team: what scopes rows without a team column. One query."""
    return list(HostTeam.objects.filter(team_id=UUID(team)).values_list("host_name", flat=True))


def _with_given(request: HttpRequest, name: str, names: set[str]) -> list[Choice]:
    given = request.GET.get(name, "").replace("\x00", "")[:LONGEST_NAME]
    return [Choice(one, one) for one in sorted(names | ({given} if given else set()), key=str.casefold)]
