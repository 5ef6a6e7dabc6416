"""Take the demo rows out again: all that belongs to demo teams and demo hosts, and nothing else."""

from __future__ import annotations

from typing import Final

from django.db import connections, transaction

from apps.mirror.demo import presence
from apps.mirror.demo.cast import HOST_SUFFIX, MAX_TEAMS, SERVERS
from apps.mirror.demo.lab import team_id

_BY_HOST: Final = ("alerts", "system_metrics", "system_device_metrics", "system_incident", "device_flags")
_BY_TEAM: Final = (
    "test_results", "test_executions", "zap_results", "execution_results", "campaign_executions", "deployments",
    "script_results", "edge_metrics", "node_metrics", "navigation_edges", "navigation_nodes", "navigation_trees",
    "userinterfaces", "test_cases", "campaigns", "controllers", "environment_profiles", "device", "device_models",
    "heatmaps",
)  # fmt: skip
"""In an order in which nothing refers to what goes; deleting from the top spares the slow cascades."""


def clear() -> dict[str, int]:
    """Delete the demo rows and return how many went from each table, without those where none did.

    Demo teams are known by their ids, demo hosts by the end of their names, demo servers by their names.
    """
    teams = [team_id(index) for index in range(MAX_TEAMS)]
    gone: dict[str, int] = {}
    with transaction.atomic(using="source"), connections["source"].cursor() as cursor:
        # A simulator that is in the middle of a step finishes it first, and the next step finds no lab.
        cursor.execute("SELECT FROM teams WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [teams])
        cursor.execute(
            "DELETE FROM deployment_executions"
            " WHERE deployment_id IN (SELECT id FROM deployments WHERE team_id = ANY(%s))",
            [teams],
        )
        gone["deployment_executions"] = cursor.rowcount
        for table in _BY_TEAM:
            cursor.execute(f'DELETE FROM "{table}" WHERE team_id = ANY(%s)', [teams])  # noqa: S608
            gone[table] = cursor.rowcount
        for table in _BY_HOST:
            cursor.execute(f'DELETE FROM "{table}" WHERE host_name LIKE %s', [f"%{HOST_SUFFIX}"])  # noqa: S608
            gone[table] = cursor.rowcount
        cursor.execute("DELETE FROM system_metrics WHERE server_name = ANY(%s)", [list(SERVERS)])
        gone["system_metrics"] += cursor.rowcount
        cursor.execute("DELETE FROM teams WHERE id = ANY(%s)", [teams])
        gone["teams"] = cursor.rowcount
    presence.forget()
    return {table: count for table, count in gone.items() if count}
