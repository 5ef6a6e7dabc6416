"""Fill the time in which nobody simulated the lab, so that graphs have no hole after a laptop slept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from apps.mirror.demo import metrics, plan
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.rhythm import Story
from apps.mirror.demo.rows import alerts, execution, navigation, pings
from apps.mirror.demo.stream import copy_rows

SHORTEST: Final = timedelta(minutes=15)
"""A shorter silence is none: hosts ping every five minutes."""
LONGEST: Final = timedelta(days=3)
"""What is older stays empty."""


def fill(cursor: Any, lab: Lab, last: datetime, now: datetime) -> int:
    """Write an ordinary stretch of life between `last` and `now`; return the number of rows (0 for a short gap).

    What is under way at its end is left running.
    """
    if now - last < SHORTEST:
        return 0
    story = Story(start=max(last, now - LONGEST), until=now)
    work = plan.make(lab, story)
    tally = navigation.Tally()
    written = 0
    for table, rows in (
        ("script_results", execution.script_results(work.runs)),
        ("campaign_executions", execution.campaign_executions(work.campaigns)),
        ("execution_results", tally.watch(execution.all_steps(work.runs, now))),
        ("zap_results", execution.zaps(work.runs)),
        ("test_executions", execution.test_executions(work.runs)),
        ("test_results", execution.test_results(work.runs)),
        ("deployment_executions", execution.deployment_executions(work.turns)),
        ("alerts", alerts.alerts(lab, story)),
        ("heatmaps", alerts.heatmaps(lab, story)),
        ("system_metrics", pings.system_metrics(lab, story)),
        ("system_device_metrics", pings.system_device_metrics(lab, story)),
    ):
        written += copy_rows(cursor, table, rows)
    metrics.add(cursor, tally, now)
    return written
