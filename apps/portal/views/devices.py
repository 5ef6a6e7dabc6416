"""The devices of the fleet, and one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.mirror import shape
from apps.mirror.models import SystemDeviceMetric
from apps.portal import formatting, links
from apps.portal.components import Choice, Column, Crumb, Fact, KeyFigure, delta
from apps.portal.listing import ChoiceFilter, ShortListing, SwitchFilter, ToggleFilter, WordFilter
from apps.portal.selectors import fleet, recent, system
from apps.portal.selectors.device import SHOWN_RUNS, DeviceDetails, by_id, on_host
from apps.portal.selectors.fleet import DeviceStatus

COLUMNS = (
    Column("Device", fixed=True), Column("State"), Column("Why"), Column("Host"), Column("Model"),
    Column("Team", hidden=True), Column("Capture"), Column("Monitor"), Column("Alerts", numeric=True),
    Column("Last run"), Column("Flags", hidden=True), Column("Last ping"),
)  # fmt: skip
RUN_COLUMNS = (
    Column("State"), Column("Run", fixed=True), Column("Duration", numeric=True), Column("Started"),
)  # fmt: skip
VIEW = SwitchFilter("view", "View", (Choice("cards", "Cards"), Choice("table", "Table")))
ATTENTION = Choice("attention", "Needs attention")


@access(Role.VIEWER)
def devices(request: HttpRequest) -> HttpResponseBase:
    """`/devices/`"""
    scope, now = scope_of(request.user), timezone.now()
    everything = fleet.fleet(scope=scope, now=now)
    page = _listing(everything).page(request, everything, newest=_newest(everything))
    if page.wants_csv:
        return page.csv()
    as_table = VIEW.value(request) == "table"
    hosts = {one.name: one for one in system.hosts(scope=scope, now=now, server=False)} if not as_table else {}
    places = [(one.host, one.name) for one in page.rows if one.host]
    runs = recent.last_of(scope=scope, now=now, devices=places) if as_table else {}
    return render(
        request,
        "portal/devices/list.html",
        {
            "title": "Devices",
            "answer": fleet.answer(everything),
            "page": page,
            "as_table": as_table,
            "columns": COLUMNS,
            "groups": [(host, found, hosts.get(host)) for host, found in fleet.by_host(page.rows)],
            "rows": [(one, runs.get((one.host, one.name))) for one in page.rows] if as_table else [],
        },
    )


@access(Role.VIEWER)
def device(request: HttpRequest, id: UUID) -> HttpResponse:
    """`/devices/<uuid>/`: a device of the table of devices."""
    return _device(request, by_id(scope=scope_of(request.user), now=timezone.now(), id=id))


@access(Role.VIEWER)
def device_on_host(request: HttpRequest) -> HttpResponse:
    """`/devices/on-host/?host=&device=`: a device that only its host knows."""
    host, device_id = (request.GET.get(name, "").replace("\x00", "") for name in ("host", "device"))
    return _device(request, on_host(scope=scope_of(request.user), now=timezone.now(), host=host, device_id=device_id))


def _device(request: HttpRequest, details: DeviceDetails | None) -> HttpResponse:
    if details is None:
        raise Http404("There is no such device, or it belongs to another team.")
    status = details.status
    return render(
        request,
        "portal/devices/detail.html",
        {
            "title": status.name,
            "crumbs": [Crumb("Devices", links.page("devices")), Crumb(status.name)],
            "seen": details,
            "device": status,
            "facts": _facts(details),
            "figures": _figures(details),
            "strip": recent.cells(details.runs),
            "runs": details.runs[:SHOWN_RUNS],
            "run_columns": RUN_COLUMNS,
            "runs_url": links.page("runs", query={"host": status.host, "device": status.name}),
            "alerts_url": links.page("alerts", query={"host": status.host, "device": status.name, "state": "all"}),
        },
    )


def _listing(devices: Sequence[DeviceStatus]) -> ShortListing[DeviceStatus]:
    """The list with the choices that these devices leave."""
    states = [ATTENTION, *(Choice(word, word.capitalize(), n) for word, n in fleet.counts_by_state(devices).items())]
    teams = sorted({(one.team or str(one.team_id), str(one.team_id)) for one in devices if one.team_id})
    return ShortListing(
        name="devices",
        noun="devices",
        filters=(
            VIEW,
            WordFilter("q", "Text", ("name", "host", "model", "reason", "flags"), "Name, host, model, flag"),
            ChoiceFilter("state", "State", states, _in_state),
            ChoiceFilter("host", "Host", _choices(one.host for one in devices), _equal("host")),
            ChoiceFilter("model", "Model", _choices(one.model for one in devices), _equal("model")),
            ChoiceFilter("team", "Team", [Choice(id, name) for name, id in teams], _equal("team_id")),
            ToggleFilter("alerts", "With alerts", lambda rows: [one for one in rows if one.alerts]),
        ),
        csv=(
            "name", "state", "reason", "host", "device_id", "model", "team", "capture", "monitor", "cpu", "memory",
            "temperature", "alert_count", ("flags", lambda one: " ".join(one.flags)), "last_ping", "id",
        ),
        why_empty="Devices come from the table of devices and from the pings of hosts; none names one that you see.",
        stale_after=660,
    )  # fmt: skip


def _in_state(rows: Iterable[DeviceStatus], value: str) -> list[DeviceStatus]:
    return [one for one in rows if (one.needs_attention if value == ATTENTION.value else one.state == value)]


def _equal(name: str) -> Callable[[Any, str], list[DeviceStatus]]:
    return lambda rows, value: [one for one in rows if str(getattr(one, name)) == value]


def _choices(values: Iterable[str]) -> list[Choice]:
    return [Choice(value, value) for value in sorted({value for value in values if value}, key=str.casefold)]


def _newest(devices: Iterable[DeviceStatus]) -> datetime | None:
    return max((one.last_ping for one in devices if one.last_ping is not None), default=None)


def _facts(details: DeviceDetails) -> list[Fact]:
    status, row = details.status, details.row
    found = [
        Fact("Model", status.model or None),
        Fact("Team", status.team or None),
        Fact("Host", status.host or None, links.page("host", status.host) if status.host else ""),
        Fact("Name on the host", status.device_id or None, help="What the host's metrics and alerts call it"),
        Fact("Capture", status.capture, help="The process that records picture and sound"),
        Fact("Monitor", status.monitor, help="The process that looks for black screens, freezes and silence"),
    ]
    if row is not None and row.status and shape.has_field(type(row), "status"):
        found.append(Fact("Status in its row", row.status))
    if row is not None and row.description:
        found.append(Fact("Description", row.description))
    if row is not None:
        found.append(Fact("Id", row.id, code=True))
    found += [
        Fact("Also on", f"{one.host} as {one.device_id}", links.page("host", one.host)) for one in details.elsewhere
    ]
    return found


def _figures(details: DeviceDetails) -> list[KeyFigure]:
    status, days = details.status, [tally for _, tally in details.success.days]
    whole = sum(days, recent.Tally())
    weeks = sum(days[7:], recent.Tally()).rate, sum(days[:7], recent.Tally()).rate
    known = shape.has_table(SystemDeviceMetric)
    return [
        KeyFigure("Active alerts", str(status.alert_count), state=status.alerts[0].state if status.alerts else "ok",
                  note=", ".join(alert.words for alert in status.alerts) or "none"),
        KeyFigure("Success, 14 days", formatting.percent(whole.rate), delta=delta(*weeks, better="higher", unit="ratio",
                  versus="the week before"), spark=[tally.rate for tally in days],
                  note=f"{whole.ok + whole.failing} runs"),
        KeyFigure("CPU temperature", formatting.number(status.temperature, 0), "°C" if status.temperature else "",
                  note="of its host" if known else "this database keeps no metrics"),
        KeyFigure("CPU", formatting.number(status.cpu, 0), "%" if status.cpu is not None else "", note="of its host"),
    ]  # fmt: skip
