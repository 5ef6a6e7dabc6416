"""What `manage.py run_grafana` becomes when all is prepared: `python -m apps.grafana.process FILE`.

It keeps a Grafana running as long as it runs itself, tells the portal's other processes what it does (`run_state`), and
puts Grafana's lines into the portal's log. It knows no Django: what watches a program need not weigh as much as a
portal. It restarts nothing: when Grafana ends, or does not answer for a minute, it ends too, and its supervisor starts
both anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import logging
import logging.config
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from apps.grafana import run_state
from apps.grafana.run_state import RUNNING, STARTING, RunState

logger = logging.getLogger("grafana")

LOOK_SECONDS: Final = 0.25
"""How soon the end of Grafana is noticed."""
PROBE_SECONDS: Final = 2.0
"""How long Grafana may take to say that it is well."""
STARTING_PROBE_EVERY: Final = 0.5
PROBE_EVERY: Final = 10.0
SILENT_SECONDS: Final = 60.0
"""After so long without a good answer Grafana is taken for dead, though its process lives."""
START_SECONDS: Final = 600.0
"""The first start makes a database, and one after an update changes it."""
STOP_SECONDS: Final = 2.25
"""From SIGTERM to SIGKILL: the supervisor kills what is left after three seconds."""
ENDING: Final = (signal.SIGTERM, signal.SIGINT)

_LEVELS: Final = {
    "warn": logging.WARNING, "warning": logging.WARNING, "error": logging.ERROR, "eror": logging.ERROR,
    "crit": logging.CRITICAL, "critical": logging.CRITICAL,
}  # fmt: skip
"""Grafana's words and ours. Its good news, hundreds of lines at each start, are details here: LOG_LEVEL=debug."""
_LEFT_OUT: Final = frozenset({"t", "level", "lvl", "logger", "msg", "caller", "stacktrace", "stack"})


@dataclass(frozen=True)
class Plan:
    """What to run. An empty `command` means none: the process then waits for its end. `url` is Grafana's loopback
    address with the sub path; `warnings` are told at each start; `logging` is a `logging.config` dictionary."""

    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = ""
    url: str = ""
    version: str = ""
    home: str = ""
    warnings: list[str] = field(default_factory=list)
    logging: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Keep it in a file of mode 0600. Raises OSError."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file)

    @classmethod
    def read(cls, path: Path) -> Plan:
        """What `write` wrote. Raises OSError, ValueError and TypeError."""
        return cls(**json.loads(path.read_bytes()))


class Keeper:
    """Runs one Grafana until it ends or SIGTERM comes; `run` returns the exit status."""

    def __init__(self, plan: Plan, stop: threading.Event) -> None:
        self._plan = plan
        self._stop = stop
        self._folder = Path(plan.folder)
        self._answered = False

    def run(self) -> int:
        """0 when it was told to stop, else 1, with a line that says why."""
        with (self._folder / "run.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                logger.error("another Grafana of the portal runs already on %s", self._folder)
                return 1
            return self._run()

    def _run(self) -> int:
        address = urlsplit(self._plan.url)
        if _is_taken(address.hostname or "", address.port or 0):
            self._say(RUNNING)
            logger.error("port %d is taken by another program; let GRAFANA_PORT name another", address.port)
            return 1
        for warning in self._plan.warnings:
            logger.warning(warning)
        self._say(STARTING)
        try:
            child = subprocess.Popen(
                self._plan.command, cwd=self._plan.home, env=self._plan.environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except OSError as error:
            self._say(RUNNING)
            logger.error("cannot start %s: %s", self._plan.command[0], error.strerror)
            return 1
        reader = threading.Thread(target=forward, args=(child,), name="grafana-log", daemon=True)
        reader.start()
        try:
            trouble = self._watch(child)
        finally:
            _end(child)
            reader.join(1)
        if trouble is None:
            with contextlib.suppress(OSError):
                (self._folder / run_state.FILE).unlink(missing_ok=True)
            logger.info("Grafana has stopped")
            return 0
        # Not "starting" any more: the portal's pages are to know that it is down.
        self._say(RUNNING)
        logger.error(trouble)
        return 1

    def _watch(self, child: subprocess.Popen[bytes]) -> str | None:
        """Wait for the end; why, unless we are told to stop."""
        begun = good = time.monotonic()
        next_probe = begun
        while not self._stop.wait(LOOK_SECONDS):
            if (status := child.poll()) is not None:
                how = f"with code {status}" if status >= 0 else f"by signal {-status}"
                return f"Grafana ended {how} after {time.monotonic() - begun:.1f} s"
            now = time.monotonic()
            if now < next_probe:
                continue
            if is_well(self._plan.url):
                good = time.monotonic()
                if not self._answered:
                    self._answered = True
                    self._say(RUNNING)
                    logger.info("Grafana %s is ready after %.1f s", self._plan.version, good - begun)
            elif not self._answered and now - begun > START_SECONDS:
                return f"Grafana was not ready within {START_SECONDS:g} s"
            elif self._answered and now - good > SILENT_SECONDS:
                return f"Grafana has not answered for {SILENT_SECONDS:g} s"
            next_probe = time.monotonic() + (PROBE_EVERY if self._answered else STARTING_PROBE_EVERY)
        return None

    def _say(self, status: str) -> None:
        try:
            run_state.write(RunState(status, self._plan.url, self._plan.version, self._plan.home), self._folder)
        except OSError as error:
            logger.warning("cannot write to %s: %s", self._folder, error.strerror)


def is_well(url: str) -> bool:
    """Whether the Grafana at `url` says that it is, within `PROBE_SECONDS`."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", f"{address.path}/api/health", headers={"Host": address.netloc})
        answer = connection.getresponse()
        answer.read(4096)
        return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def forward(child: subprocess.Popen[bytes]) -> None:
    """Put the child's lines into the log, until it closes its output."""
    if child.stdout is not None:
        with child.stdout as lines:
            for line in lines:
                say(line.decode(errors="replace").rstrip())


def say(line: str) -> None:
    """One line of Grafana's: JSON as it writes it when it is told to, or whatever else it, or Go, prints."""
    try:
        told = json.loads(line)
        if not isinstance(told, Mapping):
            raise TypeError
    except (ValueError, TypeError):
        if line:
            logger.log(logging.ERROR if line.startswith(("panic:", "fatal error:")) else logging.INFO, "%s", line)
        return
    level = _LEVELS.get(str(told.get("level", told.get("lvl", ""))).lower(), logging.DEBUG)
    name = str(told.get("logger", ""))
    rest = " ".join(f"{key}={value}" for key, value in told.items() if key not in _LEFT_OUT and value not in ("", None))
    text = f"{told.get('msg', '')} {rest}".strip().replace("\n", " ")
    logging.getLogger(f"grafana.{name}" if name else "grafana").log(level, "%s", text)


def _is_taken(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL when that is not enough; plug-ins of Grafana's end with it."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            logger.warning("Grafana did not stop within %g s and is killed", STOP_SECONDS)
            child.kill()
            child.wait()


def main() -> int:
    """Read the plan, then run it, or wait where there is nothing to run."""
    plan = Plan.read(Path(sys.argv[1]))
    logging.config.dictConfig(plan.logging)
    stop = threading.Event()
    for number in ENDING:
        signal.signal(number, lambda *_: stop.set())
    # What came while this process was becoming what it is, is delivered now.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    if plan.command:
        return Keeper(plan, stop).run()
    stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
