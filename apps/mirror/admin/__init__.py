"""The mirrored tables in the admin, by domain. Alerts are in `apps.triage.admin`, since people decide about them."""

from apps.mirror.admin import execution, fleet, monitoring, navigation

__all__ = ["execution", "fleet", "monitoring", "navigation"]
