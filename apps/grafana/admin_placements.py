"""Dashboards in Grafanas in the admin: how each stands, the three bodies of a conflict, and what can be ordered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.admin_base import AuditedModelAdmin
from apps.accounts.scope import scope_of
from apps.dashboards.author import Author
from apps.dashboards.models import Dashboard
from apps.grafana import service
from apps.grafana.comparison import compare
from apps.grafana.errors import GrafanaError
from apps.grafana.models import GrafanaInstance, Placement, SyncRun, SyncStep
from apps.grafana.orders import ORDERS, Order, Preview, previews
from apps.grafana.run_lock import AlreadyRunningError
from apps.grafana.selection import SelectionError
from apps.grafana.standing import badge_of
from apps.mirror.admin_columns import badge, column_of

LATEST_STEPS: Final = 20
MOST_FOUND: Final = 500
"""Unregistered dashboards that one page lists."""


def state_badge(row: Placement) -> SafeString:
    """The state of a placement as the portal's badge, what it means on hover."""
    return format_html('<span title="{}">{}</span>', row.error or row.words, badge(*badge_of(row)))


def _action(order: Order) -> Callable[[Any, HttpRequest, QuerySet[Placement]], HttpResponse | None]:
    @admin.action(description=order.label, permissions=[order.permission])
    def act(self: Any, request: HttpRequest, queryset: QuerySet[Placement]) -> HttpResponse | None:
        return ordered(self, request, order, list(queryset))

    act.__name__ = order.name
    return act


def ordered(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, order: Order, rows: list[Placement]
) -> HttpResponse | None:
    """Ask first, with the plan; do it once that was confirmed, in those Grafanas alone that were shown a plan for."""
    chosen = [row for row in rows if order.concerns(row)]
    if not chosen:
        model_admin.message_user(request, f"“{order.verb}” is for none of the chosen rows.", messages.WARNING)
        return None
    if request.POST.get("confirmed") != "yes":
        return _asked(model_admin, request, order, previews(order, chosen), len(rows) - len(chosen))
    follow = None
    if order.deed is not None:
        follow = {
            row.instance.name: request.POST[f"plan-{row.instance_id}"]
            for row in chosen
            if f"plan-{row.instance_id}" in request.POST
        }
        chosen = [row for row in chosen if row.instance.name in follow]
    author = Author.of(request, request.POST.get("reason", "")[:2000])
    try:
        runs = order.call(chosen, author, follow)
    except (AlreadyRunningError, SelectionError, GrafanaError) as problem:
        model_admin.message_user(request, f"Nothing was done: {problem}.", messages.ERROR)
        return None
    for run in runs:
        good = run.status == SyncRun.Status.DONE
        said = f"{run.instance}: {run.get_status_display()}, {run.changed} changed, {run.failed} failed. {run.error}"
        model_admin.message_user(request, said.strip(), messages.SUCCESS if good else messages.WARNING)
    if len(runs) == 1:
        return redirect("admin:grafana_syncrun_change", runs[0].pk)
    if not runs:
        model_admin.message_user(request, f"Done: {order.verb.lower()}, {len(chosen)}.", messages.SUCCESS)
    return redirect("admin:grafana_placement_changelist")


def _asked(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, order: Order, plans: list[Preview], left_out: int
) -> HttpResponse:
    count = sum(len(one.rows) for one in plans)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{order.verb}: {count} dashboard{'' if count == 1 else 's'}?",
        "answer": order.sentence,
        "opts": Placement._meta,
        "order": order,
        "plans": plans,
        "left_out": left_out,
        "possible": any(not one.problem for one in plans),
        "checkbox": ACTION_CHECKBOX_NAME,
        "target": reverse("admin:grafana_placement_changelist"),
    }
    return TemplateResponse(request, "admin/sync_confirm.html", context)


@admin.register(Placement)
class PlacementAdmin(AuditedModelAdmin):
    """Looked at, and ordered about; the sync alone writes them."""

    domain = "dashboards"
    list_display = (
        "dashboard", "instance", "state_shown", "policy_word", column_of(Placement._meta.get_field("checked_at")),
        "edited", "problem", "open_in_grafana",
    )  # fmt: skip
    list_filter = ("state", "instance", "released")
    list_select_related = ("dashboard", "instance")
    list_per_page = 100
    show_full_result_count = False
    search_fields = ("dashboard__title", "dashboard__uid")
    change_list_template = "admin/placement_list.html"
    actions = ("check_now", *(_action(order) for order in ORDERS))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("dashboard", "instance")
        return rows.filter(dashboard__in=Dashboard.objects.of_teams(scope_of(request.user)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_sync_permission(self, request: HttpRequest) -> bool:
        """For the actions."""
        return request.user.has_perm("grafana.sync_placement")

    def has_prune_permission(self, request: HttpRequest) -> bool:
        """For the one that deletes."""
        return request.user.has_perm("grafana.prune_placement")

    def get_urls(self) -> list[URLPattern]:
        own = path("found/<int:instance>/", self.admin_site.admin_view(self.found_view), name="grafana_placement_found")
        return [own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        instances = GrafanaInstance.objects.filter(enabled=True)
        context = {"title": "Dashboards in Grafana", "instances": instances, **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """How it stands, the three bodies where they differ, and what can be done."""
        found = self.get_queryset(request).select_related(
            "dashboard__current__stored", "instance", "live", "base", "sent", "revision"
        )
        key = unquote(object_id)
        row = found.filter(pk=key).first() if key.isdecimal() else None
        if row is None:
            raise Http404("There is no such row.")
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        may = {"sync": self.has_sync_permission(request), "prune": self.has_prune_permission(request)}
        kept = row.dashboard.revisions.filter(cause="found").defer("stored").first()
        context = {
            **self.admin_site.each_context(request),
            "title": str(row),
            "answer": row.words,
            "opts": self.opts,
            "original": row,
            "placement": row,
            "state": state_badge(row),
            "comparison": compare(row),
            "kept": kept,
            "orders": [order for order in ORDERS if order.concerns(row) and may[order.permission]],
            "may_sync": may["sync"],
            "steps": SyncStep.objects.filter(dashboard=row.dashboard, run__instance=row.instance)
            .select_related("run")
            .order_by("-id")[:LATEST_STEPS],
            "checkbox": ACTION_CHECKBOX_NAME,
            "target": reverse("admin:grafana_placement_changelist"),
        }
        return TemplateResponse(request, "admin/placement.html", context)

    def found_view(self, request: HttpRequest, instance: int) -> HttpResponse:
        """The dashboards of a Grafana that nobody registered; those that are ticked are registered."""
        if not self.has_sync_permission(request):
            raise PermissionDenied
        place = GrafanaInstance.objects.filter(pk=instance, enabled=True).first()
        if place is None:
            raise Http404("There is no such instance.")
        if request.method == "POST":
            uids = [uid for uid in request.POST.getlist("uid") if uid]
            author = Author.of(request, request.POST.get("reason", "")[:2000])
            try:
                report = service.register(place, uids, author)
            except (AlreadyRunningError, GrafanaError) as problem:
                self.message_user(request, f"Nothing was registered: {problem}.", messages.ERROR)
                return redirect("admin:grafana_placement_found", instance)
            return redirect("admin:grafana_syncrun_change", report.run.pk)
        problem_text, hits = "", []
        try:
            hits = service.found(place)
        except GrafanaError as problem:
            problem_text = problem.text
        context = {
            **self.admin_site.each_context(request),
            "title": f"Not registered, in {place}",
            "answer": _found_sentence(len(hits)) if not problem_text else "",
            "opts": self.opts,
            "place": place,
            "hits": hits[:MOST_FOUND],
            "left_out": max(0, len(hits) - MOST_FOUND),
            "problem": problem_text,
        }
        return TemplateResponse(request, "admin/sync_found.html", context)

    @admin.action(description="Check now: nothing is written in Grafana", permissions=["sync"])
    def check_now(self, request: HttpRequest, queryset: QuerySet[Placement]) -> HttpResponse | None:
        try:
            runs = service.check(list(queryset), Author.of(request))
        except (AlreadyRunningError, SelectionError) as problem:
            self.message_user(request, f"Nothing was checked: {problem}.", messages.ERROR)
            return None
        for run in runs:
            words = ", ".join(f"{count} {state.replace('-', ' ')}" for state, count in sorted(run.counts.items()))
            level = messages.SUCCESS if not run.error else messages.WARNING
            self.message_user(request, f"{run.instance}: {words or run.error or 'nothing to check'}.", level)
        return None

    @admin.display(description="state", ordering="state")
    def state_shown(self, row: Placement) -> SafeString:
        return state_badge(row)

    @admin.display(description="policy")
    def policy_word(self, row: Placement) -> str:
        return row.policy.value

    @admin.display(description="last edit there", ordering="edited_at")
    def edited(self, row: Placement) -> SafeString | str:
        if row.edited_at is None:
            return row.edited_by or "—"
        when = column_of(Placement._meta.get_field("edited_at"))
        return format_html("{} {}", row.edited_by, when(row) if callable(when) else "")

    @admin.display(description="last error")
    def problem(self, row: Placement) -> str:
        if not row.error:
            return ""
        said = row.error if len(row.error) < 120 else f"{row.error[:119]}…"
        return f"{said} (HTTP {row.error_status})" if row.error_status else said

    @admin.display(description="open")
    def open_in_grafana(self, row: Placement) -> SafeString:
        return format_html(
            '<a href="{}">Grafana</a> <a href="{}">Portal</a>',
            row.link,
            reverse("portal:dashboard", args=[row.dashboard.uid]),
        )


def _found_sentence(count: int) -> str:
    if not count:
        return "Every dashboard there is registered."
    are = " is" if count == 1 else "s are"
    return f"{count} dashboard{are} there that nobody registered. Registering writes nothing there."
