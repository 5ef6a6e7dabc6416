"""Campaigns, and one of them by its name."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.mirror import shape
from apps.mirror.models import CampaignExecution
from apps.portal import formatting, links
from apps.portal.components import Choice, Column, Crumb, KeyFigure, delta
from apps.portal.listing import ChoiceFilter, ShortListing, WordFilter
from apps.portal.selectors import campaigns as selectors
from apps.portal.selectors import recent
from apps.portal.selectors.campaigns import CampaignDetails, CampaignRow

HOW = (
    "Success: campaign runs that completed with success, of those that ended; where a campaign has no runs of its own,"
    " executions of its tests."
)
COLUMNS = (
    Column("Campaign", fixed=True), Column("Last run"), Column("Success", numeric=True, help=HOW),
    Column("30 days before", numeric=True), Column("Trend"), Column("Runs", numeric=True),
    Column("Median", numeric=True), Column("95 %", numeric=True, help="95 of 100 runs took no longer"),
    Column("Definition", hidden=True),
)  # fmt: skip
SHOWN_RUNS = 15
RUN_COLUMNS = (
    Column("State"), Column("Device", fixed=True), Column("Host"), Column("Duration", numeric=True), Column("Started"),
)  # fmt: skip
SCRIPT_COLUMNS = (
    Column("Script", fixed=True), Column("Success", numeric=True), Column("ok", numeric=True),
    Column("failing", numeric=True),
)  # fmt: skip

CAMPAIGNS: ShortListing[CampaignRow] = ShortListing(
    name="campaigns",
    noun="campaigns",
    filters=(
        WordFilter("q", "Text", ("name", "description"), "Name or description"),
        ChoiceFilter(
            "last", "Last run", [Choice(word, word.capitalize()) for word in ("ok", "failing", "running", "unknown")],
            lambda rows, state: [row for row in rows if row.last and row.last_state == state],
        ),
        ChoiceFilter(
            "status", "Definition", [Choice(word, word.capitalize()) for word in ("active", "paused", "archived")],
            lambda rows, status: [row for row in rows if row.status == status],
        ),
    ),
    csv=(
        "name", "status", "counted", ("success_rate", lambda row: row.now.rate), ("ok", lambda row: row.now.ok),
        ("failing", lambda row: row.now.failing), ("success_rate_30_days_before", lambda row: row.before.rate),
        "median_ms", "p95_ms", "last_state", "last_at",
    ),
    why_empty="A campaign appears when it is defined on the platform, or when a host runs one.",
)  # fmt: skip


@access(Role.VIEWER)
def campaigns(request: HttpRequest) -> HttpResponseBase:
    """`/campaigns/`"""
    rows = selectors.campaigns(scope=scope_of(request.user), now=timezone.now())
    missing = not shape.has_table(CampaignExecution) and not selectors.has_definitions()
    newest = max((row.last_at for row in rows if row.last_at), default=None)
    page = CAMPAIGNS.page(request, rows, newest=newest, missing_table="campaign_executions" if missing else "")
    if page.wants_csv:
        return page.csv()
    return render(
        request,
        "portal/campaigns/list.html",
        {"title": "Campaigns", "answer": selectors.answer(rows), "page": page, "columns": COLUMNS, "how": HOW},
    )


@access(Role.VIEWER)
def campaign(request: HttpRequest, id: UUID) -> HttpResponse:
    """`/campaigns/<uuid>/`: a definition; its page is that of its name."""
    name = selectors.name_of(scope=scope_of(request.user), id=id)
    if not name:
        raise Http404("There is no such campaign, or it belongs to another team.")
    return redirect(links.page("campaign-by-name", name))


@access(Role.VIEWER)
def campaign_by_name(request: HttpRequest, name: str) -> HttpResponse:
    """`/campaigns/by-name/<name>/`"""
    found = selectors.details(scope=scope_of(request.user), now=timezone.now(), name=name.replace("\x00", ""))
    if found is None:
        raise Http404("There is no such campaign, or it belongs to another team.")
    return render(
        request,
        "portal/campaigns/detail.html",
        {
            "title": name,
            "crumbs": [Crumb("Campaigns", links.page("campaigns")), Crumb(name)],
            "seen": found,
            "row": found.row,
            "figures": _figures(found),
            "strip": recent.cells(found.runs),
            "runs": found.runs[:SHOWN_RUNS],
            "run_columns": RUN_COLUMNS,
            "script_columns": SCRIPT_COLUMNS,
            "runs_url": links.page("runs", query={"kind": "campaign", "q": name, "range": "30d"}),
            "how": HOW,
        },
    )


def _figures(found: CampaignDetails) -> list[KeyFigure]:
    row = found.row
    ended = row.now.ok + row.now.failing
    rows = {"kind": "campaign", "q": row.name, "range": "30d"}
    return [
        KeyFigure(
            "Success in 30 days", formatting.percent(row.now.rate),
            url=links.page("runs", query=rows),
            delta=delta(row.now.rate, row.before.rate, better="higher", unit="ratio", versus="30 days before"),
            spark=[tally.rate for _, tally, _ in found.days if tally.rate is not None],
            note=f"of {ended} {row.counted}",
        ),
        KeyFigure(
            "Failed", str(row.now.failing), note=f"of {ended} that ended",
            url=links.page("runs", query=rows | {"state": "failing"}),
        ),
        KeyFigure(
            "Median duration", formatting.duration(row.median_ms),
            spark=[ms for _, _, ms in found.days if ms is not None],
            note="of the runs that ended",
        ),
        KeyFigure("95 % took at most", formatting.duration(row.p95_ms)),
    ]  # fmt: skip
