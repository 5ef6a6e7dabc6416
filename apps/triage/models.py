"""What people decided about alerts, where the platform's own table has no word for it or may not be written."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class AlertTriage(models.Model):
    """The decision in force about one alert. Gone when the alert is re-opened; the audit trail keeps the history.

    Acknowledging is always kept here, since the platform knows no such thing; resolving and discarding only where its
    table may not be written. The labels are copies: the platform deletes alerts after days.
    """

    class State(models.TextChoices):
        ACKNOWLEDGED = "acknowledged"
        RESOLVED = "resolved"
        DISCARDED = "discarded"

    alert_id = models.UUIDField("alert", unique=True, help_text="The id in the platform's table of alerts.")
    state = models.CharField(max_length=16, choices=State)
    comment = models.TextField(blank=True)
    actor_id = models.BigIntegerField(null=True, help_text="The user's id.")
    actor = models.CharField(max_length=200, help_text="The user's name as it was then.")
    at = models.DateTimeField()
    host_name = models.TextField("host", blank=True)
    device_id = models.TextField(blank=True)
    device_name = models.TextField("device", blank=True)
    incident_type = models.TextField(blank=True)
    start_time = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "decision about an alert"
        verbose_name_plural = "decisions about alerts"
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["-at", "-id"], name="triage_latest")]
        permissions: ClassVar = [("triage_alert", "Can acknowledge, resolve, discard and re-open alerts")]

    def __str__(self) -> str:
        return f"{self.incident_type or 'alert'} on {self.device_name or self.device_id or self.host_name}"
