"""Heatmaps, measurements, incidents and flags, over REST."""

from __future__ import annotations

from apps.mirror.models import DeviceFlag, Heatmap, SystemDeviceMetric, SystemIncident, SystemMetric
from apps.mirror.rest.filters import moments, team, text, words
from apps.mirror.rest.views import RowsViewSet


class HeatmapList(RowsViewSet):
    """A mosaic of all hosts at one moment."""

    model = Heatmap
    big = True
    fields = (
        "id", "team_id", "timestamp", "job_id", "mosaic_r2_path", "mosaic_r2_url", "metadata_r2_path",
        "metadata_r2_url", "html_r2_path", "html_r2_url", "hosts_included", "hosts_total", "incidents_count",
        "generated_at", "created_at",
    )  # fmt: skip
    filters = {**moments("generated_at"), **team()}


class SystemMetricList(RowsViewSet):
    """A ping of a host (every five minutes) or of a server (every minute; its host_name is `server`)."""

    model = SystemMetric
    big = True
    fields = (
        "id", "host_name", "server_name", "timestamp", "cpu_percent", "memory_percent", "memory_used_gb",
        "memory_total_gb", "disk_percent", "disk_used_gb", "disk_total_gb", "uptime_seconds", "platform",
        "architecture", "ffmpeg_status", "monitor_status", "ffmpeg_service_uptime_seconds",
        "monitor_service_uptime_seconds", "created_at", "cpu_temperature_celsius", "load_average_1m",
        "load_average_5m", "load_average_15m", "download_mbps", "upload_mbps", "speedtest_last_run",
        "speedtest_age_seconds", "disk_write_mb_per_sec",
    )  # fmt: skip
    filters = {**moments("timestamp"), **words("host", "host_name"), **words("server", "server_name")}


class DeviceMetricList(RowsViewSet):
    """The part of a ping that tells of one device (every five minutes)."""

    model = SystemDeviceMetric
    big = True
    fields = (
        "id", "host_name", "device_id", "device_name", "device_port", "device_model", "cpu_percent",
        "memory_percent", "memory_used_gb", "memory_total_gb", "disk_percent", "disk_used_gb", "disk_total_gb",
        "uptime_seconds", "platform", "architecture", "ffmpeg_status", "ffmpeg_uptime_seconds",
        "ffmpeg_last_activity", "monitor_status", "monitor_uptime_seconds", "monitor_last_activity",
        "timestamp", "created_at", "capture_folder", "video_device", "cpu_temperature_celsius",
        "load_average_1m", "load_average_5m", "load_average_15m", "disk_usage_capture",
    )  # fmt: skip
    filters = {
        **moments("timestamp"),
        **words("host", "host_name"),
        **words("device", "device_id"),
        **words("device_name", "device_name"),
        **words("capture", "ffmpeg_status", "active", "stuck", "stopped", "unknown"),
        **words("monitor", "monitor_status", "active", "stuck", "stopped", "unknown"),
    }


class SystemIncidentList(RowsViewSet):
    """A capture or monitoring service that stopped working."""

    model = SystemIncident
    big = True
    fields = (
        "incident_id", "incident_uuid", "host_name", "device_id", "device_name", "capture_folder",
        "video_device", "incident_type", "severity", "component", "status", "detected_at", "acknowledged_at",
        "resolved_at", "closed_at", "detection_to_ack_minutes", "ack_to_resolution_minutes",
        "total_duration_minutes", "description", "root_cause", "resolution_notes", "created_at", "updated_at",
    )  # fmt: skip
    filters = {
        **moments("detected_at"),
        **words("host", "host_name"),
        **words("device", "device_id"),
        **words("type", "incident_type"),
        **words("severity", "severity"),
        **words("status", "status"),
        **text("description", "root_cause"),
    }


class DeviceFlagList(RowsViewSet):
    """Free labels of a device."""

    model = DeviceFlag
    fields = ("id", "host_name", "device_id", "device_name", "flags", "created_at", "updated_at")
    filters = {**words("host", "host_name"), **words("device", "device_id")}
