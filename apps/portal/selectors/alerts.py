"""Alerts as operators see them: what is wrong now, each with its repetitions, its decision and its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Min

from apps.accounts.audit import without_secrets
from apps.accounts.models import AuditEntry
from apps.accounts.scope import TeamScope
from apps.mirror.models import PlatformAlert, ScriptResult
from apps.portal import formatting, links
from apps.portal.components import State
from apps.portal.selectors import recent
from apps.portal.selectors.fleet import BREAKING_ALERTS
from apps.portal.selectors.recent import Run
from apps.triage.decisions import Decision, history, possible
from apps.triage.models import AlertTriage
from apps.triage.overlay import AlertState, decisions_about, needs_attention, state_of

INCIDENT_TYPES: Final = ("blackscreen", "freeze", "errors", "audio_loss", "macroblocks")
"""What the platform's hosts look for."""
SHOWN_NEIGHBOURS: Final = 12
RAN_BEFORE: Final = timedelta(hours=1)
"""How long before an alert a script is looked for that may have caused it."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as it stands at `now`. `older` are earlier ones of the same kind on the same device, folded into it."""

    alert: PlatformAlert
    decision: AlertTriage | None
    now: datetime
    older: Sequence[PlatformAlert] = ()

    @property
    def state(self) -> AlertState:
        return state_of(self.alert, self.decision)

    @property
    def badge(self) -> State:
        """The state in the vocabulary of badges; its word is said by `state`."""
        words: Mapping[AlertState, State] = {
            "active": "failing" if self.alert.incident_type in BREAKING_ALERTS else "warning",
            "acknowledged": "queued", "resolved": "ok", "discarded": "skipped", "unknown": "unknown",
        }  # fmt: skip
        return words[self.state]

    @property
    def kind(self) -> str:
        return (self.alert.incident_type or "unknown").replace("_", " ")

    @property
    def device(self) -> str:
        return self.alert.device_name or self.alert.device_id or "unknown device"

    @property
    def name(self) -> str:
        """What and where, for buttons and titles."""
        return f"{self.kind} on {self.device}"

    @property
    def title(self) -> str:
        """The name as a heading: only its first letter is raised, since a device may be called `iPad`."""
        return self.name[0].upper() + self.name[1:]

    @property
    def answer(self) -> str:
        """The sentence that the alert's page opens with."""
        lasts = formatting.duration(self.duration_ms)
        who = self.decision.actor if self.decision else ""
        match self.state:
            case "active":
                return f"Nobody looks after it yet; it has lasted for {lasts}."
            case "acknowledged":
                return f"{who} looks after it; it has lasted for {lasts}."
            case "resolved":
                return f"{who} resolved it after {lasts}." if who else f"It is over; it lasted for {lasts}."
            case "discarded":
                return f"{who or 'Somebody, or the AI,'} called it a false alarm."
            case _:
                return "How it stands is unknown: this database keeps no status of alerts."

    @property
    def count(self) -> int:
        return 1 + len(self.older)

    @property
    def ids(self) -> list[UUID]:
        """The alerts that a decision about this row is about."""
        return [self.alert.pk, *(one.pk for one in self.older)]

    @property
    def duration_ms(self) -> float | None:
        """From the start to the end, to the decision that ended it, or to now; None without a start."""
        start: Any = self.alert.start_time  # None where the database lacks the column
        end = self.alert.end_time
        if end is None and self.decision is not None and self.state in {"resolved", "discarded"}:
            end = self.decision.at
        if end is None and self.alert.status == "active":
            end = self.now
        if start is None or end is None:
            return None
        return formatting.milliseconds(max(end - start, timedelta(0)))

    @property
    def url(self) -> str:
        return links.page("alert", self.alert.pk)

    @property
    def device_url(self) -> str:
        return links.page(
            "device-on-host", query={"host": self.alert.host_name or "", "device": self.alert.device_id or ""}
        )

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What can be decided about it."""
        return possible(self.state)

    @property
    def pictures(self) -> list[tuple[str, str]]:
        """Name and address of each picture that the platform uploaded."""
        metadata = self.alert.metadata if isinstance(self.alert.metadata, Mapping) else {}
        images = metadata.get("r2_images")
        found = []
        for key, value in images.items() if isinstance(images, Mapping) else ():
            for number, one in enumerate(value if isinstance(value, list) else [value], 1):
                address = links.web_address(one)
                if address and key in _PICTURES:
                    found.append((f"{_PICTURES[key]} {number}" if isinstance(value, list) else _PICTURES[key], address))
        return found


_PICTURES: Final = {
    "thumbnail_url": "picture", "thumbnail_urls": "picture", "original_url": "full picture",
    "original_urls": "full picture", "closure_url": "picture at the end",
}  # fmt: skip


def rows(alerts: Sequence[PlatformAlert], now: datetime, *, fold: bool) -> list[AlertRow]:
    """The alerts of a page with their decisions; with `fold`, repeated ones (same host, device, type and state) in one.

    One query.
    """
    decided = decisions_about(alert.pk for alert in alerts)
    groups: dict[object, list[PlatformAlert]] = {}
    for alert in alerts:
        state = state_of(alert, decided.get(alert.pk))
        key = (alert.host_name, alert.device_id, alert.incident_type, state) if fold else alert.pk
        groups.setdefault(key, []).append(alert)
    return [AlertRow(first, decided.get(first.pk), now, older) for first, *older in groups.values()]


@dataclass(frozen=True, slots=True)
class Attention:
    """How many alerts nobody has taken, by type, and since when the oldest waits."""

    counts: Mapping[str, int]
    oldest: datetime | None

    def answer(self, now: datetime) -> str:
        """The sentence that the page opens with."""
        total = sum(self.counts.values())
        if not total:
            return "No alert needs attention."
        kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in self.counts.items())
        since = f"; the oldest began {formatting.age(self.oldest, now)}" if self.oldest else ""
        return f"{total} alert{' needs' if total == 1 else 's need'} attention: {kinds}{since}."


def attention(*, scope: TeamScope) -> Attention:
    """What needs attention, most frequent type first. Two queries."""
    found = (
        needs_attention(PlatformAlert.objects.visible_to(scope))
        .order_by()
        .values("incident_type")
        .annotate(count=Count("pk"), oldest=Min("start_time"))
    )
    types = sorted(found, key=lambda row: (-row["count"], row["incident_type"] or ""))
    oldest = min((row["oldest"] for row in types if row["oldest"]), default=None)
    return Attention({row["incident_type"] or "unknown": row["count"] for row in types}, oldest)


@dataclass(frozen=True, slots=True)
class AlertDetails:
    """An alert with what was decided about it, other alerts of its device, and what ran on it when it began."""

    row: AlertRow
    metadata: Any
    history: Sequence[AuditEntry]
    neighbours: Sequence[AlertRow]
    repeats_of_week: int
    ran: Sequence[Run]


def details(*, scope: TeamScope, now: datetime, id: UUID) -> AlertDetails | None:
    """The alert `id`, None when it is not there or not the viewer's. Seven queries."""
    alert = PlatformAlert.objects.visible_to(scope).filter(pk=id).first()
    if alert is None:
        return None
    same = PlatformAlert.objects.visible_to(scope).filter(host_name=alert.host_name, device_id=alert.device_id)
    around = same.exclude(pk=id)
    if alert.start_time is not None:
        around = around.filter(start_time__lte=alert.start_time + timedelta(days=1))
    week = same.filter(incident_type=alert.incident_type, start_time__gte=now - timedelta(days=7)).count()
    return AlertDetails(
        row=AlertRow(alert, decisions_about([id]).get(id), now),
        metadata=without_secrets(alert.metadata),
        history=history(id),
        neighbours=rows(list(around.order_by("-start_time", "-id")[:SHOWN_NEIGHBOURS]), now, fold=False),
        repeats_of_week=week,
        ran=_ran(scope, now, alert),
    )


def _ran(scope: TeamScope, now: datetime, alert: PlatformAlert) -> list[Run]:
    """The scripts that started on the device in the hour before the alert. At most one query."""
    if alert.start_time is None or not alert.host_name or not alert.device_name:
        return []
    scripts: Iterable[ScriptResult] = (
        ScriptResult.objects.visible_to(scope)
        .filter(host_name=alert.host_name, device_name=alert.device_name)
        .filter(started_at__gt=alert.start_time - RAN_BEFORE, started_at__lte=alert.start_time)
        .with_state(now)
        .latest_first()
        .defer("metadata", "error_msg")[:5]
    )
    return [recent.from_script(row) for row in scripts]
