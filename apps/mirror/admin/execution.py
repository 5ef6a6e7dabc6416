"""Campaigns, tests, schedules, and what became of them."""

from __future__ import annotations

from django.contrib import admin

from apps.mirror.admin_base import HistoryAdmin, MirrorAdmin
from apps.mirror.admin_filters import HostFilter, StateFilter, TeamFilter, TimeFilter, values, words, yes_or_no
from apps.mirror.models import (
    Campaign,
    CampaignExecution,
    Deployment,
    DeploymentExecution,
    ExecutionResult,
    ScriptResult,
    TestCase,
    TestExecution,
    TestResult,
    ZapResult,
)


@admin.register(Campaign)
class CampaignAdmin(MirrorAdmin):
    list_display = ("name", "status", "description", "team", "updated_at")
    list_filter = (TeamFilter, values("status"), TimeFilter)
    contains = ("name", "description")


@admin.register(CampaignExecution)
class CampaignExecutionAdmin(HistoryAdmin):
    list_display = (
        "campaign_name", "state", "started_at", "execution_time_ms", "host_name", "device_name", "userinterface_name",
        "team",
    )  # fmt: skip
    list_filter = (TimeFilter, StateFilter, HostFilter, TeamFilter)
    exact = ("campaign_name", "campaign_execution_id", "host_name")
    portal_page = ("portal:run", "campaign")


@admin.register(ScriptResult)
class ScriptResultAdmin(HistoryAdmin):
    list_display = (
        "script_name", "state", "started_at", "execution_time_ms", "host_name", "device_name", "userinterface_name",
        "discard", "team",
    )  # fmt: skip
    list_filter = (TimeFilter, StateFilter, HostFilter, TeamFilter, yes_or_no("discard", "discarded"))
    exact = ("script_name", "host_name")
    portal_page = ("portal:run", "script")


@admin.register(TestCase)
class TestCaseAdmin(MirrorAdmin):
    list_display = ("name", "test_type", "priority", "estimated_duration", "creator", "team", "updated_at")
    list_filter = (
        TeamFilter, words("test_type", "functional", "performance", "endurance", "robustness", title="type"),
        words("creator", "ai", "manual"), values("priority"),
    )  # fmt: skip


@admin.register(TestExecution)
class TestExecutionAdmin(HistoryAdmin):
    list_display = ("execution_id", "state", "created_at", "duration", "test", "device", "campaign", "team")
    list_filter = (TimeFilter, StateFilter, TeamFilter)
    exact = ("test", "device", "campaign")
    portal_page = ("portal:run", "test")


@admin.register(TestResult)
class TestResultAdmin(HistoryAdmin):
    list_display = ("test", "state", "created_at", "error_message", "execution", "team")
    list_filter = (TimeFilter, StateFilter, TeamFilter)
    exact = ("execution", "test")


@admin.register(ExecutionResult)
class ExecutionResultAdmin(HistoryAdmin):
    list_display = (
        "execution_type", "state", "executed_at", "execution_time_ms", "kpi_measurement_ms", "edge_id", "node_id",
        "host_name", "device_name", "team",
    )  # fmt: skip
    list_filter = (
        TimeFilter, StateFilter, words("execution_type", "action", "verification", title="type"), HostFilter, TeamFilter
    )  # fmt: skip
    exact = ("device_name", "host_name", "script_result", "tree")


@admin.register(ZapResult)
class ZapResultAdmin(HistoryAdmin):
    list_display = (
        "action_command", "execution_date", "duration_seconds", "channel_name", "motion_detected",
        "audio_speech_detected", "blackscreen_freeze_detected", "host_name", "device_name", "team",
    )  # fmt: skip
    list_filter = (
        TimeFilter, yes_or_no("motion_detected", "motion"), yes_or_no("blackscreen_freeze_detected", "black or frozen"),
        HostFilter, TeamFilter,
    )  # fmt: skip
    exact = ("host_name", "script_result")


@admin.register(Deployment)
class DeploymentAdmin(MirrorAdmin):
    list_display = (
        "name", "status", "cron_expression", "script_name", "host_name", "device_id", "execution_count",
        "last_executed_at", "team",
    )  # fmt: skip
    list_filter = (
        TeamFilter, words("status", "active", "paused", "stopped", "completed", "expired"), values("host_name", "host")
    )  # fmt: skip
    contains = ("name", "script_name")


@admin.register(DeploymentExecution)
class DeploymentExecutionAdmin(HistoryAdmin):
    list_display = ("deployment", "state", "scheduled_at", "started_at", "completed_at", "skip_reason", "error_message")
    list_filter = (TimeFilter, StateFilter, TeamFilter)
    exact = ("deployment", "script_result")
