"""Folders and dashboards in the admin: where they lie, whose they are, what a sync may do. Their JSON is edited on the
portal's pages, which this leads to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.admin_base import AuditedModelAdmin
from apps.accounts.models import AuditEntry
from apps.accounts.scope import scope_of
from apps.dashboards.author import Author
from apps.dashboards.folders import minted, titles_of, unused
from apps.dashboards.forms import FolderChoiceField, TeamChoiceForm
from apps.dashboards.importing import doubled
from apps.dashboards.models import DEEPEST, Dashboard, Folder
from apps.dashboards.revisions import retire
from apps.mirror.admin_columns import column_of


class RegistryAdmin(AuditedModelAdmin):
    """What both have in common: teams limit the rows, folders are told by their whole path."""

    domain = "dashboards"
    form = TeamChoiceForm
    list_per_page = 100
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.of_teams(scope_of(request.user))
        return rows

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)
        for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            # Folders have a page of their own; four pictures beside the choice say nothing more.
            if field is not None and hasattr(field.widget, name):
                setattr(field.widget, name, False)
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> ModelChoiceField[Any]:
        if db_field.related_model is Folder:
            return FolderChoiceField(scope_of(request.user), label=db_field.verbose_name.capitalize())
        return super().formfield_for_foreignkey(db_field, request, **options)  # type: ignore[return-value]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @admin.display(description="folder")
    def place(self, row: Any) -> str:
        """The titles of the folders that it lies in. Costs no query where the list has joined them."""
        above: list[str] = []
        folder = row.parent if isinstance(row, Folder) else row.folder
        while folder is not None and len(above) < DEEPEST:
            above.append(folder.title)
            folder = folder.parent
        return " / ".join(reversed(above)) or "—"


@admin.register(Folder)
class FolderAdmin(RegistryAdmin):
    """The uid is minted once, and stays when the folder is renamed or moved."""

    list_display = ("title", "place", "team_name", "holds", "uid")
    list_select_related = ("parent__parent__parent",)
    search_fields = ("title", "uid")
    fields = ("title", "parent", "team_id", "uid")
    readonly_fields = ("uid",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(held=Count("dashboards"))
        return rows

    def save_model(self, request: HttpRequest, obj: Folder, form: Any, change: bool) -> None:
        if not obj.uid:
            above = titles_of(obj.parent_id, Folder.objects.in_bulk())
            obj.uid = unused(minted(obj.title, *above))
        super().save_model(request, obj, form, change)

    @admin.display(description="dashboards", ordering="held")
    def holds(self, folder: Any) -> int:
        return int(folder.held)


@admin.register(Dashboard)
class DashboardAdmin(RegistryAdmin):
    """Registrations. They are added, edited and retired on pages of the portal; nothing deletes one."""

    list_display = (
        "title", "place", "policy_word", "state", "team_word", "labels", "origin_kind", "revision",
        column_of(Dashboard._meta.get_field("updated_at")),
    )  # fmt: skip
    list_filter = ("policy", "enabled", "paused", "origin_kind")
    list_select_related = ("current", "folder__parent__parent__parent")
    search_fields = ("title", "uid")
    fields = (
        "title", "uid", "folder", "team_id", "enabled", "policy", "paused", "labels", "origin_kind", "origin",
        "revision", "created_at", "updated_at",
    )  # fmt: skip
    readonly_fields = ("title", "uid", "labels", "origin_kind", "origin", "revision", "created_at", "updated_at")
    actions = ("enable", "disable", "pause", "resume", "retire_chosen")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(retired_at=None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("portal:add-dashboards")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"show_save_and_add_another": False, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def view_on_site(self, obj: Dashboard) -> str:
        return reverse("portal:dashboard" if obj.enabled else "portal:dashboard-history", args=[obj.uid])

    def save_model(self, request: HttpRequest, obj: Dashboard, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for problem in doubled(obj):
            self.message_user(request, f"{problem.text}.", messages.WARNING)

    @admin.display(description="policy", ordering="policy")
    def policy_word(self, row: Dashboard) -> str:
        return row.policy or "default"

    @admin.display(description="state", ordering="enabled")
    def state(self, row: Dashboard) -> str:
        return "disabled" if not row.enabled else "paused" if row.paused else "enabled"

    @admin.display(description="team", ordering="team_name")
    def team_word(self, row: Dashboard) -> str:
        return row.team_name or (str(row.team_id) if row.team_id else "all")

    @admin.display(description="tags")
    def labels(self, row: Dashboard) -> str:
        return ", ".join(row.tags) or "—"

    @admin.display(description="revision")
    def revision(self, row: Dashboard) -> SafeString | str:
        if row.current is None:
            return "—"
        address = reverse("portal:dashboard-history", args=[row.uid])
        return format_html('<a href="{}">{}</a>', address, row.current.number)

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> None:
        self._set(request, queryset, "enabled", True, "enabled")

    @admin.action(description="Disable: nobody sees it, nothing pushes it", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> None:
        self._set(request, queryset, "enabled", False, "disabled")

    @admin.action(description="Pause: the scheduled sync leaves it out", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> None:
        self._set(request, queryset, "paused", True, "paused")

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> None:
        self._set(request, queryset, "paused", False, "resumed")

    @admin.action(description="Retire…", permissions=["change"])
    def retire_chosen(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> HttpResponse | None:
        """Asks first, with a reason."""
        rows = list(queryset.select_related("current"))
        if request.POST.get("confirmed") != "yes":
            return self._ask(request, rows)
        by = Author.of(request, request.POST.get("reason", "")[:2000])
        for row in rows:
            retire(row, actor=by.name, reason=by.reason, request=request)
        count = f"{len(rows)} dashboard{'' if len(rows) == 1 else 's'}"
        self.message_user(request, f"Retired: {count}. The histories stay.", messages.SUCCESS)
        return None

    def _ask(self, request: HttpRequest, rows: list[Dashboard]) -> HttpResponse:
        count = f"{len(rows)} dashboard{'' if len(rows) == 1 else 's'}"
        context = {
            **self.admin_site.each_context(request),
            "title": f"Retire {count}?",
            "answer": "They leave every list, and nothing pushes them. Their histories stay; each can be restored.",
            "opts": self.opts,
            "rows": rows,
            "action": request.POST.get("action", ""),
            "checkbox": ACTION_CHECKBOX_NAME,
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/dashboards_retire.html", context)

    def _set(self, request: HttpRequest, queryset: QuerySet[Dashboard], field: str, value: bool, done: str) -> None:
        rows = list(queryset.exclude(**{field: value}))
        stored = self._stored([row.pk for row in rows])
        for row in rows:
            setattr(row, field, value)
            row.save(update_fields=[field, "updated_at"])
        for key, (changed, after) in self._stored(list(stored)).items():
            self._record(request, AuditEntry.Action.CHANGE, changed, stored[key][1], after)
        self.message_user(request, f"{done.capitalize()}: {len(rows)}.", messages.SUCCESS)
