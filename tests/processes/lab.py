"""A throw-away place with a Procfile, run by a real honcho; what is left of it can be found and is always ended."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from vptmonitor import process_state
from vptmonitor.process_state import ProcessState, State

ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("child.py")
Found = TypeVar("Found")


def until(condition: Callable[[], Found | None], seconds: float = 10.0, what: str = "") -> Found:
    """The condition's first true answer; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(0.02)
    return answer


class Lab:
    """Starts commands below `folder`, all of whose processes carry the folder's path in `$LAB`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.states = folder / "processes"
        self.output = folder / "output"
        self.started: list[subprocess.Popen[bytes]] = []
        self.environment = {**os.environ, "LAB": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        for name in ("HONCHO_PROCESS_NAME", "LOG_FORMAT", "PORT", "VPTMONITOR_STATE_DIR"):
            self.environment.pop(name, None)

    def child(self, *options: str) -> list[str]:
        """The command of a test child."""
        return [sys.executable, str(CHILD), *options]

    def supervise(self, name: str, *command: str, **options: float) -> list[str]:
        """The command of a supervisor; options such as `healthy_after=1` become `--healthy-after 1`."""
        extra = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        start = [sys.executable, "-m", "vptmonitor.supervise", "--name", name, "--state-dir", str(self.states)]
        return [*start, *extra, "--", *command]

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Run a command in the lab; its output goes to the file `output`."""
        with self.output.open("ab") as output:
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )
        self.started.append(process)
        return process

    def honcho(self, method: str = "", **lines: list[str]) -> subprocess.Popen[bytes]:
        """Run honcho over a Procfile of these lines; `method` is one of multiprocessing's start methods."""
        procfile = "".join(f"{name}: exec {shlex.join(command)}\n" for name, command in lines.items())
        (self.folder / "Procfile").write_text(procfile)
        script = "import sys, multiprocessing, honcho.command\nif __name__ == '__main__':\n"
        script += "    multiprocessing.set_start_method(sys.argv.pop(1))\n    honcho.command.main()\n"
        (self.folder / "with_method.py").write_text(script)
        how = [str(self.folder / "with_method.py"), method] if method else ["-m", "honcho"]
        return self.start(sys.executable, *how, "-e", "/dev/null", "start", "--no-prefix")

    def state(self, name: str) -> ProcessState | None:
        """What the supervisor of this name last said."""
        return next((state for state in process_state.read_all(self.states) if state.name == name), None)

    def reaches(self, name: str, state: State, seconds: float = 10.0) -> ProcessState:
        """What the supervisor of this name says once it says that the process is in this state."""
        return until(lambda: found if (found := self.state(name)) and found.state is state else None, seconds)

    def running(self, *names: str) -> dict[str, ProcessState]:
        """The states of these processes, once all of their children have told their pids."""

        def all_run() -> dict[str, ProcessState] | None:
            states = {name: state for name in names if (state := self.state(name))}
            told = {pid for role, pid in self.told() if role == "child"}
            good = [s for s in states.values() if s.child_pid in told and s.state in ("starting", "running")]
            return states if len(good) == len(names) else None

        return until(all_run, what=f"{names} run\n{self.text()}")

    def another_child(self, name: str, before: ProcessState, seconds: float = 5.0) -> ProcessState:
        """The state of this process once it has another child than before, which has told its pid."""

        def is_back() -> ProcessState | None:
            state = self.state(name)
            told = state and ("child", state.child_pid) in self.told()
            return state if state and told and state.child_pid != before.child_pid else None

        return until(is_back, seconds, what=f"another {name}\n{self.text()}")

    def told(self) -> list[tuple[str, int]]:
        """Role and pid of each child and grandchild, in the order in which they came up."""
        path = self.folder / "pids"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(role, int(pid)) for role, _, pid in (line.partition(" ") for line in lines) if pid.isdigit()]

    def text(self) -> str:
        """All output so far."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def alive(self) -> dict[int, str]:
        """Command lines of all processes of this lab that have not ended, however they were started."""
        found = {}
        mark = f"LAB={self.folder}".encode()
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return {pid: command for pid, command in found.items() if command}

    def all_gone(self, seconds: float) -> None:
        """Fail unless nothing of this lab runs any more within `seconds`."""
        try:
            until(lambda: not self.alive(), seconds)
        except AssertionError:
            raise AssertionError(f"still there after {seconds} s: {self.alive()}\n{self.text()}") from None

    def clean(self) -> None:
        """End by force what a failed test left."""
        while left := self.alive():
            for pid in left:
                kill(pid)
            time.sleep(0.02)
        for process in self.started:
            process.wait()


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
