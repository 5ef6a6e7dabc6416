"""Runs of the last days: what runs now, what ran last, and how much of it went well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from heapq import nlargest
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.accounts.scope import TeamScope
from apps.mirror import shape, states
from apps.mirror.models import CampaignExecution, ScriptResult, TestExecution
from apps.mirror.querysets import CAMPAIGN_MAX_AGE, SCRIPT_MAX_AGE
from apps.portal import links
from apps.portal.components import Cell, Series, State

Kind = Literal["test", "script", "campaign"]
TREND_DAYS: Final = 14
MOST_RUNNING: Final = 50
"""So many runs under way are read per kind; a lab with more of them is told so by `+`."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of any kind. `duration_ms` is None while it runs and where it is not known; `device_row` is the id of its
    device where the run names it by that."""

    kind: Kind
    id: UUID
    name: str
    state: State
    host: str
    device: str
    started_at: datetime | None
    duration_ms: float | None
    device_row: UUID | None = None

    @property
    def url(self) -> str:
        """The page of the run."""
        return links.page("run", self.kind, self.id)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many runs ended well and badly, and how many will never say."""

    ok: int = 0
    failing: int = 0
    unknown: int = 0

    @property
    def rate(self) -> float | None:
        """The share of runs with a verdict that ended well, 0 to 1; None without any."""
        finished = self.ok + self.failing
        return self.ok / finished if finished else None

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.ok + other.ok, self.failing + other.failing, self.unknown + other.unknown)


@dataclass(frozen=True, slots=True)
class Success:
    """Runs of today, of the same hours a week ago, and of each of the last days, oldest first and today last."""

    today: Tally
    week_ago: Tally
    days: Sequence[tuple[date, Tally]]

    @property
    def per_day(self) -> list[Series]:
        """The runs of each day, for bars."""
        days = [(timezone.make_aware(datetime.combine(day, time.min)), tally) for day, tally in self.days]
        return [
            Series("ok", [(at, float(tally.ok)) for at, tally in days], "ok"),
            Series("failing", [(at, float(tally.failing)) for at, tally in days], "failing"),
        ]


def success(*, scope: TeamScope, now: datetime, host: str | None = None, device: str | None = None) -> Success:
    """How the runs of scripts, and of tests where no device is named, went. Days are those of the server's time zone.

    Campaigns are not counted: they consist of scripts. Runs under way count as nothing, abandoned ones as unknown. One
    query per kind.
    """
    today = timezone.localtime(now).date()
    first = today - timedelta(days=TREND_DAYS - 1)
    scripts = ScriptResult.objects.visible_to(scope)
    counted: list[tuple[str, QuerySet[Any]]] = []
    if device is not None:
        counted.append(("started_at", scripts.filter(host_name=host or "", device_name=device)))
    else:
        counted += [("started_at", scripts), ("created_at", TestExecution.objects.visible_to(scope))]
    whole: dict[date, Tally] = {}
    until_now = Tally()
    start = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    for moment, rows in counted:
        for row in _per_day(rows.filter(**{f"{moment}__gte": start}), moment, now):
            day = row["day"]
            whole[day] = whole.get(day, Tally()) + Tally(row["ok"], row["failing"], row["unknown"])
            if day == today - timedelta(days=7):
                until_now += Tally(row["ok_by_now"], row["failing_by_now"])
    days = [(day, whole.get(day, Tally())) for day in (first + timedelta(days=n) for n in range(TREND_DAYS))]
    return Success(whole.get(today, Tally()), until_now, days)


def _per_day(rows: QuerySet[Any], moment: str, now: datetime) -> Iterable[dict[str, Any]]:
    ok, failing, unknown = (Q(state=word) for word in (states.OK, states.FAILING, states.UNKNOWN))
    by_now = Q(**{f"{moment}__lt": now - timedelta(days=7)})
    days: Any = rows.order_by().with_state(now).annotate(day=TruncDate(moment)).values("day")  # type: ignore[attr-defined]
    found: Iterable[dict[str, Any]] = days.annotate(
        ok=Count("pk", filter=ok),
        failing=Count("pk", filter=failing),
        unknown=Count("pk", filter=unknown),
        ok_by_now=Count("pk", filter=ok & by_now),
        failing_by_now=Count("pk", filter=failing & by_now),
    )
    return found


def running(*, scope: TeamScope, now: datetime) -> tuple[list[Run], bool]:
    """What runs now, campaigns first, each kind newest first; and whether there is more than that. Two queries."""
    campaigns = (
        CampaignExecution.objects.visible_to(scope)
        .filter(started_at__gt=now - CAMPAIGN_MAX_AGE)
        .running(now)
        .latest_first()[: MOST_RUNNING + 1]
    )
    scripts = (
        ScriptResult.objects.visible_to(scope)
        .filter(started_at__gt=now - SCRIPT_MAX_AGE)
        .running(now)
        .latest_first()
        .defer("metadata", "error_msg")[: MOST_RUNNING + 1]
    )
    found = [from_campaign(row) for row in campaigns]
    more = len(found) > MOST_RUNNING
    active = [from_script(row) for row in scripts]
    return found[:MOST_RUNNING] + active[:MOST_RUNNING], more or len(active) > MOST_RUNNING


def latest(*, scope: TeamScope, now: datetime, limit: int = 10) -> list[Run]:
    """The newest runs of all kinds. Three queries, each by an index."""
    found = [
        *map(from_script, _newest(ScriptResult.objects.visible_to(scope), now, limit, "metadata", "error_msg")),
        *map(from_test, _newest(TestExecution.objects.visible_to(scope).select_related("test", "device"), now, limit)),
        *map(from_campaign, _newest(CampaignExecution.objects.visible_to(scope), now, limit, "script_configurations")),
    ]
    return _newest_first(found, limit)


def of_device(
    *, scope: TeamScope, now: datetime, host: str, device: str, id: UUID | None, limit: int = 50
) -> list[Run]:
    """The newest runs of scripts on a device, and of tests where the device has an id. At most two queries."""
    scripts = ScriptResult.objects.visible_to(scope).filter(host_name=host, device_name=device)
    found = [from_script(row) for row in _newest(scripts, now, limit, "metadata", "error_msg")] if host else []
    if id is not None:
        tests = TestExecution.objects.visible_to(scope).filter(device_id=id).select_related("test", "device")
        found += [from_test(row) for row in _newest(tests, now, limit)]
    return _newest_first(found, limit)


_LAST_RUNS = """
SELECT run.id
FROM unnest(%s::text[], %s::text[]) AS device(host, name)
CROSS JOIN LATERAL (
    SELECT id FROM script_results WHERE host_name = device.host AND device_name = device.name
    ORDER BY started_at DESC LIMIT 1
) AS run
"""


def last_of(*, scope: TeamScope, now: datetime, devices: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Run]:
    """The newest script run of each device, by host and device name. One query: a probe of the index per device."""
    if not devices or not all(
        shape.has_field(ScriptResult, name) for name in ("id", "host_name", "device_name", "started_at")
    ):
        return {}
    names = [list(column) for column in zip(*devices, strict=True)]
    newest = ScriptResult.objects.visible_to(scope).with_state(now).defer("metadata", "error_msg")
    # The statement is constant, and the devices are bound.
    found = map(from_script, newest.filter(pk__in=RawSQL(_LAST_RUNS, names)))  # noqa: S611
    return {(run.host, run.device): run for run in found}


def cells(runs: Iterable[Run]) -> list[Cell]:
    """The runs as squares of a strip, oldest first."""
    return [Cell(run.state, f"{run.name}: {run.state}", run.url) for run in reversed(list(runs))]


def _newest(rows: QuerySet[Any], now: datetime, limit: int, *unread: str) -> QuerySet[Any]:
    ordered: Any = rows.with_state(now).latest_first()  # type: ignore[attr-defined]
    found: QuerySet[Any] = ordered.defer(*unread)[:limit]
    return found


def _newest_first(runs: Iterable[Run], limit: int) -> list[Run]:
    return nlargest(limit, runs, key=lambda run: run.started_at.timestamp() if run.started_at else 0.0)


def from_script(row: Any) -> Run:
    """A script result, read `with_state`, as a run."""
    return Run(
        "script", row.id, row.script_name or "unnamed script", row.state, row.host_name or "", row.device_name or "",
        row.started_at, row.execution_time_ms,
    )  # fmt: skip


def from_test(row: Any) -> Run:
    """A test execution, read `with_state`, as a run."""
    return Run(
        kind="test",
        id=row.id,
        name=(row.test.name if row.test else None) or row.execution_id or "unnamed test",
        state=row.state,
        host="",
        device=(row.device.name if row.device else None) or "",
        started_at=row.start_time or row.created_at,
        duration_ms=None if row.duration is None else row.duration * 1000.0,
        device_row=row.device.id if row.device else None,
    )


def from_campaign(row: Any) -> Run:
    """A campaign execution, read `with_state`, as a run."""
    return Run(
        "campaign", row.id, row.campaign_name or "unnamed campaign", row.state, row.host_name or "",
        row.device_name or "", row.started_at, row.execution_time_ms,
    )  # fmt: skip
