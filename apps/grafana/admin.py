"""Grafana in the admin."""

from __future__ import annotations

from apps.grafana import admin_instances  # noqa: F401 -- registers its admin
