"""Which columns the platform's hosts and servers set when they insert a row; the database fills in the others.

Read from the writers of the platform (its hosts write straight to the database).
"""

from __future__ import annotations

from typing import Final

from apps.mirror.demo.stream import Row

_STEP: Final = (
    "id", "team_id", "tree_id", "execution_type", "host_name", "device_model", "device_name", "success",
    "execution_time_ms", "message", "error_details", "executed_at", "script_result_id", "script_context",
)  # fmt: skip
SCRIPT: Final = (
    "id", "team_id", "script_name", "script_type", "userinterface_name", "host_name", "device_name", "success",
    "started_at", "completed_at", "metadata",
)  # fmt: skip
ACTION: Final = (*_STEP, "edge_id", "action_set_id")
VERIFICATION: Final = (*_STEP, "node_id")
ZAP: Final = (
    "script_result_id", "team_id", "host_name", "device_name", "device_model", "userinterface_name", "execution_date",
    "iteration_index", "action_command", "action_params", "started_at", "completed_at", "duration_seconds",
    "time_since_action_ms", "total_zap_duration_ms", "motion_detected", "subtitles_detected", "subtitle_language",
    "subtitle_text", "audio_speech_detected", "audio_language", "audio_transcript", "audio_silence_duration",
    "blackscreen_freeze_detected", "blackscreen_freeze_duration_seconds", "detection_method", "channel_name",
    "channel_number", "program_name", "program_start_time", "program_end_time",
)  # fmt: skip
CAMPAIGN: Final = (
    "id", "team_id", "campaign_name", "campaign_description", "campaign_execution_id", "userinterface_name",
    "host_name", "device_name", "status", "started_at", "success", "script_configurations", "execution_config",
    "script_result_ids", "executed_by",
)  # fmt: skip
ALERT: Final = (
    "id", "host_name", "device_id", "device_name", "incident_type", "status", "consecutive_count", "start_time",
    "metadata",
)  # fmt: skip
HEATMAP: Final = (
    "id", "team_id", "timestamp", "job_id", "mosaic_r2_path", "mosaic_r2_url", "metadata_r2_path", "metadata_r2_url",
    "html_r2_path", "html_r2_url", "hosts_included", "hosts_total", "incidents_count", "generated_at",
)  # fmt: skip
DEPLOYMENT_RUN: Final = ("id", "deployment_id", "scheduled_at", "started_at", "status")
DEPLOYMENT_SKIPPED: Final = ("id", "deployment_id", "scheduled_at", "status", "skip_reason")
_PING: Final = (
    "host_name", "timestamp", "cpu_percent", "memory_percent", "disk_percent", "uptime_seconds", "platform",
    "architecture", "cpu_temperature_celsius", "load_average_1m", "load_average_5m", "load_average_15m",
    "ffmpeg_status", "monitor_status",
)  # fmt: skip
HOST_PING: Final = (
    *_PING, "ffmpeg_service_uptime_seconds", "monitor_service_uptime_seconds", "download_mbps", "upload_mbps",
    "speedtest_last_run", "speedtest_age_seconds", "disk_write_mb_per_sec",
)  # fmt: skip
SERVER_PING: Final = (*HOST_PING, "server_name")
DEVICE_PING: Final = (
    *_PING, "device_id", "device_name", "device_port", "device_model", "capture_folder", "video_device",
    "ffmpeg_uptime_seconds", "ffmpeg_last_activity", "monitor_uptime_seconds", "monitor_last_activity",
    "disk_usage_capture",
)  # fmt: skip


def as_written(row: Row, columns: tuple[str, ...]) -> Row:
    """Only `columns` of `row`. KeyError when it lacks one."""
    return {column: row[column] for column in columns}
