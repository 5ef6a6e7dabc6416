"""The Grafana beside the portal."""

from __future__ import annotations

from apps.health.findings import Verdict, ok


def check() -> Verdict:
    """Is one connected. Without one nothing of the portal's own is missing."""
    return ok("None is connected. The portal's own pages do not need one; dashboards are not drawn yet.")
