"""The dashboards that come with the portal."""

from __future__ import annotations

from pathlib import Path

from apps.dashboards.importing import Imported, files_of, import_dashboard, read_file, uid_of
from apps.dashboards.models import Dashboard


def register_shipped(place: Path) -> list[Imported]:
    """Register the dashboards below `place`, or bring them to this version.

    Where somebody has imported another file under the same uid, theirs stays.
    """
    done = []
    for path, folders in files_of(place):
        document = read_file(path)
        origin = f"shipped: {path.relative_to(place)}"
        if Dashboard.objects.filter(uid=uid_of(document, folders)).exclude(origin=origin).exists():
            continue
        done.append(import_dashboard(document, folders=folders, origin=origin, reason="shipped with the portal"))
    return done
