"""Real processes that use an embedded server, and ways to look at them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812

from vptmonitor.embedded import EmbeddedCluster, EmbeddedError
from vptmonitor.embedded.layout import Layout, State, read_state

ROOT = Path(__file__).resolve().parents[2]

_HOLD = """
import json, sys
from pathlib import Path
from vptmonitor.embedded import EmbeddedCluster, EmbeddedError
cluster = EmbeddedCluster(Path(sys.argv[1]), durable=sys.argv[2] == "durable", start_seconds=30)
try:
    where = cluster.ensure_running()
except EmbeddedError as error:
    print(json.dumps({"error": str(error)}), flush=True)
    sys.exit(1)
print(json.dumps(vars(where)), flush=True)
sys.stdin.read()
"""


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 15) -> Any:
    """The condition's value as soon as it is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)
    return value


class Holder:
    """Another process that ensures the server and then only holds it."""

    def __init__(self, data: Path, *, durable: bool = False, **popen: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HOLD, data, "durable" if durable else "not"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            **popen,
        )

    def answer(self) -> dict[str, Any]:
        """Where the server is, or {"error": sentence}."""
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait(10)
        self.close()

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@contextlib.contextmanager
def holding(data: Path, **options: Any) -> Iterator[Holder]:
    holder = Holder(data, **options)
    try:
        yield holder
    finally:
        if holder.process.poll() is None:
            holder.process.kill()
            holder.process.wait(10)
        holder.close()


def connect(cluster: EmbeddedCluster, database: str = "postgres") -> Connection:
    where = cluster.ensure_running()
    made = psycopg2.connect(
        host=where.host, port=where.port, user=where.user, password=where.password, dbname=database, connect_timeout=10
    )
    made.autocommit = True
    return made


def ask(cluster: EmbeddedCluster, query: str, database: str = "postgres") -> Any:
    """The first column of the query's first row, or None for a statement."""
    with contextlib.closing(connect(cluster, database)) as made, made.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]


def ask_through_restart(cluster: EmbeddedCluster, query: str) -> Any:
    """Like a careful client: a connection that breaks while the server restarts is made anew."""

    def attempt() -> list[Any]:
        try:
            return [ask(cluster, query)]
        except psycopg2.OperationalError:
            return []

    return wait_for(attempt, "an answer after the restart")[0]


def state(data: Path) -> State | None:
    return read_state(Layout(data).keeper_lock)


def live_state(data: Path) -> State:
    found: State = wait_for(lambda: (s := state(data)) and s.status == "ready" and s, "a server that is ready")
    return found


def command_lines() -> dict[int, str]:
    """Every process of this machine with its command line."""
    if Path("/proc/self").exists():
        lines = {}
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdigit():
                    words = (folder / "cmdline").read_bytes()
                    lines[int(folder.name)] = words.replace(b"\0", b" ").decode(errors="replace").strip()
        return lines
    shown = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
    rows = (line.strip().partition(" ") for line in shown.stdout.splitlines())
    return {int(pid): command for pid, _, command in rows}


def alive(pid: int) -> bool:
    return bool(command_lines().get(pid))


def keepers(data: Path) -> list[int]:
    return [p for p, line in command_lines().items() if "vptmonitor.embedded.keeper" in line and str(data) in line]


def stop_quietly(data: Path) -> None:
    """For the end of a test: the server is gone, whatever the test did to it."""
    with contextlib.suppress(EmbeddedError):
        EmbeddedCluster(data).stop()
    for pid in keepers(data):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
