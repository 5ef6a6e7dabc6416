"""The double's HTTP server: who asks, what is asked, what goes wrong on the way."""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.grafana.double import apis, dashboards, folders, others
from tests.grafana.double.asked import Answer, Asked, denied, refused
from tests.grafana.double.faults import Fault, Faults
from tests.grafana.double.flavour import V12, Flavour
from tests.grafana.double.store import Json, Store

USER, PASSWORD, TOKEN = "admin", "password of the double", "glsa_token_of_the_double"
STALLED_AT_MOST = 30.0
"""Seconds after which a stalled answer comes by itself, so that a failing test ends."""

UID = r"([^/]+)"
SPACE = r"/namespaces/[a-z0-9-]+/dashboards"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", "/api/org", others.organisation),
    ("GET", "/api/access-control/user/permissions", others.account),
    ("GET", "/api/plugins", others.plugins),
    ("GET", "/api/datasources", others.data_sources),
    ("POST", "/api/datasources", others.create_data_source),
    ("GET|DELETE", f"/api/datasources/uid/{UID}", others.data_source),
    ("GET", "/api/teams/search", others.teams),
    ("POST", "/api/teams", others.create_team),
    ("DELETE", f"/api/teams/{UID}", others.delete_team),
    ("GET", "/api/search", dashboards.search),
    ("POST", "/api/dashboards/db", dashboards.save),
    ("GET", f"/api/dashboards/uid/{UID}", dashboards.read),
    ("DELETE", f"/api/dashboards/uid/{UID}", dashboards.delete),
    ("GET", f"/api/dashboards/uid/{UID}/versions", dashboards.versions),
    ("GET|POST", f"/api/dashboards/uid/{UID}/permissions", dashboards.permissions),
    ("POST|DELETE", f"/api/user/stars/dashboard/uid/{UID}", dashboards.star),
    ("GET", "/api/folders", folders.listed),
    ("POST", "/api/folders", folders.create),
    ("GET", f"/api/folders/{UID}", folders.read),
    ("PUT", f"/api/folders/{UID}", folders.rename),
    ("DELETE", f"/api/folders/{UID}", folders.delete),
    ("POST", f"/api/folders/{UID}/move", folders.move),
    ("GET|POST", f"/api/folders/{UID}/permissions", folders.permissions),
    ("GET", "/api/library-elements", others.panels),
    ("POST", "/api/library-elements", others.create_panel),
    ("GET", f"/api/library-elements/{UID}", others.panel),
    ("PATCH", f"/api/library-elements/{UID}", others.change_panel),
    ("DELETE", f"/api/library-elements/{UID}", others.delete_panel),
    ("GET", f"/api/library-elements/{UID}/connections/", others.panel_users),
]
NEWER_ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", f"/apis/{apis.GROUP}", apis.group),
    ("GET", f"/apis/{apis.GROUP}/{UID}{SPACE}", apis.many),
    ("POST", f"/apis/{apis.GROUP}/{UID}{SPACE}", apis.create),
    ("GET", f"/apis/{apis.GROUP}/{UID}{SPACE}/{UID}", apis.one),
]


@dataclass(frozen=True)
class Logged:
    """A request that came in whole. `did` is the status that was decided, None when a fault ate it."""

    method: str
    path: str
    did: int | None


class Double:
    """Starts at once; `close` it. `stores` are its organisations by id, `log` what was asked.

    `path`: below which it is served. `tls`: what it speaks HTTPS with.
    """

    def __init__(self, flavour: Flavour = V12, *, path: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.flavour = flavour
        self.stores = {1: Store(flavour, "Main Org.")}
        self.log: list[Logged] = []
        self.redirect = ""
        self.database = "ok"
        self.search_lags = False
        self.forbidden: dict[str, str] = {}
        """Paths that the account may not ask, by a part of them, and the permission that is missing."""
        self._faults = Faults()
        self._base = path
        self._lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.double = self
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}{path}"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="grafana double").start()

    @property
    def store(self) -> Store:
        """The first organisation."""
        return self.stores[1]

    def close(self) -> None:
        self._faults.release_all()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()

    # What tests do behind the client's back ------------------------------------------------------------------------

    def order(self, fault: Fault) -> Fault:
        """Let something go wrong."""
        return self._faults.order(fault)

    def edit(self, uid: str, *, by: str = "anna", folder_uid: str | None = None, **changes: Any) -> int:
        """Somebody saves a dashboard in Grafana's own pages; the new version."""
        with self._lock:
            found = self.store.dashboards[uid]
            folder = found.folder_uid if folder_uid is None else folder_uid
            made = self.store.put(uid, {**found.body, **changes}, folder, "", by, schema=found.schema)
            self.store.settle()
            return made.version

    def provision(self, uid: str, body: Json, *, allow_edits: bool, file: str = "file.json") -> None:
        """A dashboard comes from a file of Grafana's."""
        with self._lock:
            made = self.store.put(uid, body, "", "", "Anonymous")
            made.file, made.locked = file, not allow_edits
            made.manager = {
                "grafana.app/managedBy": "classic-file-provisioning", "grafana.app/managerId": "files",
                "grafana.app/sourcePath": f"/etc/dashboards/{file}",
            }  # fmt: skip
            self.store.settle()

    def counted(self, method: str = "", path: str = "") -> int:
        """How many requests came whose method and path fit."""
        return sum(method in {"", one.method} and path in one.path for one in self.log)

    @property
    def writes(self) -> int:
        return sum(one.method != "GET" for one in self.log)

    # Requests -------------------------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: dict[str, str], content: bytes) -> Answer | Fault:
        """One request; a Fault where the connection must end instead."""
        parts = urlsplit(target)
        path = unquote(parts.path).removeprefix(self._base)
        fault = self._faults.next(method, path)
        if fault is not None and fault.kind in {"status", "drop_before", "garbage"}:
            with self._lock:
                self.log.append(Logged(method, path, fault.status if fault.kind == "status" else None))
            return fault
        with self._lock:
            done = self._decided(method, path, dict(parse_qsl(parts.query)), headers, content)
            self.log.append(Logged(method, path, done[0]))
        if fault is not None and fault.kind == "stall":
            fault.released.wait(STALLED_AT_MOST)
        return fault if fault is not None and fault.kind == "drop_after" else done

    def _decided(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], content: bytes
    ) -> Answer:
        if self.redirect:
            return 302, self.redirect
        if path == "/api/health":
            health = {"database": self.database, "version": self.flavour.version, "commit": "double"}
            return (200 if self.database == "ok" else 503), health
        by = _account(headers.get("authorization", ""))
        if not by:
            said = "Invalid username or password" if headers.get("authorization") else "Unauthorized"
            return 401, {"extra": None, "message": said, "messageId": "auth.unauthorized", "statusCode": 401}
        store = self.stores.get(int(headers.get("x-grafana-org-id", "1")))
        needed = next((needed for part, needed in self.forbidden.items() if part in path), "")
        if store is None or needed:
            return denied(needed or "orgs:read")
        try:
            body = json.loads(content) if content else None
        except ValueError:
            return refused(400, "bad request data")
        asked = Asked(method, path, query, body, headers, store, by, self.search_lags)
        for methods, pattern, does in ROUTES + (NEWER_ROUTES if self.flavour.unified else []):
            match = re.fullmatch(pattern, path)
            if match and method in methods.split("|"):
                return does(asked, *match.groups())
        if path.startswith("/apis/"):
            return 404, "404 page not found"
        return refused(404, "Not found")


def _account(authorization: str) -> str:
    """The login behind the header, empty for none."""
    kind, _, value = authorization.partition(" ")
    if kind == "Bearer" and value == TOKEN:
        return "sync"
    if kind == "Basic" and base64.b64decode(value).decode() == f"{USER}:{PASSWORD}":
        return USER
    return ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    double: Double

    def __init__(self, *arguments: Any) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Those that clients keep alive."""
        for one in list(self._connections):
            super().shutdown_request(one)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went is no error; what is one shows in the answer that the test misses."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length) if length else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        double = cast(_Server, self.server).double
        done = double.answer(self.command, self.path, headers, content)
        if isinstance(done, Fault):
            self._failed(done)
        else:
            self._send(*done)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _failed(self, fault: Fault) -> None:
        if fault.kind == "status":
            self._send(fault.status, {"message": "ordered by the test"}, fault.headers)
        elif fault.kind == "garbage":
            self._send(200, "<html>not a Grafana</html>")
        else:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        page = isinstance(answer, str)
        content = answer.encode() if page else json.dumps(answer).encode()
        self.send_response_only(status)
        if 300 <= status < 400:
            self.send_header("Location", answer)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html" if page else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: `Double.log` has it."""
