"""A run of the sync over one Grafana: alone there, planned, guarded, applied, and recorded row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.dashboards.author import Author
from apps.grafana import apply as applying
from apps.grafana import placing
from apps.grafana import plan as planning
from apps.grafana.apply import Step
from apps.grafana.client import Client
from apps.grafana.connect import client_for
from apps.grafana.errors import GrafanaError, Unauthorised
from apps.grafana.models import GrafanaInstance, SyncRun, SyncStep
from apps.grafana.plan import Draft
from apps.grafana.plan_file import Plan, StalePlanError
from apps.grafana.run_lock import alone
from apps.grafana.selection import Wishes, selected
from apps.grafana.transport import Tally
from apps.grafana.verdict import Action, State

CONCURRENCY: Final = 8
STEPS_AT_ONCE: Final = 100
Status = SyncRun.Status
Outcome = SyncStep.Outcome


class GuardError(RuntimeError):
    """A guard refuses the run before anything is written."""


class Watcher:
    """Is told how a run gets on; this one keeps still."""

    def reading(self, done: int, total: int) -> None:
        """So many dashboards have been read."""

    def planned(self, plan: Plan) -> None:
        """This is what will be done."""

    def did(self, step: Step) -> None:
        """A row is done."""


@dataclass
class Report:
    """What came of a run: the record, the plan it followed, and its steps."""

    run: SyncRun
    plan: Plan | None = None
    steps: list[Step] = field(default_factory=list)
    problem: GrafanaError | None = None
    _unsaved: list[SyncStep] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """One more row is done."""
        self.steps.append(step)
        self._unsaved.append(_row(self.run, step))
        if len(self._unsaved) >= STEPS_AT_ONCE:
            self._save_steps()

    def end(self, tally: Tally, status: SyncRun.Status, error: str, author: Author) -> None:
        """Close the record."""
        self._save_steps()
        record = self.run
        record.status, record.error, record.ended_at = status, error, timezone.now()
        record.requests, record.sent, record.received = tally.requests, tally.sent, tally.received
        record.changed = sum(step.outcome is Outcome.DONE and step.row.writes for step in self.steps)
        record.failed = sum(step.outcome is Outcome.FAILED for step in self.steps)
        record.save()
        if record.cause != SyncRun.Cause.SCHEDULE:
            after = {"run": record.pk, "what": record.what, "status": record.status, "changed": record.changed}
            audit.record(AuditEntry.Action.COMMAND, obj=record.instance, after=after, **author.audited())

    def _save_steps(self) -> None:
        SyncStep.objects.bulk_create(self._unsaved)
        self._unsaved = []


def preview(
    instance: GrafanaInstance, wishes: Wishes, *, concurrency: int = CONCURRENCY, watcher: Watcher | None = None
) -> Draft:
    """What a run would do. Nothing is written, there or here. Raises SelectionError, GrafanaError, GuardError."""
    told = (watcher or Watcher()).reading
    with client_for(instance, concurrency=concurrency) as client:
        draft = planning.make(instance, client, wishes, concurrency=concurrency, told=told)
    _guard(draft)
    return draft


def run(
    instance: GrafanaInstance,
    wishes: Wishes,
    *,
    author: Author,
    cause: SyncRun.Cause,
    what: str = "sync",
    only_check: bool = False,
    follow: Plan | str | None = None,
    concurrency: int = CONCURRENCY,
    watcher: Watcher | None = None,
) -> Report:
    """Sync the rows of `wishes`. With `only_check` nothing is written in Grafana; with `follow`, a plan or its
    fingerprint, that plan is done or nothing.

    What goes wrong with Grafana is in the report; raises SelectionError, AlreadyRunningError.
    """
    told = watcher or Watcher()

    def work(report: Report, client: Client) -> None:
        draft = planning.make(instance, client, wishes, concurrency=concurrency, told=told.reading)
        report.plan = plan = draft.plan
        report.run.total, report.run.counts = len(draft.items), plan.counts
        if isinstance(follow, Plan):
            follow.must_equal(plan)
        elif follow is not None and follow != plan.fingerprint:
            raise StalePlanError([row.title for row in plan.changes])
        if not only_check:
            _guard(draft)
        told.planned(plan)
        applying.note_seen(draft)
        if not only_check:
            for step in applying.apply(draft, client, author, concurrency=concurrency):
                report.add(step)
                told.did(step)
            report.run.counts = dict(Counter(item.placement.state for item in draft.items))

    report = recorded(instance, work, author=author, cause=cause, what=what, concurrency=concurrency)
    if report.plan is None and report.problem is not None:
        _unknown(instance, wishes, report, report.problem)
    return report


def recorded(
    instance: GrafanaInstance,
    work: Callable[[Report, Client], None],
    *,
    author: Author,
    cause: SyncRun.Cause,
    what: str,
    concurrency: int = CONCURRENCY,
) -> Report:
    """Do `work` alone on that Grafana, and record what came of it; what goes wrong with Grafana is in the report.

    Raises AlreadyRunningError, and what `work` raises beyond that.
    """
    with alone(instance.pk):
        _close_interrupted(instance)
        record = SyncRun.objects.create(
            instance=instance, cause=cause, what=what, actor=author.name[:200], reason=author.reason
        )
        report = Report(record)
        tally = Tally()
        status, error = Status.FAILED, ""
        try:
            with client_for(instance, concurrency=concurrency) as client:
                tally = client.tally
                work(report, client)
            status = _status(report)
            instance.remember()
        except GrafanaError as problem:
            report.problem, error = problem, problem.text
            status = Status.REFUSED if type(problem) is Unauthorised else Status.FAILED
            instance.remember(error)
        except StalePlanError as problem:
            status, error = Status.STALE, str(problem)
        except GuardError as problem:
            status, error = Status.GUARD, str(problem)
        except KeyboardInterrupt:
            status, error = Status.INTERRUPTED, "stopped by hand"
            raise
        except Exception as problem:
            error = type(problem).__name__
            raise
        finally:
            report.end(tally, status, error, author)
    return report


def _guard(draft: Draft) -> None:
    """Raises GuardError when more would be deleted than may be at a time."""
    count = sum(item.verdict.action is Action.PRUNE for item in draft.items)
    most = settings.SYNC_PRUNE_LIMIT
    if count > most:
        raise GuardError(
            f"{count} dashboards would be deleted, and at most {most} may be in one run (SYNC_PRUNE_LIMIT);"
            " nothing was written"
        )


def _status(report: Report) -> SyncRun.Status:
    failed = [step for step in report.steps if step.outcome is Outcome.FAILED]
    states = report.run.counts
    if states.get(State.CONFLICT):
        return Status.CONFLICT
    dead = [step for step in failed if step.row.state == State.UNKNOWN]
    if dead and len(dead) >= report.run.total > 0:
        return Status.FAILED
    stuck = states.get(State.BLOCKED, 0) + states.get(State.FLAPPING, 0) + states.get(State.UNKNOWN, 0)
    return Status.PARTIAL if failed or stuck else Status.DONE


def _unknown(instance: GrafanaInstance, wishes: Wishes, report: Report, problem: GrafanaError) -> None:
    """A Grafana that cannot be asked says nothing about what is there: neither drift nor deletion."""
    rows = selected(instance, wishes)
    for placement in rows:
        placing.failed(placement, problem, State.UNKNOWN)
        placement.checked_at = report.run.ended_at
    placing.save(rows, placing.SEEN)


def _close_interrupted(instance: GrafanaInstance) -> None:
    """Runs that nobody ended: their process was killed, since the lock is ours now."""
    SyncRun.objects.filter(instance=instance, status=Status.RUNNING).update(
        status=Status.INTERRUPTED, ended_at=timezone.now(), error="its process was ended; this run goes on from there"
    )


def _row(record: SyncRun, step: Step) -> SyncStep:
    return SyncStep(
        run=record,
        kind=step.row.kind,
        uid=step.row.uid,
        title=step.row.title[:300],
        dashboard=step.dashboard,
        state=step.row.state,
        action=step.row.action,
        outcome=step.outcome,
        words=step.words,
        status=step.status,
        milliseconds=step.milliseconds,
    )
