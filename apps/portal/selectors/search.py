"""Finding a thing by a piece of its name, across the tables that people know things from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, Q

from apps.accounts.scope import TeamScope
from apps.dashboards.models import Dashboard
from apps.mirror.models import Campaign, CampaignExecution, NavigationTree, PlatformAlert, ScriptResult
from apps.portal import links
from apps.portal.components import State
from apps.portal.selectors import fleet, system

SHOWN: Final = 8
"""The most finds of a kind; the kind's own page has the rest."""
SEARCHED_DAYS: Final = 7
"""How far back the names of scripts, campaign runs and alerts are looked for: older ones are in the lists."""


@dataclass(frozen=True, slots=True)
class Find:
    """Something that was found. `state` and `at` are None for what has none."""

    label: str
    note: str
    url: str
    state: State | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What was found of one kind, and where all of it is."""

    title: str
    finds: Sequence[Find]
    more: bool
    url: str


def search(*, scope: TeamScope, now: datetime, text: str) -> list[Kind]:
    """The kinds in which `text` was found in a name, whatever its case; at most `SHOWN` finds of each.

    Thirteen queries. Scripts, campaign runs and alerts are looked for among those of the last days.
    """
    kinds = [
        _devices(scope, now, text),
        _hosts(scope, now, text),
        _scripts(scope, now, text),
        _campaigns(scope, now, text),
        _trees(scope, text),
        _alerts(scope, now, text),
        _dashboards(scope, text),
    ]
    return [kind for kind in kinds if kind.finds]


def answer(kinds: Sequence[Kind], text: str) -> str:
    """The sentence above the results."""
    if not kinds:
        return f"Nothing is called “{text}”."
    count = sum(len(kind.finds) for kind in kinds)
    some = any(kind.more for kind in kinds)
    return f"“{text}” is in {'more than ' if some else ''}{count} name{'' if count == 1 else 's'}."


def _cut(title: str, finds: Sequence[Find], url: str) -> Kind:
    return Kind(title, finds[:SHOWN], len(finds) > SHOWN, url)


def _devices(scope: TeamScope, now: datetime, text: str) -> Kind:
    wanted = text.casefold()
    found = [
        Find(one.name, " · ".join(filter(None, (one.model, one.host))), one.url, one.state, one.last_ping)
        for one in fleet.fleet(scope=scope, now=now)
        if wanted in f"{one.name}\n{one.model}\n{one.device_id}\n{' '.join(one.flags)}".casefold()
    ]
    return _cut("Devices", found, links.page("devices", query={"q": text}))


def _hosts(scope: TeamScope, now: datetime, text: str) -> Kind:
    found = [
        Find(one.name, one.kind, one.url, one.state, one.last_ping)
        for one in system.hosts(scope=scope, now=now)
        if text.casefold() in one.name.casefold()
    ]
    return _cut("Hosts and servers", found, links.page("system", query={"q": text}))


def _scripts(scope: TeamScope, now: datetime, text: str) -> Kind:
    rows = (
        ScriptResult.objects.visible_to(scope)
        .filter(started_at__gte=now - timedelta(days=SEARCHED_DAYS), script_name__icontains=text)
        .order_by()
        .values("script_name")
        .annotate(newest=Max("started_at"))
        .order_by("-newest", "script_name")[: SHOWN + 1]
    )
    found = [
        Find(row["script_name"], "script", links.page("runs", query={"q": row["script_name"]}), at=row["newest"])
        for row in rows
    ]
    return _cut("Scripts", found, links.page("runs", query={"q": text}))


def _campaigns(scope: TeamScope, now: datetime, text: str) -> Kind:
    defined = Campaign.objects.visible_to(scope).filter(name__icontains=text).order_by("name", "id")[: SHOWN + 1]
    ran = (
        CampaignExecution.objects.visible_to(scope)
        .filter(started_at__gte=now - timedelta(days=SEARCHED_DAYS), campaign_name__icontains=text)
        .order_by()
        .values("campaign_name")
        .annotate(newest=Max("started_at"))
        .order_by("-newest", "campaign_name")[: SHOWN + 1]
    )
    newest = {row["campaign_name"]: row["newest"] for row in ran}
    names = list(dict.fromkeys([*newest, *(campaign.name for campaign in defined)]))
    found = [
        Find(name, "campaign", links.page("campaign-by-name", name), at=newest.get(name)) for name in names if name
    ]
    return _cut("Campaigns", found, links.page("campaigns", query={"q": text}))


def _trees(scope: TeamScope, text: str) -> Kind:
    rows = (
        NavigationTree.objects.visible_to(scope)
        .filter(name__icontains=text)
        .select_related("userinterface")
        .order_by("name", "id")[: SHOWN + 1]
    )
    found = [
        Find(
            row.name or "unnamed tree",
            (row.userinterface.name if row.userinterface else "") or "navigation tree",
            links.page("tree", row.pk),
        )
        for row in rows
    ]
    return _cut("Navigation trees", found, links.page("navigation", query={"q": text}))


def _alerts(scope: TeamScope, now: datetime, text: str) -> Kind:
    name = Q()
    for field in ("incident_type", "host_name", "device_name"):
        name |= Q(**{f"{field}__icontains": text.replace(" ", "_") if field == "incident_type" else text})
    rows = (
        PlatformAlert.objects.visible_to(scope)
        .filter(name, start_time__gte=now - timedelta(days=SEARCHED_DAYS))
        .latest_first()
        .defer("metadata")[: SHOWN + 1]
    )
    found = [
        Find(
            (row.incident_type or "alert").replace("_", " "),
            " · ".join(filter(None, (row.device_name or row.device_id, row.host_name, row.status))),
            links.page("alert", row.pk),
            _alert_state(row),
            row.start_time,
        )
        for row in rows
    ]
    return _cut("Alerts", found, links.page("alerts", query={"q": text, "state": "all"}))


def _dashboards(scope: TeamScope, text: str) -> Kind:
    rows = Dashboard.objects.visible_to(scope).filter(title__icontains=text).only("uid", "title", "tags")[: SHOWN + 1]
    found = [Find(row.title, " · ".join(row.tags), links.page("dashboard", row.uid)) for row in rows]
    return _cut("Dashboards", found, links.page("dashboards", query={"q": text}))


def _alert_state(row: PlatformAlert) -> State:
    if row.status != "active":
        return "ok" if row.status == "resolved" else "unknown"
    return "failing" if row.incident_type in fleet.BREAKING_ALERTS else "warning"
