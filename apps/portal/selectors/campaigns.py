"""Campaigns: what is defined and what ran, under one name, and how it goes compared with the month before.

A campaign run is a success when it is `completed` and its `success` is true; failed are those that failed or completed
without success. Runs under way, waiting or cancelled count as neither. Where a campaign has no runs of its own, the
executions of its tests are counted (completed is success), as the platform's earlier schema has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Aggregate, Count, FloatField, Max, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.accounts.scope import TeamScope
from apps.mirror import shape, states
from apps.mirror.models import Campaign, CampaignExecution, ScriptResult, TestExecution
from apps.portal import links
from apps.portal.components import Series, State
from apps.portal.selectors import recent
from apps.portal.selectors.recent import Run, Tally

WINDOW: Final = timedelta(days=30)
"""What a success rate is of; the window before it is what it is compared with."""
SPARK_DAYS: Final = 30
LATEST_RUNS: Final = 30
SCRIPTS_OF_RUNS: Final = 20
"""So many of the latest runs tell how each script of a campaign goes."""
MOST_DEFINED: Final = 2000


class Percentile(Aggregate):
    """The value below which `share` of the rows lie, interpolated: PostgreSQL's percentile_cont."""

    function = "PERCENTILE_CONT"
    output_field = FloatField()

    def __init__(self, expression: str, share: float, **extra: Any) -> None:
        super().__init__(expression, **extra)
        self.template = f"%(function)s({share:f}) WITHIN GROUP (ORDER BY %(expressions)s)"


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign by its name. Durations are milliseconds; `rates` are of the last days, oldest first."""

    name: str
    defined: Campaign | None
    now: Tally
    before: Tally
    counted: str
    median_ms: float | None = None
    p95_ms: float | None = None
    last: Run | None = None
    rates: Sequence[float | None] = ()

    @property
    def url(self) -> str:
        return links.page("campaign-by-name", self.name)

    @property
    def status(self) -> str:
        """What its definition says; empty where only its runs are known."""
        return (self.defined.status or "") if self.defined else ""

    @property
    def description(self) -> str:
        return (self.defined.description or "") if self.defined else ""

    @property
    def last_at(self) -> datetime | None:
        return self.last.started_at if self.last else None

    @property
    def last_state(self) -> State:
        return self.last.state if self.last else "unknown"


@dataclass(slots=True)
class _Counts:
    now: Tally = field(default_factory=Tally)
    before: Tally = field(default_factory=Tally)
    median_ms: float | None = None
    p95_ms: float | None = None
    latest: datetime | None = None


def campaigns(*, scope: TeamScope, now: datetime) -> list[CampaignRow]:
    """All that are defined, and all that ran in the last sixty days, the last run first. Five queries at most."""
    rows: Any = CampaignExecution.objects.visible_to(scope).filter(started_at__gte=now - 2 * WINDOW)
    counts = _counts(rows, "campaign_name", "started_at", now)
    rates = _rates(rows.filter(started_at__gte=_first_day()), now)
    last = _last_of_each(rows, now, counts)
    definitions = list(Campaign.objects.visible_to(scope).order_by("-name", "-pk")[:MOST_DEFINED])
    defined = {row.name or "": row for row in definitions}
    by_tests = _of_tests(scope, now, [row for row in definitions if (row.name or "") not in counts])
    found = [
        CampaignRow(
            name=name,
            defined=defined.get(name),
            now=one.now,
            before=one.before,
            counted="campaign runs",
            median_ms=one.median_ms,
            p95_ms=one.p95_ms,
            last=last.get(name or "unnamed campaign"),
            rates=rates.get(name, ()),
        )
        for name, one in counts.items()
    ]
    for name, row in defined.items():
        if name not in counts:
            tests, latest = by_tests.get(name, (_Counts(), None))
            run = Run("campaign", row.pk, name, "unknown", "", "", latest, None) if latest else None
            found.append(CampaignRow(name, row, tests.now, tests.before, "test executions", last=run))
    return sorted(found, key=lambda one: (-one.last_at.timestamp() if one.last_at else 0.0, one.name))


def answer(rows: Sequence[CampaignRow]) -> str:
    """The sentence that the list opens with."""
    if not rows:
        return "No campaign is known yet."
    worse = [
        row for row in rows
        if row.now.rate is not None and row.before.rate is not None and row.now.rate < row.before.rate - 0.02
    ]  # fmt: skip
    running = sum(row.last_state == states.RUNNING for row in rows)
    ran = sum(1 for row in rows if row.now.ok + row.now.failing)
    text = f"{ran} of {len(rows)} campaigns ended a run in the last 30 days"
    text += f"; {len(worse)} {'does' if len(worse) == 1 else 'do'} worse than in the 30 days before" if worse else ""
    return text + (f"; {running} {'runs' if running == 1 else 'run'} now." if running else ".")


@dataclass(frozen=True, slots=True)
class CampaignDetails:
    """A campaign with its latest runs, its days, and how each of its scripts goes."""

    row: CampaignRow
    runs: Sequence[Run]
    scripts: Sequence[tuple[str, Tally]]
    days: Sequence[tuple[datetime, Tally, float | None]]

    @property
    def results(self) -> list[Series]:
        """Runs per day, for bars."""
        return [
            Series("ok", [(at, float(tally.ok)) for at, tally, _ in self.days], "ok"),
            Series("failing", [(at, float(tally.failing)) for at, tally, _ in self.days], "failing"),
        ]

    @property
    def durations(self) -> list[Series]:
        """The median duration per day, in milliseconds."""
        return [Series("median", [(at, ms) for at, _, ms in self.days])]

    @property
    def answer(self) -> str:
        """The sentence that the page opens with."""
        rate = self.row.now.rate
        if rate is None:
            return "No run of it ended in the last 30 days."
        return f"{self.row.now.ok} of {self.row.now.ok + self.row.now.failing} {self.row.counted} in 30 days went well."


def details(*, scope: TeamScope, now: datetime, name: str) -> CampaignDetails | None:
    """The campaign of that name; None when it is neither defined nor ran. Eight queries at most."""
    rows: Any = CampaignExecution.objects.visible_to(scope).filter(campaign_name=name)
    definitions = list(Campaign.objects.visible_to(scope).filter(name=name).order_by("-pk")[:MOST_DEFINED])
    defined = next(iter(definitions), None)
    latest = list(rows.with_state(now).latest_first().defer("script_configurations", "execution_config")[:LATEST_RUNS])
    if not latest and defined is None:
        return None
    runs = [recent.from_campaign(row) for row in latest]
    recently = rows.filter(started_at__gte=now - 2 * WINDOW)
    counts, counted = _counts(recently, "campaign_name", "started_at", now).get(name), "campaign runs"
    if counts is None and definitions:
        counts, counted = _of_tests(scope, now, definitions).get(name, (_Counts(), None))[0], "test executions"
    counts = counts or _Counts()
    return CampaignDetails(
        row=CampaignRow(
            name, defined, counts.now, counts.before, counted, counts.median_ms, counts.p95_ms, next(iter(runs), None)
        ),
        runs=runs,
        scripts=_scripts(scope, now, latest[:SCRIPTS_OF_RUNS]),
        days=_days(rows.filter(started_at__gte=_first_day()), now),
    )


def name_of(*, scope: TeamScope, id: UUID) -> str | None:
    """The name of the definition `id`; None when it is not there or not the viewer's."""
    row = Campaign.objects.visible_to(scope).filter(pk=id).first()
    return None if row is None else row.name


def has_definitions() -> bool:
    """Whether the connected database defines campaigns at all."""
    return shape.has_table(Campaign)


def _first_day() -> datetime:
    first = timezone.localdate() - timedelta(days=SPARK_DAYS - 1)
    return timezone.make_aware(datetime.combine(first, time.min))


def _counts(rows: QuerySet[Any], key: str, moment: str, now: datetime) -> dict[Any, _Counts]:
    """The two windows by `key`, durations of the newer one, and when the last began. One query."""
    newer, older = Q(**{f"{moment}__gte": now - WINDOW}), Q(**{f"{moment}__lt": now - WINDOW})
    ok, failing, unknown = (Q(state=word) for word in (states.OK, states.FAILING, states.UNKNOWN))
    numbers = {
        f"{age}_{word}": Count("pk", filter=window & state)
        for age, window in (("now", newer), ("before", older))
        for word, state in (("ok", ok), ("failing", failing), ("unknown", unknown))
    }
    timed = rows.model is CampaignExecution
    durations = {
        name: Percentile("execution_time_ms", share, filter=newer & (ok | failing))
        for name, share in (("median", 0.5), ("p95", 0.95))
        if timed
    }
    stated: Any = rows.order_by()
    found = stated.with_state(now).values(key).annotate(**numbers, **durations, latest=Max(moment))
    return {
        row[key] or "": _Counts(
            Tally(row["now_ok"], row["now_failing"], row["now_unknown"]),
            Tally(row["before_ok"], row["before_failing"], row["before_unknown"]),
            row.get("median"),
            row.get("p95"),
            row["latest"],
        )
        for row in found
    }


def _of_tests(
    scope: TeamScope, now: datetime, definitions: Sequence[Campaign]
) -> dict[str, tuple[_Counts, datetime | None]]:
    """The executions of tests by the name of their campaign, and the latest. One query."""
    if not definitions:
        return {}
    names = {row.pk: row.name or "" for row in definitions}
    rows = TestExecution.objects.visible_to(scope).filter(campaign_id__in=names, created_at__gte=now - 2 * WINDOW)
    found: dict[str, tuple[_Counts, datetime | None]] = {}
    for id, one in _counts(rows, "campaign_id", "created_at", now).items():
        # Two teams may have campaigns of the same name.
        before, at = found.get(names[id], (_Counts(), None))
        moments = [moment for moment in (at, one.latest) if moment is not None]
        found[names[id]] = _Counts(one.now + before.now, one.before + before.before), max(moments, default=None)
    return found


def _last_of_each(rows: Any, now: datetime, counts: Mapping[str, _Counts]) -> dict[str, Run]:
    """The last run by name. One query, by the moments that are known: nothing is sorted for it."""
    moments = {name or "unnamed campaign": one.latest for name, one in counts.items()}
    found = rows.with_state(now).filter(started_at__in=set(moments.values())).order_by("started_at", "pk")
    runs = map(recent.from_campaign, found.defer("script_configurations", "execution_config", "script_result_ids"))
    return {run.name: run for run in runs if run.started_at == moments.get(run.name)}


def _per_day(rows: Any, now: datetime, *keys: str, **more: Any) -> Iterable[dict[str, Any]]:
    counted: Iterable[dict[str, Any]] = (
        rows.order_by()
        .with_state(now)
        .annotate(day=TruncDate("started_at"))
        .values(*keys, "day")
        .annotate(
            ok=Count("pk", filter=Q(state=states.OK)), failing=Count("pk", filter=Q(state=states.FAILING)), **more
        )
    )
    return counted


def _last_days() -> list[date]:
    today = timezone.localdate()
    return [today - timedelta(days=number) for number in reversed(range(SPARK_DAYS))]


def _rates(rows: Any, now: datetime) -> dict[str, list[float | None]]:
    """The success rate of each of the last days that had runs, by name. One query."""
    tallies: dict[str, dict[date, Tally]] = defaultdict(dict)
    for row in _per_day(rows, now, "campaign_name"):
        tallies[row["campaign_name"] or ""][row["day"]] = Tally(row["ok"], row["failing"])
    return {name: [days[day].rate for day in _last_days() if day in days] for name, days in tallies.items()}


def _days(rows: Any, now: datetime) -> list[tuple[datetime, Tally, float | None]]:
    """The last days with their runs and median duration. One query."""
    ended = Q(state__in=states.FINISHED)
    found = {row["day"]: row for row in _per_day(rows, now, median=Percentile("execution_time_ms", 0.5, filter=ended))}
    days = []
    for day in _last_days():
        row = found.get(day, {})
        at = timezone.make_aware(datetime.combine(day, time.min))
        days.append((at, Tally(row.get("ok", 0), row.get("failing", 0)), row.get("median")))
    return days


def _scripts(scope: TeamScope, now: datetime, runs: Sequence[Any]) -> list[tuple[str, Tally]]:
    """How the scripts of these runs went, worst first. One query."""
    ids = [id for run in runs for id in (run.script_result_ids or ())]
    if not ids:
        return []
    found = (
        ScriptResult.objects.visible_to(scope).filter(pk__in=ids[:2000]).order_by().with_state(now)
        .values("script_name")
        .annotate(
            ok=Count("pk", filter=Q(state=states.OK)), failing=Count("pk", filter=Q(state=states.FAILING)),
            unknown=Count("pk", filter=Q(state=states.UNKNOWN)),
        )
    )  # fmt: skip
    scripts = [
        (row["script_name"] or "unnamed script", Tally(row["ok"], row["failing"], row["unknown"])) for row in found
    ]
    return sorted(scripts, key=lambda one: (1 if one[1].rate is None else one[1].rate, one[0]))
