"""Grafana in the admin."""

from __future__ import annotations

from apps.grafana import (  # noqa: F401 -- each registers its admin
    admin_dashboards,
    admin_instances,
    admin_placements,
    admin_runs,
)
