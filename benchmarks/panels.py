"""What the panel engine costs beside the database's own work, and what teams and a hundred viewers cost the database.

    make bench            or: .venv/bin/python benchmarks/panels.py [--rows 300000]

First the engine from the dashboard's JSON to the JSON that the browser draws, nothing from memory, beside the same SQL
sent by psycopg2 and fetched whole. For queries over 50 ms the ratio counts, for small ones the milliseconds added; for
answers of thousands of values, whose every value must be written for people, the microseconds that each one takes. Then
the same rows by a login that is limited to a team, and by a filter that is written out. At last a hundred people look
at the same dashboard at the same time: how often is the database asked? Times are the best of a
number of rounds, the two taken in turn, since other work on the machine only adds to them. Exit code 1 over a limit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 15
MOST_TIMES = 1.2
LARGE_MS = 50.0
MOST_ADDED_MS = 5.0
MANY_VALUES = 2_000
MOST_MICROSECONDS = 20.0
VIEWERS = 100
DASHBOARD = ROOT / "grafana_config" / "dashboards" / "virtualpytest-overview.json"

PANELS = (
    ("stat", "table", "one number", "SELECT count(*) AS devices FROM device"),
    ("table", "table", "ten rows", "SELECT * FROM device ORDER BY name LIMIT 10"),
    (
        "timeseries", "time_series", "a day of a host",
        "SELECT timestamp AS time, cpu_percent, memory_percent FROM system_metrics"
        " WHERE host_name = (SELECT min(host_name) FROM system_metrics) AND timestamp > now() - interval '1 day'"
        " ORDER BY 1",
    ),
    (
        "timeseries", "time_series", "counted by hour and device",
        "SELECT date_trunc('hour', executed_at) AS time, device_name AS metric, count(*)::float8 AS runs"
        " FROM execution_results GROUP BY 1, 2 ORDER BY 1",
    ),
    (
        "barchart", "table", "percentiles by device",
        "SELECT device_name, percentile_cont(0.5) WITHIN GROUP (ORDER BY execution_time_ms) AS p50,"
        " percentile_cont(0.95) WITHIN GROUP (ORDER BY execution_time_ms) AS p95 FROM execution_results GROUP BY 1",
    ),
    (
        "table", "table", "the last 1,000, sorted",
        "SELECT id, host_name, device_name, success, execution_time_ms, message, executed_at FROM execution_results"
        " ORDER BY execution_time_ms DESC NULLS LAST, id LIMIT 1000",
    ),
)  # fmt: skip
"""Type, format, name and SQL of what is measured."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000, help="rows of execution_results")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vptmonitor-bench-"))
    for name in ("DATABASE_URL", "SUPABASE_DB_HOST", "PORTAL_DATABASE_URL", "SOURCE_ACCESS", "SOURCE_READER_URL"):
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
    from django.core.management import call_command
    from django.db import connections

    for alias in ("default", "source"):
        call_command("migrate", database=alias, verbosity=0)
    call_command("load_demo", executions=rows, verbosity=0)
    with connections["source"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    over = _engine_over_raw(rows)
    _policy_over_filter()
    return int(over + _many_viewers() > 0)


def _engine_over_raw(rows: int) -> int:
    """Print the engine's time beside the raw query's; how many panels are over a limit."""
    import psycopg2

    from apps.accounts.scope import EVERYTHING
    from apps.panels.reader import reader_for

    raw = psycopg2.connect(**reader_for(EVERYTHING).parameters())
    print(f"The engine over the raw query, {rows:,} rows of execution_results, nothing from memory\n")
    heads = ("values", 9), ("raw ms", 10), ("engine ms", 11), ("added ms", 10), ("x raw", 8), ("us a value", 12)
    print(f"{'panel':<28}" + "".join(f"{head:>{width}}" for head, width in heads))
    over = 0
    for kind, form, name, sql in PANELS:
        values, raw_ms, engine_ms = _both(raw, kind, form, sql)
        ratio, added = engine_ms / raw_ms, engine_ms - raw_ms
        each = 1000 * added / values
        if values > MANY_VALUES:
            bad = each > MOST_MICROSECONDS
        else:
            bad = ratio > MOST_TIMES if raw_ms > LARGE_MS else added > MOST_ADDED_MS
        over += bad
        figures = f"{raw_ms:>10.2f}{engine_ms:>11.2f}{added:>10.2f}{ratio:>8.2f}{each:>12.1f}"
        print(f"{name:<28}{values:>9,}{figures}{'  over' * bad}")
    raw.close()
    limits = (
        f"{MOST_TIMES} x (over {LARGE_MS:.0f} ms), {MOST_ADDED_MS:.0f} ms added, {MOST_MICROSECONDS:.0f} us a value"
    )
    print(f"\n{over or 'no'} panel{'s' * (over != 1)} over {limits} (over {MANY_VALUES:,} values)\n")
    return over


def _both(raw: Any, kind: str, form: str, sql: str) -> tuple[int, float, float]:
    """How many values a query gives, and the milliseconds that it needs raw and through the engine."""
    from apps.panels import run
    from apps.panels.document import read_dashboard

    target = {"refId": "A", "rawSql": sql, "format": form}
    panel = {"id": 1, "type": kind, "gridPos": {"x": 0, "y": 0, "w": 24, "h": 8}, "targets": [target]}
    document = {"title": "t", "schemaVersion": 41, "time": {"from": "now-30d", "to": "now"}, "panels": [panel]}
    dashboard = read_dashboard(document)

    def by_engine() -> None:
        run.answers.clear()
        drawn = _draw(dashboard, 1)
        assert not drawn.failures, drawn.failures

    times = [(_ms(_fetch, raw, sql), _ms(by_engine)) for _ in range(ROUNDS)]
    return _fetch(raw, sql), min(first for first, _ in times), min(second for _, second in times)


def _policy_over_filter() -> None:
    """Print what it costs that rows are limited by the login instead of by the query."""
    import psycopg2
    from django.db import connections

    from apps.accounts.scope import EVERYTHING, TeamScope
    from apps.panels.reader import reader_for

    with connections["source"].cursor() as cursor:
        cursor.execute("SELECT team_id FROM execution_results GROUP BY 1 ORDER BY count(*) LIMIT 1")
        (team,) = cursor.fetchone()
    filtered = psycopg2.connect(**reader_for(EVERYTHING).parameters())
    limited = psycopg2.connect(**reader_for(TeamScope(team_ids=frozenset({team}))).parameters())
    print(f"{'rows of one team':<36}{'filter ms':>11}{'policy ms':>11}{'x':>8}")
    for name, head, tail in (
        ("counted by hour", "SELECT date_trunc('hour', executed_at), count(*) FROM execution_results", " GROUP BY 1"),
        ("the last hundred", "SELECT * FROM execution_results", " ORDER BY executed_at DESC LIMIT 100"),
    ):
        times = []
        for _ in range(ROUNDS):
            by_filter = _ms(_fetch, filtered, f"{head} WHERE team_id = '{team}'{tail}")
            times.append((by_filter, _ms(_fetch, limited, head + tail)))
        first, second = (min(column) for column in zip(*times, strict=True))
        print(f"{name:<36}{first:>11.2f}{second:>11.2f}{second / first:>8.2f}")
    print()
    filtered.close()
    limited.close()


def _fetch(connection: Any, sql: str) -> int:
    """How many values a query gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found = sum(map(len, cursor.fetchall()))
    connection.rollback()
    return found


def _many_viewers() -> int:
    """Let all viewers refresh the dashboard that ships; 1 when the database was asked more often than once a query."""
    import json

    from apps.panels import run
    from apps.panels.document import read_dashboard

    dashboard = read_dashboard(json.loads(DASHBOARD.read_text()))
    panels = [panel for panel in dashboard.panels if panel.targets]
    targets = sum(len(panel.targets) for panel in panels)
    now = datetime.now(UTC)
    _draw_all(dashboard, panels, now)  # the variables' options stay in memory longer than a refresh takes
    run.answers.clear()
    asked: list[str] = []
    original = run.execute

    def counted(login: Any, statement: str, **rest: Any) -> Any:
        asked.append(statement)
        return original(login, statement, **rest)

    run.execute = counted  # type: ignore[assignment]
    began = time.perf_counter()
    viewers = [threading.Thread(target=_draw_all, args=(dashboard, panels, now)) for _ in range(VIEWERS)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    run.execute = original
    seconds = time.perf_counter() - began
    variables = sum(variable.kind == "query" for variable in dashboard.variables)
    print(f"{VIEWERS} viewers refresh {dashboard.title} ({len(panels)} panels, {variables} variables) at once")
    print(f"the database is asked {len(asked)} times, for {targets} queries of panels and {variables} of variables")
    print(f"all have all of it after {seconds:.1f} s ({VIEWERS * len(panels) / seconds:.0f} panels a second)")
    return int(len(asked) > targets + variables)


def _draw_all(dashboard: Any, panels: Any, now: datetime) -> None:
    for panel in panels:
        _draw(dashboard, panel.id, now)


def _draw(dashboard: Any, panel_id: int, now: datetime | None = None) -> Any:
    """A panel's answer, after the browser's JSON was made of it."""
    from apps.accounts.scope import EVERYTHING
    from apps.dashboards.api import ViewRenderer, view_body
    from apps.panels.opening import Asked, Viewer, open_dashboard
    from apps.panels.panel import ask_panel, variables_of
    from apps.panels.run import Who

    panel = dashboard.panel(panel_id)
    viewer = Viewer(Who("bench", EVERYTHING))
    moment = now or datetime.now(UTC)
    opened = open_dashboard(dashboard, Asked(), viewer, now=moment, only=variables_of(dashboard, panel))
    answer = ask_panel(opened, panel, max_data_points=1000)
    ViewRenderer().render(view_body(opened, answer, width=1000, height=300))
    return answer


def _ms(work: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    work(*arguments)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    sys.exit(main())
