"""How an alert stands once the portal's own decisions are laid over what the platform says.

Each alert is in exactly one state: active (nobody has taken it), acknowledged, discarded (a false alarm, over or not)
or resolved. Every list and count of alerts asks here, so that all of them agree. The decisions live in another database
than the alerts, so their ids are sent along: those of the newest `MOST_DECISIONS`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal
from uuid import UUID

from django.db.models import Q

from apps.mirror.models import PlatformAlert
from apps.mirror.querysets import AlertQuerySet
from apps.triage.models import AlertTriage

AlertState = Literal["active", "acknowledged", "resolved", "discarded", "unknown"]
STATES: Final[tuple[AlertState, ...]] = ("active", "acknowledged", "resolved", "discarded")
"""What can be asked for. `unknown` is an alert of a database that has no column for its status."""

MOST_DECISIONS: Final = 10_000
"""Older decisions are about alerts that the platform has long resolved or deleted."""


def state_of(alert: PlatformAlert, decision: AlertTriage | None = None) -> AlertState:
    """The state of `alert`, with the decision in force about it."""
    decided = decision.state if decision else ""
    if alert.discard or decided == AlertTriage.State.DISCARDED:
        return "discarded"
    if alert.status == "resolved" or decided == AlertTriage.State.RESOLVED:
        return "resolved"
    if alert.status != "active":
        return "unknown"
    return "acknowledged" if decided else "active"


def needs_attention(alerts: AlertQuerySet[PlatformAlert]) -> AlertQuerySet[PlatformAlert]:
    """Those that are active and that nobody has taken: what counts as broken now. One query of the decisions."""
    return in_state(alerts, "active")


def in_state(alerts: AlertQuerySet[PlatformAlert], state: AlertState) -> AlertQuerySet[PlatformAlert]:
    """The alerts of `alerts` in `state`. One query of the decisions, now; the alerts are not read."""
    decided = _decided()
    discarded, resolved = decided[AlertTriage.State.DISCARDED], decided[AlertTriage.State.RESOLVED]
    match state:
        case "active":
            return alerts.active().exclude(pk__in=[one for ids in decided.values() for one in ids])
        case "acknowledged":
            return alerts.active().filter(pk__in=decided[AlertTriage.State.ACKNOWLEDGED])
        case "discarded":
            return alerts.filter(Q(discard=True) | Q(pk__in=discarded))
        case "resolved":
            over = alerts.filter(Q(status="resolved") | Q(pk__in=resolved))
            return over.exclude(discard=True).exclude(pk__in=discarded)
        case _:
            return alerts.filter(status__isnull=True).exclude(discard=True).exclude(pk__in=[*discarded, *resolved])


def decisions_about(alert_ids: Iterable[UUID]) -> dict[UUID, AlertTriage]:
    """The decisions in force about these alerts, by the alert's id. One query."""
    ids = [one for one in alert_ids if one is not None]
    return {row.alert_id: row for row in AlertTriage.objects.filter(alert_id__in=ids)} if ids else {}


def all_decisions() -> dict[UUID, AlertTriage]:
    """The newest `MOST_DECISIONS` decisions, by the alert's id: for exports. One query."""
    return {row.alert_id: row for row in AlertTriage.objects.all()[:MOST_DECISIONS]}


def _decided() -> dict[str, list[UUID]]:
    """The alerts that were decided about in the portal, by the state that they were put in."""
    found: dict[str, list[UUID]] = {state: [] for state in AlertTriage.State.values}
    for alert_id, state in AlertTriage.objects.values_list("alert_id", "state")[:MOST_DECISIONS]:
        found[state].append(alert_id)
    return found
