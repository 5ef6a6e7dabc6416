"""Which tables each page is drawn from: when one of these changes, the page asks for itself again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_RUNS: Final = ("script_results", "test_executions", "test_results", "campaign_executions")
_FLEET: Final = ("device", "controllers", "device_flags", "system_metrics", "system_device_metrics", "system_incident")
_ALERTS: Final = ("alerts", "triage_alerttriage")

TOPICS: Final[Mapping[str, tuple[str, ...]]] = {
    "portal:overview": (*_FLEET, *_ALERTS, *_RUNS),
    "portal:devices": (*_FLEET, *_ALERTS, *_RUNS),
    "portal:device": (*_FLEET, *_ALERTS, *_RUNS, "deployments"),
    "portal:system": ("device_flags", "system_metrics", "system_device_metrics", "system_incident"),
    "portal:host": (*_FLEET, "alerts", "deployments"),
    "portal:alerts": _ALERTS,
    "portal:alert": _ALERTS,
    "portal:campaigns": ("campaigns", "campaign_executions"),
    "portal:campaign": ("campaigns", "campaign_executions", "script_results"),
    "portal:campaign-by-name": ("campaigns", "campaign_executions", "script_results"),
    "portal:runs": _RUNS,
    "portal:run": (*_RUNS, "execution_results", "zap_results"),
    "portal:heatmaps": ("heatmaps",),
    "portal:dashboards": ("dashboards_dashboard", "dashboards_folder", "grafana_placement"),
    "portal:dashboard": ("dashboards_dashboard",),
    "portal:named-dashboard": ("dashboards_dashboard",),
}
"""By the name of the page's address. What a page's panels show is said by each panel."""


def topics_of(page: str) -> str:
    """The topics of a page, separated by spaces; empty for a page that does not move."""
    return " ".join(TOPICS.get(page, ()))
