"""The machine that the portal runs on, and its processes."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

from django.conf import settings

from apps.health import processes as supervised
from apps.health.findings import State, Verdict, failing, ok, unknown, warning

RECENT = timedelta(minutes=10)
"""A restart is told for this long."""
GIGABYTE = 2**30
LEAST_FREE = GIGABYTE
LEAST_SHARE = 0.10
"""Free share of the disk below which it is told, unless `AMPLE` is free all the same."""
AMPLE = 20 * GIGABYTE
REFUSED_BELOW = 300 * 2**20
"""Below this the portal would not start any more."""


def processes() -> Verdict:
    """Does each line of the Procfile run, and for how long."""
    rows = supervised.read()
    details = {row.name: f"{row.says}, {row.restarts} restarts" for row in rows}
    if all(row.says in {"gone", "stopped"} for row in rows):
        return unknown(
            "The portal was not started here, or not by its supervisors.", "Start it with `make run`.", **details
        )
    failed = [row.name for row in rows if row.state is State.FAILING]
    if failed:
        return failing(f"Ends again and again: {', '.join(failed)}.", "Its log lines say why.", **details)
    absent = [row.name for row in rows if row.says in {"gone", "stopped"}]
    if absent:
        return warning(f"Does not run: {', '.join(absent)}.", "Start the portal again.", **details)
    now = datetime.now(UTC)
    restarted = [row.name for row in rows if row.last_exit_at and now - row.last_exit_at < RECENT]
    if restarted:
        return warning(
            f"Restarted within the last 10 minutes: {', '.join(restarted)}.", "Its log lines say why.", **details
        )
    return ok(f"{', '.join(row.name for row in rows)} run.", **details)


def disk() -> Verdict:
    """Is there room where the embedded database, states and static files are."""
    usage = shutil.disk_usage(settings.DATA_DIR)
    free, share = usage.free / GIGABYTE, usage.free / usage.total
    details: dict[str, object] = {
        "data_dir": str(settings.DATA_DIR), "free_bytes": usage.free, "total_bytes": usage.total,
    }  # fmt: skip
    text = f"{free:.1f} GB free, {share:.0%} of the disk."
    fix = "Free some space, or let DATA_DIR name a folder on another disk."
    if usage.free < REFUSED_BELOW:
        return failing(text, fix, **details)
    if usage.free < LEAST_FREE or (share < LEAST_SHARE and usage.free < AMPLE):
        return warning(text, fix, **details)
    return ok(text, **details)
