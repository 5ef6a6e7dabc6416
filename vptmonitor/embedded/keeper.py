"""The keeper: a small daemon that runs one PostgreSQL server for as long as somebody needs it.

    python -m vptmonitor.embedded.keeper DATA_DIR [--not-durable]

Every process that needs the server holds a shared lock on `users.lock`. Twice a second the keeper tries to take that
lock alone; when it could for a second and a half, nobody is left, and it stops the server and ends. It keeps the lock
meanwhile, so that a newcomer waits and then starts a keeper of its own. Polling costs two system calls a second; a
blocking flock would need a second thread, and could not notice a deleted data directory.

The start is reported on standard output in one line: `ok`, `busy` (another keeper is there) or `error: <sentence>`.
"""

import argparse
import contextlib
import fcntl
import os
import select
import signal
import sys
import time
from pathlib import Path

from vptmonitor.embedded.errors import EmbeddedError
from vptmonitor.embedded.identity import become, server_identity
from vptmonitor.embedded.layout import (
    Layout,
    State,
    clear_state,
    lock_until,
    open_lock,
    same_file,
    try_lock,
    write_state,
)
from vptmonitor.embedded.server import PORT, Server, ensure_passwords, programs

POLL_SECONDS = 0.5
START_POLL_SECONDS = 0.01
GRACE_SECONDS = 1.5
FAST_STOP_SECONDS = 10
IMMEDIATE_STOP_SECONDS = 5
CRASHES_PER_MINUTE = 5


class Keeper:
    """Runs the server, restarts it after a crash, stops it when nobody is left.

    `lock` and `users` are open on the two lock files; the first is held.
    """

    def __init__(self, layout: Layout, server: Server, lock: int, users: int) -> None:
        self.layout = layout
        self.server = server
        self.lock = lock
        self.users = users
        self.told_to_stop = False
        self._wake_read, self._wake_write = os.pipe()

    def start(self, passwords: dict[str, str]) -> None:
        """Bring the server up; raises EmbeddedError or OSError when that fails."""
        self._listen_for_signals()
        self.server.clear_leftovers()
        self.server.apply_passwords(passwords)
        self._start_server()

    def run(self) -> None:
        """Keep the server until nobody is left, a signal comes, or it cannot be kept."""
        folder = self._folder_mark()
        idle_since: float | None = None
        crashes: list[float] = []
        while not self.told_to_stop:
            self._wait(POLL_SECONDS)
            if self._folder_mark() != folder:
                # Somebody removed or moved the data. A stop in order would also remove the socket of a server that may
                # be starting in the same place by now.
                self.server.note("keeper: the data directory is gone, ending the server")
                self.server.kill()
                return
            process = self.server.process
            if process is not None and process.poll() is not None:
                crashes = [at for at in crashes if at > time.monotonic() - 60] + [time.monotonic()]
                self.server.note(f"keeper: the server ended by itself with code {process.returncode}")
                if len(crashes) > CRASHES_PER_MINUTE:
                    self.server.note("keeper: giving up after too many crashes")
                    return
                self._tell("starting")
                self.server.clear_leftovers()
                self._start_server()
                continue
            self.server.trim_log()
            if not try_lock(self.users, fcntl.LOCK_EX):
                idle_since = None
                continue
            now = time.monotonic()
            idle_since = idle_since or now
            if now - idle_since >= GRACE_SECONDS:
                break  # with the lock held: newcomers wait until this process has ended
            fcntl.flock(self.users, fcntl.LOCK_UN)
        self._tell("stopping")
        self.server.stop(fast_seconds=FAST_STOP_SECONDS, immediate_seconds=IMMEDIATE_STOP_SECONDS)

    def _start_server(self) -> None:
        self.server.start()
        self._tell("starting")
        process = self.server.process
        while process is not None and not self.server.ready():
            if self.told_to_stop:
                return
            if process.poll() is not None:
                raise EmbeddedError(self.server.explain())
            self._wait(START_POLL_SECONDS)
        self._tell("ready")

    def _tell(self, status: str) -> None:
        pid = self.server.process.pid if self.server.process else 0
        write_state(self.lock, State(status, os.getpid(), pid, str(self.server.host), PORT))

    def _listen_for_signals(self) -> None:
        os.set_blocking(self._wake_write, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop_on_signal)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _stop_on_signal(self, *_: object) -> None:
        self.told_to_stop = True

    def _wait(self, seconds: float) -> None:
        """Wait for a signal (the server's end is one), at most so long."""
        if select.select([self._wake_read], [], [], seconds)[0]:
            os.read(self._wake_read, 4096)

    def _folder_mark(self) -> tuple[int, int] | None:
        """What changes when the data directory or the lock file is removed or replaced."""
        try:
            status = self.layout.data.stat()
        except OSError:
            return None
        if not same_file(self.lock, self.layout.keeper_lock):
            return None
        return status.st_dev, status.st_ino


def main(arguments: list[str] | None = None) -> int:
    """The command; returns at once with 0, the keeper goes on in a session of its own."""
    parser = argparse.ArgumentParser(prog="vptmonitor.embedded.keeper", description="Keep one embedded PostgreSQL.")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--not-durable", action="store_true", help="for tests: a crash of the machine may lose all")
    options = parser.parse_args(arguments)
    if os.fork():
        return 0
    os.setsid()
    os.chdir("/")
    report = os.dup(1)
    try:
        layout = Layout(options.data_dir.resolve())
        layout.make_folders()
        log = os.open(layout.log, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        _detach(log)
        lock, users = open_lock(layout.keeper_lock), open_lock(layout.users_lock)
        # A client who looks whether a keeper lives holds the lock for an instant, hence the second.
        if not lock_until(lock, fcntl.LOCK_EX, time.monotonic() + 1):
            _say(report, "busy")
            return 0
        clear_state(lock)
        needed = [layout.data, layout.socket, programs() / "postgres", Path(__file__)]
        identity = server_identity(layout.data, needed)
        server = Server(layout, identity, log, durable=not options.not_durable)
        passwords = ensure_passwords(layout)
        server.prepare()
        become(identity)
        keeper = Keeper(layout, server, lock, users)
        try:
            keeper.start(passwords)
            _say(report, "ok")
            keeper.run()
        except (EmbeddedError, OSError) as error:
            server.note(f"keeper: {error}")
            server.kill()
            raise
    except (EmbeddedError, OSError) as error:
        _say(report, f"error: {EmbeddedError.from_os(error) if isinstance(error, OSError) else error}")
        return 1
    return 0


def _detach(log: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(null)


def _say(report: int, line: str) -> None:
    # Whoever started us may be gone, or may have been answered before.
    with contextlib.suppress(OSError):
        os.write(report, (line + "\n").encode())
        os.close(report)


if __name__ == "__main__":
    sys.exit(main())
