"""Scripts that run on a schedule: the schedules, and each time that one started."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import Q

from apps.mirror.fields import Reference
from apps.mirror.models.base import MirrorModel, PlatformGinIndex, PlatformIndex, RunModel, known
from apps.mirror.models.execution import ScriptResult
from apps.mirror.querysets import DeploymentExecutionQuerySet


class Deployment(MirrorModel):
    """A script that runs on a schedule."""

    domain = "execution"
    team_lookup = "team_id"
    time_field = "created_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    team = Reference("mirror.Team", related_name="deployments")
    name = models.TextField()
    host_name = models.TextField("host")
    device_id = models.TextField(help_text="The host's own name of the device, such as device1.")
    script_name = models.TextField()
    userinterface_name = models.TextField("user interface")
    parameters = models.TextField(null=True, blank=True)
    cron_expression = models.TextField("schedule", help_text="Five cron fields, in UTC.")
    start_date = models.DateTimeField(null=True, blank=True)
    end_date = models.DateTimeField(null=True, blank=True)
    max_executions = models.IntegerField(null=True, blank=True)
    execution_count = models.IntegerField(db_default=0)
    last_executed_at = models.DateTimeField(null=True, blank=True)
    status = models.TextField(db_default="active")
    scheduled_today = models.JSONField(null=True, blank=True, help_text="Today's windows: a list of {start, end}.")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    created_by = models.UUIDField(null=True, blank=True, help_text="The platform's user id.")

    class Meta:
        db_table = "deployments"
        verbose_name = "deployment"
        indexes = [
            PlatformIndex(fields=["host_name", "status"], name="idx_deployments_host_status"),
            PlatformIndex(fields=["team"], name="idx_deployments_team"),
            PlatformIndex(fields=["status"], name="idx_deployments_status"),
            PlatformIndex(fields=["cron_expression"], name="idx_deployments_cron", condition=Q(status="active")),
            PlatformIndex(fields=["last_executed_at"], name="idx_deployments_next_run", condition=Q(status="active")),
            PlatformGinIndex(fields=["scheduled_today"], name="idx_deployments_scheduled_today"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["active", "paused", "stopped", "completed", "expired"]),
                name="deployments_status_check",
            ),
        ]

    def __str__(self) -> str:
        return known(self.name)


class DeploymentExecution(RunModel):
    """One time that a schedule came due."""

    domain = "execution"
    team_lookup = "deployment__team_id"
    time_field = "scheduled_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    deployment = Reference(Deployment, related_name="deployment_executions")
    script_result = Reference(ScriptResult, related_name="deployment_executions", null=True, blank=True)
    scheduled_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    status = models.TextField(db_default="running")
    skip_reason = models.TextField(null=True, blank=True)
    success = models.BooleanField(null=True, blank=True)
    error_message = models.TextField("error", null=True, blank=True)

    objects = DeploymentExecutionQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        db_table = "deployment_executions"
        verbose_name = "deployment run"
        ordering = ["-scheduled_at", "-id"]
        indexes = [
            PlatformIndex(fields=["deployment"], name="idx_deployment_executions_deployment"),
            PlatformIndex(fields=["-started_at"], name="idx_deployment_executions_started"),
            PlatformIndex(fields=["status", "scheduled_at"], name="idx_deployment_executions_status"),
            PlatformIndex(fields=["-scheduled_at", "-id"], name="vpt_deployment_executions_latest"),
            PlatformIndex(fields=["script_result"], name="vpt_deployment_executions_script_result"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["running", "completed", "failed", "skipped", "queued"]),
                name="deployment_executions_status_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{known(self.deployment_id)} at {known(self.scheduled_at)}"
