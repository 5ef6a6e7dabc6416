"""The side of the processes that use the embedded server."""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from vptmonitor.embedded.errors import EmbeddedError
from vptmonitor.embedded.identity import user_name
from vptmonitor.embedded.layout import Layout, lock_until, open_lock, read_state, same_file, try_lock
from vptmonitor.embedded.processes import command_words
from vptmonitor.embedded.server import OWNER, read_passwords

_POLL_SECONDS = 0.01

# Data directory to the descriptor whose shared lock keeps its server up. One per process, however many
# EmbeddedClusters there are; never closed but by `release`, so that the lock lives as long as the process.
_held: dict[Path, int] = {}
_held_guard = threading.Lock()

# Device and inode of a data directory, with a database that was seen in it by this process.
_seen: set[tuple[int, int, str]] = set()


@dataclass(frozen=True)
class ConnectionInfo:
    """How to connect with libpq; `host` is the folder of the server's socket."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


class EmbeddedCluster:
    """The embedded PostgreSQL on one data directory, made at the first start.

    `durable=False` is for tests: faster, and lost when the machine crashes (not when a process does).
    `start_seconds` bounds how long a call waits for the server, recovery after a crash included.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, start_seconds: float = 60) -> None:
        self._layout = Layout(data_dir.resolve())
        self._durable = durable
        self._start_seconds = start_seconds

    def ensure_running(self) -> ConnectionInfo:
        """Start the server unless it runs, hold it for the life of this process, and say where it is.

        Raises EmbeddedError.
        """
        deadline = time.monotonic() + self._start_seconds
        try:
            self._hold_until(deadline)
            while (found := self._where()) is None:
                self._start_or_wait(deadline)
            return found
        except OSError as error:
            raise self._sentence(error) from error

    def hold(self, *, through_exec: bool = False) -> None:
        """Keep the server up until this process ends, if it runs; `ensure_running` does this too.

        `through_exec`: also when this process becomes another program by exec. Raises EmbeddedError.
        """
        try:
            self._hold_until(time.monotonic() + self._start_seconds)
            if through_exec:
                os.set_inheritable(_held[self._layout.data], True)
        except OSError as error:
            raise self._sentence(error) from error

    def release(self) -> None:
        """Let go of the server before this process ends. It stops soon after, when nobody else holds it."""
        with _held_guard:
            descriptor = _held.pop(self._layout.data, None)
        if descriptor is not None:
            os.close(descriptor)

    def stop(self, *, seconds: float = 30) -> None:
        """Stop the server now, whoever holds it, and wait. Who needs it then starts it again by `ensure_running`.

        Raises EmbeddedError when it still runs after `seconds`, or belongs to another user or container.
        """
        self.release()
        deadline = time.monotonic() + seconds
        try:
            while (state := read_state(self._layout.keeper_lock)) is not None:
                # The keeper may live in another container, where its number means another process than here.
                if "vptmonitor.embedded.keeper" in command_words(state.keeper_pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(state.keeper_pid, signal.SIGTERM)
                if time.monotonic() >= deadline:
                    raise EmbeddedError(f"The embedded PostgreSQL does not stop; {self._layout.log} tells more.")
                time.sleep(_POLL_SECONDS)
        except OSError as error:
            raise self._sentence(error) from error

    def ensure_database(self, name: str, *, owner: str = OWNER) -> None:
        """Create the database unless it exists; starts the server. Looks once for each process, so that it may be
        called before every connection. Raises EmbeddedError, psycopg2.Error."""
        # Not at the top: the keeper imports this package, and needs no client library.
        import psycopg2
        from psycopg2 import errors, sql

        where = self.ensure_running()
        status = self._layout.data.stat()
        mark = (status.st_dev, status.st_ino, name)
        if mark in _seen:
            return
        connection = psycopg2.connect(
            host=where.host, port=where.port, user=where.user, password=where.password, dbname="postgres"
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
                if cursor.fetchone() is None:
                    create = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner))
                    # Another process may be faster.
                    with contextlib.suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                        cursor.execute(create)
        finally:
            connection.close()
        _seen.add(mark)

    def _hold_until(self, deadline: float) -> None:
        path = self._layout.users_lock
        while not self._holds():
            self._layout.make_folders()
            descriptor = open_lock(path)
            if not lock_until(descriptor, fcntl.LOCK_SH, deadline):
                os.close(descriptor)
                raise EmbeddedError(
                    f"The embedded PostgreSQL is stopping and does not finish; {self._layout.log} tells more."
                )
            with _held_guard:
                # Another thread may have been faster, or the folder was removed and the old lock means nothing now.
                former = _held.get(self._layout.data)
                if former is not None:
                    os.close(former)
                _held[self._layout.data] = descriptor

    def _holds(self) -> bool:
        descriptor = _held.get(self._layout.data)
        return descriptor is not None and same_file(descriptor, self._layout.users_lock)

    def _where(self) -> ConnectionInfo | None:
        state = read_state(self._layout.keeper_lock)
        if state is None or state.status != "ready":
            return None
        return ConnectionInfo(state.host, state.port, OWNER, read_passwords(self._layout)[OWNER])

    def _start_or_wait(self, deadline: float) -> None:
        """One step towards a running server: start a keeper when there is none and nobody else starts one."""
        if time.monotonic() >= deadline:
            raise EmbeddedError(
                f"The embedded PostgreSQL was not ready within {self._start_seconds:g} seconds; "
                f"{self._layout.log} tells more."
            )
        descriptor = open_lock(self._layout.start_lock)
        try:
            if try_lock(descriptor, fcntl.LOCK_EX) and read_state(self._layout.keeper_lock) is None:
                self._start_keeper(deadline)
                return
        finally:
            os.close(descriptor)
        time.sleep(_POLL_SECONDS)

    def _start_keeper(self, deadline: float) -> None:
        project = Path(__file__).resolve().parents[2]
        # Nothing of our environment: it may hold secrets that no database server should see.
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        report, report_end = os.pipe()
        try:
            # Ends at once: the keeper is its child, in a session of its own.
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "vptmonitor.embedded.keeper",
                    self._layout.data,
                    *([] if self._durable else ["--not-durable"]),
                ],
                cwd="/",
                env={**kept, "PYTHONPATH": str(project), "PYTHONUTF8": "1"},
                stdin=subprocess.DEVNULL,
                stdout=report_end,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            os.close(report_end)
            report_end = -1
            line = _read_line(report, deadline)
        finally:
            os.close(report)
            if report_end >= 0:
                os.close(report_end)
        kind, _, sentence = line.partition(": ")
        if kind == "error":
            raise EmbeddedError(sentence)
        if kind == "":
            raise EmbeddedError(f"The keeper of the embedded PostgreSQL ended early; {self._layout.log} tells more.")
        if kind == "busy":
            time.sleep(_POLL_SECONDS)

    def _sentence(self, error: OSError) -> EmbeddedError:
        if isinstance(error, PermissionError) and self._layout.run.exists():
            owner = user_name(self._layout.run.stat().st_uid)
            return EmbeddedError(
                f"{error.filename} belongs to {owner}, and {user_name(os.geteuid())} may not use it: start as {owner}."
            )
        return EmbeddedError.from_os(error)


def _read_line(descriptor: int, deadline: float) -> str:
    """What is written before the first line end, the end of the file or the deadline ("late")."""
    text = b""
    while b"\n" not in text:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return "late"
        part = os.read(descriptor, 4096)
        if not part:
            break
        text += part
    return text.decode(errors="replace").partition("\n")[0]
