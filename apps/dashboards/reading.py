"""Registered dashboards as the panel engine wants them."""

from __future__ import annotations

from functools import lru_cache

from apps.accounts.models import User
from apps.accounts.scope import TeamScope, scope_of
from apps.dashboards.models import Dashboard, StoredBody
from apps.panels.document import Dashboard as Document
from apps.panels.document import read_dashboard
from apps.panels.opening import Viewer
from apps.panels.run import Who


def find(uid: str, scope: TeamScope) -> Dashboard | None:
    """The dashboard of that uid, without its body, if `scope` may see it."""
    return Dashboard.objects.visible_to(scope).select_related("folder", "current").filter(uid=uid).first()


def find_managed(uid: str, scope: TeamScope) -> Dashboard | None:
    """The same for people who manage them: also one that is retired or not enabled."""
    return Dashboard.objects.of_teams(scope).select_related("folder", "current").filter(uid=uid).first()


def document_of(row: Dashboard) -> Document:
    """The parsed document of a row; parsed once for each body."""
    if row.current is None:
        raise StoredBody.DoesNotExist(f"{row.uid} has no revision")
    return _parsed(row.current.stored_id)


def viewer_of(user: User) -> Viewer:
    """The person as dashboards see them."""
    return Viewer(Who(user.get_username(), scope_of(user)), user.pk, user.email)


@lru_cache(maxsize=64)
def _parsed(digest: str) -> Document:
    return read_dashboard(StoredBody.objects.get(pk=digest).document)
