"""What a real VirtualPyTest installation lacks of the mirrored tables: it was built before, or after, the others."""

from __future__ import annotations

MISSING_TABLES = ("campaigns", "controllers")
MISSING_COLUMNS = (
    ("device", "status"),
    ("test_executions", "campaign_id"),
    ("zap_results", "action_params"),
    ("zap_results", "time_since_action_ms"),
    ("zap_results", "total_zap_duration_ms"),
)
