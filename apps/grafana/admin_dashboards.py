"""The registry's list of dashboards, with how each stands in every Grafana and what can be ordered for it there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.dashboards.admin import DashboardAdmin
from apps.dashboards.models import Dashboard
from apps.grafana import service
from apps.grafana.admin_placements import ordered, state_badge
from apps.grafana.models import Placement
from apps.grafana.orders import ORDERS, Order

HERE = ("push", "adopt", "reject", "release")
"""The orders that the list of dashboards offers; the others are for rows of one Grafana."""


def _action(order: Order) -> Callable[[Any, HttpRequest, QuerySet[Dashboard]], HttpResponse | None]:
    @admin.action(description=f"Grafana: {order.label.lower()}", permissions=["sync"])
    def act(self: Any, request: HttpRequest, queryset: QuerySet[Dashboard]) -> HttpResponse | None:
        rows = service.placements_of(queryset)
        if not rows:
            self.message_user(request, "No Grafana instance is enabled.", messages.WARNING)
            return None
        return ordered(self, request, order, rows)

    act.__name__ = f"grafana_{order.name}"
    return act


admin.site.unregister(Dashboard)


@admin.register(Dashboard)
class PlacedDashboardAdmin(DashboardAdmin):
    """Registrations, and where they are placed."""

    list_display: Any = (*DashboardAdmin.list_display[:3], "in_grafana", *DashboardAdmin.list_display[3:])
    actions: Any = (*DashboardAdmin.actions, *(_action(order) for order in ORDERS if order.name in HERE))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        placements = Placement.objects.filter(instance__enabled=True).select_related("instance")
        return super().get_queryset(request).prefetch_related(Prefetch("placements", placements))

    def has_sync_permission(self, request: HttpRequest) -> bool:
        """For the actions."""
        return request.user.has_perm("grafana.sync_placement")

    @admin.display(description="in Grafana")
    def in_grafana(self, row: Dashboard) -> SafeString | str:
        placements = list(row.placements.all())
        several = len({one.instance_id for one in placements}) > 1
        return (
            format_html_join(
                " ",
                '<a href="{}">{}{}</a>',
                (
                    (
                        reverse("admin:grafana_placement_change", args=[one.pk]),
                        state_badge(one),
                        format_html(' <span class="muted">{}</span>', one.instance.name) if several else "",
                    )
                    for one in placements
                ),
            )
            or "never checked"
        )
