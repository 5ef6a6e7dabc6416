"""The fleet: teams, devices, their models and controllers, and the environments that tests run in."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models

from apps.mirror.fields import Reference, UpdatedAtField
from apps.mirror.models.base import MirrorModel, PlatformIndex, known


class Team(MirrorModel):
    """A tenant: owns everything else."""

    domain = "fleet"
    team_lookup = "id"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    name = models.TextField()
    description = models.TextField(null=True, blank=True)
    tenant_id = models.UUIDField("tenant")
    created_by = models.UUIDField(null=True, blank=True, help_text="The platform's user id.")
    is_default = models.BooleanField("default", null=True, blank=True, db_default=False)
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    class Meta:
        db_table = "teams"
        verbose_name = "team"

    def __str__(self) -> str:
        return known(self.name)


class DeviceModel(MirrorModel):
    """A kind of device and the controllers that drive it."""

    domain = "fleet"
    team_lookup = "team_id"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    team = Reference(Team, related_name="device_models")
    name = models.CharField()
    types = models.JSONField(db_default=[])
    controllers = models.JSONField(db_default={"av": "", "power": "", "remote": "", "network": ""})
    version = models.CharField(null=True, blank=True)
    description = models.TextField(null=True, blank=True)
    is_default = models.BooleanField("default", db_default=False)
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    class Meta:
        db_table = "device_models"
        verbose_name = "device model"
        indexes = [
            PlatformIndex(fields=["team"], name="idx_device_models_team_id"),
        ]

    def __str__(self) -> str:
        return known(self.name)


class Device(MirrorModel):
    """A physical device: a set-top box, phone, TV or browser. Other tables name it by text, not by this id."""

    domain = "fleet"
    team_lookup = "team_id"
    time_field = "updated_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    team = Reference(Team, related_name="devices")
    name = models.TextField()
    description = models.TextField(null=True, blank=True)
    model = models.TextField(null=True, blank=True, help_text="The name of a device model; no reference.")
    status = models.TextField(null=True, blank=True, help_text="Many installations lack it.")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())
    controller_configs = models.JSONField(
        "controllers", null=True, blank=True, help_text="Configuration of each kind of controller."
    )

    class Meta:
        db_table = "device"
        verbose_name = "device"
        indexes = [
            PlatformIndex(fields=["team"], name="idx_device_team_id"),
        ]

    def __str__(self) -> str:
        return known(self.name)


class Controller(MirrorModel):
    """What drives a device: remote control, power switch, picture grabber. Many installations lack the table."""

    domain = "fleet"
    team_lookup = "team_id"
    time_field = "updated_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    team = Reference(Team, related_name="controllers")
    device = Reference(Device, related_name="controllers", null=True, blank=True)
    name = models.TextField()
    type = models.TextField(null=True, blank=True, help_text="av, remote, power, network or verification.")
    status = models.TextField(null=True, blank=True, help_text="online, offline, error or unknown.")
    configuration = models.JSONField(null=True, blank=True, db_default={})
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    class Meta:
        db_table = "controllers"
        verbose_name = "controller"
        indexes = [
            PlatformIndex(fields=["team"], name="vpt_controllers_team"),
            PlatformIndex(fields=["device"], name="vpt_controllers_device"),
        ]

    def __str__(self) -> str:
        return known(self.name)


class EnvironmentProfile(MirrorModel):
    """Settings that a test runs under."""

    domain = "fleet"
    team_lookup = "team_id"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    name = models.CharField()
    description = models.TextField(null=True, blank=True)
    config = models.JSONField(null=True, blank=True, db_default={})
    team = Reference(Team, related_name="environment_profiles")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    class Meta:
        db_table = "environment_profiles"
        verbose_name = "environment profile"
        indexes = [
            PlatformIndex(fields=["team"], name="idx_environment_profiles_team_id"),
        ]

    def __str__(self) -> str:
        return known(self.name)
