"""The registry: folders, the dashboards in them, and every body that a dashboard ever had.

Teams belong to another database; here they are plain values.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from apps.accounts.scope import TeamScope

UID = RegexValidator(r"\A[A-Za-z0-9_-]{1,40}\Z", "1 to 40 letters, digits, '-' and '_', as Grafana wants it.")
DEEPEST: Final = 4
"""How many folders may lie in each other: Grafana's own limit (`MaxNestedFolderDepth`)."""


def _chain(first: str) -> list[str]:
    """The lookups that lead to a folder and to those that it lies in."""
    return [first + "parent__" * depth for depth in range(DEEPEST)]


def _owned(owner: str, scope: TeamScope) -> models.Q:
    """Whether what a lookup leads to belongs to no team, or to one of `scope`."""
    return models.Q(**{f"{owner}team_id": None}) | models.Q(**{f"{owner}team_id__in": scope.team_ids})


class FolderQuerySet(models.QuerySet["Folder"]):
    def of_teams(self, scope: TeamScope) -> FolderQuerySet:
        """The folders that belong to no team or to one of `scope`, as do all that they lie in; none for whoever sees
        nothing."""
        if scope.everything:
            return self.all()
        if not scope.team_ids:
            return self.none()
        return self.filter(*(_owned(owner, scope) for owner in _chain("")))


class Folder(models.Model):
    """A folder of dashboards, in another one or at the top. Its uid stays when it is renamed or moved."""

    uid = models.CharField(max_length=40, unique=True, validators=[UID])
    title = models.CharField(max_length=200)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    team_id = models.UUIDField(
        "team", null=True, blank=True, help_text="Empty: everybody may see what lies in it; else that team alone."
    )
    team_name = models.CharField(max_length=200, blank=True)

    objects = FolderQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["title", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["parent", "title"], name="one_folder_per_title", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Refuses a title that lies there already, a place inside itself, and one that is too deep for Grafana, also
        for what lies in this folder."""
        other = Folder.objects.filter(parent=self.parent, title=self.title).exclude(pk=self.pk).first()
        if other is not None:
            raise ValidationError({"title": f"A folder of this title lies there already, with the uid {other.uid}."})
        above: list[str] = []
        parent = self.parent
        while parent is not None and len(above) <= DEEPEST:
            if parent.pk == self.pk:
                raise ValidationError({"parent": f"{self.title} cannot lie in itself."})
            above.append(parent.title)
            parent = parent.parent
        if len(above) + self._height() > DEEPEST:
            text = f"Folders lie in each other at most {DEEPEST} deep; this would be deeper."
            raise ValidationError({"parent": text})

    def _height(self) -> int:
        """How many folders lie in each other here, this one among them."""
        height, inside = 1, [self.pk]
        while self.pk is not None and height <= DEEPEST:
            inside = list(Folder.objects.filter(parent_id__in=inside).values_list("pk", flat=True))
            if not inside:
                break
            height += 1
        return height


class StoredBody(models.Model):
    """A dashboard's JSON, stored once however many revisions have it: its canonical text under the text's SHA-256.

    Written by `apps.dashboards.revisions.store` alone; the database refuses to change or delete it.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    text = models.TextField()
    size = models.PositiveIntegerField(help_text="Bytes of the text.")
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "stored body"
        verbose_name_plural = "stored bodies"

    def __str__(self) -> str:
        return self.digest[:12]

    @property
    def document(self) -> dict[str, Any]:
        """The decoded JSON, a new one at each call."""
        decoded: dict[str, Any] = json.loads(self.text)
        return decoded


class Cause(models.TextChoices):
    """What brought a revision into the registry."""

    SHIPPED = "shipped", "shipped with the portal"
    IMPORT = "import", "imported from a file"
    UPLOAD = "upload", "uploaded"
    PASTE = "paste", "pasted"
    EDIT = "edit", "edited here"
    CLONE = "clone", "cloned"
    RESTORE = "restore", "restored"
    ADOPT = "adopt", "taken from a Grafana"
    FOUND = "found", "found in a Grafana and kept"


class DashboardQuerySet(models.QuerySet["Dashboard"]):
    def registered(self) -> DashboardQuerySet:
        """Those that are not retired."""
        return self.filter(retired_at=None)

    def visible_to(self, scope: TeamScope) -> DashboardQuerySet:
        """The enabled dashboards that belong to no team or to a team of `scope`, as do all folders that they lie in;
        none for whoever sees nothing."""
        return self.registered().filter(enabled=True).of_teams(scope)

    def of_teams(self, scope: TeamScope) -> DashboardQuerySet:
        """The same of all dashboards, also of those that are retired or not enabled: for people who manage them."""
        if scope.everything:
            return self.all()
        if not scope.team_ids:
            return self.none()
        return self.filter(*(_owned(owner, scope) for owner in ("", *_chain("folder__"))))


class Dashboard(models.Model):
    """A registered dashboard. Its JSON is in its revisions: the classic document without what a server numbers (`id`,
    `version`), data sources already mapped to the portal's. Title and tags are copies of what stands there, to be
    searched. Nothing deletes a registration: it is retired, and can be restored."""

    class Policy(models.TextChoices):
        """What a sync does about an edit that somebody made in Grafana."""

        ENFORCE = "enforce", "Enforce: keep the edit in the history, restore ours"
        OBSERVE = "observe", "Observe: report it, change nothing"
        ADOPT = "adopt", "Adopt: take the edit as the new revision"
        LOCKED = "locked", "Locked: nothing is changed here or there"
        RELEASED = "released", "Released: Grafana's alone, no longer synced"

    class Origin(models.TextChoices):
        FILE = "file", "file"
        UPLOAD = "upload", "upload"
        ADOPTED = "adopted", "adopted"
        CLONED = "cloned", "clone"
        SHIPPED = "shipped", "shipped"

    uid = models.CharField(max_length=40, unique=True, validators=[UID])
    title = models.CharField(max_length=5000)
    folder = models.ForeignKey(Folder, on_delete=models.PROTECT, null=True, blank=True, related_name="dashboards")
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    current = models.ForeignKey(
        "Revision", on_delete=models.PROTECT, null=True, editable=False, related_name="+", verbose_name="revision"
    )
    origin_kind = models.CharField("came from", max_length=10, choices=Origin, default=Origin.FILE)
    origin = models.CharField(max_length=500, blank=True, help_text="Where it came from, such as a file's name.")
    enabled = models.BooleanField(default=True, help_text="Without this, nobody sees it and nothing pushes it.")
    policy = models.CharField(
        max_length=10, choices=Policy, blank=True, help_text="Empty: the default of the Grafana instance."
    )
    paused = models.BooleanField(default=False, help_text="The scheduled sync leaves it out.")
    team_id = models.UUIDField("team", null=True, blank=True, help_text="Empty: everybody may see it.")
    team_name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField("last change", auto_now=True)
    retired_at = models.DateTimeField(null=True, editable=False)

    objects = DashboardQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["title", "id"]

    def __str__(self) -> str:
        return self.title

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the current revision, a new copy at each call; empty before there is one."""
        return {} if self.current is None else self.current.body


class Revision(models.Model):
    """A body that a dashboard had, or that was found in a Grafana and kept. The database refuses changes.

    Written by `apps.dashboards.revisions` alone.
    """

    dashboard = models.ForeignKey(Dashboard, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField(help_text="Counts from 1 in each dashboard.")
    stored = models.ForeignKey(StoredBody, on_delete=models.PROTECT, related_name="revisions")
    actor = models.CharField(max_length=200, help_text="Who it was, by the name of then.")
    cause = models.CharField(max_length=16, choices=Cause)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["dashboard", "number"], name="one_revision_a_number")]

    def __str__(self) -> str:
        return f"revision {self.number}"

    @property
    def body(self) -> dict[str, Any]:
        """The JSON, a new copy at each call."""
        return self.stored.document


class Draft(models.Model):
    """What somebody is writing in a dashboard's editor and has not saved: what the preview draws."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="drafts")
    text = models.TextField(help_text="The canonical text of the body.")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "dashboard"], name="one_draft_each")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.dashboard_id}"


class Favourite(models.Model):
    """Somebody wants a dashboard at hand."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="favourites")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "dashboard"], name="one_favourite_each")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.dashboard_id}"
