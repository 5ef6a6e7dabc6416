"""Reports that show all hosts at one moment."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.mirror.models import Heatmap
from apps.portal import formatting, links
from apps.portal.components import Column, Crumb, Fact
from apps.portal.listing import ChoiceFilter, Listing, RangeFilter, ToggleFilter
from apps.portal.selectors import heatmaps as selectors
from apps.portal.templatetags.formats import exactly
from apps.portal.views import choices

COLUMNS = (
    Column("Generated", fixed=True), Column("State"), Column("Hosts", numeric=True, help="Included, of all of them"),
    Column("Incidents", numeric=True), Column("Team", hidden=True), Column("Evidence"),
)  # fmt: skip

HEATMAPS = Listing(
    Heatmap,
    filters=(
        RangeFilter("generated_at", "30d"),
        ChoiceFilter("team", "Team", choices.teams, lambda rows, team: rows.filter(team_id=UUID(team))),
        ToggleFilter("incidents", "With incidents", lambda rows: rows.filter(incidents_count__gt=0)),
        ToggleFilter("incomplete", "Incomplete", selectors.incomplete),
    ),
    csv=(
        "id", "generated_at", "hosts_included", "hosts_total", "incidents_count", "team_id", "job_id", "html_r2_url",
        "mosaic_r2_url", "metadata_r2_url",
    ),
    noun="heatmap reports",
    why_empty="The platform makes one when somebody asks for a report on its heatmap page.",
)  # fmt: skip


@access(Role.VIEWER)
def heatmaps(request: HttpRequest) -> HttpResponseBase:
    """`/heatmaps/`"""
    rows = Heatmap.objects.visible_to(scope_of(request.user)).select_related("team")
    page = HEATMAPS.page(request, rows)
    if page.wants_csv:
        return page.csv()
    found = [selectors.report(row) for row in page.rows]
    return render(
        request,
        "portal/heatmaps/list.html",
        {"title": "Heatmaps", "answer": selectors.answer(found), "page": page, "rows": found, "columns": COLUMNS},
    )


@access(Role.VIEWER)
def heatmap(request: HttpRequest, id: UUID) -> HttpResponse:
    """`/heatmaps/<uuid>/`"""
    found = selectors.details(scope=scope_of(request.user), id=id)
    if found is None:
        raise Http404("There is no such report, or it belongs to another team.")
    report, row = found.report, found.report.row
    return render(
        request,
        "portal/heatmaps/detail.html",
        {
            "title": f"Heatmap {row.timestamp or ''}".strip(),
            "crumbs": [Crumb("Heatmaps", links.page("heatmaps")), Crumb(row.timestamp or "Report")],
            "report": report,
            "facts": [
                Fact("Generated", exactly(row.generated_at)),
                Fact("Hosts included", f"{report.hosts} of {report.hosts_total}"),
                Fact("Incidents", formatting.number(row.incidents_count)),
                Fact("Team", row.team.name if row.team else None),
                Fact("Job", row.job_id, code=row.job_id is not None),
                Fact("Id", row.pk, code=True),
            ],
            "newer": found.newer,
            "older": found.older,
        },
    )
