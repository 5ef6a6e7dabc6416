"""What hosts see and send: alerts, heatmaps, measurements, incidents, flags. Most have no team: the host decides."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import Q

from apps.mirror.fields import NaiveUTCDateTimeField, NumericField, Reference, UpdatedAtField
from apps.mirror.models.base import MirrorModel, PlatformBrinIndex, PlatformGinIndex, PlatformIndex, known
from apps.mirror.querysets import AlertQuerySet, IncidentQuerySet, SampleQuerySet


class PlatformAlert(MirrorModel):
    """An incident that a host saw in a device's picture or sound. Named apart from alerts of the portal's own."""

    domain = "monitoring"
    host_lookup = "host_name"
    time_field = "start_time"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    host_name = models.TextField("host")
    device_id = models.TextField(
        help_text="The host's own name of the device, such as device1; `host` for the host itself."
    )
    device_name = models.TextField("device", null=True, blank=True)
    incident_type = models.TextField()
    status = models.TextField(db_default="active")
    consecutive_count = models.IntegerField(db_default=1, help_text="Frames in a row that showed it.")
    start_time = models.DateTimeField(db_default=TransactionNow())
    end_time = models.DateTimeField(null=True, blank=True)
    metadata = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())
    checked = models.BooleanField(
        null=True, blank=True, db_default=False, help_text="Somebody, or the AI, has looked at it."
    )
    check_type = models.CharField(null=True, blank=True, help_text="ai, manual or ai_and_human.")
    discard = models.BooleanField(
        "discarded", null=True, blank=True, db_default=False, help_text="A false alarm, by the AI or a person."
    )
    discard_type = models.CharField(null=True, blank=True)
    discard_comment = models.TextField(null=True, blank=True)

    objects = AlertQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        db_table = "alerts"
        verbose_name = "alert"
        ordering = ["-start_time", "-id"]
        indexes = [
            PlatformIndex(fields=["incident_type"], name="idx_alerts_incident_type"),
            PlatformIndex(fields=["host_name"], name="idx_alerts_host_name"),
            PlatformIndex(fields=["device_id"], name="idx_alerts_device_id"),
            PlatformIndex(fields=["device_name"], name="idx_alerts_device_name"),
            PlatformIndex(fields=["-start_time"], name="idx_alerts_start_time"),
            PlatformIndex(fields=["status"], name="idx_alerts_status"),
            PlatformIndex(fields=["status", "-start_time"], name="idx_alerts_status_start_time"),
            PlatformIndex(fields=["-start_time", "-id"], name="vpt_alerts_latest"),
            PlatformIndex(fields=["host_name", "-start_time", "-id"], name="vpt_alerts_host_latest"),
            PlatformIndex(fields=["created_at"], name="vpt_alerts_created_at"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(consecutive_count__gt=0), name="alerts_consecutive_count_check"),
            models.CheckConstraint(
                condition=Q(incident_type__in=["blackscreen", "freeze", "errors", "audio_loss", "macroblocks"]),
                name="alerts_incident_type_check",
            ),
            models.CheckConstraint(condition=Q(status__in=["active", "resolved"]), name="alerts_status_check"),
            # The platform has no such index, though its hosts mean it so: one for databases of our own.
            models.UniqueConstraint(
                fields=["host_name", "device_id", "incident_type"],
                condition=Q(status="active"),
                name="vpt_alerts_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{known(self.incident_type)} on {known(self.device_name or self.device_id)}"


class Heatmap(MirrorModel):
    """A mosaic of all hosts at one moment."""

    domain = "monitoring"
    team_lookup = "team_id"
    time_field = "generated_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    team = Reference("mirror.Team", related_name="heatmaps", null=True, blank=True)
    timestamp = models.CharField(help_text="The platform's own text, not a time.")
    job_id = models.UUIDField()
    mosaic_r2_path = models.CharField(null=True, blank=True)
    mosaic_r2_url = models.CharField(null=True, blank=True)
    metadata_r2_path = models.CharField(null=True, blank=True)
    metadata_r2_url = models.CharField(null=True, blank=True)
    html_r2_path = models.CharField(null=True, blank=True)
    html_r2_url = models.CharField(null=True, blank=True)
    hosts_included = models.IntegerField(null=True, blank=True, db_default=0)
    hosts_total = models.IntegerField(null=True, blank=True, db_default=0)
    incidents_count = models.IntegerField(null=True, blank=True, db_default=0)
    generated_at = NaiveUTCDateTimeField(null=True, blank=True, db_default=TransactionNow())
    created_at = NaiveUTCDateTimeField("created", null=True, blank=True, db_default=TransactionNow())

    class Meta:
        db_table = "heatmaps"
        verbose_name = "heatmap"
        ordering = ["-generated_at", "-id"]
        indexes = [
            PlatformIndex(fields=["team"], name="idx_heatmaps_team_id"),
            PlatformIndex(fields=["generated_at"], name="idx_heatmaps_generated_at"),
            PlatformIndex(fields=["-generated_at", "-id"], name="vpt_heatmaps_latest"),
            PlatformIndex(fields=["team", "-generated_at", "-id"], name="vpt_heatmaps_team_latest"),
        ]

    def __str__(self) -> str:
        return known(self.timestamp)


class SystemMetric(MirrorModel):
    """A ping of a host (every five minutes) or of a server (every minute; its host_name is `server`)."""

    SERVER_HOST: ClassVar[str] = "server"
    """The host name under which every server writes; `server_name` tells them apart."""

    domain = "monitoring"
    host_lookup = "host_name"
    time_field = "timestamp"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    host_name = models.TextField("host")
    server_name = models.TextField(null=True, blank=True)
    timestamp = models.DateTimeField(db_default=TransactionNow())
    cpu_percent = NumericField("CPU", db_default=0, help_text="Percent.")
    memory_percent = NumericField("memory", db_default=0, help_text="Percent.")
    memory_used_gb = NumericField("memory used", db_default=0, help_text="Gigabytes; the platform leaves it at 0.")
    memory_total_gb = NumericField("memory size", db_default=0, help_text="Gigabytes; the platform leaves it at 0.")
    disk_percent = NumericField("disk", db_default=0, help_text="Percent.")
    disk_used_gb = NumericField("disk used", db_default=0, help_text="Gigabytes; the platform leaves it at 0.")
    disk_total_gb = NumericField("disk size", db_default=0, help_text="Gigabytes; the platform leaves it at 0.")
    uptime_seconds = models.BigIntegerField("uptime", null=True, blank=True, db_default=0, help_text="Seconds.")
    platform = models.TextField(null=True, blank=True)
    architecture = models.TextField(null=True, blank=True)
    ffmpeg_status = models.JSONField("capture", null=True, blank=True, db_default={})
    monitor_status = models.JSONField("monitor", null=True, blank=True, db_default={})
    ffmpeg_service_uptime_seconds = models.BigIntegerField(
        "capture uptime", null=True, blank=True, db_default=0, help_text="Seconds."
    )
    monitor_service_uptime_seconds = models.BigIntegerField(
        "monitor uptime", null=True, blank=True, db_default=0, help_text="Seconds."
    )
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    cpu_temperature_celsius = NumericField("CPU temperature", null=True, blank=True, help_text="Degrees Celsius.")
    load_average_1m = NumericField("load, 1 min", null=True, blank=True, digits=(5, 2))
    load_average_5m = NumericField("load, 5 min", null=True, blank=True, digits=(5, 2))
    load_average_15m = NumericField("load, 15 min", null=True, blank=True, digits=(5, 2))
    download_mbps = NumericField("download", null=True, blank=True, help_text="Megabits per second.")
    upload_mbps = NumericField("upload", null=True, blank=True, help_text="Megabits per second.")
    speedtest_last_run = models.DateTimeField(null=True, blank=True)
    speedtest_age_seconds = models.IntegerField("speed test age", null=True, blank=True, help_text="Seconds.")
    disk_write_mb_per_sec = NumericField(
        "disk writes",
        null=True,
        blank=True,
        db_default=0,
        digits=(10, 2),
        help_text="Megabytes since the previous ping, whatever its name says.",
    )

    objects = SampleQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        db_table = "system_metrics"
        verbose_name = "system metric"
        ordering = ["-timestamp", "-id"]
        indexes = [
            PlatformIndex(fields=["host_name"], name="idx_system_metrics_host_name"),
            PlatformIndex(fields=["server_name"], name="idx_system_metrics_server_name"),
            PlatformIndex(fields=["timestamp"], name="idx_system_metrics_timestamp"),
            PlatformIndex(fields=["created_at"], name="idx_system_metrics_created_at"),
            PlatformIndex(fields=["speedtest_last_run"], name="idx_system_metrics_speedtest_last_run"),
            PlatformIndex(fields=["-timestamp", "-id"], name="vpt_system_metrics_latest"),
            PlatformIndex(fields=["host_name", "-timestamp"], name="vpt_system_metrics_host_latest"),
            PlatformBrinIndex(fields=["timestamp"], name="vpt_system_metrics_timestamp_brin"),
        ]

    def __str__(self) -> str:
        return known(self.server_name or self.host_name)

    @property
    def is_server(self) -> bool:
        """Whether a server pinged, and not a host."""
        return self.host_name == self.SERVER_HOST


class SystemDeviceMetric(MirrorModel):
    """The part of a ping that tells of one device (every five minutes)."""

    domain = "monitoring"
    host_lookup = "host_name"
    time_field = "timestamp"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    host_name = models.TextField("host")
    device_id = models.TextField(help_text="The host's own name of the device, such as device1.")
    device_name = models.TextField("device")
    device_port = models.TextField()
    device_model = models.TextField()
    cpu_percent = NumericField("CPU", db_default=0, help_text="Percent.")
    memory_percent = NumericField("memory", db_default=0, help_text="Percent.")
    memory_used_gb = NumericField("memory used", db_default=0, help_text="Gigabytes; the platform leaves it at 0.")
    memory_total_gb = NumericField("memory size", db_default=0, help_text="Gigabytes; the platform leaves it at 0.")
    disk_percent = NumericField("disk", db_default=0, help_text="Percent.")
    disk_used_gb = NumericField("disk used", db_default=0, help_text="Gigabytes; the platform leaves it at 0.")
    disk_total_gb = NumericField("disk size", db_default=0, help_text="Gigabytes; the platform leaves it at 0.")
    uptime_seconds = models.BigIntegerField("uptime", null=True, blank=True, db_default=0, help_text="Seconds.")
    platform = models.TextField(null=True, blank=True)
    architecture = models.TextField(null=True, blank=True)
    ffmpeg_status = models.TextField("capture", db_default="unknown", help_text="active, stuck, stopped or unknown.")
    ffmpeg_uptime_seconds = models.BigIntegerField(
        "capture uptime", null=True, blank=True, db_default=0, help_text="Seconds; the platform leaves it at 0."
    )
    ffmpeg_last_activity = models.DateTimeField(null=True, blank=True)
    monitor_status = models.TextField("monitor", db_default="unknown", help_text="active, stuck, stopped or unknown.")
    monitor_uptime_seconds = models.BigIntegerField(
        "monitor uptime", null=True, blank=True, db_default=0, help_text="Seconds."
    )
    monitor_last_activity = models.DateTimeField(null=True, blank=True)
    timestamp = models.DateTimeField(db_default=TransactionNow())
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    capture_folder = models.TextField()
    video_device = models.TextField(null=True, blank=True)
    cpu_temperature_celsius = NumericField("CPU temperature", null=True, blank=True, help_text="Degrees Celsius.")
    load_average_1m = NumericField("load, 1 min", null=True, blank=True, digits=(5, 2))
    load_average_5m = NumericField("load, 5 min", null=True, blank=True, digits=(5, 2))
    load_average_15m = NumericField("load, 15 min", null=True, blank=True, digits=(5, 2))
    disk_usage_capture = models.TextField(null=True, blank=True)

    objects = SampleQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        db_table = "system_device_metrics"
        verbose_name = "device metric"
        ordering = ["-timestamp", "-id"]
        indexes = [
            PlatformIndex(fields=["host_name"], name="idx_system_device_metrics_host_name"),
            PlatformIndex(fields=["device_id"], name="idx_system_device_metrics_device_id"),
            PlatformIndex(fields=["device_name"], name="idx_system_device_metrics_device_name"),
            PlatformIndex(fields=["timestamp"], name="idx_system_device_metrics_timestamp"),
            PlatformIndex(fields=["ffmpeg_status"], name="idx_system_device_metrics_ffmpeg_status"),
            PlatformIndex(fields=["monitor_status"], name="idx_system_device_metrics_monitor_status"),
            PlatformIndex(fields=["capture_folder"], name="idx_system_device_metrics_capture_folder"),
            PlatformIndex(fields=["-timestamp", "-id"], name="vpt_system_device_metrics_latest"),
            PlatformIndex(
                fields=["host_name", "device_id", "-timestamp"], name="vpt_system_device_metrics_device_latest"
            ),
            PlatformBrinIndex(fields=["timestamp"], name="vpt_system_device_metrics_timestamp_brin"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(capture_folder__in=["", "unknown"]), name="system_device_metrics_capture_folder_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{known(self.device_name)} on {known(self.host_name)}"


class SystemIncident(MirrorModel):
    """A capture or monitoring service that stopped working."""

    domain = "monitoring"
    host_lookup = "host_name"
    time_field = "detected_at"

    incident_id = models.AutoField("id", primary_key=True)
    incident_uuid = models.UUIDField(null=True, blank=True, db_default=RandomUUID())
    host_name = models.CharField("host")
    device_id = models.CharField(help_text="The host's own name of the device, such as device1.")
    device_name = models.CharField("device")
    capture_folder = models.CharField()
    video_device = models.CharField(null=True, blank=True)
    incident_type = models.CharField()
    severity = models.CharField()
    component = models.CharField()
    status = models.CharField(db_default="open")
    detected_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    detection_to_ack_minutes = models.IntegerField("time to acknowledge", null=True, blank=True, help_text="Minutes.")
    ack_to_resolution_minutes = models.IntegerField("time to resolve", null=True, blank=True, help_text="Minutes.")
    total_duration_minutes = models.IntegerField("duration", null=True, blank=True, help_text="Minutes.")
    description = models.TextField(null=True, blank=True)
    root_cause = models.TextField(null=True, blank=True)
    resolution_notes = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    objects = IncidentQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        db_table = "system_incident"
        verbose_name = "system incident"
        ordering = ["-detected_at", "-incident_id"]
        indexes = [
            PlatformIndex(fields=["host_name"], name="idx_system_incident_host_name"),
            PlatformIndex(fields=["device_id"], name="idx_system_incident_device_id"),
            PlatformIndex(fields=["incident_type"], name="idx_system_incident_incident_type"),
            PlatformIndex(fields=["status"], name="idx_system_incident_status"),
            PlatformIndex(fields=["detected_at"], name="idx_system_incident_detected_at"),
            PlatformIndex(fields=["severity"], name="idx_system_incident_severity"),
            PlatformIndex(fields=["-detected_at", "-incident_id"], name="vpt_system_incident_latest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["incident_uuid"], name="system_incident_incident_uuid_key"),
        ]

    def __str__(self) -> str:
        return f"{known(self.incident_type)} on {known(self.device_name)}"


class DeviceFlag(MirrorModel):
    """Free labels of a device."""

    domain = "monitoring"
    host_lookup = "host_name"
    time_field = "updated_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    host_name = models.TextField("host")
    device_id = models.TextField(help_text="The host's own name of the device, such as device1.")
    device_name = models.TextField("device")
    flags = ArrayField(models.TextField(), null=True, blank=True, db_default=[])
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    class Meta:
        db_table = "device_flags"
        verbose_name = "device flags"
        verbose_name_plural = "device flags"
        indexes = [
            PlatformIndex(fields=["host_name", "device_id"], name="idx_device_flags_host_device"),
            PlatformGinIndex(fields=["flags"], name="idx_device_flags_flags"),
            PlatformIndex(fields=["host_name"], name="idx_device_flags_host_name"),
            PlatformIndex(fields=["-updated_at"], name="idx_device_flags_updated_at"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["host_name", "device_id"], name="device_flags_host_name_device_id_key"),
        ]

    def __str__(self) -> str:
        return f"{known(self.device_name)} on {known(self.host_name)}"
