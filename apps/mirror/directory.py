"""Which teams and hosts the platform has, for the forms of `apps.accounts`, which does not know these tables."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.teams import directory
from apps.mirror.models import DeviceFlag, Team


def register() -> None:
    """Tell the accounts how to ask."""
    directory.teams = teams
    directory.hosts = hosts


def teams() -> list[tuple[UUID, str]]:
    """Id and name of each team; a name that the database lacks is the id."""
    return [(key, name or str(key)) for key, name in Team.objects.values_list("id", "name")]


def hosts() -> list[str]:
    """Names of the hosts that registered a device."""
    return [name for name in DeviceFlag.objects.order_by().values_list("host_name", flat=True).distinct() if name]
