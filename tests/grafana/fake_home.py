"""A small program in Grafana's place: started, configured and stopped as Grafana is, with a health address and a log.

`make_home` puts it where a release has its programs; `behaviour.json` in that folder says what it does (`Behaviour`).
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

PROGRAM: Final = """#!{python}
import json, os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

arguments = sys.argv[1:]
home = Path(__file__).resolve().parents[1]
does = json.loads((home / "behaviour.json").read_text())
if "-v" in arguments:
    print("Version {version} (commit: none, branch: HEAD)")
    sys.exit(0)
if "reset-admin-password" in arguments:
    (home / "password").write_text(sys.stdin.readline().rstrip("\\n"))
    sys.exit(does["reset_status"])
given = dict(zip(arguments[:-1], arguments[1:]))
lines = Path(given["--config"]).read_text().splitlines()
port = next(int(line.split("=")[1]) for line in lines if line.startswith("http_port"))
data = next(line.split("=", 1)[1].strip() for line in lines if line.startswith("data = "))
(home / "started.json").write_text(json.dumps({{"arguments": arguments, "environment": dict(os.environ)}}))
Path(data, "grafana.db").touch()

def say(**line):
    print(json.dumps(line), flush=True)

if does["ignore_sigterm"]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
say(level="info", logger="settings", msg="good news")
say(level="warn", logger="http.server", msg="careful", caller="x.go:1", status=404)
print("plain words", flush=True)
if does["exit_at_once"] is not None:
    print("panic: it is broken", flush=True)
    sys.exit(does["exit_at_once"])

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        healthy = not (home / "sick").exists()
        body = json.dumps({{"database": "ok" if healthy else "failing", "version": "{version}"}}).encode()
        self.send_response(200 if healthy and self.path == "/grafana/api/health" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass

ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@dataclass(frozen=True)
class Behaviour:
    """`exit_at_once` is the code to end with before it listens; None to listen."""

    exit_at_once: int | None = None
    ignore_sigterm: bool = False
    reset_status: int = 0


def make_home(
    folder: Path, version: str = "12.4.2", program: str = "grafana", behaviour: Behaviour | None = None
) -> Path:
    """A folder that is laid out as a release of Grafana; `program` is the name of what runs it."""
    (folder / "bin").mkdir(parents=True)
    (folder / "conf").mkdir()
    (folder / "conf" / "defaults.ini").write_text("")
    (folder / "behaviour.json").write_text(json.dumps(asdict(behaviour or Behaviour())))
    names = [program, "grafana-cli"] if program == "grafana-server" else [program]
    for name in names:
        path = folder / "bin" / name
        path.write_text(PROGRAM.format(python=sys.executable, version=version))
        path.chmod(0o755)
    return folder
