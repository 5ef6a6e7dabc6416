"""The dashboards that come with the portal."""

from __future__ import annotations

from pathlib import Path

from apps.dashboards.importing import Imported, files_of, import_dashboard, read_file, uid_of
from apps.dashboards.models import Cause, Dashboard


def register_shipped(place: Path) -> list[Imported]:
    """Register the dashboards below `place`, or bring them to this version.

    Where somebody changed one, retired it, or imported another file under the same uid, theirs stays; so does the
    folder that they moved it to.
    """
    done = []
    for path, folders in files_of(place):
        document = read_file(path)
        known = Dashboard.objects.filter(uid=uid_of(document, folders)).select_related("current").first()
        if known is not None and not _is_ours(known):
            continue
        done.append(
            import_dashboard(
                document,
                folders=folders if known is None else None,
                origin=str(path.relative_to(place)),
                kind=Dashboard.Origin.SHIPPED,
                cause=Cause.SHIPPED,
                actor="vptmonitor",
                reason="shipped with the portal",
            )
        )
    return done


def _is_ours(row: Dashboard) -> bool:
    unchanged = row.current is not None and row.current.cause == Cause.SHIPPED
    return unchanged and row.origin_kind == Dashboard.Origin.SHIPPED and row.retired_at is None
