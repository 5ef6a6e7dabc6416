"""What a sync costs: seconds, requests and bytes for 100, 1,000 and 5,000 dashboards, by what there is to do.

    .venv/bin/python benchmarks/sync.py [--sizes 100,1000,5000] [--concurrency 8]

    cold      every dashboard is made
    no-op     nothing changed: what Grafana's list says is enough
    full      nothing changed, and every body is read all the same (a Grafana before 12 has no such list)
    1 %       one in a hundred has a new revision

Grafana is the suite's double, in a process of its own, unless GRAFANA_TEST_URL names a real one (with
GRAFANA_TEST_USER and GRAFANA_TEST_PASSWORD); what was made there is deleted at the end. Exit code 1 when a run that
finds nothing sends more than N + N/1000 + folders requests (for `full` also the pages of that list), or takes over 10 s
for 1,000 dashboards (`full`: only where the double answers, since a real one's time is its own).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "GRAFANA_PASSWORD_BENCH"
FOLDERS = 10
PAGE = 200
"""Dashboards in a page of the list, at least; a real Grafana ends pages by their size."""
PANELS = 12
MOST_SECONDS_OF_1000 = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100,1000,5000", help="numbers of dashboards")
    parser.add_argument("--concurrency", type=int, default=8, help="requests at a time")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    url, double = os.environ.get("GRAFANA_TEST_URL", "").rstrip("/"), None
    if url:
        os.environ[VARIABLE] = os.environ["GRAFANA_TEST_PASSWORD"]
    else:
        from tests.grafana.double.server import PASSWORD

        os.environ[VARIABLE] = PASSWORD
        double = subprocess.Popen(
            [sys.executable, "-m", "tests.grafana.double"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert double.stdout is not None
        url = double.stdout.readline().decode().strip()
    folder = Path(tempfile.mkdtemp(prefix="vptmonitor-bench-"))
    for name in ("DATABASE_URL", "SUPABASE_DB_HOST", "PORTAL_DATABASE_URL", "SOURCE_ACCESS"):
        os.environ.pop(name, None)
    os.environ |= {
        "DATA_DIR": str(folder), "ENV_FILE": "", "DEMO": "off", "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "vptmonitor.settings",
    }  # fmt: skip
    try:
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        print(f"Grafana: {'the double' if double else url}; {options.concurrency} requests at a time\n")
        heads = ("dashboards", 10), ("run", 7), ("seconds", 9), ("requests", 10), ("sent kB", 10), ("got kB", 10)
        print("".join(f"{head:>{width}}" for head, width in heads))
        found = [_measured(url, int(size), options.concurrency) for size in options.sizes.split(",")]
        bad = [line for lines in found for line in lines]
        print("\n" + ("\n".join(bad) or "within the limits"))
        return int(bool(bad))
    finally:
        if double is not None:
            double.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _measured(url: str, size: int, concurrency: int) -> list[str]:
    """One table row for each kind of run; what went over a limit."""
    from apps.dashboards.author import Author
    from apps.grafana.models import GrafanaInstance, SyncRun
    from apps.grafana.run import Report, run
    from apps.grafana.selection import Wishes

    instance, _ = GrafanaInstance.objects.get_or_create(
        name="bench",
        defaults={
            "address": url, "private_network": True, "account": "basic", "variable": VARIABLE,
            "user_name": os.environ.get("GRAFANA_TEST_USER", "admin"),
        },
    )  # fmt: skip
    _source(instance)
    uids = tuple(f"bench-{size}-{number}" for number in range(size))
    for number in range(size):
        _register(size, number, "first")
    over: list[str] = []

    def one(kind: str, **wishes: Any) -> Report:
        report = run(
            instance, Wishes(uids=uids, **wishes), author=Author("bench"), cause=SyncRun.Cause.COMMAND,
            concurrency=concurrency,
        )  # fmt: skip
        record = report.run
        assert record.status == "done", (record.status, record.error, [step.words for step in report.steps][:3])
        seconds = record.seconds or 0.0
        print(
            f"{size:>10,}{kind:>7}{seconds:>9.2f}{record.requests:>10,}{record.sent / 1000:>10,.0f}"
            f"{record.received / 1000:>10,.0f}",
            flush=True,
        )
        if kind in ("no-op", "full"):
            assert record.changed == 0
            most = size + -(-size // 1000) + FOLDERS + (1 + -(-size // PAGE) if kind == "full" else 0)
            if record.requests > most:
                over.append(f"{size:,} {kind}: {record.requests} requests, {most} allowed")
            slow = seconds > MOST_SECONDS_OF_1000 and (kind == "no-op" or "GRAFANA_TEST_URL" not in os.environ)
            if size == 1000 and slow:
                over.append(f"{size:,} {kind}: {seconds:.1f} s, {MOST_SECONDS_OF_1000} allowed")
        return report

    one("cold")
    one("no-op")
    one("full", full=True)
    for number in range(0, size, 100):
        _register(size, number, "second")
    assert one("1 %").run.changed == -(-size // 100)
    _delete(instance, uids)
    return over


def _register(size: int, number: int, title: str) -> None:
    from apps.dashboards.importing import import_dashboard
    from apps.dashboards.source import SOURCE_TYPE, SOURCE_UID

    source = {"type": SOURCE_TYPE, "uid": SOURCE_UID}
    sql = (
        "SELECT $__timeGroup(started_at, '1h'), count(*) FROM script_results WHERE $__timeFilter(started_at) GROUP BY 1"
    )
    panels = [
        {
            "id": panel, "type": "timeseries", "title": f"{title} {panel}", "datasource": source,
            "gridPos": {"x": 12 * (panel % 2), "y": 8 * (panel // 2), "w": 12, "h": 8},
            "targets": [
                {"refId": "A", "format": "time_series", "rawSql": f"{sql} LIMIT {panel}", "datasource": source}
            ],
            "fieldConfig": {
                "defaults": {
                    "unit": "short", "min": 0, "custom": {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10},
                    "thresholds": {"mode": "absolute", "steps": [{"color": "green"}, {"color": "red", "value": 80}]},
                },
                "overrides": [],
            },
            "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        }
        for panel in range(1, PANELS + 1)
    ]  # fmt: skip
    body = {
        "uid": f"bench-{size}-{number}", "title": f"Bench {size} {number}", "schemaVersion": 41, "panels": panels,
        "time": {"from": "now-6h", "to": "now"}, "templating": {"list": []},
    }  # fmt: skip
    import_dashboard(body, folders=(f"Bench {number % FOLDERS}",))


def _source(instance: Any) -> None:
    """Grafana has the data source that the dashboards name."""
    from apps.dashboards.source import SOURCE_TYPE, SOURCE_UID
    from apps.grafana.connect import client_for
    from apps.grafana.errors import NameExists

    told = {"uid": SOURCE_UID, "name": SOURCE_UID, "type": SOURCE_TYPE, "access": "proxy", "url": "localhost:5432"}
    with client_for(instance) as client:
        try:
            client._send("POST", "/api/datasources", "Adding a data source", told)
        except NameExists:
            return


def _delete(instance: Any, uids: tuple[str, ...]) -> None:
    """Take the dashboards away there, one by one: a Grafana on SQLite takes no more at a time."""
    from apps.grafana.connect import client_for

    with client_for(instance) as client:
        for uid in uids:
            client.delete_dashboard(uid)


if __name__ == "__main__":
    sys.exit(main())
