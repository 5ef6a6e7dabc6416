"""People, the teams they may see, their API tokens, the team that a host belongs to, refused sign-ins, the audit trail.

Teams and hosts live in the mirrored tables of another database; here they are plain values, with a copied label.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q


class User(AbstractUser):
    """Somebody who signs in. Roles are groups (`apps.accounts.roles`); teams narrow what is seen."""

    all_teams = models.BooleanField(
        "sees all teams", default=False, help_text="Without this, only the rows of the teams listed below are shown."
    )

    token: ApiToken | None = None
    """The token by which this request came; set on the object, which lives as long as the token is remembered."""

    class Meta(AbstractUser.Meta):
        pass


class TeamMembership(models.Model):
    """A user may see the rows of a team."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    team_id = models.UUIDField("team", help_text="The id in the platform's table of teams.")
    team_name = models.CharField(max_length=200, blank=True, help_text="A copy, for the time when the team is gone.")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "team_id"], name="one_membership_per_team")]
        ordering: ClassVar = ["team_name", "team_id"]

    def __str__(self) -> str:
        return self.team_name or str(self.team_id)


class HostTeam(models.Model):
    """A host belongs to a team: the map by which tables without a team column (alerts, metrics) are scoped."""

    host_name = models.CharField(max_length=255)
    team_id = models.UUIDField("team")
    team_name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["host_name", "team_id"], name="one_entry_per_host_and_team")
        ]
        ordering: ClassVar = ["host_name"]
        verbose_name = "host of a team"
        verbose_name_plural = "hosts of teams"

    def __str__(self) -> str:
        return f"{self.host_name} → {self.team_name or self.team_id}"


class ApiToken(models.Model):
    """A program's key to the API. It acts for its owner, never beyond what the owner may see and do.

    The token itself is shown once and never kept: here is its SHA-256 (it is random enough that nothing slower is
    needed) and how it begins, by which people tell tokens apart. Made and checked by `apps.accounts.tokens`.
    """

    class Scope(models.TextChoices):
        READ = "read", "read: look at rows, metrics and dashboards"
        INGEST = "ingest", "ingest: write what hosts and CI jobs report"
        ADMIN = "admin", "admin: start a sync and other administration"

    name = models.CharField(max_length=100, help_text="What uses it, such as the host or the CI job.")
    owner = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="tokens",
        help_text="Whose role and teams bound what it may do; when the owner loses them, so does the token.",
    )
    begins = models.CharField(max_length=12, editable=False)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope))
    team_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    host_names = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    created_at = models.DateTimeField("created", auto_now_add=True)
    expires_at = models.DateTimeField("expires", null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField("last used", null=True, editable=False, help_text="To the minute.")
    revoked_at = models.DateTimeField("revoked", null=True, editable=False)

    class Meta:
        verbose_name = "API token"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="a_token_is_for_something"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.begins}…)"

    def is_valid(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired, and its owner still active."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now) and self.owner.is_active


class SignInAttempt(models.Model):
    """How many sign-ins were tried for a key (a name, an address, or both) in the current window.

    Written by `apps.accounts.sign_in` alone. A row whose window is over means nothing.
    """

    key = models.CharField(max_length=320, primary_key=True)
    window_start = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "sign-in attempt"
        indexes: ClassVar = [models.Index(fields=["window_start"], name="attempts_by_window")]

    def __str__(self) -> str:
        return f"{self.key}: {self.attempts}"


class AuditEntry(models.Model):
    """Something that somebody did, or was refused. Rows are only ever added: a database trigger refuses the rest.

    Written by `apps.accounts.audit.record` alone.
    """

    class Action(models.TextChoices):
        ADD = "add"
        CHANGE = "change"
        DELETE = "delete"
        SIGN_IN = "sign-in"
        SIGN_IN_FAILED = "sign-in-failed"
        SIGN_OUT = "sign-out"
        REFUSED = "refused"
        TRIAGE = "triage"
        COMMAND = "command"

    at = models.DateTimeField(db_default=TransactionNow(), db_index=True)
    actor_id = models.BigIntegerField(null=True, help_text="The user's id; empty for a process or an unknown visitor.")
    actor = models.CharField(max_length=200, help_text="The user's name as it was then.")
    address = models.GenericIPAddressField(null=True)
    action = models.CharField(max_length=16, choices=Action)
    kind = models.CharField(max_length=100, blank=True, help_text="What was touched: a model's label, or a page.")
    object_id = models.CharField(max_length=200, blank=True)
    label = models.CharField(max_length=300, blank=True)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit trail"
        indexes: ClassVar = [
            models.Index(fields=["kind", "object_id", "-id"], name="audit_of_an_object"),
            models.Index(fields=["actor_id", "-id"], name="audit_of_a_user"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.label or self.kind}".strip()
