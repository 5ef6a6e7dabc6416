"""Rows a second that hosts can write: through the portal's HTTP endpoint, beside what the database takes at most.

    make bench            or: .venv/bin/python benchmarks/ingest.py [--rows 200000]

One sender, one table (`script_results`, with its eight indexes and its foreign key) that holds rows already; every
write is committed to disk. COPY and multi-row INSERT go straight to the database, their text made beforehand; the
endpoint and a plain view of REST framework (ModelSerializer, many=True) get JSON by HTTP, with a token. Methods take
turns in every round; a method's rate is its best round, since other work on the machine only takes away. What the
database and the web process spent of the processor on a thousand rows says the same with less noise. Exit code 1 below
a limit.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
LEAST_OF_COPY = 0.6
LEAST_TIMES_PLAIN = 50.0
COLUMNS = (
    "id", "team_id", "script_name", "script_type", "userinterface_name", "host_name", "device_name", "success",
    "started_at", "completed_at", "metadata",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="rows that the table holds before")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vptmonitor-bench-"))
    for name in ("DATABASE_URL", "SUPABASE_DB_HOST", "PORTAL_DATABASE_URL", "SOURCE_ACCESS", "SOURCE_READER_URL"):
        os.environ.pop(name, None)
    os.environ |= {
        "DATA_DIR": str(folder), "ENV_FILE": "", "DEMO": "off", "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "benchmarks.plain_settings", "PYTHONPATH": str(ROOT),
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
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    (Path(os.environ["DATA_DIR"]) / "static").mkdir(exist_ok=True)
    try:
        team, token = _team(), _token()
        source = connections["source"]
        source.ensure_connection()
        _copy(source.connection, [_row(team) for _ in range(rows)])
        with _server() as (url, web):
            rates = _race(source.connection, url, token, team, web)
    finally:
        connections.close_all()
        from vptmonitor.database.base import embedded_cluster

        embedded_cluster().stop()
    return _report(rates)


def _team() -> str:
    from apps.mirror.models import Team

    return str(Team.objects.create(name="Bench", tenant_id=uuid4()).id)


def _token() -> str:
    from apps.accounts import tokens
    from apps.accounts.models import ApiToken, User

    owner = User.objects.create_superuser("bench", password=uuid4().hex)
    return tokens.issue(owner=owner, name="bench", scopes=[ApiToken.Scope.INGEST])[1]


@contextlib.contextmanager
def _server() -> Iterator[tuple[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "vptmonitor.serve", "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/api/v1", process.pid
    finally:
        process.terminate()
        process.wait(10)


_started = datetime(2026, 3, 1, tzinfo=UTC)
_count = 0


def _row(team: str) -> dict[str, Any]:
    """A new row, as a host writes it at a script's start."""
    global _count
    _count += 1
    at = (_started + timedelta(seconds=_count)).isoformat()
    return {
        "id": str(uuid4()), "team_id": team, "script_name": f"script{_count % 40}.py", "script_type": "goto",
        "userinterface_name": "horizon", "host_name": f"rack-{_count % 20}", "device_name": f"Box {_count % 60}",
        "success": False, "started_at": at, "completed_at": at,
        "metadata": {"device_id": "device1", "device_model": "stb"},
    }  # fmt: skip


def _spent(web: int) -> float:
    """Milliseconds of processor time that the web process and the database's processes have taken so far."""
    ticks = 0
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = place.read_text().rpartition(")")[2].split()
            # The server's processes work in its data directory.
            if int(place.parent.name) == web or os.environ["DATA_DIR"] in str((place.parent / "cwd").readlink()):
                ticks += int(fields[11]) + int(fields[12])
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def _race(raw: Any, url: str, token: str, team: str, web: int) -> dict[str, tuple[float, float]]:
    """Of each method, from the best of the rounds: rows a second, and milliseconds of processor for 1,000 rows."""
    import requests

    with requests.Session() as session:
        session.headers.update({"Authorization": f"Bearer {token}", "Content-Type": "application/json"})

        def post(address: str, rows: list[dict[str, Any]], size: int) -> Callable[[], None]:
            bodies = [json.dumps(rows[n : n + size]).encode() for n in range(0, len(rows), size)]

            def work() -> None:
                for body in bodies:
                    answer = session.post(address, body, timeout=120)
                    assert answer.status_code == 201, answer.text[:500]

            return work

        ours = f"{url}/ingest/script-results"
        methods: dict[str, tuple[int, Callable[[list[dict[str, Any]]], Callable[[], None]]]] = {
            "COPY, 1,000 a time": (10_000, lambda rows: _copying(raw, rows)),
            "multi-row INSERT, 1,000 a time": (10_000, lambda rows: _inserting(raw, rows)),
            "endpoint, 1,000 a time": (10_000, lambda rows: post(ours, rows, 1000)),
            "endpoint, 100 a time": (3_000, lambda rows: post(ours, rows, 100)),
            "endpoint, 1 a time": (200, lambda rows: post(ours, rows, 1)),
            "plain view, 1,000 a time": (1_000, lambda rows: post(f"{url}/plain", _for_serializer(rows), 1000)),
        }
        best = dict.fromkeys(methods, (0.0, float("inf")))
        post(ours, [_row(team)], 1)()
        for _ in range(ROUNDS):
            for name, (number, prepare) in methods.items():
                work = prepare([_row(team) for _ in range(number)])
                spent, began = _spent(web), time.perf_counter()
                work()
                rate = number / (time.perf_counter() - began)
                cost = (_spent(web) - spent) * 1000 / number
                best[name] = max(best[name][0], rate), min(best[name][1], cost)
    return best


def _for_serializer(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A ModelSerializer names a foreign key by its field, not its column."""
    return [{"team" if name == "team_id" else name: value for name, value in row.items()} for row in rows]


def _text(rows: list[dict[str, Any]]) -> str:
    values = ([json.dumps(v) if isinstance(v, dict) else str(v) for v in row.values()] for row in rows)
    return "".join("\t".join(line) + "\n" for line in values)


def _copying(raw: Any, rows: list[dict[str, Any]]) -> Callable[[], None]:
    texts = [_text(rows[n : n + 1000]) for n in range(0, len(rows), 1000)]

    def work() -> None:
        for text in texts:
            with raw.cursor() as cursor:
                cursor.copy_expert(f"COPY script_results ({', '.join(COLUMNS)}) FROM STDIN", io.StringIO(text))
            raw.commit()

    return work


def _copy(raw: Any, rows: list[dict[str, Any]]) -> None:
    _copying(raw, rows)()


def _inserting(raw: Any, rows: list[dict[str, Any]]) -> Callable[[], None]:
    from psycopg2.extras import execute_values

    tuples = [[json.dumps(v) if isinstance(v, dict) else v for v in row.values()] for row in rows]

    def work() -> None:
        for n in range(0, len(tuples), 1000):
            with raw.cursor() as cursor:
                sql = f"INSERT INTO script_results ({', '.join(COLUMNS)}) VALUES %s"
                execute_values(cursor, sql, tuples[n : n + 1000], page_size=1000)
            raw.commit()

    return work


def _report(rates: dict[str, tuple[float, float]]) -> int:
    copy, plain = rates["COPY, 1,000 a time"][0], rates["plain view, 1,000 a time"][0]
    print(f"{'method':<34}{'rows/s':>10}{'of COPY':>10}{'x plain':>10}{'CPU ms per 1,000':>18}")
    for name, (rate, cost) in rates.items():
        print(f"{name:<34}{rate:>10,.0f}{rate / copy:>10.2f}{rate / plain:>10.1f}{cost:>18.1f}")
    ours = rates["endpoint, 1,000 a time"][0]
    good = ours / copy >= LEAST_OF_COPY and ours / plain >= LEAST_TIMES_PLAIN
    print(f"limits: {LEAST_OF_COPY} of COPY, {LEAST_TIMES_PLAIN:g} times the plain view: {'PASS' if good else 'FAIL'}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
