"""Registered dashboards as the panel engine wants them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from apps.accounts.models import User
from apps.accounts.scope import TeamScope, scope_of
from apps.dashboards.models import Dashboard
from apps.panels.document import Dashboard as Document
from apps.panels.document import read_dashboard
from apps.panels.opening import Viewer
from apps.panels.run import Who


def find(uid: str, scope: TeamScope) -> Dashboard | None:
    """The dashboard of that uid, without its body, if `scope` may see it."""
    return Dashboard.objects.visible_to(scope).select_related("folder").defer("body").filter(uid=uid).first()


def document_of(row: Dashboard) -> Document:
    """The parsed document of a row; parsed once for each version of it."""
    return _parsed(row.pk, row.updated_at)


def viewer_of(user: User) -> Viewer:
    """The person as dashboards see them."""
    return Viewer(Who(user.get_username(), scope_of(user)), user.pk, user.email)


@lru_cache(maxsize=64)
def _parsed(pk: int, version: datetime) -> Document:
    return read_dashboard(Dashboard.objects.values_list("body", flat=True).get(pk=pk))
