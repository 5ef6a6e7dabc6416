"""Hosts and servers: the list, and one of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.mirror import shape, states
from apps.mirror.models import SystemMetric
from apps.portal import formatting, links
from apps.portal.components import Choice, Column, Crumb, FilterBar, KeyFigure, TimeRange
from apps.portal.listing import ChoiceFilter, ShortListing, WordFilter
from apps.portal.selectors import fleet, limits, system
from apps.portal.selectors.system import HostStatus
from apps.triage.silences import silences_of

COLUMNS = (
    Column("Name", fixed=True), Column("State"), Column("Why"), Column("CPU", numeric=True),
    Column("Memory", numeric=True), Column("Disk", numeric=True), Column("Temperature", numeric=True),
    Column("Load", numeric=True, help="Mean of the last minute"), Column("Down", numeric=True, help="Mbit/s"),
    Column("Up", numeric=True, help="Mbit/s", hidden=True), Column("Up for", numeric=True, hidden=True),
    Column("Platform", hidden=True), Column("Last ping"),
)  # fmt: skip
INCIDENT_COLUMNS = (
    Column("State"), Column("Incident", fixed=True), Column("Device"), Column("Severity"), Column("Detected"),
    Column("Resolved"),
)  # fmt: skip


SILENCE_COLUMNS = (Column("State"), Column("Silent since"), Column("Heard again"))


def _in_state(rows: Iterable[HostStatus], value: str) -> list[HostStatus]:
    return [one for one in rows if (one.needs_attention if value == "attention" else one.state == value)]


HOSTS: ShortListing[HostStatus] = ShortListing(
    name="hosts",
    noun="hosts",
    filters=(
        WordFilter("q", "Text", ("name", "platform", "reason"), "Name, platform"),
        ChoiceFilter(
            "state", "State",
            [Choice("attention", "Needs attention"), *(Choice(word, word.capitalize()) for word in system.URGENCY)],
            _in_state,
        ),
        ChoiceFilter(
            "kind", "Kind", [Choice("host", "Hosts"), Choice("server", "Servers")],
            lambda rows, value: [one for one in rows if one.kind == value],
        ),
    ),
    csv=(
        "name", "kind", "state", "reason", "last_ping", "cpu", "memory", "disk", "temperature", "load", "download",
        "upload", "uptime_seconds", "platform",
    ),
    why_empty="A host pings every five minutes, a server every minute. None that you may see did within 24 hours.",
    stale_after=660,
)  # fmt: skip


@access(Role.VIEWER)
def hosts(request: HttpRequest) -> HttpResponseBase:
    """`/system/`"""
    found = system.hosts(scope=scope_of(request.user), now=timezone.now())
    newest = max((one.last_ping for one in found if one.last_ping is not None), default=None)
    missing = "" if shape.has_table(SystemMetric) else SystemMetric._meta.db_table
    page = HOSTS.page(request, found, newest=newest, missing_table=missing)
    if page.wants_csv:
        return page.csv()
    return render(
        request,
        "portal/system/list.html",
        {"title": "System", "answer": system.answer(found), "page": page, "columns": COLUMNS},
    )


@access(Role.VIEWER)
def host(request: HttpRequest, name: str) -> HttpResponse:
    """`/system/<name>/`, `?kind=server` for a server. 404 for one that never pinged within 24 hours."""
    scope, now, server = scope_of(request.user), timezone.now(), request.GET.get("kind") == "server"
    found = system.hosts(scope=scope, now=now, name=name, server=server)
    if not found:
        raise Http404("No such host pinged within the last 24 hours, or it belongs to another team.")
    span = request.GET.get("range", "")
    span = span if span in system.BUCKETS else "24h"
    devices = [] if server else fleet.fleet(scope=scope, now=now, host=name)
    context: dict[str, Any] = {
        "title": name,
        "crumbs": [Crumb("System", links.page("system")), Crumb(name)],
        "host": found[0],
        "figures": _figures(found[0]),
        "bar": FilterBar([TimeRange(span)], {"kind": "server"} if server else {}),
        "charts": system.host_charts(scope=scope, host=found[0], now=now, span=span),
        "devices": devices,
        "incidents": [] if server else system.incidents(scope=scope, host=name),
        "deployments": [] if server else system.deployments(scope=scope, host=name),
        "incident_columns": INCIDENT_COLUMNS,
        "silences": silences_of(name, server=server, scope=scope),
        "silence_columns": SILENCE_COLUMNS,
        "stale_after": int((states.SERVER_SILENT_AFTER if server else states.HOST_SILENT_AFTER).total_seconds()),
    }
    return render(request, "portal/system/detail.html", context)


def _figures(one: HostStatus) -> list[KeyFigure]:
    def share(label: str, value: float | None, high: float) -> KeyFigure:
        state = None if value is None or value < high else "warning"
        unit = "" if value is None else "%"
        return KeyFigure(label, formatting.number(value, 0), unit, state="warning" if state else None)

    up = None if one.uptime_seconds is None else one.uptime_seconds * 1000
    return [
        share("CPU", one.cpu, limits.CPU_BUSY),
        share("Memory", one.memory, limits.MEMORY_HIGH),
        share("Disk", one.disk, limits.DISK_HIGH),
        KeyFigure("CPU temperature", formatting.number(one.temperature, 0), "" if one.temperature is None else "°C"),
        KeyFigure("Up for", formatting.duration(up), note=one.platform),
    ]
