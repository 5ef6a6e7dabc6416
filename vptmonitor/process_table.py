"""What the operating system knows about its processes: from `/proc` on Linux, from `ps` elsewhere. No Django."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_LINUX = Path("/proc/self/stat").exists()


class Process(NamedTuple):
    """One process that has not ended. `birth` is opaque; with `pid` it names a process for ever, reboots included."""

    pid: int
    parent: int
    group: int
    birth: str
    command: str


def find(pid: int) -> Process | None:
    """The process with this number, or None when there is none or it has ended (a zombie has ended)."""
    if _LINUX:
        return _from_proc(pid)
    found = _from_ps("-p", str(pid))
    return found[0] if found else None


def is_alive(process: Process) -> bool:
    """Whether this very process still runs. Elsewhere than on Linux a reused number is believed: it is asked often."""
    if _LINUX:
        found = _from_proc(process.pid)
        return found is not None and found.birth == process.birth
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def group_members(group: int) -> set[int]:
    """The numbers of all processes of a process group that have not ended."""
    if _LINUX:
        numbers = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
        return {number for number in numbers if (fields := _stat(number)) and int(fields[2]) == group}
    return {process.pid for process in _from_ps("-A") if process.group == group}


def _stat(pid: int) -> list[str] | None:
    """State, parent, group and so on, as proc(5) numbers them from 3; None for a process that has ended."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # "pid (name) state parent group ...": the name may hold spaces and brackets.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields


def _from_proc(pid: int) -> Process | None:
    fields = _stat(pid)
    if fields is None:
        return None
    try:
        command = (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None
    return Process(pid, int(fields[1]), int(fields[2]), birth=f"{_boot()}/{fields[19]}", command=command)


@cache
def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _from_ps(*which: str) -> list[Process]:
    command = ["ps", "-ww", "-o", "pid=,ppid=,pgid=,stat=,lstart=,command=", *which]
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    output = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=environment)
    found = []
    for line in output.stdout.splitlines():
        # lstart is five words: "Mon Nov 23 10:20:30 2026".
        fields = line.split(maxsplit=9)
        if len(fields) >= 9 and not fields[3].startswith("Z"):
            birth = " ".join(fields[4:9])
            command_line = fields[9] if len(fields) > 9 else ""
            found.append(Process(int(fields[0]), int(fields[1]), int(fields[2]), birth, command_line))
    return found
