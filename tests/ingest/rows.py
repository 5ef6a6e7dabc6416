"""What hosts send: one payload of every writer of the platform, field by field as it writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.people import HOST_A, TEAM_A

Payload = dict[str, Any]
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def iso(minutes: float = 0) -> str:
    """A moment as Python's hosts write it."""
    return (NOON + timedelta(minutes=minutes)).isoformat()


def alert(**values: Any) -> Payload:
    """incident_manager, create_alert_safe."""
    return {
        "id": str(uuid4()), "host_name": HOST_A, "device_id": "device1", "device_name": "Box",
        "incident_type": "freeze", "status": "active", "consecutive_count": 1, "start_time": iso(),
        "metadata": {
            "stream_path": "/host/stream/capture1", "capture_path": "capture1", "freeze": True,
            "freeze_diffs": [0.1, 0.2, 0.0], "last_3_filenames": ["capture_000010001.jpg"],
            "last_3_thumbnails": ["capture_000010001_thumbnail.jpg"],
            "r2_images": {"thumbnail_url": "https://r2.example.com/t.jpg", "time_key": "1200"},
        },
    } | values  # fmt: skip


def script(**values: Any) -> Payload:
    """script_executor, record_script_execution_start."""
    return {
        "id": str(uuid4()), "team_id": str(TEAM_A), "script_name": "goto.py", "script_type": "goto",
        "userinterface_name": "horizon", "host_name": HOST_A, "device_name": "Box", "success": False,
        "started_at": iso(), "completed_at": iso(), "metadata": {"device_id": "device1", "device_model": "stb"},
    } | values  # fmt: skip


def action(**values: Any) -> Payload:
    """record_edge_execution."""
    return {
        "id": str(uuid4()), "team_id": str(TEAM_A), "tree_id": None, "edge_id": "edge-home-to-live",
        "execution_type": "action", "host_name": HOST_A, "device_model": "stb", "device_name": "Box", "success": True,
        "execution_time_ms": 1450, "message": "done", "error_details": None, "executed_at": iso(),
        "script_result_id": None, "script_context": "script", "action_set_id": "home_to_live",
    } | values  # fmt: skip


def verification(**values: Any) -> Payload:
    """record_node_execution."""
    return {
        "id": str(uuid4()), "team_id": str(TEAM_A), "tree_id": None, "node_id": "live",
        "execution_type": "verification", "host_name": HOST_A, "device_model": "stb", "device_name": "Box",
        "success": False, "execution_time_ms": 300, "message": "no match", "error_details": {"threshold": 0.8},
        "executed_at": iso(), "script_result_id": None, "script_context": "direct",
    } | values  # fmt: skip


def campaign(**values: Any) -> Payload:
    """campaign_executor."""
    return {
        "id": str(uuid4()), "team_id": str(TEAM_A), "campaign_name": "Nightly",
        "campaign_execution_id": f"campaign_exec_1772366400_{uuid4().hex[:8]}", "userinterface_name": "horizon",
        "host_name": HOST_A, "device_name": "auto", "status": "running", "started_at": iso(), "success": False,
        "script_configurations": [{"script_name": "goto.py", "parameters": {}}],
        "execution_config": {"continue_on_failure": True}, "script_result_ids": [], "executed_by": None,
        "campaign_description": "every night",
    } | values  # fmt: skip


_PING: Payload = {
    "cpu_percent": 12.5, "memory_percent": 41, "disk_percent": 63.2, "uptime_seconds": 86400, "platform": "Linux",
    "architecture": "aarch64", "cpu_temperature_celsius": 51.3, "load_average_1m": 0.42, "load_average_5m": 0.4,
    "load_average_15m": 0.35,
}  # fmt: skip


def host_ping(**values: Any) -> Payload:
    """host_utils.send_ping."""
    return {
        "host_name": HOST_A, "timestamp": iso(), **_PING, "ffmpeg_status": {}, "monitor_status": {},
        "ffmpeg_service_uptime_seconds": 0, "monitor_service_uptime_seconds": 0, "download_mbps": 93.1,
        "upload_mbps": 41.7, "speedtest_last_run": iso(-4), "speedtest_age_seconds": 240,
        "disk_write_mb_per_sec": 1.25,
    } | values  # fmt: skip


def server_ping(**values: Any) -> Payload:
    """app.collect_server_metrics."""
    return host_ping(host_name="server", server_name="server-1") | values


def device_ping(**values: Any) -> Payload:
    """The same ping, per device."""
    return {
        "host_name": HOST_A, "device_id": "device1", "device_name": "Box", "device_port": "unknown",
        "device_model": "stb", "timestamp": iso(), **_PING, "capture_folder": "capture1",
        "video_device": "/dev/video0", "ffmpeg_status": "active", "ffmpeg_uptime_seconds": 0,
        "ffmpeg_last_activity": iso(-1), "monitor_status": "active", "monitor_uptime_seconds": 0,
        "monitor_last_activity": iso(-1), "disk_usage_capture": "1.2G",
    } | values  # fmt: skip


def zap(**values: Any) -> Payload:
    """zapping_detector: without an id, and with the three columns that a database built from the files lacks."""
    return {
        "script_result_id": None, "team_id": str(TEAM_A), "host_name": HOST_A, "device_name": "device1",
        "device_model": "stb", "userinterface_name": "stb", "execution_date": iso(), "iteration_index": 1,
        "action_command": "channel_up", "action_params": {"wait": 3}, "started_at": iso(), "completed_at": iso(0.1),
        "duration_seconds": 3.2, "time_since_action_ms": 120, "total_zap_duration_ms": 3320, "motion_detected": True,
        "subtitles_detected": False, "subtitle_language": None, "subtitle_text": None, "audio_speech_detected": True,
        "audio_language": "en", "audio_transcript": "news at noon", "audio_silence_duration": 0.2,
        "blackscreen_freeze_detected": True, "blackscreen_freeze_duration_seconds": 0.8,
        "detection_method": "blackscreen", "channel_name": "One", "channel_number": "1", "program_name": "News",
        "program_start_time": "12:00", "program_end_time": "12:30",
    } | values  # fmt: skip


def heatmap(**values: Any) -> Payload:
    """heatmap_utils: its time has no zone."""
    return {
        "team_id": str(TEAM_A), "timestamp": "20260301120000", "job_id": str(uuid4()),
        "mosaic_r2_path": "heatmaps/m.jpg",
        "mosaic_r2_url": "https://r2.example.com/m.jpg", "metadata_r2_path": "heatmaps/m.json",
        "metadata_r2_url": "https://r2.example.com/m.json", "html_r2_path": "heatmaps/m.html",
        "html_r2_url": "https://r2.example.com/m.html", "hosts_included": 3, "hosts_total": 4, "incidents_count": 1,
        "generated_at": iso(),
    } | values  # fmt: skip


def incident(**values: Any) -> Payload:
    """The ping's writer, when a capture service stops."""
    return {
        "host_name": HOST_A, "device_id": "device1", "device_name": "Box", "capture_folder": "capture1",
        "video_device": "/dev/video0", "incident_type": "ffmpeg_failure", "severity": "critical",
        "component": "ffmpeg", "status": "open", "detected_at": iso(), "description": "FFmpeg stopped",
    } | values  # fmt: skip


def flags(**values: Any) -> Payload:
    """device_service, on registration."""
    return {"host_name": HOST_A, "device_id": "device1", "device_name": "Box", "flags": ["lab"]} | values


def schedule(**values: Any) -> Payload:
    """server_deployment_routes."""
    return {
        "id": str(uuid4()), "team_id": str(TEAM_A), "name": "hourly", "host_name": HOST_A, "device_id": "device1",
        "script_name": "goto.py", "userinterface_name": "horizon", "parameters": "--node live",
        "cron_expression": "*/10 * * * *", "status": "active", "start_date": None, "end_date": None,
        "max_executions": 10,
    } | values  # fmt: skip


def turn(deployment: str, **values: Any) -> Payload:
    """deployment_scheduler."""
    return {
        "id": str(uuid4()), "deployment_id": deployment, "scheduled_at": iso(), "started_at": iso(0.1),
        "status": "running",
    } | values  # fmt: skip


def test_run(**values: Any) -> Payload:
    """A CI job's run of a test."""
    return {
        "id": str(uuid4()), "team_id": str(TEAM_A), "execution_id": "ci-4711", "status": "running",
        "start_time": iso(),
    } | values  # fmt: skip


def test_result(**values: Any) -> Payload:
    """What a CI job's test found."""
    return {
        "id": str(uuid4()), "team_id": str(TEAM_A), "status": "passed", "result_data": {"steps": 3},
        "screenshots": ["a.png"], "metrics": {"seconds": 4.2},
    } | values  # fmt: skip


test_run.__test__ = test_result.__test__ = False  # type: ignore[attr-defined]
