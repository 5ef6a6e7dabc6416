"""The registry: folders and the dashboards in them. Teams belong to another database; here they are plain values."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from apps.accounts.scope import TeamScope

UID = RegexValidator(r"\A[A-Za-z0-9_-]{1,40}\Z", "1 to 40 letters, digits, '-' and '_', as Grafana wants it.")


class Folder(models.Model):
    """A folder of dashboards, in another one or at the top."""

    uid = models.CharField(max_length=40, unique=True, validators=[UID])
    title = models.CharField(max_length=200)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")

    class Meta:
        ordering: ClassVar = ["title", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["parent", "title"], name="one_folder_per_title", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.title


class DashboardQuerySet(models.QuerySet["Dashboard"]):
    def visible_to(self, scope: TeamScope) -> DashboardQuerySet:
        """The enabled dashboards that belong to no team or to a team of `scope`; none for whoever sees nothing."""
        enabled = self.filter(enabled=True)
        if scope.everything:
            return enabled
        if not scope.team_ids:
            return self.none()
        return enabled.filter(models.Q(team_id=None) | models.Q(team_id__in=scope.team_ids))


class Dashboard(models.Model):
    """A registered dashboard. `body` is its classic JSON without what a server numbers (`id`, `version`), data sources
    already mapped to the portal's. Title and tags are copies of what stands there, to be searched."""

    uid = models.CharField(max_length=40, unique=True, validators=[UID])
    title = models.CharField(max_length=5000)
    folder = models.ForeignKey(Folder, on_delete=models.PROTECT, null=True, blank=True, related_name="dashboards")
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    body = models.JSONField()
    origin = models.CharField(max_length=500, blank=True, help_text="Where it came from, such as a file's name.")
    enabled = models.BooleanField(default=True)
    team_id = models.UUIDField("team", null=True, blank=True, help_text="Empty: everybody may see it.")
    team_name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DashboardQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["title", "id"]

    def __str__(self) -> str:
        return self.title


class Favourite(models.Model):
    """Somebody wants a dashboard at hand."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="favourites")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "dashboard"], name="one_favourite_each")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.dashboard_id}"
