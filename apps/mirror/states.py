"""The status vocabulary: the eight words that every page, badge and API uses for how something is."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

OK: Final = "ok"
WARNING: Final = "warning"
FAILING: Final = "failing"
RUNNING: Final = "running"
QUEUED: Final = "queued"
SKIPPED: Final = "skipped"
SILENT: Final = "silent"
UNKNOWN: Final = "unknown"

STATES: Final = (OK, WARNING, FAILING, RUNNING, QUEUED, SKIPPED, SILENT, UNKNOWN)
"""All of them, from good to unknown; `silent` is said of hosts and devices, the others of anything."""

FINISHED: Final = (OK, FAILING)
"""The states of a run that came to an end with a verdict: what success rates are counted from."""

HOST_SILENT_AFTER: Final = timedelta(minutes=11)
"""Hosts ping every five minutes: two lost pings and a little patience."""
SERVER_SILENT_AFTER: Final = timedelta(minutes=3)
"""Servers ping every minute."""
