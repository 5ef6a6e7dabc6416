"""Grafana instances in the admin: where they are, whose secret they use (by name), and whether that works."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.admin_base import AuditedModelAdmin
from apps.grafana.connection_test import Report, examine, registered_needs
from apps.grafana.credentials import described
from apps.grafana.models import GrafanaInstance
from apps.mirror.admin_columns import badge

MOST_TESTED = 5
"""How many instances are asked in one request: each may take some seconds."""


@admin.register(GrafanaInstance)
class GrafanaInstanceAdmin(AuditedModelAdmin):
    """Of the instance that the environment describes, the form changes only what the environment does not say."""

    domain = "dashboards"
    list_display = ("name", "state", "version", "where", "account_shown", "policy", "answered_at")
    list_filter = ("enabled", "paused", "policy")
    search_fields = ("name", "address")
    change_form_template = "admin/instance_change.html"
    actions = ("test_connections",)
    readonly_fields = ("account_shown", "version", "answered_at", "problem_shown")
    fieldsets = (
        (None, {"fields": ("name", "enabled", "paused", "policy")}),
        ("Where it is", {"fields": ("address", "public_address", "private_network", "verify_tls", "org_id")}),
        ("Account", {"fields": ("account", "user_name", "variable", "account_shown")}),
        ("What its data sources are called", {"fields": ("datasources",)}),
        ("Last answer", {"fields": ("version", "answered_at", "problem_shown")}),
    )
    said_by_the_environment = (
        "address",
        "public_address",
        "private_network",
        "org_id",
        "account",
        "user_name",
        "variable",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: GrafanaInstance | None = None) -> tuple[str, ...]:
        fixed = self.said_by_the_environment if obj is not None and obj.from_environment else ()
        return (*self.readonly_fields, *fixed)

    def has_delete_permission(self, request: HttpRequest, obj: GrafanaInstance | None = None) -> bool:
        """The one of the environment would be back at the next start."""
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.from_environment)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row: GrafanaInstance | None = kwargs.get("obj")
        if row is not None and row.from_environment:
            context["banner"] = (
                "The environment describes this one (GRAFANA_URL and its neighbours in .env): its address and account"
                " are changed there."
            )
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="state")
    def state(self, row: GrafanaInstance) -> SafeString:
        if not row.enabled:
            return badge("skipped", "off")
        if row.paused:
            return badge("skipped", "paused")
        if row.problem:
            return badge("failing")
        return badge("ok") if row.answered_at else badge("unknown", "not asked yet")

    @admin.display(description="address", ordering="address")
    def where(self, row: GrafanaInstance) -> str:
        return row.address

    @admin.display(description="secret")
    def account_shown(self, row: GrafanaInstance) -> str:
        return described(row) if row.variable else "Name a variable above."

    @admin.display(description="problem")
    def problem_shown(self, row: GrafanaInstance) -> SafeString | str:
        return format_html("{}", row.problem) if row.problem else "none"

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<path:object_id>/test/", self.admin_site.admin_view(self.test_view), name="grafana_grafanainstance_test"
        )
        return [own, *super().get_urls()]

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks that Grafana and shows what it said; by POST, since the portal then sends its secret there."""
        row = self.get_object(request, unquote(object_id))
        if not isinstance(row, GrafanaInstance):
            raise Http404("There is no such instance.")
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._tested(request, [row])

    @admin.action(description="Test connection", permissions=["change"])
    def test_connections(self, request: HttpRequest, queryset: QuerySet[GrafanaInstance]) -> HttpResponse | None:
        rows = list(queryset[: MOST_TESTED + 1])
        if len(rows) > MOST_TESTED:
            self.message_user(request, f"Choose at most {MOST_TESTED}: each may take some seconds.", messages.WARNING)
            return None
        return self._tested(request, rows)

    def _tested(self, request: HttpRequest, rows: list[GrafanaInstance]) -> HttpResponse:
        wanted = registered_needs()
        reports: list[Report] = [examine(row, wanted) for row in rows]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Test of {rows[0]}" if len(rows) == 1 else f"Test of {len(rows)} instances",
            "answer": reports[0].sentence if len(rows) == 1 else "",
            "opts": self.opts,
            "row": rows[0] if len(rows) == 1 else None,
            "reports": reports,
        }
        return TemplateResponse(request, "admin/instance_tested.html", context)
