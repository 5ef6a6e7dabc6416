"""What the views of the registry share: which dashboard an address means, and who asks."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from apps.accounts.models import User
from apps.accounts.roles import Role, role_of
from apps.accounts.scope import scope_of
from apps.dashboards.models import Dashboard, Revision
from apps.dashboards.reading import find, find_managed
from apps.portal import links
from apps.portal.components import Crumb


def user_of(request: HttpRequest) -> User:
    """Whoever is signed in: the gate lets nobody else pass."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def may_manage(request: HttpRequest) -> bool:
    """Whether they may change the registry."""
    return role_of(user_of(request)) >= Role.ADMIN


def registration(request: HttpRequest, uid: str) -> Dashboard:
    """The dashboard of that uid: for administrators also one that is retired or not enabled. Raises Http404."""
    row = (find_managed if may_manage(request) else find)(uid, scope_of(request.user))
    if row is None:
        raise Http404("There is no such dashboard, or it belongs to another team.")
    return row


def revision_of(row: Dashboard, number: int) -> Revision:
    """That revision of a dashboard, with its body. Raises Http404."""
    found = row.revisions.select_related("stored").filter(number=number).first()
    if found is None:
        raise Http404(f"The dashboard has no revision {number}.")
    return found


def crumbs(row: Dashboard, *further: Crumb) -> list[Crumb]:
    """Where a page about a dashboard stands."""
    shown = row.enabled and row.retired_at is None
    own = links.page("dashboard" if shown else "dashboard-history", row.uid)
    return [Crumb("Dashboards", links.page("dashboards")), Crumb(row.title, own), *further]
