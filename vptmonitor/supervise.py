"""Keep one command running: `python -m vptmonitor.supervise --name web -- command argument ...`. No Django.

honcho starts the lines of the Procfile, stops them all when one ends, and restarts nothing. Each line therefore runs
under this supervisor, which

1. restarts its child whenever it ends, whatever its exit code, after a delay that doubles from half a second to half a
   minute and starts anew once a child has lasted ten seconds;
2. stops child and grandchildren on SIGTERM or SIGINT: SIGTERM first, SIGKILL three seconds later, since honcho
   (`honcho.manager.KILL_WAIT`) kills the supervisor after five; SIGHUP and SIGUSR1 are handed to the child alone, as
   their default action would end helpers that do not expect them;
3. does the same when honcho has gone, which honcho's children otherwise survive;
4. leaves a guard behind that does the same when the supervisor itself is killed. The guard is a shell that waits for
   the end of a pipe from the supervisor. It leads the child's process group, so the group's number cannot be given to
   others while somebody may still signal it.

A process that makes a session of its own leaves the group, and so stays: the embedded database's keeper does.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from vptmonitor import log, process_state, process_table
from vptmonitor.process_state import LastExit, ProcessState, State
from vptmonitor.process_table import Process

logger = logging.getLogger("supervise")

GUARD = 'trap "" HUP INT QUIT TERM USR1 USR2; read _; kill -TERM 0; sleep "$1"; kill -KILL 0'
FORWARDED = (signal.SIGHUP, signal.SIGUSR1)
POLL_SECONDS = 0.25
SETTLED_SECONDS = 1.0


class Options(NamedTuple):
    """The command line. Delays are in seconds."""

    name: str
    command: list[str]
    state_dir: Path
    grace: float
    first_delay: float
    longest_delay: float
    healthy_after: float


class ManagerGoneError(Exception):
    """honcho had ended before this supervisor could start to watch it."""


def find_manager() -> list[Process]:
    """The processes from our parent up to honcho itself; empty when honcho did not start us.

    honcho runs each line below a process of its own made by `multiprocessing`: a fork, whose command line equals
    honcho's, or, where Python's start method is spawn or forkserver, one whose command line says so.

    Raises ManagerGoneError when the chain is broken already.
    """
    if "HONCHO_PROCESS_NAME" not in os.environ:
        return []
    runner = process_table.find(os.getppid())
    if runner is None:
        raise ManagerGoneError
    chain = [runner]
    while len(chain) == 1 or "multiprocessing" in chain[-1].command:
        above = process_table.find(chain[-1].parent)
        if above is None or not _same_session(above, runner):
            raise ManagerGoneError
        chain.append(above)
    if "multiprocessing" not in runner.command and chain[1].command != runner.command:
        raise ManagerGoneError
    return chain


def _same_session(one: Process, other: Process) -> bool:
    """False for an orphan and its new parent, which has nothing to do with honcho and so lives in another session."""
    try:
        return os.getsid(one.pid) == os.getsid(other.pid)
    except OSError:
        return False


class Group:
    """One child in a process group of its own, led by its guard. Raises OSError when the child cannot be executed."""

    def __init__(self, command: Sequence[str], grace: float) -> None:
        self._grace = grace
        self._guard = self._start_guard(0)
        self.number = self._guard.pid
        try:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=self.number)
        except OSError:
            self.end()
            raise
        self.started = time.monotonic()
        self.started_at = datetime.now(UTC)

    def _start_guard(self, group: int) -> subprocess.Popen[bytes]:
        # Its output goes nowhere: honcho sees the end of a line only when the last holder of its output has gone.
        return subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self._grace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=group,
        )

    def lasted(self) -> float:
        """Seconds since the child's start."""
        return time.monotonic() - self.started

    def keep_guarded(self) -> None:
        """Replace the guard when it was killed."""
        if self._guard.poll() is not None:
            self._close_guard()
            with suppress(OSError):
                self._guard = self._start_guard(self.number)

    def is_empty(self) -> bool:
        """Whether the child and all its descendants in the group have ended."""
        return self.child.poll() is not None and not process_table.group_members(self.number) - {self._guard.pid}

    def send(self, number: signal.Signals) -> None:
        """Signal the whole group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.number, number)

    def end(self) -> None:
        """Kill what is left, the guard included, and wait for the guard's end."""
        self.send(signal.SIGKILL)
        self._guard.wait()
        self._close_guard()

    def _close_guard(self) -> None:
        if self._guard.stdin:
            self._guard.stdin.close()


class Supervisor:
    """Runs the command until it is told to stop; `run` returns the exit status."""

    def __init__(self, options: Options, manager: list[Process]) -> None:
        self._options = options
        self._manager = manager
        self._signals: list[int] = []
        self._group: Group | None = None
        self._delay = options.first_delay
        self._exit_status: int | None = None
        self._state_writable = True
        me = process_table.find(os.getpid())
        self._state = ProcessState(options.name, State.STARTING, os.getpid(), me.birth if me else "")
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._waker, False)

    def run(self) -> int:
        """Start, watch, clear up, wait, and again. The status is 128 + signal, or 1 when honcho has gone."""
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, *FORWARDED):
            signal.signal(number, lambda received, _frame: self._signals.append(received))
        while self._exit_status is None:
            ended = self._start() or self._watch()
            next_start = self._plan_restart(ended) if ended else 0.0
            self._clear()
            while self._exit_status is None and (left := next_start - time.monotonic()) > 0:
                self._sleep(min(left, POLL_SECONDS))
        self._say(state=State.STOPPED, child_pid=None, started_at=None, next_start_at=None)
        logger.info("stopped")
        for process in self._manager:
            # Whatever is left of honcho waits for what will never come, so it would stay for ever.
            if self._exit_status == 1 and process_table.is_alive(process):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(process.pid, signal.SIGKILL)
        return self._exit_status

    def _start(self) -> LastExit | None:
        """Start the child; how it failed when it could not be executed."""
        self._say(state=State.STARTING, next_start_at=None)
        try:
            self._group = Group(self._options.command, self._options.grace)
        except OSError as error:
            sentence = f"cannot start {self._options.command[0]!r}: {error.strerror}"
            return LastExit(None, None, sentence, datetime.now(UTC), 0.0)
        logger.info("child %d started", self._group.child.pid)
        self._say(child_pid=self._group.child.pid, started_at=self._group.started_at)
        return None

    def _watch(self) -> LastExit | None:
        """Wait until the child ends, and tell how; None when we are to stop first."""
        group = self._group
        while group and self._exit_status is None:
            status = group.child.poll()
            if status is not None:
                code, number = (status, None) if status >= 0 else (None, -status)
                return LastExit(code, number, None, datetime.now(UTC), round(group.lasted(), 3))
            group.keep_guarded()
            if self._state.state is State.STARTING and group.lasted() >= SETTLED_SECONDS:
                self._say(state=State.RUNNING)
            self._sleep(POLL_SECONDS)
        return None

    def _clear(self) -> None:
        """Stop what is left of the group: SIGTERM, after the grace SIGKILL. What even survives that is told."""
        group, self._group = self._group, None
        if group is None:
            return
        if self._exit_status is not None:
            self._say(state=State.STOPPING)
        kill_at = time.monotonic() + self._options.grace
        group.send(signal.SIGTERM)
        while not group.is_empty():
            now = time.monotonic()
            if now >= kill_at:
                group.send(signal.SIGKILL)
            if now >= kill_at + 0.75 and self._exit_status is not None:
                logger.error("processes of group %d cannot be killed", group.number)
                break
            self._sleep(0.05)
        group.end()

    def _plan_restart(self, ended: LastExit) -> float:
        """Tell the end and the next start, on the monotonic clock: later each time, soon after a healthy child."""
        if ended.lasted_seconds >= self._options.healthy_after:
            self._delay = self._options.first_delay
        delay, self._delay = self._delay, min(self._delay * 2, self._options.longest_delay)
        restarts = self._state.restarts + 1
        if ended.error is not None:
            logger.error("%s, restart %d in %g s", ended, restarts, delay)
        else:
            logger.warning("child %s exited with %s, restart %d in %g s", self._state.child_pid, ended, restarts, delay)
        self._say(
            state=State.BACKING_OFF,
            child_pid=None,
            started_at=None,
            restarts=restarts,
            last_exit=ended,
            next_start_at=datetime.now(UTC) + timedelta(seconds=delay),
        )
        return time.monotonic() + delay

    def _sleep(self, seconds: float) -> None:
        """Wait for a signal, at most so long; then act on all signals that came, and look after honcho."""
        if not self._signals:
            select.select([self._wake], [], [], seconds)
        with suppress(BlockingIOError):
            os.read(self._wake, 4096)
        while self._signals:
            number = signal.Signals(self._signals.pop(0))
            if number in FORWARDED and self._group:
                self._group.child.send_signal(number)
            elif number in (signal.SIGTERM, signal.SIGINT) and self._exit_status is None:
                logger.info("%s received, stopping", number.name)
                self._exit_status = 128 + number
        if self._exit_status is None and not all(map(process_table.is_alive, self._manager)):
            logger.error("honcho has gone, stopping")
            self._exit_status = 1

    def _say(self, **changes: object) -> None:
        """Change the state and write it. A disk that refuses is told once, and never a reason to stop supervising."""
        self._state = self._state._replace(**changes)  # type: ignore[arg-type]
        try:
            process_state.write(self._options.state_dir, self._state)
        except OSError as error:
            if self._state_writable:
                logger.warning("cannot write the state to %s: %s", self._options.state_dir, error.strerror)
            self._state_writable = False
        else:
            self._state_writable = True


def parse(arguments: Sequence[str]) -> Options:
    """The options; ends with a usage line and status 2 when they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m vptmonitor.supervise", description="Keep one command running.")
    parser.add_argument("--name", required=True, help="the Procfile's name of the process")
    parser.add_argument("--state-dir", type=Path, default=process_state.default_directory())
    parser.add_argument("--grace", type=float, default=3.0, help="seconds from SIGTERM to SIGKILL")
    parser.add_argument("--first-delay", type=float, default=0.5, help="seconds before the first restart")
    parser.add_argument("--longest-delay", type=float, default=30.0, help="seconds; delays double up to here")
    parser.add_argument("--healthy-after", type=float, default=10.0, help="seconds; then delays start anew")
    parser.add_argument("command", nargs="+", help="after --, the command and its arguments")
    options = Options(**vars(parser.parse_args(arguments)))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", options.name):
        parser.error(f"--name {options.name!r}: letters, digits, '_', '.' and '-' only")
    return options


def main() -> int:
    """Supervise, as the command line says."""
    options = parse(sys.argv[1:])
    os.environ["VPTMONITOR_PROCESS"] = options.name
    # A log that nobody reads any more, since honcho was killed, must not become a traceback.
    logging.raiseExceptions = False
    handler = logging.StreamHandler()
    handler.setFormatter(log.JsonFormatter() if os.environ.get("LOG_FORMAT") == "json" else log.TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        manager = find_manager()
    except ManagerGoneError:
        logger.error("honcho has gone, or the line of the Procfile does not begin with 'exec'")
        return 1
    return Supervisor(options, manager).run()


if __name__ == "__main__":
    sys.exit(main())
