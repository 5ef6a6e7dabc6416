"""The running counts of edges and nodes, kept as the platform's own trigger keeps them, and its gap closed.

The platform counts a step when its row is inserted, by a trigger. A database without that trigger is counted for here.
A KPI comes later, by an update that the trigger never sees: so the KPI columns are always counted anew from the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from apps.ingest.plan import Plan
from apps.mirror.demo.metrics import OF_KPIS, SHARED
from apps.mirror.models import EdgeMetric, MirrorModel, NodeMetric
from apps.mirror.shape import has_table, missing_columns

TRIGGER: Final = "update_metrics"
"""The platform's function."""
_NEEDED: Final = ("team_id", "tree_id", "edge_id", "node_id", "action_set_id", "success", "execution_time_ms")
_KPIS: Final = ("kpi_measurement_success", "kpi_measurement_ms")

_COUNTS: Final = """
    count(*) AS total_executions, count(*) FILTER (WHERE success) AS successful_executions,
    round(avg(success::int), 4) AS success_rate,
    coalesce(sum(execution_time_ms::bigint), 0)::bigint / count(*) AS avg_execution_time_ms
"""
_GOOD: Final = "kpi_measurement_success AND kpi_measurement_ms IS NOT NULL"
_KPI_COUNTS: Final = f"""
    count(kpi_measurement_success) AS total_kpi_measurements,
    count(*) FILTER (WHERE {_GOOD}) AS successful_kpi_measurements,
    coalesce(sum(kpi_measurement_ms::bigint) FILTER (WHERE {_GOOD}), 0)::bigint
      / greatest(1, count(*) FILTER (WHERE {_GOOD})) AS avg_kpi_ms,
    min(kpi_measurement_ms) FILTER (WHERE {_GOOD}) AS min_kpi_ms,
    max(kpi_measurement_ms) FILTER (WHERE {_GOOD}) AS max_kpi_ms,
    round(count(*) FILTER (WHERE {_GOOD})::numeric / greatest(1, count(kpi_measurement_success)), 4) AS kpi_success_rate
"""
_KPI_COLUMNS: Final = (
    "total_kpi_measurements, successful_kpi_measurements, avg_kpi_ms, min_kpi_ms, max_kpi_ms, kpi_success_rate"
)
_COUNT_COLUMNS: Final = "total_executions, successful_executions, success_rate, avg_execution_time_ms"


def count_steps(cursor: Any, plan: Plan, ids: Sequence[UUID]) -> None:
    """Count the steps with these ids, which have just been inserted. Two statements at most."""
    if TRIGGER in plan.triggers or not all(plan.has(name) for name in (*_NEEDED, *_KPIS)):
        return
    texts = [str(one) for one in ids]
    if _is_complete(EdgeMetric):
        cursor.execute(
            "INSERT INTO edge_metrics AS m"  # noqa: S608
            f" (edge_id, tree_id, action_set_id, team_id, {_COUNT_COLUMNS}, {_KPI_COLUMNS})"
            f" SELECT edge_id, tree_id, action_set_id, min(team_id::text)::uuid, {_COUNTS}, {_KPI_COUNTS}"
            " FROM execution_results WHERE id = ANY (%s::uuid[]) AND edge_id IS NOT NULL AND tree_id IS NOT NULL"
            " AND action_set_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
            f" ON CONFLICT (edge_id, tree_id, action_set_id) DO UPDATE SET {SHARED} {OF_KPIS}",
            [texts],
        )
    if _is_complete(NodeMetric):
        cursor.execute(
            f"INSERT INTO node_metrics AS m (node_id, tree_id, team_id, {_COUNT_COLUMNS})"  # noqa: S608
            f" SELECT node_id, tree_id, team_id, {_COUNTS}"
            " FROM execution_results WHERE id = ANY (%s::uuid[]) AND node_id IS NOT NULL AND tree_id IS NOT NULL"
            f" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (node_id, tree_id, team_id) DO UPDATE SET {SHARED}",
            [texts],
        )


def recount_kpis(cursor: Any, plan: Plan, ids: Sequence[UUID]) -> None:
    """Count the KPIs of the edges that these steps walked anew, from all steps that are there. One statement."""
    if not _is_complete(EdgeMetric) or not all(plan.has(name) for name in (*_NEEDED, *_KPIS)):
        return
    cursor.execute(
        "WITH walked AS (SELECT DISTINCT edge_id, tree_id, action_set_id FROM execution_results"  # noqa: S608
        " WHERE id = ANY (%s::uuid[]) AND edge_id IS NOT NULL AND tree_id IS NOT NULL AND action_set_id IS NOT NULL)"
        f" INSERT INTO edge_metrics AS m (edge_id, tree_id, action_set_id, team_id, {_KPI_COLUMNS})"
        f" SELECT edge_id, tree_id, action_set_id, min(team_id::text)::uuid, {_KPI_COUNTS}"
        " FROM walked JOIN execution_results USING (edge_id, tree_id, action_set_id)"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 ON CONFLICT (edge_id, tree_id, action_set_id) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in _KPI_COLUMNS.split(", ")),
        [[str(one) for one in ids]],
    )


def _is_complete(model: type[MirrorModel]) -> bool:
    return has_table(model) and not missing_columns(model)
