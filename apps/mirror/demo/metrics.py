"""Counts of steps into the tables that keep running counts of ways and screens, as the platform's trigger does."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from apps.mirror.demo.rows.navigation import Tally

SHARED: Final = """
    avg_execution_time_ms = (coalesce(m.avg_execution_time_ms, 0)::bigint * m.total_executions
        + excluded.avg_execution_time_ms::bigint * excluded.total_executions)
        / greatest(1, m.total_executions + excluded.total_executions),
    success_rate = round((m.successful_executions + excluded.successful_executions)::numeric
        / greatest(1, m.total_executions + excluded.total_executions), 4),
    successful_executions = m.successful_executions + excluded.successful_executions,
    total_executions = m.total_executions + excluded.total_executions
"""
OF_KPIS: Final = """,
    avg_kpi_ms = (coalesce(m.avg_kpi_ms, 0)::bigint * m.successful_kpi_measurements
        + excluded.avg_kpi_ms::bigint * excluded.successful_kpi_measurements)
        / greatest(1, m.successful_kpi_measurements + excluded.successful_kpi_measurements),
    min_kpi_ms = least(m.min_kpi_ms, excluded.min_kpi_ms),
    max_kpi_ms = greatest(m.max_kpi_ms, excluded.max_kpi_ms),
    kpi_success_rate = round((m.successful_kpi_measurements + excluded.successful_kpi_measurements)::numeric
        / greatest(1, m.total_kpi_measurements + excluded.total_kpi_measurements), 4),
    successful_kpi_measurements = m.successful_kpi_measurements + excluded.successful_kpi_measurements,
    total_kpi_measurements = m.total_kpi_measurements + excluded.total_kpi_measurements
"""


def add(cursor: Any, tally: Tally, now: datetime) -> None:
    """Add what `tally` counted to edge_metrics and node_metrics; averages stay truncated, as the platform has them."""
    for table, key, rows, setters in (
        ("edge_metrics", "edge_id, tree_id, action_set_id", tally.edge_metrics(now), SHARED + OF_KPIS),
        ("node_metrics", "node_id, tree_id, team_id", tally.node_metrics(now), SHARED),
    ):
        for row in rows:
            columns, marks = ", ".join(row), ", ".join(["%s"] * len(row))
            cursor.execute(
                f"INSERT INTO {table} AS m ({columns}) VALUES ({marks}) ON CONFLICT ({key})"  # noqa: S608
                f" DO UPDATE SET {setters}",
                list(row.values()),
            )
