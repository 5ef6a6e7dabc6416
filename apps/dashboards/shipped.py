"""The dashboards that come with the portal."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from apps.dashboards.author import Author
from apps.dashboards.bodies import parsed
from apps.dashboards.importing import Imported, Terms, import_dashboard, uid_of
from apps.dashboards.models import Cause, Dashboard
from apps.dashboards.tree import files_of


def register_shipped(place: Path) -> list[Imported]:
    """Register the dashboards below `place`, or bring them to this version.

    Where somebody changed one, retired it, or imported another file under the same uid, theirs stays; so does the
    folder that they moved it to.
    """
    by = Author("vptmonitor", f"version {settings.VERSION}")
    terms = Terms(Dashboard.Origin.SHIPPED, Cause.SHIPPED, by)
    done = []
    for file in files_of(place):
        document, folders = parsed(file.read()), file.path[:-1]
        known = Dashboard.objects.filter(uid=uid_of(document, folders)).select_related("current").first()
        if known is None or _is_ours(known):
            done.append(import_dashboard(document, terms, folders=None if known else folders, origin=file.name))
    return done


def _is_ours(row: Dashboard) -> bool:
    unchanged = row.current is not None and row.current.cause == Cause.SHIPPED
    return unchanged and row.origin_kind == Dashboard.Origin.SHIPPED and row.retired_at is None
