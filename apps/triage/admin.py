"""Alerts in the admin, with the decisions that operators take about them, and the decisions in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from apps.accounts.admin_base import AuditedModelAdmin, BoundedPaginator
from apps.accounts.models import User
from apps.accounts.scope import scope_of
from apps.mirror.admin_base import HistoryAdmin
from apps.mirror.admin_columns import badge
from apps.mirror.admin_filters import ChoiceFilter, HostFilter, TimeFilter, words, yes_or_no
from apps.mirror.models import PlatformAlert
from apps.triage import overlay
from apps.triage.decisions import LONGEST_COMMENT, PERMISSION, Decision, decide
from apps.triage.models import AlertTriage, HostSilence

VERBS = {
    Decision.ACKNOWLEDGE: "Acknowledge",
    Decision.RESOLVE: "Resolve",
    Decision.DISCARD: "Discard as a false alarm",
    Decision.REOPEN: "Re-open",
}
BADGES = {"active": "failing", "acknowledged": "warning", "resolved": "ok", "discarded": "skipped"}


class AlertStateFilter(ChoiceFilter):
    """Alerts by how they stand, with the portal's own decisions laid over the platform's words."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(state, state) for state in overlay.STATES]

    @staticmethod
    def apply(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return overlay.in_state(rows, next(state for state in overlay.STATES if state == value))  # type: ignore[arg-type]


@admin.register(PlatformAlert)
class PlatformAlertAdmin(HistoryAdmin):
    """What is decided about an alert goes through the actions, which write it as the platform does."""

    list_display = (
        "incident_type",
        "stands",
        "start_time",
        "end_time",
        "host_name",
        "device_name",
        "consecutive_count",
    )
    list_filter = (
        TimeFilter, AlertStateFilter,
        words("incident_type", "blackscreen", "freeze", "errors", "audio_loss", "macroblocks", title="type"),
        HostFilter, yes_or_no("checked"),
    )  # fmt: skip
    exact = ("host_name", "device_name", "device_id")
    portal_page = ("portal:alert",)
    fixed = ("status", "end_time", "discard", "discard_comment", "discard_type", "checked", "check_type")
    actions = (*HistoryAdmin.actions, "acknowledge", "resolve", "discard_alerts", "reopen")

    def prepare_rows(self, rows: list[PlatformAlert]) -> None:
        decided = overlay.decisions_about(row.pk for row in rows)
        for row in rows:
            row.decision_in_force = decided.get(row.pk)  # type: ignore[attr-defined]

    @admin.display(description="state")
    def stands(self, alert: PlatformAlert) -> SafeString:
        state = overlay.state_of(alert, getattr(alert, "decision_in_force", None))
        return badge(BADGES.get(state), state)

    def has_triage_permission(self, request: HttpRequest) -> bool:
        """Whether the user may decide about alerts; it needs no permission to change rows."""
        return request.user.has_perm(PERMISSION)

    @admin.action(description="Acknowledge…", permissions=["triage"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[PlatformAlert]) -> HttpResponse | None:
        return self._ask_then_decide(request, queryset, Decision.ACKNOWLEDGE)

    @admin.action(description="Resolve…", permissions=["triage"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[PlatformAlert]) -> HttpResponse | None:
        return self._ask_then_decide(request, queryset, Decision.RESOLVE)

    @admin.action(description="Discard as false alarms…", permissions=["triage"])
    def discard_alerts(self, request: HttpRequest, queryset: QuerySet[PlatformAlert]) -> HttpResponse | None:
        return self._ask_then_decide(request, queryset, Decision.DISCARD)

    @admin.action(description="Re-open…", permissions=["triage"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[PlatformAlert]) -> HttpResponse | None:
        return self._ask_then_decide(request, queryset, Decision.REOPEN)

    def _ask_then_decide(
        self, request: HttpRequest, queryset: QuerySet[PlatformAlert], decision: Decision
    ) -> HttpResponse | None:
        """A page that lists the alerts and takes a comment; once it is sent, the decision."""
        if request.POST.get("confirmed") != "yes":
            return self._ask(request, list(queryset), decision)
        keys = list(queryset.order_by("pk").values_list("pk", flat=True))
        comment = request.POST.get("comment", "")
        outcome = decide(keys, decision, actor=cast("User", request.user), comment=comment, request=request)
        if outcome.sentence:
            self.message_user(request, outcome.sentence, messages.SUCCESS)
        for refusal in outcome.refused:
            self.message_user(request, f"{refusal.label}: {refusal.why}", messages.WARNING)
        return None

    def _ask(self, request: HttpRequest, alerts: list[PlatformAlert], decision: Decision) -> HttpResponse:
        self.prepare_rows(alerts)
        count = f"{len(alerts)} alert{'' if len(alerts) == 1 else 's'}"
        context = {
            **self.admin_site.each_context(request),
            **self._page_context(),
            "title": f"{VERBS[decision]}: {count}",
            "answer": "The comment is kept with the decision, and everybody who sees the alert can read it.",
            "opts": self.opts,
            "alerts": [(alert, self.stands(alert)) for alert in alerts],
            "verb": VERBS[decision],
            "danger": decision is Decision.DISCARD,
            "action": request.POST.get("action", ""),
            "checkbox": ACTION_CHECKBOX_NAME,
            "longest": LONGEST_COMMENT,
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/alerts_decide.html", context)


class LookedAtAdmin(AuditedModelAdmin):
    """Rows of hosts that nobody writes by hand."""

    domain = "monitoring"
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        scope = scope_of(request.user)
        rows = super().get_queryset(request)
        return rows if scope.everything else rows.filter(host_name__in=scope.host_names)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AlertTriage)
class AlertTriageAdmin(LookedAtAdmin):
    """Looked at only: decisions are taken, and taken back, about the alerts."""

    list_display = ("incident_type", "state", "actor", "at", "host_name", "device_name", "comment")
    list_filter = ("state",)
    search_fields = ("host_name", "device_name", "actor")
    search_help_text = "Finds a part of a host, device or person"
    ordering = ("-at", "-id")


@admin.register(HostSilence)
class HostSilenceAdmin(LookedAtAdmin):
    """Looked at only: the worker notices them."""

    list_display = ("host_name", "is_server", "since", "noticed_at", "ended_at")
    list_filter = ("is_server",)
    search_fields = ("host_name",)
    search_help_text = "Finds a part of a host's name"
    ordering = ("-since", "-id")
