"""What is asked of the mirrored tables, in words: who may see a row, and how a run is.

Every `with_state` adds the annotation `state`, one word of `states`. A column that the connected database lacks reads
as NULL, so the rules below are written such that NULL never counts as a verdict.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Self, TypeVar

from django.db import models
from django.db.models import Case, CharField, F, Q, Value, When
from django.db.models.functions import Lower
from django.db.models.lookups import In
from django.utils import timezone

from apps.accounts.scope import TeamScope
from apps.mirror import states

M = TypeVar("M", bound=models.Model)

STARTED_ONLY: Final = timedelta(seconds=1)
"""A script that just started has `completed_at` = `started_at`, but for the time between two calls of the clock."""
SCRIPT_MAX_AGE: Final = timedelta(hours=1)
"""A script without a result after this long has crashed: nothing will ever complete its row."""
CAMPAIGN_MAX_AGE: Final = timedelta(hours=24)
"""The same for a campaign, which is many scripts."""


def _state(*cases: When) -> Case:
    return Case(*cases, default=Value(states.UNKNOWN), output_field=CharField())


class MirrorQuerySet(models.QuerySet[M]):
    """Rows of one mirrored table."""

    def visible_to(self, scope: TeamScope) -> Self:
        """The rows that `scope` may see, by the model's `team_lookup`, else its `host_lookup`; without either, none.

        Rows whose team or host is NULL are for those who may see everything.
        """
        if scope.everything:
            return self
        if team := self._declared("team_lookup"):
            return self.filter(**{f"{team}__in": scope.team_ids})
        if host := self._declared("host_lookup"):
            return self.filter(**{f"{host}__in": scope.host_names})
        return self.none()

    def latest_first(self) -> Self:
        """By the model's `time_field`, newest first, the primary key breaking ties: the order of cursor pagination."""
        time = self._declared("time_field")
        return self.order_by(f"-{time}", "-pk") if time else self.order_by("-pk")

    def between(self, start: datetime, end: datetime) -> Self:
        """Rows whose `time_field` is in [start, end). Raises ValueError for a model without one."""
        time = self._declared("time_field")
        if time is None:
            raise ValueError(f"{self.model.__name__} has no time field")
        return self.filter(**{f"{time}__gte": start, f"{time}__lt": end})

    def _declared(self, attribute: str) -> str | None:
        # By name, not by type: the models are built on this module.
        name: str | None = getattr(self.model, attribute)
        return name


class RunQuerySet(MirrorQuerySet[M]):
    """Rows that each tell of one run. Subclasses say how its state is read from the columns."""

    def state_expression(self, now: datetime) -> Case:
        """SQL for the state at `now`."""
        raise NotImplementedError

    def with_state(self, now: datetime | None = None) -> Self:
        """With the annotation `state` as of `now` (default: this moment)."""
        return self.annotate(state=self.state_expression(now or timezone.now()))

    def in_state(self, *words: str, now: datetime | None = None) -> Self:
        """Runs whose state is one of `words`, with the annotation `state`. Raises ValueError for an unknown word."""
        if strangers := set(words) - set(states.STATES):
            raise ValueError(f"no such state: {', '.join(sorted(strangers))}")
        return self.with_state(now).filter(state__in=words)

    def running(self, now: datetime | None = None) -> Self:
        """Runs under way."""
        return self.in_state(states.RUNNING, now=now)

    def finished(self, now: datetime | None = None) -> Self:
        """Runs that ended with a verdict: what a success rate is counted from."""
        return self.in_state(*states.FINISHED, now=now)

    def failed(self, now: datetime | None = None) -> Self:
        """Runs that ended badly; never those that still run."""
        return self.in_state(states.FAILING, now=now)


class ScriptResultQuerySet(RunQuerySet[M]):
    """A row is written when the script starts, with success = false and completed_at = started_at, and updated when it
    ends; there is no status column. Without a duration it runs, or it crashed and nobody will ever say so."""

    def state_expression(self, now: datetime) -> Case:
        just_started = Q(execution_time_ms__isnull=True, completed_at__lt=F("started_at") + STARTED_ONLY)
        return _state(
            When(success=True, then=Value(states.OK)),
            When(just_started & Q(started_at__gt=now - SCRIPT_MAX_AGE), then=Value(states.RUNNING)),
            When(just_started, then=Value(states.UNKNOWN)),
            When(success=False, then=Value(states.FAILING)),
        )

    def abandoned(self, now: datetime | None = None) -> Self:
        """Scripts that started and never came to an end."""
        return self.in_state(states.UNKNOWN, now=now)


class CampaignExecutionQuerySet(RunQuerySet[M]):
    """The status says pending, running, completed, failed or cancelled; `success` is the verdict of a completed one."""

    def state_expression(self, now: datetime) -> Case:
        return _state(
            When(status="pending", then=Value(states.QUEUED)),
            When(status="running", started_at__gt=now - CAMPAIGN_MAX_AGE, then=Value(states.RUNNING)),
            When(status="completed", success=True, then=Value(states.OK)),
            When(status="completed", success=False, then=Value(states.FAILING)),
            When(status="failed", then=Value(states.FAILING)),
            When(status="cancelled", then=Value(states.SKIPPED)),
        )


WORDS_OF_TESTS: Final[dict[str, tuple[str, ...]]] = {
    states.OK: ("completed", "passed", "pass", "success", "ok"),
    states.FAILING: ("failed", "fail", "failure", "error", "timeout"),
    states.RUNNING: ("running", "in_progress"),
    states.QUEUED: ("pending", "queued", "scheduled"),
    states.SKIPPED: ("skipped", "cancelled", "canceled", "aborted"),
}
"""What the unconstrained `status` of test executions and results may hold; the client counts `completed` as success."""


class TestRunQuerySet(RunQuerySet[M]):
    """Test executions and test results: a free status, read by `WORDS_OF_TESTS`."""

    __test__ = False

    def state_expression(self, now: datetime) -> Case:
        del now
        status = Lower("status", output_field=CharField())
        return _state(*(When(In(status, words), then=Value(state)) for state, words in WORDS_OF_TESTS.items()))


class StepQuerySet(RunQuerySet[M]):
    """Single actions and verifications: written once, when they are over."""

    def state_expression(self, now: datetime) -> Case:
        del now
        return _state(
            When(success=True, then=Value(states.OK)),
            When(success=False, then=Value(states.FAILING)),
        )


class DeploymentExecutionQuerySet(RunQuerySet[M]):
    """Started by the platform's scheduler, which gives up on a running one after an hour."""

    def state_expression(self, now: datetime) -> Case:
        return _state(
            When(status="queued", then=Value(states.QUEUED)),
            When(status="running", scheduled_at__gt=now - SCRIPT_MAX_AGE, then=Value(states.RUNNING)),
            When(status="skipped", then=Value(states.SKIPPED)),
            When(status="failed", then=Value(states.FAILING)),
            When(status="completed", success=True, then=Value(states.OK)),
            When(status="completed", success=False, then=Value(states.FAILING)),
        )


class AlertQuerySet(MirrorQuerySet[M]):
    """Alerts: active or resolved, and apart from that possibly discarded as a false alarm."""

    def active(self) -> Self:
        """What is wrong now and has not been discarded."""
        return self.filter(status="active").exclude(discard=True)

    def resolved(self) -> Self:
        """What is over."""
        return self.filter(status="resolved")

    def discarded(self) -> Self:
        """What somebody, or the platform's AI, called a false alarm."""
        return self.filter(discard=True)


class IncidentQuerySet(MirrorQuerySet[M]):
    """Incidents of capture and monitoring services."""

    def open(self) -> Self:
        """Neither resolved nor closed."""
        return self.exclude(status__in=("resolved", "closed"))


class SampleQuerySet(MirrorQuerySet[M]):
    """Measurements that hosts send again and again."""

    def latest_per(self, *columns: str, since: datetime) -> Self:
        """The newest row of each combination of `columns` not older than `since`, one query.

        Hosts ping every five minutes, so `since` bounds the rows read to 288 a day and host.
        """
        return self.filter(timestamp__gte=since).order_by(*columns, "-timestamp").distinct(*columns)
