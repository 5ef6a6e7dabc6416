"""Teams, device models, devices and what controls them, over REST."""

from __future__ import annotations

from apps.mirror.models import Controller, Device, DeviceModel, EnvironmentProfile, Team
from apps.mirror.rest.filters import ids, team, text, words
from apps.mirror.rest.views import RowsViewSet


class TeamList(RowsViewSet):
    """A tenant: owns everything else."""

    model = Team
    fields = ("id", "name", "description", "tenant_id", "created_by", "is_default", "created_at", "updated_at")
    filters = {**text("name")}


class DeviceModelList(RowsViewSet):
    """A kind of device and the controllers that drive it."""

    model = DeviceModel
    fields = (
        "id", "team_id", "name", "types", "controllers", "version", "description", "is_default", "created_at",
        "updated_at",
    )  # fmt: skip
    filters = {**team(), **text("name")}


class DeviceList(RowsViewSet):
    """A physical device: a set-top box, phone, TV or browser."""

    model = Device
    fields = (
        "id", "team_id", "name", "description", "model", "status", "created_at", "updated_at",
        "controller_configs",
    )  # fmt: skip
    filters = {**team(), **words("model", "model"), **words("status", "status"), **text("name", "description")}


class ControllerList(RowsViewSet):
    """What drives a device: remote control, power switch, picture grabber."""

    model = Controller
    fields = ("id", "team_id", "device_id", "name", "type", "status", "configuration", "created_at", "updated_at")
    filters = {
        **team(),
        **ids("device", "device_id"),
        **words("type", "type"),
        **words("status", "status"),
        **text("name"),
    }


class EnvironmentProfileList(RowsViewSet):
    """Settings that a test runs under."""

    model = EnvironmentProfile
    fields = ("id", "name", "description", "config", "team_id", "created_at", "updated_at")
    filters = {**team(), **text("name")}
