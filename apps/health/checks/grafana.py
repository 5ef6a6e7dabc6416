"""The Grafana beside the portal."""

from __future__ import annotations

from apps.health.findings import Verdict, ok


def check() -> Verdict:
    """Is one connected. Without one nothing of the portal's own is missing."""
    return ok("None is connected, and none is needed: the portal draws the dashboards itself.")
