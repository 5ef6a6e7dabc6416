"""Interfaces under test, their maps, and one map with its screens and ways."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.mirror import shape
from apps.mirror.models import NavigationTree, UserInterface
from apps.portal import formatting, links
from apps.portal.components import Choice, Column, Crumb, KeyFigure
from apps.portal.listing import ChoiceFilter, ShortListing, WordFilter
from apps.portal.selectors import navigation as selectors
from apps.portal.selectors.navigation import InterfaceRow, Reach, TreeDetails

COLUMNS = (
    Column("Interface", fixed=True), Column("State"), Column("Ways reached", numeric=True),
    Column("Screens seen", numeric=True), Column("Tries", numeric=True), Column("Average", numeric=True),
    Column("Maps", numeric=True), Column("Screens", numeric=True), Column("Ways", numeric=True),
    Column("Device models", hidden=True), Column("Changed"),
)  # fmt: skip
TREE_COLUMNS = (
    Column("Map", fixed=True), Column("State"), Column("Ways reached", numeric=True),
    Column("Screens seen", numeric=True), Column("Tries", numeric=True), Column("Average", numeric=True),
    Column("Screens", numeric=True), Column("Ways", numeric=True), Column("Changed"),
)  # fmt: skip
WAY_COLUMNS = (
    Column("Way", fixed=True), Column("State"), Column("Reached", numeric=True), Column("Tries", numeric=True),
    Column("Average", numeric=True), Column("KPI", numeric=True, help="How long the target takes to show, on average"),
    Column("KPI range", numeric=True),
)  # fmt: skip
SCREEN_COLUMNS = (
    Column("Screen", fixed=True), Column("State"), Column("Seen", numeric=True), Column("Checks", numeric=True),
    Column("Average", numeric=True), Column("Kind"),
)  # fmt: skip
FAILURE_COLUMNS = (
    Column("When"), Column("What failed", fixed=True), Column("Device"), Column("Run"),
)  # fmt: skip

INTERFACES: ShortListing[InterfaceRow] = ShortListing(
    name="navigation",
    noun="interfaces",
    filters=(
        WordFilter("q", "Text", ("name", "tree_names", "models"), "Interface, map, device model"),
        ChoiceFilter(
            "state", "State", [Choice(word, word.capitalize()) for word in ("failing", "warning", "ok", "unknown")],
            lambda rows, state: [row for row in rows if row.reach.state == state],
        ),
    ),
    csv=(
        "name", "team", ("success_rate", lambda row: row.reach.rate), ("tries", lambda row: row.reach.total),
        ("average_ms", lambda row: row.reach.avg_ms), ("screens_seen_rate", lambda row: row.seen.rate),
        ("maps", lambda row: len(row.trees)), "screens", "ways", "models", "updated_at",
    ),
    why_empty="An interface appears when somebody draws its map in the platform's navigation editor.",
)  # fmt: skip


@access(Role.VIEWER)
def navigation(request: HttpRequest) -> HttpResponseBase:
    """`/navigation/`"""
    rows = selectors.interfaces(scope=scope_of(request.user))
    missing = not shape.has_table(UserInterface) and not shape.has_table(NavigationTree)
    page = INTERFACES.page(request, rows, missing_table="userinterfaces" if missing else "")
    if page.wants_csv:
        return page.csv()
    return render(
        request,
        "portal/navigation/list.html",
        {"title": "Navigation", "answer": selectors.answer(rows), "page": page, "columns": COLUMNS},
    )


@access(Role.VIEWER)
def interface(request: HttpRequest, id: UUID) -> HttpResponse:
    """`/navigation/<uuid>/`: an interface and its maps."""
    found = next(iter(selectors.interfaces(scope=scope_of(request.user), only=id)), None)
    if found is None:
        raise Http404("There is no such interface, or it belongs to another team.")
    return render(
        request,
        "portal/navigation/interface.html",
        {
            "title": found.name,
            "answer": selectors.answer_of_one(found),
            "crumbs": [Crumb("Navigation", links.page("navigation")), Crumb(found.name)],
            "row": found,
            "figures": _figures(found.reach, found.seen, found.ways, found.screens),
            "columns": TREE_COLUMNS,
            "runs_url": links.page("runs", query={"interface": found.name}),
        },
    )


@access(Role.VIEWER)
def tree(request: HttpRequest, id: UUID) -> HttpResponse:
    """`/navigation/trees/<uuid>/`: a map."""
    found = selectors.tree(scope=scope_of(request.user), now=timezone.now(), id=id)
    if found is None:
        raise Http404("There is no such map, or it belongs to another team.")
    return render(
        request,
        "portal/navigation/tree.html",
        {
            "title": found.tree.name or "Map",
            "crumbs": _crumbs(found),
            "seen": found,
            "figures": _figures(found.reach, found.seen, len(found.ways), len(found.screens)),
            "way_columns": WAY_COLUMNS,
            "screen_columns": SCREEN_COLUMNS,
            "failure_columns": FAILURE_COLUMNS,
        },
    )


def _crumbs(found: TreeDetails) -> list[Crumb]:
    crumbs = [Crumb("Navigation", links.page("navigation"))]
    if found.interface is not None:
        crumbs.append(Crumb(found.interface.name or "Interface", links.page("interface", found.interface.pk)))
    if found.parent is not None:
        crumbs.append(Crumb(found.parent.name or "Map", links.page("tree", found.parent.pk)))
    return [*crumbs, Crumb(found.tree.name or "Map")]


def _figures(reach: Reach, seen: Reach, ways: int, screens: int) -> list[KeyFigure]:
    return [
        KeyFigure(
            "Ways reached", formatting.percent(reach.rate), state=reach.state,
            note=f"of {formatting.compact(reach.total)} tries, since the map was made",
        ),
        KeyFigure(
            "Screens seen", formatting.percent(seen.rate), state=seen.state,
            note=f"of {formatting.compact(seen.total)} checks",
        ),
        KeyFigure("Average way", formatting.duration(reach.avg_ms)),
        KeyFigure("Size", str(screens), "screens", note=f"{ways} ways"),
    ]  # fmt: skip
