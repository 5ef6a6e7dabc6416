"""What list pages cost the database, as ratios: against the one query that each needs, and against a tenth of the rows.

    make bench            or: .venv/bin/python benchmarks/pages.py [--rows 1000000]

A demo lab with a tenth of the rows is measured first; then its history is copied back in time nine times and measured
again. Times are the server's own, the best of some rounds: other work on the machine only adds to them. Exit code 1
when a page takes more than 3 times its floor, or more than twice as long on ten times the rows.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 25
MOST_TIMES_FLOOR = 3.0
MOST_GROWTH = 2.0
NOISE_MS = 0.5
"""Half a millisecond more than a limit allows is no finding: some pages need less than that in all."""

FLOORS = {
    "/devices/": """
        SELECT DISTINCT ON (host_name, device_id) * FROM system_device_metrics
         WHERE timestamp >= now() - interval '24 hours' ORDER BY host_name, device_id, timestamp DESC""",
    "/system/": """
        SELECT DISTINCT ON (host_name, server_name) * FROM system_metrics
         WHERE timestamp >= now() - interval '24 hours' ORDER BY host_name, server_name, timestamp DESC""",
    "/runs/": """
        SELECT * FROM (
          (SELECT 'script', id, started_at AS at, script_name::text, host_name::text, device_name::text
             FROM script_results WHERE started_at IS NOT NULL ORDER BY started_at DESC, id DESC LIMIT 51)
          UNION ALL
          (SELECT 'campaign', id, started_at, campaign_name::text, host_name::text, device_name::text
             FROM campaign_executions WHERE started_at IS NOT NULL ORDER BY started_at DESC, id DESC LIMIT 51)
          UNION ALL
          (SELECT 'test', e.id, e.created_at, c.name::text, '', d.name::text
             FROM test_executions e LEFT JOIN test_cases c ON c.test_id = e.test_id
             LEFT JOIN device d ON d.id = e.device_id
            WHERE e.created_at IS NOT NULL ORDER BY e.created_at DESC, e.id DESC LIMIT 51)
        ) runs ORDER BY at DESC LIMIT 51""",
    "/campaigns/": """
        SELECT campaign_name,
               count(*) FILTER (WHERE success AND started_at >= now() - interval '30 days'),
               count(*) FILTER (WHERE NOT success AND started_at >= now() - interval '30 days'),
               count(*) FILTER (WHERE success AND started_at < now() - interval '30 days'),
               count(*) FILTER (WHERE NOT success AND started_at < now() - interval '30 days'),
               percentile_cont(array[0.5, 0.95]) WITHIN GROUP (ORDER BY execution_time_ms), max(started_at)
          FROM campaign_executions WHERE started_at >= now() - interval '60 days' GROUP BY 1""",
    "/alerts/": "SELECT * FROM alerts WHERE status = 'active' ORDER BY start_time DESC, id DESC LIMIT 51",
    "/alerts/?status=all": "SELECT * FROM alerts ORDER BY start_time DESC, id DESC LIMIT 51",
    "/heatmaps/": "SELECT * FROM heatmaps ORDER BY generated_at DESC, id DESC LIMIT 51",
    "/navigation/": """
        SELECT t.id, t.name, u.name, sum(m.total_executions), sum(m.successful_executions), avg(m.avg_execution_time_ms)
          FROM navigation_trees t LEFT JOIN userinterfaces u ON u.id = t.userinterface_id
          LEFT JOIN edge_metrics m ON m.tree_id = t.id GROUP BY t.id, t.name, u.name""",
}
"""A list page and the one query, by hand, that it cannot do without."""

HISTORY = (
    "ScriptResult", "CampaignExecution", "TestExecution", "TestResult", "ExecutionResult", "ZapResult", "PlatformAlert",
    "Heatmap", "SystemMetric", "SystemDeviceMetric", "DeploymentExecution",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of execution_results in the end")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vptmonitor-bench-"))
    for name in ("DATABASE_URL", "SUPABASE_DB_HOST", "PORTAL_DATABASE_URL", "SOURCE_ACCESS"):
        os.environ.pop(name, None)
    os.environ |= {
        "DATA_DIR": str(folder), "ENV_FILE": "", "DEMO": "off", "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "vptmonitor.settings",
    }  # fmt: skip
    sys.path.insert(0, str(ROOT))
    try:
        return _measured(options.rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(rows: int) -> int:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.STATIC_ROOT.mkdir(parents=True)
    for alias in ("default", "source"):
        call_command("migrate", database=alias, verbosity=0)
    call_command("load_demo", executions=rows // 10, verbosity=0)
    _analyse()
    small = {path: _page_ms(path) for path in FLOORS}
    began = time.perf_counter()
    for model in HISTORY:
        _lengthen(model, copies=9)
    _analyse()
    print(f"{rows:,} rows of execution_results, ten times the history: {time.perf_counter() - began:.0f} s to write\n")
    heads = ("queries", 8), ("floor ms", 10), ("page ms", 10), ("x floor", 9), ("at 1/10 ms", 12), ("growth", 8)
    print(f"{'list page':<22}" + "".join(f"{head:>{width}}" for head, width in heads))
    found = 0
    for path, sql in FLOORS.items():
        floor, (queries, page), (_, before) = _server_ms(sql), _page_ms(path), small[path]
        bad = page > MOST_TIMES_FLOOR * floor + NOISE_MS or page > MOST_GROWTH * before + NOISE_MS
        found += bad
        ratios = f"{page / floor:>9.2f}{before:>12.2f}{page / before:>8.2f}"
        print(f"{path:<22}{queries:>8}{floor:>10.2f}{page:>10.2f}{ratios}{'  over' * bad}")
    print(f"\n{found or 'no'} page{'s' * (found != 1)} over {MOST_TIMES_FLOOR} x floor or {MOST_GROWTH} x growth")
    return int(found > 0)


def _lengthen(model_name: str, copies: int) -> None:
    """Copy a table's rows `copies` times under new keys, 90 days apart: out of all that pages sum up."""
    from django.apps import apps
    from django.db import connections, models

    model = apps.get_model("mirror", model_name)
    names, values = [], []
    for field in model._meta.concrete_fields:
        column = f'"{field.column}"'
        names.append(column)
        if field.primary_key:
            values.append("gen_random_uuid()")
        elif isinstance(field, models.DateTimeField):
            values.append(f"{column} - copy * interval '90 days'")
        elif column == '"campaign_execution_id"':  # unique
            values.append(f"{column} || '-' || copy")
        else:
            values.append(column)
    table = f'"{model._meta.db_table}"'
    with connections["source"].cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)})"
            f" SELECT {', '.join(values)} FROM {table}, generate_series(1, %s) copy",
            [copies],
        )


def _analyse() -> None:
    from django.db import connections

    with connections["source"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _page_ms(path: str) -> tuple[int, float]:
    """How many queries a page sends to the source database, and the server's time for all of them."""
    from django.contrib.auth import get_user_model
    from django.db import connections
    from django.test import Client

    sent: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        sent.append((sql, params))
        return execute(sql, params, *rest)

    person, _ = get_user_model().objects.get_or_create(username="bench", is_superuser=True)
    client = Client(headers={"host": "localhost"})
    client.force_login(person)
    with connections["source"].execute_wrapper(keep):
        answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return len(sent), sum(_server_ms(sql, params) for sql, params in sent)


def _server_ms(sql: str, params: Any = None) -> float:
    """What the server itself says that a statement took to plan and to run, in milliseconds, at best."""
    from django.db import connections

    taken = []
    with connections["source"].cursor() as cursor:
        for _ in range(ROUNDS):
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
            plan = cursor.fetchone()[0][0]
            taken.append(plan["Planning Time"] + plan["Execution Time"])
    return min(taken)


if __name__ == "__main__":
    sys.exit(main())
