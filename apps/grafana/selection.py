"""Which rows a run is about, and what the caller said it may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from apps.dashboards.models import Dashboard, DashboardQuerySet, Folder
from apps.grafana.models import GrafanaInstance, Placement, SyncPause
from apps.grafana.verdict import Policy


class SelectionError(ValueError):
    """Nothing is registered by that name."""


@dataclass(frozen=True)
class Wishes:
    """What to look at, and the caller's explicit words.

    Empty fields narrow nothing. `folder` is a uid or a title and means what lies below, too; `team` an id or a name;
    `dashboards` primary keys. `force` writes ours over edits (which are kept), `pull` takes edits, `prune` deletes what
    is registered no more, `full` reads every body though its resource version stands for no change. `scheduled` heeds
    the pauses.
    """

    uids: tuple[str, ...] = ()
    folder: str = ""
    team: str = ""
    dashboards: frozenset[int] | None = None
    force: bool = False
    pull: bool = False
    prune: bool = False
    full: bool = False
    scheduled: bool = False


def selected(instance: GrafanaInstance, wishes: Wishes) -> list[Placement]:
    """The placements of all dashboards that the run is about; those that are new have no primary key yet.

    Registered and enabled dashboards are meant, and retired ones that were placed there. Raises SelectionError.
    """
    rows = Dashboard.objects.select_related("current", "folder").filter(enabled=True)
    rows = _narrowed(rows, wishes)
    known = {
        placement.dashboard_id: placement
        for placement in Placement.objects.filter(instance=instance, dashboard__in=rows.values("pk").order_by())
    }
    found = []
    for dashboard in rows.order_by("pk"):
        placement = known.get(dashboard.pk)
        if dashboard.retired_at is not None and (placement is None or not placement.base_id):
            continue
        if placement is None:
            placement = Placement(instance=instance)
        placement.dashboard, placement.instance = dashboard, instance
        if placement.policy is not Policy.RELEASED:
            found.append(placement)
    return found


def folders_of(placements: Iterable[Placement]) -> list[Folder]:
    """The folders that these dashboards lie in and those above, parents before children."""
    every = Folder.objects.in_bulk()
    found: dict[int, Folder] = {}

    def take(key: int | None, depth: int = 0) -> None:
        if key is None or key in found or depth > len(every):
            return
        folder = every[key]
        take(folder.parent_id, depth + 1)
        folder.parent = every[folder.parent_id] if folder.parent_id else None
        found[key] = folder

    for placement in placements:
        if placement.dashboard.retired_at is None:
            take(placement.dashboard.folder_id)
    return list(found.values())


def _narrowed(rows: DashboardQuerySet, wishes: Wishes) -> DashboardQuerySet:
    if wishes.dashboards is not None:
        rows = rows.filter(pk__in=wishes.dashboards)
    if wishes.uids:
        rows = rows.filter(uid__in=wishes.uids)
        if unknown := sorted(
            set(wishes.uids) - set(Dashboard.objects.filter(uid__in=wishes.uids).values_list("uid", flat=True))
        ):
            raise SelectionError(f"no dashboard is registered under {', '.join(unknown)}")
    if wishes.folder:
        rows = rows.filter(folder__in=_below(wishes.folder))
    if wishes.team:
        rows = rows.filter(_team(wishes.team))
    if wishes.scheduled:
        rows = rows.filter(paused=False)
        pauses = set(SyncPause.objects.values_list("team_id", flat=True))
        if None in pauses:
            return rows.none()
        if pauses:
            rows = rows.filter(Q(team_id=None) | ~Q(team_id__in=pauses))
    return rows


def _below(name: str) -> set[int]:
    found = set(Folder.objects.filter(Q(uid=name) | Q(title=name)).values_list("pk", flat=True))
    if not found:
        raise SelectionError(f"no folder has the uid or the title {name}")
    fresh = found
    while fresh:
        fresh = set(Folder.objects.filter(parent_id__in=fresh).values_list("pk", flat=True)) - found
        found |= fresh
    return found


def _team(name: str) -> Q:
    try:
        condition = Q(team_id=UUID(name))
    except ValueError:
        condition = Q(team_name__iexact=name)
    if not Dashboard.objects.filter(condition).exists():
        raise SelectionError(f"no dashboard belongs to the team {name}")
    return condition
