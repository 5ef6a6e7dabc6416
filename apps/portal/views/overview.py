"""The first page: what is broken now, what runs, how today goes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.portal import formatting, links
from apps.portal.components import Cell, Column, KeyFigure, delta
from apps.portal.selectors import fleet
from apps.portal.selectors.overview import Overview, overview

SHOWN_TROUBLES = 12
SHOWN_RUNNING = 8
TROUBLE_COLUMNS = (Column("State"), Column("What", fixed=True), Column("Why"), Column("Last ping"))
RUN_COLUMNS = (
    Column("State"), Column("Run", fixed=True), Column("Device"), Column("Duration", numeric=True), Column("Started"),
)  # fmt: skip


@access(Role.VIEWER)
def index(request: HttpRequest) -> HttpResponse:
    """`/`"""
    seen = overview(scope=scope_of(request.user), now=timezone.now())
    troubles = seen.troubles
    return render(
        request,
        "portal/overview/index.html",
        {
            "title": "Overview",
            "seen": seen,
            "figures": _figures(seen),
            "troubles": troubles[:SHOWN_TROUBLES],
            "more_troubles": max(0, len(troubles) - SHOWN_TROUBLES),
            "states": [
                (state, count, links.page("devices", query={"state": state}))
                for state, count in fleet.counts_by_state(seen.devices).items()
            ],
            "strip": [
                Cell(device.state, f"{device.name}: {device.reason or device.state}", device.url)
                for device in sorted(seen.devices, key=lambda one: fleet.URGENCY.index(one.state))
            ],
            "running": seen.with_devices(seen.running[:SHOWN_RUNNING]),
            "latest": seen.with_devices(seen.latest),
            "results": seen.success.per_day,
            "broken_url": links.page("devices", query={"state": "attention"}),
            "devices_url": links.page("devices"),
            "alerts_url": links.page("alerts"),
            "runs_url": links.page("runs"),
            "running_url": links.page("runs", query={"state": "running"}),
            "trouble_columns": TROUBLE_COLUMNS,
            "run_columns": RUN_COLUMNS,
            "alerts": [(alert, links.page("alerts", query={"type": alert.incident_type})) for alert in seen.alerts],
        },
    )


def _figures(seen: Overview) -> list[KeyFigure]:
    worried = sum(device.needs_attention for device in seen.devices)
    today, week_ago = seen.success.today, seen.success.week_ago
    lost = f", {today.unknown} never ended" if today.unknown else ""
    finished = today.ok + today.failing
    running = f"{len(seen.running)}{'+' if seen.more_running else ''}"
    return [
        KeyFigure(
            "Need attention", str(worried), f"of {len(seen.devices)} devices",
            url=links.page("devices", query={"state": "attention"} if worried else {}),
            state=next((one.state for one in seen.devices if one.needs_attention), "ok" if seen.devices else "unknown"),
        ),
        KeyFigure(
            "Active alerts", str(seen.alert_count), url=links.page("alerts"),
            state=seen.alerts[0].state if seen.alerts else "ok",
            note=", ".join(alert.words for alert in seen.alerts[:3]) or "none",
        ),
        KeyFigure(
            "Running now", running, url=links.page("runs", query={"state": "running"}),
            state="running" if seen.running else None, note="campaigns and scripts",
        ),
        KeyFigure(
            "Success today", formatting.percent(today.rate),
            url=links.page("runs", query={"range": "24h"}),
            delta=delta(today.rate, week_ago.rate, better="higher", unit="ratio"),
            spark=[tally.rate for _, tally in seen.success.days],
            note=(f"{finished} runs" if finished else "no run has ended yet") + lost,
        ),
    ]  # fmt: skip
