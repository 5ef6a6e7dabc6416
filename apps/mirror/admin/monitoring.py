"""What hosts see and send."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from apps.mirror.admin_base import HistoryAdmin, MirrorAdmin
from apps.mirror.admin_filters import HostFilter, TeamFilter, TimeFilter, words
from apps.mirror.models import DeviceFlag, Heatmap, SystemDeviceMetric, SystemIncident, SystemMetric

SERVICE_STATES = ("active", "stuck", "stopped", "unknown")


@admin.register(Heatmap)
class HeatmapAdmin(HistoryAdmin):
    list_display = ("timestamp", "generated_at", "hosts_included", "hosts_total", "incidents_count", "team")
    list_filter = (TimeFilter, TeamFilter)


@admin.register(SystemMetric)
class SystemMetricAdmin(HistoryAdmin):
    list_display = (
        "host_name", "server_name", "timestamp", "cpu_percent", "memory_percent", "disk_percent",
        "cpu_temperature_celsius", "load_average_1m",
    )  # fmt: skip
    list_filter = (TimeFilter, HostFilter)
    exact = ("host_name", "server_name")
    portal_page = ("portal:host",)
    portal_key = "host_name"

    def page_of(self, row: Any) -> str:
        """A server's row leads to the page of the server: no host has its host name."""
        if not row.is_server:
            return super().page_of(row)
        page = self.page_at(row.server_name)
        return f"{page}?kind=server" if page else ""


@admin.register(SystemDeviceMetric)
class SystemDeviceMetricAdmin(HistoryAdmin):
    list_display = (
        "device_name", "host_name", "timestamp", "ffmpeg_status", "monitor_status", "cpu_percent", "memory_percent",
        "capture_folder",
    )  # fmt: skip
    list_filter = (
        TimeFilter, words("ffmpeg_status", *SERVICE_STATES, title="capture"),
        words("monitor_status", *SERVICE_STATES, title="monitor"), HostFilter,
    )  # fmt: skip
    exact = ("device_name", "host_name", "device_id")


@admin.register(SystemIncident)
class SystemIncidentAdmin(HistoryAdmin):
    list_display = (
        "incident_type", "severity", "status", "detected_at", "resolved_at", "total_duration_minutes", "host_name",
        "device_name", "component",
    )  # fmt: skip
    list_filter = (
        TimeFilter, words("status", "open", "acknowledged", "in_progress", "resolved", "closed"),
        words("severity", "critical", "high", "medium", "low"), HostFilter,
    )  # fmt: skip
    exact = ("incident_type", "host_name", "device_id", "incident_uuid")


@admin.register(DeviceFlag)
class DeviceFlagAdmin(MirrorAdmin):
    list_display = ("device_name", "device_id", "host_name", "flags", "updated_at")
    list_filter = (HostFilter, TimeFilter)
    contains = ("device_name", "host_name", "device_id")
    ordering = ("host_name", "device_id", "pk")
