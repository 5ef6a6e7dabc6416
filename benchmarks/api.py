"""What a list of the REST API costs: requests per second over the floor of the same rows with their JSON built in SQL.

    .venv/bin/python benchmarks/api.py [--rows 200000] [--seconds 3]

Three applications, each in a process of its own behind the portal's own HTTP server, are asked in turn by four
connections: the floor (psycopg2 and one statement that gives the whole page as JSON; no framework, nobody asked who
calls), the portal as it is (all middleware, a token, its teams' rows alone, filters, throttling), and as a control the
usual way with REST framework (ModelSerializer, CursorPagination) behind the same middleware and token. The rounds
alternate, so that other work on the machine meets all three; the best round of each counts. Exit code 1 when a list of
100 rows reaches less than half of its floor.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LEAST_OF_FLOOR = 0.5
ROUNDS = 5
SIZES = (10, 100, 1000)
CONNECTIONS = 4
"""Of the client, and threads of each server."""

LISTS = {
    "execution-results": ("execution_results", "executed_at", "team_id"),
    "script-results": ("script_results", "started_at", "team_id"),
    "system-metrics": ("system_metrics", "timestamp", "host_name"),
}
"""An address, its table, the column that orders it and the one that says whose a row is."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="rows of execution_results")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each application, list and size")
    parser.add_argument("--serve", choices=("floor", "portal"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.serve:
        return _serve(options.serve, options.port)
    folder = Path(tempfile.mkdtemp(prefix="vptmonitor-bench-"))
    for name in ("DATABASE_URL", "SUPABASE_DB_HOST", "PORTAL_DATABASE_URL", "SOURCE_ACCESS"):
        os.environ.pop(name, None)
    os.environ |= {
        "DATA_DIR": str(folder), "ENV_FILE": "", "DEMO": "off", "LOG_LEVEL": "ERROR", "API_REQUESTS_PER_MINUTE": "0",
        "DJANGO_SETTINGS_MODULE": "vptmonitor.settings",
    }  # fmt: skip
    servers: list[subprocess.Popen[bytes]] = []
    try:
        return _measured(options.rows, options.seconds, servers)
    finally:
        for server in servers:
            server.terminate()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _measured(rows: int, seconds: float, servers: list[subprocess.Popen[bytes]]) -> int:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    settings.STATIC_ROOT.mkdir(parents=True)
    for alias in ("default", "source"):
        call_command("migrate", database=alias, verbosity=0)
    call_command("load_demo", executions=rows, verbosity=0)
    with connections["source"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    token = _caller()
    ports = {"floor": _free_port(), "portal": _free_port()}
    for name, port in ports.items():
        servers.append(subprocess.Popen([sys.executable, __file__, "--serve", name, "--port", str(port)]))
    heads = f"{'floor/s':>10}{'portal/s':>10}{'usual/s':>9}{'x floor':>9}{'x usual':>9}"
    print(f"{'list':<20}{'rows':>6}{'bytes':>9}{heads}")
    found = 0
    for prefix in LISTS:
        for size in SIZES:
            places = (
                (ports["floor"], f"/{prefix}?limit={size}"),
                (ports["portal"], f"/api/v1/{prefix}?limit={size}"),
                (ports["portal"], f"/api/usual/{prefix}?limit={size}"),
            )
            length = _wait_for(*places[1], token)
            best = [0.0] * len(places)
            for _ in range(ROUNDS):
                for number, (port, path) in enumerate(places):
                    rate = asyncio.run(_per_second(port, path, token, seconds / ROUNDS))
                    best[number] = max(best[number], rate)
            bad = size == 100 and best[1] < LEAST_OF_FLOOR * best[0]
            found += bad
            ratios = f"{best[1] / best[0]:>9.2f}{best[1] / best[2]:>9.1f}"
            head = f"{prefix:<20}{size:>6}{length:>9}"
            print(f"{head}{best[0]:>10.0f}{best[1]:>10.0f}{best[2]:>9.0f}{ratios}{'  under' * bad}", flush=True)
    return int(found > 0)


def _caller() -> str:
    """A token of an operator of the lab's teams, to which its hosts belong."""
    from django.contrib.auth.models import Group

    from apps.accounts.models import ApiToken, HostTeam, TeamMembership, User
    from apps.accounts.tokens import issue
    from apps.mirror.models import SystemMetric, Team

    person = User.objects.create_user("bench")
    person.groups.add(Group.objects.get(name="operator"))
    teams = list(Team.objects.values_list("id", flat=True))
    for team in teams:
        TeamMembership.objects.create(user=person, team_id=team)
    hosts = SystemMetric.objects.order_by().values_list("host_name", flat=True).distinct()
    HostTeam.objects.bulk_create(HostTeam(host_name=host, team_id=teams[0]) for host in hosts)
    _, text = issue(owner=person, name="bench", scopes=[ApiToken.Scope.READ])
    return text


def _portal() -> Application:
    """The portal, with the usual way beside it under `/api/usual/`."""
    from django.core.wsgi import get_wsgi_application
    from django.urls import path
    from rest_framework import generics, pagination, renderers, serializers

    import vptmonitor.urls
    from apps.accounts.access import access
    from apps.accounts.roles import Role
    from apps.accounts.scope import scope_of
    from apps.mirror.shape import mirrored_models

    def view_of(table: str, moment: str) -> Any:
        model_ = next(model for model in mirrored_models() if model._meta.db_table == table)

        class Row(serializers.ModelSerializer[Any]):
            class Meta:
                model = model_
                fields = "__all__"

        class Pages(pagination.CursorPagination):
            ordering = (f"-{moment}", "-id")
            page_size_query_param = "limit"
            max_page_size = 1000

        @access(Role.VIEWER)
        class Usual(generics.ListAPIView[Any]):
            renderer_classes = (renderers.JSONRenderer,)
            serializer_class = Row
            pagination_class = Pages

            def get_queryset(self) -> Any:
                return model_.objects.visible_to(scope_of(self.request.user))

        return Usual.as_view()

    vptmonitor.urls.urlpatterns[:0] = [
        path(f"api/usual/{prefix}", view_of(table, moment)) for prefix, (table, moment, _) in LISTS.items()
    ]
    return get_wsgi_application()


def _serve(name: str, port: int) -> int:
    """The process of one application, behind the portal's own HTTP server."""
    import django
    import uvicorn

    django.setup()
    from vptmonitor.http_pool import HttpPool

    application = _floor() if name == "floor" else _portal()
    uvicorn.run(HttpPool(application, threads=CONNECTIONS), port=port, log_level="error", access_log=False)
    return 0


def _floor() -> Application:
    """The same pages as one JSON text each, from the database to the wire."""
    import psycopg2
    from django.db import connections

    from apps.accounts.models import HostTeam, TeamMembership

    values = {
        "team_id": [str(team) for team in TeamMembership.objects.values_list("team_id", flat=True)],
        "host_name": list(HostTeam.objects.values_list("host_name", flat=True)),
    }
    parameters = connections["source"].get_connection_params()
    kept = threading.local()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not hasattr(kept, "connection"):
            kept.connection = psycopg2.connect(**parameters)
            kept.connection.autocommit = True
        table, moment, owner = LISTS[environ["PATH_INFO"].strip("/")]
        sql = (
            f"SELECT coalesce(json_agg(row_to_json(page)), '[]')::text FROM (SELECT * FROM {table}"
            f" WHERE {owner} = ANY (%s::{'uuid' if owner == 'team_id' else 'text'}[])"
            f" ORDER BY {moment} DESC, id DESC LIMIT %s) page"
        )
        with kept.connection.cursor() as cursor:
            cursor.execute(sql, (values[owner], int(environ["QUERY_STRING"].partition("=")[2])))
            body: bytes = cursor.fetchone()[0].encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return application


def _free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port: int = place.getsockname()[1]
        return port


def _wait_for(port: int, path: str, token: str) -> int:
    """Ask until the server is there; the length of its answer."""
    deadline = time.monotonic() + 60
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"http://localhost:{port}{path}", headers=headers)
    while True:
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310 -- our own server
                return len(answer.read())
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


async def _per_second(port: int, path: str, token: str, seconds: float) -> float:
    """Answers per second to `CONNECTIONS` connections that each ask again as soon as they were answered."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()
    end = time.perf_counter() + seconds
    count = 0

    async def ask() -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection("localhost", port)
        while time.perf_counter() < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().partition(b"content-length:")[2].split(None, 1)[0])
            await reader.readexactly(length)
            count += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
