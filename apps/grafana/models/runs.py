"""What each run of the sync did, row by row, and what keeps the schedule from running."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from apps.dashboards.models import Dashboard
from apps.grafana.models.instance import GrafanaInstance


class SyncRun(models.Model):
    """One run over one Grafana."""

    class Status(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        PARTIAL = "partial", "done in part"
        CONFLICT = "conflict", "stopped at conflicts"
        STALE = "stale", "refused: the plan is out of date"
        GUARD = "guard", "refused by a guard"
        REFUSED = "refused", "the credentials were refused"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    class Cause(models.TextChoices):
        SCHEDULE = "schedule"
        COMMAND = "command"
        ADMIN = "admin"

    instance = models.ForeignKey(GrafanaInstance, on_delete=models.CASCADE, related_name="runs")
    status = models.CharField(max_length=12, choices=Status, default=Status.RUNNING)
    what = models.CharField(max_length=40, default="sync", help_text="sync, check, push, pull, prune …")
    cause = models.CharField(max_length=10, choices=Cause)
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    total = models.PositiveIntegerField(default=0, help_text="Rows that were looked at.")
    changed = models.PositiveIntegerField(default=0, help_text="Rows that were written, there or here.")
    failed = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="How many dashboards ended in each state.")
    requests = models.PositiveIntegerField(default=0)
    sent = models.PositiveBigIntegerField("bytes sent", default=0)
    received = models.PositiveBigIntegerField("bytes received", default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "sync run"
        indexes: ClassVar = [models.Index(fields=["instance", "-id"], name="runs_of_an_instance")]

    def __str__(self) -> str:
        return f"{self.what} of {self.instance} at {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()


class SyncStep(models.Model):
    """A row of a run in which something was done, or should have been, or that is not in sync."""

    class Outcome(models.TextChoices):
        DONE = "done"
        REPORTED = "reported", "only reported"
        FAILED = "failed"

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=12, help_text="dashboard, folder, library or grants.")
    uid = models.CharField(max_length=40)
    title = models.CharField(max_length=300)
    dashboard = models.ForeignKey(Dashboard, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, help_text="How it was found.")
    action = models.CharField(max_length=10, help_text="What was to be done.")
    outcome = models.CharField(max_length=10, choices=Outcome)
    words = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField("HTTP status", null=True)
    milliseconds = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name = "sync step"

    def __str__(self) -> str:
        return f"{self.action} {self.title}: {self.outcome}"


class SyncPause(models.Model):
    """The schedule leaves a team's dashboards alone, or all of them. Commands and the admin still work."""

    team_id = models.UUIDField("team", null=True, blank=True, help_text="Empty: everything.")
    team_name = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name = "pause of the sync"
        verbose_name_plural = "pauses of the sync"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team_id"], name="one_pause_each", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.team_name or self.team_id or 'everything'} is paused"
