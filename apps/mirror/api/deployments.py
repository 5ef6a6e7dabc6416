"""Schedules and each time that one started, over REST."""

from __future__ import annotations

from apps.mirror.models import Deployment, DeploymentExecution
from apps.mirror.rest.filters import ids, moments, state, team, text, words
from apps.mirror.rest.views import RowsViewSet


class DeploymentList(RowsViewSet):
    """A script that runs on a schedule."""

    model = Deployment
    fields = (
        "id", "team_id", "name", "host_name", "device_id", "script_name", "userinterface_name", "parameters",
        "cron_expression", "start_date", "end_date", "max_executions", "execution_count", "last_executed_at",
        "status", "scheduled_today", "created_at", "created_by",
    )  # fmt: skip
    filters = {
        **team(),
        **words("host", "host_name"),
        **words("device", "device_id"),
        **words("status", "status", "active", "paused", "stopped", "completed", "expired"),
        **text("name", "script_name"),
    }


class DeploymentExecutionList(RowsViewSet):
    """One time that a schedule came due."""

    model = DeploymentExecution
    big = True
    fields = (
        "id", "deployment_id", "script_result_id", "scheduled_at", "started_at", "completed_at", "status",
        "skip_reason", "success", "error_message",
    )  # fmt: skip
    filters = {
        **moments("scheduled_at"),
        **team("deployment__team_id"),
        **ids("deployment", "deployment_id"),
        **ids("script_result", "script_result_id"),
        **words("status", "status", "running", "completed", "failed", "skipped", "queued"),
        **state(),
    }
