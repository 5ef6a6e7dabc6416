"""One run of a script, a campaign or a test with all that is known of it: steps, zaps, scripts, earlier runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.audit import without_secrets
from apps.accounts.scope import TeamScope
from apps.mirror import states
from apps.mirror.models import (
    CampaignExecution,
    ExecutionResult,
    NavigationEdge,
    NavigationNode,
    NavigationTree,
    ScriptResult,
    TestExecution,
    TestResult,
    ZapResult,
)
from apps.mirror.querysets import CAMPAIGN_MAX_AGE
from apps.portal import formatting, links
from apps.portal.components import State
from apps.portal.selectors import recent
from apps.portal.selectors.recent import Kind, Run

MOST_STEPS: Final = 500
MOST_ZAPS: Final = 200
MOST_SCRIPTS: Final = 200
PREVIOUS_RUNS: Final = 30


@dataclass(frozen=True, slots=True)
class Step:
    """An action or verification. `after` is the time since the run's start, in milliseconds."""

    name: str
    kind: str
    state: State
    after_ms: float | None
    duration_ms: float | None
    message: str
    error: Any
    kpi_ms: float | None
    kpi_failed: bool
    kpi_url: str


@dataclass(frozen=True, slots=True)
class Branch:
    """Steps one after the other on the same map; `url` leads to the map."""

    name: str
    url: str
    steps: Sequence[Step]

    @property
    def failures(self) -> int:
        return sum(step.state == states.FAILING for step in self.steps)

    @property
    def state(self) -> State:
        """How the branch ended: a step that was tried again and then went well failed nothing."""
        return self.steps[-1].state

    @property
    def duration_ms(self) -> float:
        return sum(step.duration_ms or 0 for step in self.steps)


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run and what belongs to it. `previous` are earlier runs of the same on the same device, newest first."""

    run: Run
    row: Any
    now: datetime
    previous: Sequence[Run] = ()
    branches: Sequence[Branch] = ()
    more_steps: bool = False
    zaps: Sequence[ZapResult] = ()
    scripts: Sequence[Run] = ()
    not_started: Sequence[str] = ()
    results: Sequence[TestResult] = ()
    part_of: Sequence[Run] = ()
    metadata: Any = None
    error: str = ""
    report_url: str = ""
    logs_url: str = ""
    ended_at: datetime | None = None

    @property
    def median_ms(self) -> float | None:
        """The median duration of the earlier runs that went well, in milliseconds."""
        known = [run.duration_ms for run in self.previous if run.duration_ms is not None and run.state == states.OK]
        return median(known) if known else None

    @property
    def duration_ms(self) -> float | None:
        """How long it took; while it runs, how long it has been running."""
        if self.run.state == states.RUNNING and self.run.started_at is not None:
            return formatting.milliseconds(self.now - self.run.started_at)
        return self.run.duration_ms

    @property
    def step_count(self) -> int:
        return sum(len(branch.steps) for branch in self.branches)

    @property
    def failed_steps(self) -> int:
        return sum(branch.failures for branch in self.branches)

    @property
    def longest_step_ms(self) -> float:
        """For the bars beside the steps; never zero."""
        return max((step.duration_ms or 0 for branch in self.branches for step in branch.steps), default=0) or 1

    @property
    def answer(self) -> str:
        """The sentence that the page opens with."""
        took = formatting.duration(self.duration_ms)
        match self.run.state:
            case states.RUNNING:
                return f"Running for {took}."
            case states.OK:
                text = f"Went well in {took}" if self.duration_ms is not None else "Went well"
            case states.FAILING:
                text = f"Failed after {took}" if self.duration_ms is not None else "Failed"
            case states.UNKNOWN:
                return "Started, and nothing was heard of it since: whatever ran it has crashed or lost its connection."
            case _:
                return f"It is {self.run.state}."
        earlier = [run for run in self.previous if run.state in states.FINISHED]
        good = sum(run.state == states.OK for run in earlier)
        return f"{text}; of the {len(earlier)} runs before it, {good} went well." if earlier else f"{text}."


def script(*, scope: TeamScope, now: datetime, id: UUID) -> RunDetails | None:
    """A run of a script; None when it is not there or not the viewer's. Eight queries at most."""
    rows = ScriptResult.objects.visible_to(scope)
    row: Any = rows.with_state(now).filter(pk=id).first()
    if row is None:
        return None
    steps = list(
        ExecutionResult.objects.visible_to(scope)
        .filter(script_result_id=id)
        .with_state(now)
        .order_by("executed_at", "pk")[: MOST_STEPS + 1]
    )
    zaps = ZapResult.objects.visible_to(scope).filter(script_result_id=id).order_by("iteration_index", "execution_date")
    run = recent.from_script(row)
    earlier = rows.filter(script_name=row.script_name, host_name=row.host_name, device_name=row.device_name)
    return RunDetails(
        run=run,
        row=row,
        now=now,
        previous=[recent.from_script(one) for one in _before(earlier, "started_at", row, now, "metadata", "error_msg")],
        branches=_branches(scope, steps[:MOST_STEPS], run.started_at),
        more_steps=len(steps) > MOST_STEPS,
        zaps=list(zaps[:MOST_ZAPS]),
        part_of=_campaigns_of(scope, now, row),
        metadata=without_secrets(row.metadata),
        error=row.error_msg or "" if run.state != states.RUNNING else "",
        report_url=links.web_address(row.html_report_r2_url),
        logs_url=links.web_address(row.logs_r2_url),
        ended_at=row.completed_at if run.state in states.FINISHED else None,
    )


def campaign(*, scope: TeamScope, now: datetime, id: UUID) -> RunDetails | None:
    """A run of a campaign with its scripts; None when it is not there or not the viewer's. Three queries."""
    rows = CampaignExecution.objects.visible_to(scope)
    row: Any = rows.with_state(now).filter(pk=id).first()
    if row is None:
        return None
    ids = list(row.script_result_ids or ())[:MOST_SCRIPTS]
    found: Iterable[Any] = (
        ScriptResult.objects.visible_to(scope).filter(pk__in=ids).with_state(now).defer("metadata") if ids else ()
    )
    scripts = sorted(
        map(recent.from_script, found), key=lambda run: run.started_at.timestamp() if run.started_at else 0
    )
    earlier = rows.filter(campaign_name=row.campaign_name)
    return RunDetails(
        run=recent.from_campaign(row),
        row=row,
        now=now,
        previous=[recent.from_campaign(one) for one in _before(earlier, "started_at", row, now)],
        scripts=scripts,
        not_started=_names(row.script_configurations)[len(ids) :],
        metadata=without_secrets({"scripts": row.script_configurations, "settings": row.execution_config}),
        error=row.error_message or "",
        report_url=links.web_address(row.html_report_r2_url),
        ended_at=row.completed_at,
    )


def test(*, scope: TeamScope, now: datetime, id: UUID) -> RunDetails | None:
    """A run of a test with its results; None when it is not there or not the viewer's. Three queries."""
    rows = TestExecution.objects.visible_to(scope).select_related("test", "device", "campaign", "environment_profile")
    row: Any = rows.with_state(now).filter(pk=id).first()
    if row is None:
        return None
    results: Any = TestResult.objects.visible_to(scope).filter(execution_id=id).with_state(now).order_by("created_at")
    found = list(results[:100])
    earlier = rows.filter(test_id=row.test_id) if row.test_id else rows.none()
    return RunDetails(
        run=recent.from_test(row),
        row=row,
        now=now,
        previous=[recent.from_test(one) for one in _before(earlier, "created_at", row, now)],
        results=found,
        error=next((one.error_message for one in found if one.error_message), ""),
        ended_at=row.end_time,
    )


DETAILS: Final[Mapping[Kind, Any]] = {"script": script, "campaign": campaign, "test": test}
"""How a run of each kind is read."""


def _before(rows: QuerySet[Any], moment: str, row: Any, now: datetime, *unread: str) -> Iterable[Any]:
    """Earlier runs than `row` with their state, newest first."""
    at = getattr(row, moment)
    if at is None:
        return []
    states_of: Any = rows
    earlier: Iterable[Any] = (
        states_of.filter(**{f"{moment}__lt": at}).with_state(now).order_by(f"-{moment}", "-pk").defer(*unread)
    )[:PREVIOUS_RUNS]
    return earlier


def _campaigns_of(scope: TeamScope, now: datetime, row: Any) -> list[Run]:
    """The campaign runs that this script is a part of: one that began in the day before it. One query."""
    if row.started_at is None:
        return []
    found: Iterable[Any] = (
        CampaignExecution.objects.visible_to(scope)
        .filter(started_at__gt=row.started_at - CAMPAIGN_MAX_AGE, started_at__lte=row.started_at + timedelta(seconds=1))
        .filter(script_result_ids__contains=[row.pk])
        .with_state(now)[:3]
    )
    return [recent.from_campaign(one) for one in found]


def _branches(scope: TeamScope, steps: Sequence[Any], started_at: datetime | None) -> list[Branch]:
    """The steps in order, cut where the map changes. Three queries for the names."""
    trees = {step.tree_id for step in steps if step.tree_id}
    names: dict[UUID, str] = dict(
        NavigationTree.objects.visible_to(scope).filter(pk__in=trees).values_list("pk", "name") if trees else ()
    )
    ways = {step.edge_id for step in steps if step.edge_id and step.tree_id}
    edges = NavigationEdge.objects.visible_to(scope).filter(tree_id__in=trees, edge_id__in=ways)
    screens = {step.node_id for step in steps if step.node_id and step.tree_id}
    nodes = NavigationNode.objects.visible_to(scope).filter(tree_id__in=trees, node_id__in=screens)
    labels = {(tree, id): label for tree, id, label in edges.values_list("tree_id", "edge_id", "label")} if ways else {}
    if screens:
        labels |= {(tree, id): label for tree, id, label in nodes.values_list("tree_id", "node_id", "label")}
    found = []
    for tree, group in groupby(steps, key=lambda step: step.tree_id):
        name = names.get(tree) or ("Outside the maps" if tree is None else "A map that is gone")
        url = links.page("tree", tree) if tree in names else ""
        found.append(Branch(name, url, [_step(step, labels, started_at) for step in group]))
    return found


def _step(row: Any, labels: Mapping[tuple[Any, Any], str | None], started_at: datetime | None) -> Step:
    part = row.edge_id or row.node_id
    label = row.action_set_id.replace("_", " ") if row.action_set_id else ""
    return Step(
        name=label or labels.get((row.tree_id, part)) or part or row.execution_type or "step",
        kind=row.execution_type or "",
        state=row.state,
        after_ms=formatting.milliseconds(row.executed_at - started_at) if row.executed_at and started_at else None,
        duration_ms=row.execution_time_ms,
        message=row.message or "",
        error=without_secrets(row.error_details) if row.error_details else None,
        kpi_ms=row.kpi_measurement_ms,
        kpi_failed=row.kpi_measurement_success is False,
        kpi_url=links.web_address(row.kpi_report_url),
    )


def _names(configurations: Any) -> list[str]:
    """The names of the scripts that a campaign is configured with."""
    if not isinstance(configurations, list):
        return []
    return [
        str(one.get("script_name", "unnamed script")) if isinstance(one, Mapping) else str(one)
        for one in configurations
    ]
