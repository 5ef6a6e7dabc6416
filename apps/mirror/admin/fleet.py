"""Teams, devices, their models and controllers, environments."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from apps.accounts.scope import scope_of
from apps.mirror.admin_base import MirrorAdmin
from apps.mirror.admin_filters import TeamFilter, TimeFilter, values, yes_or_no
from apps.mirror.models import Controller, Device, DeviceModel, EnvironmentProfile, Team


@admin.register(Team)
class TeamAdmin(MirrorAdmin):
    list_display = ("name", "description", "is_default", "tenant_id", "created_at")
    contains = ("name", "description")

    def has_add_permission(self, request: HttpRequest) -> bool:
        # A new team belongs to nobody yet: whoever is limited to some would not see it.
        return scope_of(request.user).everything and super().has_add_permission(request)


@admin.register(Device)
class DeviceAdmin(MirrorAdmin):
    list_display = ("name", "model", "status", "team", "description", "updated_at")
    list_filter = (TeamFilter, values("model"), values("status"), TimeFilter)
    contains = ("name", "description", "model")
    portal_page = ("portal:device",)


@admin.register(DeviceModel)
class DeviceModelAdmin(MirrorAdmin):
    list_display = ("name", "version", "team", "is_default", "description", "updated_at")
    list_filter = (TeamFilter, yes_or_no("is_default", "default"))
    contains = ("name", "description")


@admin.register(Controller)
class ControllerAdmin(MirrorAdmin):
    list_display = ("name", "type", "status", "device", "team", "updated_at")
    list_filter = (TeamFilter, values("type"), values("status"), TimeFilter)


@admin.register(EnvironmentProfile)
class EnvironmentProfileAdmin(MirrorAdmin):
    list_display = ("name", "description", "team", "updated_at")
    list_filter = (TeamFilter,)
    contains = ("name", "description")
