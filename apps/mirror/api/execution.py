"""Tests, scripts, campaigns and their steps, over REST."""

from __future__ import annotations

from apps.mirror.models import (
    Campaign,
    CampaignExecution,
    ExecutionResult,
    ScriptResult,
    TestCase,
    TestExecution,
    TestResult,
    ZapResult,
)
from apps.mirror.rest.filters import flag, ids, moments, state, team, text, words
from apps.mirror.rest.views import RowsViewSet


class CampaignList(RowsViewSet):
    """A campaign as it is defined."""

    model = Campaign
    fields = ("id", "team_id", "name", "description", "status", "created_by", "created_at", "updated_at")
    filters = {**team(), **words("status", "status"), **text("name", "description")}


class TestCaseList(RowsViewSet):
    """A test as it is defined."""

    model = TestCase
    fields = (
        "test_id", "name", "test_type", "start_node", "steps", "team_id", "creator_id", "created_at",
        "updated_at", "device_id", "environment_profile_id", "verification_conditions", "expected_results",
        "execution_config", "tags", "priority", "estimated_duration", "creator", "original_prompt",
        "ai_analysis", "compatible_devices", "compatible_userinterfaces", "device_adaptations",
    )  # fmt: skip
    filters = {**team(), **words("type", "test_type"), **ids("device", "device_id"), **text("name")}


class TestExecutionList(RowsViewSet):
    """One run of a test."""

    model = TestExecution
    big = True
    fields = (
        "id", "test_id", "execution_id", "status", "campaign_id", "start_time", "end_time", "duration",
        "device_id", "environment_profile_id", "team_id", "executed_by", "created_at",
    )  # fmt: skip
    filters = {
        **moments("created_at"),
        **team(),
        **state(),
        **words("status", "status"),
        **ids("test", "test_id"),
        **ids("campaign", "campaign_id"),
        **ids("device", "device_id"),
        **text("execution_id"),
    }


class TestResultList(RowsViewSet):
    """What a run of a test found."""

    model = TestResult
    big = True
    fields = (
        "id", "execution_id", "test_id", "status", "result_data", "error_message", "stack_trace", "screenshots",
        "logs", "metrics", "team_id", "created_at",
    )  # fmt: skip
    filters = {
        **moments("created_at"),
        **team(),
        **state(),
        **words("status", "status"),
        **ids("test", "test_id"),
        **ids("execution", "execution_id"),
        **text("error_message"),
    }


class ScriptResultList(RowsViewSet):
    """One run of a script, written when it starts and updated when it ends."""

    model = ScriptResult
    big = True
    fields = (
        "id", "team_id", "script_name", "script_type", "userinterface_name", "host_name", "device_name",
        "success", "execution_time_ms", "started_at", "completed_at", "html_report_r2_path",
        "html_report_r2_url", "discard", "error_msg", "metadata", "created_at", "updated_at", "logs_r2_path",
        "logs_r2_url", "checked", "check_type", "discard_comment",
    )  # fmt: skip
    filters = {
        **moments("started_at"),
        **team(),
        **words("host", "host_name"),
        **words("device", "device_name"),
        **words("script", "script_name"),
        **words("interface", "userinterface_name"),
        **state(),
        **flag("success", "success"),
        **flag("discard", "discard"),
        **text("script_name", "error_msg"),
    }


class ExecutionResultList(RowsViewSet):
    """One action or verification of a run: an edge walked or a node checked."""

    model = ExecutionResult
    big = True
    fields = (
        "id", "team_id", "tree_id", "edge_id", "node_id", "execution_type", "host_name", "device_model",
        "device_name", "success", "execution_time_ms", "message", "error_details", "executed_at", "created_at",
        "script_result_id", "script_context", "action_set_id", "kpi_measurement_ms", "kpi_measurement_success",
        "kpi_measurement_error", "kpi_report_url",
    )  # fmt: skip
    filters = {
        **moments("executed_at"),
        **team(),
        **words("host", "host_name"),
        **words("device", "device_name"),
        **words("type", "execution_type", "action", "verification"),
        **ids("tree", "tree_id"),
        **ids("script_result", "script_result_id"),
        **state(),
        **flag("success", "success"),
        **text("message", "edge_id", "node_id"),
    }


class CampaignExecutionList(RowsViewSet):
    """One run of a campaign: a list of scripts on a device."""

    model = CampaignExecution
    big = True
    fields = (
        "id", "team_id", "campaign_name", "campaign_description", "campaign_execution_id", "userinterface_name",
        "host_name", "device_name", "status", "started_at", "completed_at", "execution_time_ms", "success",
        "error_message", "script_configurations", "execution_config", "script_result_ids",
        "html_report_r2_path", "html_report_r2_url", "executed_by", "created_at", "updated_at",
    )  # fmt: skip
    filters = {
        **moments("started_at"),
        **team(),
        **words("host", "host_name"),
        **words("device", "device_name"),
        **words("campaign", "campaign_name"),
        **words("status", "status", "pending", "running", "completed", "failed", "cancelled"),
        **state(),
        **flag("success", "success"),
        **text("campaign_name", "error_message"),
    }


class ZapResultList(RowsViewSet):
    """One channel change and what was seen and heard after it."""

    model = ZapResult
    big = True
    fields = (
        "id", "script_result_id", "team_id", "host_name", "device_name", "device_model", "execution_date",
        "iteration_index", "action_command", "duration_seconds", "motion_detected", "subtitles_detected",
        "audio_speech_detected", "blackscreen_freeze_detected", "subtitle_language", "subtitle_text",
        "audio_language", "audio_transcript", "blackscreen_freeze_duration_seconds", "detection_method",
        "channel_name", "channel_number", "program_name", "program_start_time", "program_end_time",
        "audio_silence_duration", "created_at", "userinterface_name", "started_at", "completed_at",
        "action_params", "time_since_action_ms", "total_zap_duration_ms",
    )  # fmt: skip
    filters = {
        **moments("execution_date"),
        **team(),
        **words("host", "host_name"),
        **words("device", "device_name"),
        **ids("script_result", "script_result_id"),
        **text("channel_name", "program_name"),
    }
