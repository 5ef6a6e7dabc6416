"""Alerts: the list with triage in the row, one alert, and the address that decisions are posted to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from apps.accounts.access import access
from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.mirror.models import PlatformAlert
from apps.portal import formatting, links
from apps.portal.components import Choice, Column, Crumb, Fact
from apps.portal.listing import ChoiceFilter, Listing, RangeFilter, SwitchFilter, TextFilter
from apps.portal.selectors import alerts as selectors
from apps.portal.selectors.alerts import AlertDetails
from apps.portal.templatetags.formats import exactly
from apps.portal.views import choices
from apps.triage.decisions import PERMISSION, Decision, decide, may_write_platform
from apps.triage.overlay import STATES, AlertState, all_decisions, in_state, state_of

COLUMNS = (
    Column("State"), Column("Alert", fixed=True), Column("Device"), Column("Host"), Column("Began"),
    Column("Lasts", numeric=True, help="Until its end, or until now"), Column("Decision", fixed=True),
)  # fmt: skip
SHOWN_REFUSALS = 5
MOST_POSTED = 200

ALERTS = Listing(
    PlatformAlert,
    filters=(
        RangeFilter("start_time", "all"),
        ChoiceFilter(
            "state", "State", [Choice(state, state.capitalize()) for state in STATES],
            lambda rows, state: in_state(rows, cast(AlertState, state)), empty="All", default="active",
        ),
        ChoiceFilter(
            "type", "Type", [Choice(kind, kind.replace("_", " ").capitalize()) for kind in selectors.INCIDENT_TYPES],
            lambda rows, kind: rows.filter(incident_type=kind),
        ),
        ChoiceFilter("host", "Host", choices.hosts, lambda rows, host: rows.filter(host_name=host)),
        ChoiceFilter(
            "team", "Team", choices.teams, lambda rows, team: rows.filter(host_name__in=choices.hosts_of_team(team))
        ),
        TextFilter("device", "Device", ("device_name", "device_id"), "Name or part of it"),
        TextFilter("q", "Text", ("incident_type", "host_name", "device_name", "discard_comment"), "Device or comment"),
        SwitchFilter("repeated", "Repeated alerts", [Choice("folded", "Folded"), Choice("each", "Each")]),
    ),
    noun="alerts",
    why_empty="Hosts raise one when a device's picture is black, frozen or broken, or its sound gone, for 30 seconds.",
)  # fmt: skip


@access(Role.VIEWER)
def alerts(request: HttpRequest) -> HttpResponseBase:
    """`/alerts/`"""
    scope, now = scope_of(request.user), timezone.now()
    page = replace(ALERTS, csv=_csv()).page(request, PlatformAlert.objects.visible_to(scope))
    if page.wants_csv:
        return page.csv()
    fold = request.GET.get("repeated") != "each"
    return render(
        request,
        "portal/alerts/list.html",
        {
            "title": "Alerts",
            "answer": selectors.attention(scope=scope).answer(now),
            "page": page,
            "rows": selectors.rows(page.rows, now, fold=fold),
            "columns": COLUMNS,
            "may_decide": request.user.has_perm(PERMISSION),
            "kept_here": not may_write_platform(),
            "back": request.get_full_path(),
        },
    )


@access(Role.VIEWER)
def alert(request: HttpRequest, id: UUID) -> HttpResponse:
    """`/alerts/<uuid>/`"""
    found = selectors.details(scope=scope_of(request.user), now=timezone.now(), id=id)
    if found is None:
        raise Http404("There is no such alert, or it belongs to another team.")
    return render(
        request,
        "portal/alerts/detail.html",
        {
            "title": found.row.title,
            "crumbs": [Crumb("Alerts", links.page("alerts")), Crumb(found.row.title)],
            "seen": found,
            "row": found.row,
            "facts": _facts(found),
            "neighbours_url": _of_device(found),
            "may_decide": request.user.has_perm(PERMISSION),
            "kept_here": not may_write_platform(),
            "back": request.path,
        },
    )


@require_POST
@access(Role.VIEWER)
def decide_alerts(request: HttpRequest) -> HttpResponse:
    """`/alerts/decide/`: `decision` about each `alert`, with a `comment`; then back to `next`."""
    try:
        decision = Decision(request.POST.get("decision", ""))
        ids = [UUID(value) for value in request.POST.getlist("alert")[:MOST_POSTED]]
    except ValueError:
        return HttpResponseBadRequest("A decision names what is decided, and the alerts by their ids.")
    # The gate lets nobody pass who is not signed in.
    assert isinstance(request.user, User)  # noqa: S101
    outcome = decide(ids, decision, actor=request.user, comment=request.POST.get("comment", ""), request=request)
    if outcome.sentence:
        messages.success(request, outcome.sentence)
    for refusal in outcome.refused[:SHOWN_REFUSALS]:
        messages.warning(request, f"{refusal.label}: {refusal.why}")
    if len(outcome.refused) > SHOWN_REFUSALS:
        messages.warning(request, f"{len(outcome.refused) - SHOWN_REFUSALS} more were left as they are.")
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    # A path of this portal: what names a host might lead elsewhere.
    own = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if own else links.page("alerts")


def _csv() -> tuple[Any, ...]:
    decided = cache(all_decisions)  # one query, when the first row is written

    def of_decision(name: str) -> Callable[[PlatformAlert], Any]:
        return lambda row: getattr(decided().get(row.pk), name, "")

    return (
        "id", ("state", lambda row: state_of(row, decided().get(row.pk))), "incident_type", "host_name", "device_id",
        "device_name", "start_time", "end_time", "status", "consecutive_count", "checked", "check_type", "discard",
        "discard_comment", ("decided_by", of_decision("actor")), ("comment", of_decision("comment")),
    )  # fmt: skip


def _of_device(found: AlertDetails) -> str:
    alert = found.row.alert
    return links.page(
        "alerts",
        query={"host": alert.host_name or "", "device": alert.device_name or alert.device_id or "", "state": "all"},
    )


def _facts(found: AlertDetails) -> list[Fact]:
    row, alert = found.row, found.row.alert
    checked = {"ai": "by the AI", "manual": "by a person", "ai_and_human": "by the AI and a person"}
    week = f"{found.repeats_of_week} of this kind in 7 days"
    return [
        Fact("Type", row.kind),
        Fact("Device", row.device, row.device_url),
        Fact("Host", alert.host_name or formatting.UNKNOWN, links.page("host", alert.host_name or "")),
        Fact("Began", exactly(alert.start_time)),
        Fact("Ended", exactly(alert.end_time)),
        Fact("Lasts", formatting.duration(row.duration_ms)),
        Fact("Frames in a row", alert.consecutive_count, help="How many frames showed it when it was raised"),
        Fact("How often", week, _of_device(found)),
        Fact("Looked at", checked.get(alert.check_type or "", "yes") if alert.checked else "not yet"),
        Fact("Platform's status", alert.status or formatting.UNKNOWN),
        Fact("Id", alert.pk, code=True),
    ]
