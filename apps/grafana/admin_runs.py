"""Runs of the sync in the admin, row by row, and what is declared for it: pauses, permissions, library panels."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from apps.accounts.admin_base import AuditedModelAdmin
from apps.dashboards.forms import TeamChoiceForm
from apps.grafana.models import FolderGrant, LibraryPanel, SyncPause, SyncRun
from apps.mirror import states
from apps.mirror.admin_columns import badge, column_of

MOST_STEPS: Final = 1000
"""Rows of a run that its page shows."""
_BADGES: Final = {
    SyncRun.Status.RUNNING: states.RUNNING,
    SyncRun.Status.DONE: states.OK,
    SyncRun.Status.PARTIAL: states.WARNING,
    SyncRun.Status.CONFLICT: states.WARNING,
    SyncRun.Status.STALE: states.WARNING,
    SyncRun.Status.GUARD: states.WARNING,
    SyncRun.Status.REFUSED: states.FAILING,
    SyncRun.Status.FAILED: states.FAILING,
    SyncRun.Status.INTERRUPTED: states.FAILING,
}


def run_badge(run: SyncRun) -> SafeString:
    """How a run ended as the portal's badge."""
    status = SyncRun.Status(run.status)
    return badge(_BADGES[status], status.label.lower())


@admin.register(SyncRun)
class SyncRunAdmin(AuditedModelAdmin):
    """Written by runs alone."""

    domain = "dashboards"
    list_display = (
        column_of(SyncRun._meta.get_field("started_at")), "what", "instance", "status_shown", "actor", "total",
        "changed", "failed", "took", "requests",
    )  # fmt: skip
    list_display_links = ("what",)
    list_filter = ("status", "instance", "cause", "what")
    list_select_related = ("instance",)
    list_per_page = 100
    show_full_result_count = False
    search_fields = ("actor", "what")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Sync runs", **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the run did, row by row."""
        key = unquote(object_id)
        run = self.get_queryset(request).select_related("instance").filter(pk=key).first() if key.isdecimal() else None
        if run is None:
            raise Http404("There is no such run.")
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        steps = list(run.steps.select_related("dashboard")[: MOST_STEPS + 1])
        context = {
            **self.admin_site.each_context(request),
            "title": str(run),
            "answer": _sentence(run),
            "opts": self.opts,
            "run": run,
            "status": run_badge(run),
            "counts": [(state.replace("-", " "), count) for state, count in sorted(run.counts.items())],
            "steps": steps[:MOST_STEPS],
            "more": len(steps) > MOST_STEPS,
        }
        return TemplateResponse(request, "admin/sync_run.html", context)

    @admin.display(description="status", ordering="status")
    def status_shown(self, row: SyncRun) -> SafeString:
        return run_badge(row)

    @admin.display(description="seconds")
    def took(self, row: SyncRun) -> str:
        return "" if row.seconds is None else f"{row.seconds:.1f}"


@admin.register(SyncPause)
class SyncPauseAdmin(AuditedModelAdmin):
    """Adding one stops the schedule for a team or for everything; deleting it lets it go on."""

    domain = "dashboards"
    form = TeamChoiceForm
    list_display = ("__str__", "actor", "reason", column_of(SyncPause._meta.get_field("at")))
    fields = ("team_id", "reason")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SyncPause, form: Any, change: bool) -> None:
        obj.actor = request.user.get_username()
        super().save_model(request, obj, form, change)


@admin.register(FolderGrant)
class FolderGrantAdmin(AuditedModelAdmin):
    """What teams and roles may do in a folder. The sync compares, sets, and reports what was changed there."""

    domain = "dashboards"
    list_display = ("folder", "team", "role", "level")
    list_filter = ("level", "role")
    list_select_related = ("folder",)
    search_fields = ("folder__title", "team")


@admin.register(LibraryPanel)
class LibraryPanelAdmin(AuditedModelAdmin):
    """Panels that several dashboards show by reference; they come in with the dashboards that a Grafana has."""

    domain = "dashboards"
    list_display = ("name", "uid", "folder", column_of(LibraryPanel._meta.get_field("updated_at")))
    list_select_related = ("folder",)
    search_fields = ("name", "uid")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("uid",) if obj else ()


def _sentence(run: SyncRun) -> str:
    if run.status == SyncRun.Status.RUNNING:
        return f"It runs: {run.total} rows, {run.changed} changed so far."
    said = f"{run.total} row{'' if run.total == 1 else 's'} looked at, {run.changed} changed, {run.failed} failed"
    return f"{said}. {run.error}" if run.error else f"{said}."
