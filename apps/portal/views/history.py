"""The history of a dashboard: its revisions, one of them, and two of them compared."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.dashboards.bodies import file_text
from apps.dashboards.differences import differences
from apps.dashboards.line_differences import line_differences
from apps.dashboards.models import Cause, Dashboard, Revision
from apps.portal import links
from apps.portal.components import Choice, Column, Crumb
from apps.portal.listing import ChoiceFilter, Listing, TextFilter
from apps.portal.views.registered import crumbs, may_manage, registration, revision_of

COLUMNS = (
    Column("Compare", help="Choose two"), Column("Revision", fixed=True), Column("When"), Column("Who"),
    Column("What"), Column("Why"), Column("Do", fixed=True),
)  # fmt: skip
MOST_LINES = 2000
"""The most lines of a comparison that a page shows."""

REVISIONS = Listing(
    Revision,
    filters=(
        ChoiceFilter("cause", "What", [Choice(value, label.capitalize()) for value, label in Cause.choices]),
        TextFilter("q", "Text", ("actor", "reason"), "Who or why"),
    ),
    key=("number",),
    csv=("number", "at", "actor", "cause", "reason", ("digest", lambda one: one.stored_id)),
    noun="revisions",
    why_empty="A revision is made whenever the dashboard's JSON changes.",
)


@access(Role.VIEWER)
def history(request: HttpRequest, uid: str) -> HttpResponseBase:
    """`/dashboards/<uid>/history/`"""
    row = registration(request, uid)
    page = REVISIONS.page(request, row.revisions.defer("stored"))
    if page.wants_csv:
        return page.csv()
    return render(
        request,
        "portal/registry/history.html",
        {
            "title": f"History of {row.title}",
            "crumbs": crumbs(row, Crumb("History")),
            "row": row,
            "answer": _answer(row),
            "page": page,
            "columns": COLUMNS,
            "may_manage": may_manage(request),
            "before": row.current.number - 1 if row.current else 0,
        },
    )


@access(Role.VIEWER)
def revision(request: HttpRequest, uid: str, number: int) -> HttpResponse:
    """`/dashboards/<uid>/revisions/<number>/`"""
    row = registration(request, uid)
    found = revision_of(row, number)
    return render(
        request,
        "portal/registry/revision.html",
        {
            "title": f"Revision {number} of {row.title}",
            "crumbs": crumbs(row, Crumb("History", links.page("dashboard-history", uid)), Crumb(f"Revision {number}")),
            "row": row,
            "revision": found,
            "document": found.body,
            "may_manage": may_manage(request),
        },
    )


@access(Role.VIEWER)
def revision_json(request: HttpRequest, uid: str, number: int) -> HttpResponse:
    """`/dashboards/<uid>/revisions/<number>/json/`: the file that an export writes."""
    found = revision_of(registration(request, uid), number)
    answer = HttpResponse(file_text(found.body), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{uid}-{number}.json"'
    return answer


@access(Role.VIEWER)
def compare(request: HttpRequest, uid: str) -> HttpResponse:
    """`/dashboards/<uid>/compare/?from=1&to=2`; without numbers the current revision and the one before it."""
    row = registration(request, uid)
    newest = row.current.number if row.current else 1
    older = revision_of(row, _number(request, "from", max(1, newest - 1)))
    newer = revision_of(row, _number(request, "to", newest))
    lines = line_differences(older.body, newer.body)
    words = differences(older.body, newer.body).words
    return render(
        request,
        "portal/registry/compare.html",
        {
            "title": f"Revisions {older.number} and {newer.number}",
            "crumbs": crumbs(row, Crumb("History", links.page("dashboard-history", uid)), Crumb("Compared")),
            "answer": _difference(words),
            "row": row,
            "older": older,
            "newer": newer,
            "words": words,
            "lines": lines[:MOST_LINES],
            "left_out": max(0, len(lines) - MOST_LINES),
            "may_manage": may_manage(request),
        },
    )


@access(Role.ADMIN)
def retired(request: HttpRequest) -> HttpResponseBase:
    """`/dashboards/retired/`: what can be brought back."""
    rows = Dashboard.objects.of_teams(scope_of(request.user)).exclude(retired_at=None).select_related("current")
    page = RETIRED.page(request, rows)
    return page.csv() if page.wants_csv else render(request, "portal/registry/retired.html", {
        "title": "Retired dashboards",
        "answer": "What was taken out of use. Its history is here, and any revision can be restored.",
        "crumbs": [Crumb("Dashboards", links.page("dashboards")), Crumb("Retired")],
        "page": page,
        "columns": RETIRED_COLUMNS,
    })  # fmt: skip


RETIRED = Listing(
    Dashboard,
    filters=(TextFilter("q", "Text", ("title", "uid"), "Title or uid"),),
    key=("retired_at", "pk"),
    csv=("title", "uid", "retired_at"),
    noun="retired dashboards",
    why_empty="Retiring a dashboard takes it out of every list without losing its history.",
)
RETIRED_COLUMNS = (Column("Dashboard", fixed=True), Column("Uid"), Column("Retired"), Column("Last revision"))


def _answer(row: Dashboard) -> str:
    if row.current is None:
        return "It has no revision yet."
    said = f"Revision {row.current.number} is current, by {row.current.actor}, {row.current.get_cause_display()}."
    return f"It is retired. {said}" if row.retired_at else said


def _difference(words: list[str]) -> str:
    if not words:
        return "Their bodies are the same."
    return "One thing differs." if len(words) == 1 else f"{len(words)} things differ."


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else default
