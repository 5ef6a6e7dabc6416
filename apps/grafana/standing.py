"""How dashboards stand in Grafanas, for people who look at them and not after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db.models import Count, Max

from apps.grafana.models import Placement, SyncRun
from apps.grafana.verdict import State
from apps.mirror import states

BADGES: Final = {
    State.IN_SYNC: states.OK,
    State.AHEAD: states.QUEUED,
    State.DRIFTED: states.WARNING,
    State.CONFLICT: states.FAILING,
    State.MISSING: states.FAILING,
    State.RETIRED: states.SKIPPED,
    State.FOREIGN: states.UNKNOWN,
    State.BLOCKED: states.FAILING,
    State.FLAPPING: states.WARNING,
    State.UNKNOWN: states.UNKNOWN,
    State.RELEASED: states.SKIPPED,
}
"""The state of the portal's vocabulary whose shape and colour each state of the sync has."""
TROUBLES: Final = frozenset({State.DRIFTED, State.CONFLICT, State.MISSING, State.BLOCKED, State.FLAPPING})
"""States that somebody has to do something about."""


def troubles() -> Mapping[int, list[Placement]]:
    """The placements in trouble in enabled instances, by the primary key of the dashboard. One query."""
    found: dict[int, list[Placement]] = {}
    wanted = [state.value for state in TROUBLES]
    for row in Placement.objects.filter(instance__enabled=True, state__in=wanted).select_related("instance"):
        found.setdefault(row.dashboard_id, []).append(row)
    return found


def counts() -> dict[tuple[str, str], int]:
    """How many dashboards are in which state, by the instance's name and the state; instances that are enabled. One
    query."""
    rows = Placement.objects.filter(instance__enabled=True).order_by()
    counted = rows.values_list("instance__name", "state").annotate(rows=Count("pk"))
    return {(name, state): number for name, state, number in counted}


def last_runs() -> dict[str, float]:
    """When the last run over each enabled instance ended that could read it, in seconds of Unix time. One query."""
    ended = SyncRun.objects.exclude(status__in=[SyncRun.Status.REFUSED, SyncRun.Status.FAILED, SyncRun.Status.RUNNING])
    latest = ended.filter(instance__enabled=True).order_by().values_list("instance__name").annotate(at=Max("ended_at"))
    return {name: at.timestamp() for name, at in latest if at is not None}


def badge_of(row: Placement) -> tuple[str, str]:
    """The state of the portal's vocabulary, and the word for people."""
    state = State(row.state)
    return BADGES[state], state.value.replace("-", " ")
