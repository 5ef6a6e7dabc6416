"""A small server in Grafana's place: pages of one panel that say what they were asked; it can go and come back."""

from __future__ import annotations

import html
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.start.portal import free_port

FOLLOW = """<script>addEventListener("popstate", () => {
  const asked = new URLSearchParams(location.search);
  document.getElementById("panel").textContent = `${asked.get("panelId")} moved to ${asked.get("from")}`;
})</script>"""
"""Like Grafana's program, the page follows its address."""


class GrafanaDouble:
    """Listens on a port of its own that stays the same when it is stopped and started. `asked` are the addresses of its
    pages, `strangers` those that came without the portal's token or with a cookie."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: list[str] = []
        self.strangers: list[str] = []
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it serves, with the sub path."""
        return f"http://127.0.0.1:{self.port}/grafana"

    def start(self) -> None:
        """Listen, if it does not already."""
        if self._server is not None:
            return
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                double._answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        kind, body = "application/json", json.dumps({"database": "ok", "version": "12.4.0"})
        if not parts.path.endswith("/api/health"):
            if not request.headers["X-JWT-Assertion"] or request.headers["Cookie"]:
                self.strangers.append(request.path)
            self.asked.append(request.path)
        if "/d" in parts.path.removeprefix("/grafana") and "/api/" not in parts.path:
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            text = html.escape(f"{asked.get('panelId', asked.get('viewPanel', 'all'))} from {asked.get('from')}")
            kind = "text/html; charset=utf-8"
            body = f"<!DOCTYPE html><html lang=en><title>Grafana</title><p id=panel>{text}</p>{FOLLOW}</html>"
        data = body.encode()
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)
