"""What the platform's own tables have no word for, or may not be told: decisions about alerts, silences of hosts."""

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


class HostSilence(models.Model):
    """A host or server that stopped pinging. Written by `apps.triage.silences` alone.

    One at a time is open for each; the table sees to that, whoever notices first.
    """

    host_name = models.TextField("host", help_text="The name of the host or server.")
    is_server = models.BooleanField("server", default=False)
    since = models.DateTimeField(help_text="The last ping before.")
    noticed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="The first ping after; empty while it lasts.")

    class Meta:
        verbose_name = "silence of a host"
        verbose_name_plural = "silences of hosts"
        ordering: ClassVar = ["-since", "-id"]
        indexes: ClassVar = [models.Index(fields=["host_name", "-since"], name="silences_of_a_host")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["host_name", "is_server"], condition=models.Q(ended_at=None), name="one_open_silence"
            )
        ]

    def __str__(self) -> str:
        return f"{self.host_name} since {self.since:%Y-%m-%d %H:%M}"
