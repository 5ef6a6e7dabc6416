"""Dashboards: their list, one of them, one panel alone, and favourites."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from apps.accounts.access import access
from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.dashboards.models import Dashboard, Favourite
from apps.dashboards.reading import find
from apps.grafana.embedding import DASHBOARDS, drawer_for, is_reachable
from apps.portal import links
from apps.portal.components import Choice, Crumb
from apps.portal.listing import ChoiceFilter, ShortListing, ToggleFilter, WordFilter
from apps.portal.selectors import dashboards as finding
from apps.portal.selectors.dashboard_links import next_favourite
from apps.portal.selectors.dashboard_page import REFRESHES, page_of
from apps.portal.selectors.dashboards import Entry
from apps.portal.views.registered import may_manage

KEYS = (
    ("Times of the dashboard", "t"), ("Zoom out", "z"), ("Refresh", "r"), ("Panel alone and back", "v"),
    ("Inspect the panel", "i"), ("Wall display and back", "w"),
)  # fmt: skip
"""The keys of a dashboard's page, for the list of keys."""


@access(Role.VIEWER)
def dashboards(request: HttpRequest) -> HttpResponseBase:
    """`/dashboards/`"""
    found = finding.entries(scope=scope_of(request.user), user=_viewer(request))
    page = _listing(found).page(request, found)
    if page.wants_csv:
        return page.csv()
    return render(
        request,
        "portal/dashboards/list.html",
        {
            "title": "Dashboards",
            "answer": finding.answer(found),
            "page": page,
            "groups": finding.by_folder(page.rows),
            "may_manage": may_manage(request),
            "in_grafana": DASHBOARDS if is_reachable(_viewer(request)) else "",
            "wall_url": next((f"{one.url}?kiosk=1&cycle=1m" for one in found if one.favourite), ""),
        },
    )


@access(Role.VIEWER)
@require_POST
def favourite(request: HttpRequest, uid: str) -> HttpResponse:
    """`/dashboards/<uid>/favourite/`: `on=1` makes it one of the viewer's favourites, anything else ends that."""
    row = _visible(request, uid)
    if request.POST.get("on") == "1":
        Favourite.objects.get_or_create(user_id=_viewer(request).pk, dashboard=row)
    else:
        Favourite.objects.filter(user=_viewer(request), dashboard=row).delete()
    return redirect(links.own_path(request.POST.get("next", "")) or links.page("dashboards"))


@access(Role.VIEWER)
def dashboard(request: HttpRequest, uid: str, name: str = "") -> HttpResponse:
    """`/d/<uid>/`, and `/d/<uid>/<name>` as Grafana writes its links: the name says nothing."""
    return render(request, "portal/dashboards/detail.html", _context(request, _visible(request, uid)))


@access(Role.VIEWER)
def solo(request: HttpRequest, uid: str, panel: int) -> HttpResponse:
    """`/d-solo/<uid>/<panel>/`: one panel without anything around it."""
    context = _context(request, _visible(request, uid), panel)
    if not context["page"].frames:
        raise Http404("This dashboard has no such panel.")
    return render(request, "portal/dashboards/solo.html", context)


@access(Role.VIEWER)
def drawer(request: HttpRequest, uid: str) -> HttpResponse:
    """`/dashboards/<uid>/drawer/`: who draws this dashboard's panels now, for pages that are open."""
    found = drawer_for(_visible(request, uid).uid, _viewer(request))
    return JsonResponse(
        {"by": found.by, "panel": found.panel, "moves": found.moves}, headers={"Cache-Control": "no-store"}
    )


def _context(request: HttpRequest, row: Dashboard, panel: int | None = None) -> dict[str, Any]:
    user = _viewer(request)
    page = page_of(row, request.GET, user=user, panel=panel)
    return {
        "title": page.title,
        "crumbs": _crumbs(row),
        "may_manage": may_manage(request),
        "page": page,
        "drawer": drawer_for(row.uid, user),
        "in_grafana": f"{DASHBOARDS}{row.uid}/?{page.query}",
        "keys": KEYS,
        "next_url": _next(request, row),
        "favourite": Favourite.objects.filter(user=user, dashboard=row).exists(),
    }


def _next(request: HttpRequest, row: Dashboard) -> str:
    """Where a wall display that goes round the viewer's favourites (`?kiosk&cycle=30s`) goes next."""
    every = request.GET.get("cycle", "")
    return next_favourite(_viewer(request), row.uid, every) if every in REFRESHES else ""


def _crumbs(row: Dashboard) -> list[Crumb]:
    top = Crumb("Dashboards", links.page("dashboards"))
    if row.folder is None:
        return [top, Crumb(row.title)]
    folder = Crumb(row.folder.title, links.page("dashboards", query={"q": row.folder.title}))
    return [top, folder, Crumb(row.title)]


def _visible(request: HttpRequest, uid: str) -> Dashboard:
    row = find(uid, scope_of(request.user))
    if row is None:
        raise Http404("There is no such dashboard, or it belongs to another team.")
    return row


def _viewer(request: HttpRequest) -> User:
    # The gate lets nobody pass who is not signed in.
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def _listing(found: Iterable[Entry]) -> ShortListing[Entry]:
    """The list with the choices that these dashboards leave."""
    rows = list(found)
    tags = sorted({tag for one in rows for tag in one.tags}, key=str.casefold)
    folders = sorted({one.folder for one in rows if one.folder}, key=str.casefold)
    return ShortListing(
        name="dashboards",
        noun="dashboards",
        filters=(
            WordFilter("q", "Text", ("title", "folder", "tag_text"), "Title, folder, tag"),
            ChoiceFilter(
                "folder", "Folder", [Choice(one, one) for one in folders],
                lambda rows, value: [one for one in rows if one.folder == value],
            ),
            ChoiceFilter(
                "tag", "Tag", [Choice(one, one) for one in tags],
                lambda rows, value: [one for one in rows if value in one.tags],
            ),
            ToggleFilter("favourites", "Favourites", lambda rows: [one for one in rows if one.favourite]),
        ),
        csv=("title", "folder", ("tags", lambda one: " ".join(one.tags)), "team", "changed", "uid"),
        why_empty="No dashboard is registered that you may see. manage.py import_dashboards brings them in.",
    )  # fmt: skip
