"""What the portal knows of its dashboards and folders in each Grafana."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.dashboards.models import Dashboard, Folder, Revision, StoredBody
from apps.grafana.models.instance import GrafanaInstance
from apps.grafana.verdict import Action, Policy, State

STATES = [(state.value, state.value.replace("-", " ")) for state in State]


class PlacementQuerySet(models.QuerySet["Placement"]):
    def with_all(self) -> PlacementQuerySet:
        """With the registration, its revision and the instance at hand."""
        return self.select_related("dashboard__current", "dashboard__folder", "instance")


class Placement(models.Model):
    """A registration in one Grafana: what both had after our last write (the base of every comparison, and the mark of
    what is ours), what Grafana had when it was read last, and what is under way.

    Written by `apps.grafana.placing` alone.
    """

    dashboard = models.ForeignKey(Dashboard, on_delete=models.PROTECT, related_name="placements")
    instance = models.ForeignKey(GrafanaInstance, on_delete=models.CASCADE, related_name="placements")
    released = models.BooleanField(default=False, help_text="Grafana's alone there: no longer read or written.")
    created_by_us = models.BooleanField(default=False, help_text="Only what we created is ever deleted.")

    # How it stood at the last check -------------------------------------------------------------------------------
    state = models.CharField(max_length=10, choices=STATES, default=State.UNKNOWN.value)
    checked_at = models.DateTimeField("last check", null=True, blank=True)
    read_at = models.DateTimeField(
        null=True, blank=True, help_text="When its body was read, and not only its resource version."
    )
    live = models.ForeignKey(
        StoredBody, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="What Grafana has, where that is not the base.",
    )  # fmt: skip
    live_digest = models.CharField(max_length=64, blank=True)
    live_version = models.PositiveIntegerField(default=0)
    live_folder_uid = models.CharField(max_length=40, blank=True)
    resource_version = models.CharField(max_length=64, blank=True, help_text="Of /apis, where it stands for no change.")
    edited_by = models.CharField(max_length=200, blank=True, help_text="Who saved it last, by Grafana's account.")
    edited_at = models.DateTimeField(null=True, blank=True)
    manager = models.CharField(max_length=200, blank=True, help_text="Whose it is in Grafana, when not ours.")
    error = models.TextField("last error", blank=True)
    error_status = models.PositiveSmallIntegerField("HTTP status", null=True, blank=True)
    error_at = models.DateTimeField(null=True, blank=True)

    # What both had after our last write ---------------------------------------------------------------------------
    sent = models.ForeignKey(StoredBody, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    sent_digest = models.CharField(max_length=64, blank=True)
    sent_key = models.CharField(
        max_length=200, blank=True, help_text="What the sent body was made from; equal means equal without looking."
    )
    base = models.ForeignKey(
        StoredBody, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="What Grafana returned.",
    )  # fmt: skip
    base_digest = models.CharField(max_length=64, blank=True)
    base_version = models.PositiveIntegerField(default=0)
    base_folder_uid = models.CharField(max_length=40, blank=True)
    base_saved_at = models.DateTimeField(null=True, blank=True, help_text="When that was saved, by Grafana's clock.")
    without_ids = models.JSONField(default=list, blank=True, help_text="The panels to which we gave no id.")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    pushed_at = models.DateTimeField(null=True, blank=True)
    futile = models.PositiveSmallIntegerField(default=0, help_text="Writes in a row that changed nothing in the end.")
    kept_version = models.PositiveIntegerField(default=0, help_text="The edit that was put into the history last.")

    # A write that is under way, noted before it is sent -----------------------------------------------------------
    intent = models.CharField(max_length=32, blank=True, help_text="Empty: none. It stands in Grafana's message too.")
    intent_action = models.CharField(max_length=10, blank=True, choices=[(one.value, one.value) for one in Action])
    intent_version = models.PositiveIntegerField(null=True, blank=True, help_text="The version that it replaces.")
    intent_body = models.ForeignKey(StoredBody, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    intent_key = models.CharField(max_length=200, blank=True)
    intent_folder_uid = models.CharField(max_length=40, blank=True)
    intent_revision = models.ForeignKey(Revision, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    # What was deleted there ---------------------------------------------------------------------------------------
    pruned_at = models.DateTimeField(null=True, blank=True)
    pruned_grants = models.JSONField(default=list, blank=True, help_text="Its permissions before it was deleted.")

    objects = PlacementQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["dashboard__title", "instance__name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instance", "dashboard"], name="one_placement_per_instance")
        ]
        indexes: ClassVar = [models.Index(fields=["instance", "state"], name="placements_by_state")]
        verbose_name = "dashboard in Grafana"
        verbose_name_plural = "dashboards in Grafana"
        permissions: ClassVar = [
            ("sync_placement", "Can sync dashboards with Grafana"),
            ("prune_placement", "Can delete dashboards in Grafana"),
        ]

    def __str__(self) -> str:
        return f"{self.dashboard} in {self.instance}"

    @property
    def policy(self) -> Policy:
        """The one that holds here: released, else the dashboard's own, else the instance's."""
        if self.released:
            return Policy.RELEASED
        return Policy(self.dashboard.policy or self.instance.policy)

    @property
    def words(self) -> str:
        """The state in a sentence."""
        return State(self.state).words

    @property
    def link(self) -> str:
        """Where people find it in that Grafana."""
        return self.instance.link(f"/d/{self.dashboard.uid}")


class FolderPlacement(models.Model):
    """A folder in one Grafana: its place and title (`parent-uid/title`) as we sent and as Grafana returned them."""

    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="placements")
    instance = models.ForeignKey(GrafanaInstance, on_delete=models.CASCADE, related_name="folder_placements")
    created_by_us = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=STATES, default=State.UNKNOWN.value)
    sent = models.CharField(max_length=300, blank=True)
    base = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField("last check", null=True, blank=True)
    error = models.TextField("last error", blank=True)

    class Meta:
        ordering: ClassVar = ["folder__title", "instance__name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instance", "folder"], name="one_folder_placement_per_instance")
        ]

    def __str__(self) -> str:
        return f"{self.folder} in {self.instance}"


class FolderGrant(models.Model):
    """A declaration: a team, or a role, may do this in a folder, in every Grafana that has the team."""

    class Level(models.IntegerChoices):
        VIEW = 1, "view"
        EDIT = 2, "edit"
        ADMIN = 4, "administer"

    class Role(models.TextChoices):
        VIEWER = "Viewer", "every viewer"
        EDITOR = "Editor", "every editor"

    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="grants")
    team = models.CharField(max_length=200, blank=True, help_text="The name of a team of Grafana's.")
    role = models.CharField(max_length=10, blank=True, choices=Role, help_text="Or a role.")
    level = models.PositiveSmallIntegerField("may", choices=Level, default=Level.VIEW)

    class Meta:
        ordering: ClassVar = ["folder__title", "team", "role"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["folder", "team", "role"], name="one_grant_each"),
            models.CheckConstraint(
                condition=models.Q(team="") ^ models.Q(role=""), name="a_grant_is_a_teams_or_a_roles"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team or self.role} may {self.get_level_display()}"


class LibraryPanel(models.Model):
    """A panel that several dashboards show by reference. Grafana needs it before them."""

    uid = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    folder = models.ForeignKey(Folder, on_delete=models.PROTECT, null=True, blank=True, related_name="library_panels")
    model = models.JSONField(help_text="The panel's JSON.")
    updated_at = models.DateTimeField("last change", auto_now=True)

    class Meta:
        ordering: ClassVar = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class LibraryPlacement(models.Model):
    """A library panel in one Grafana, by digests, as a dashboard has them."""

    panel = models.ForeignKey(LibraryPanel, on_delete=models.CASCADE, related_name="placements")
    instance = models.ForeignKey(GrafanaInstance, on_delete=models.CASCADE, related_name="library_placements")
    created_by_us = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=STATES, default=State.UNKNOWN.value)
    sent_digest = models.CharField(max_length=64, blank=True)
    base_digest = models.CharField(max_length=64, blank=True)
    checked_at = models.DateTimeField("last check", null=True, blank=True)
    error = models.TextField("last error", blank=True)

    class Meta:
        ordering: ClassVar = ["panel__name", "instance__name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instance", "panel"], name="one_library_placement_per_instance")
        ]

    def __str__(self) -> str:
        return f"{self.panel} in {self.instance}"
