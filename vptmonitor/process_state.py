"""What each supervisor says about its process: one small JSON file per Procfile line. No Django.

Supervisors write (`write`); the health page and `manage.py processes` read (`read_all`). A file appears whole or not
at all, mode 0600, and carries the supervisor's birth besides its number, so that what a killed supervisor left behind
is not believed, even when its number was given to another process.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from vptmonitor import process_table

_ROOT = Path(__file__).resolve().parent.parent


class State(StrEnum):
    """What a supervised process does. `STARTING` becomes `RUNNING` when the child has lived for a second."""

    STARTING = "starting"
    RUNNING = "running"
    BACKING_OFF = "backing-off"
    STOPPING = "stopping"
    STOPPED = "stopped"


class LastExit(NamedTuple):
    """How the last child ended: by exit `code`, by `signal` number, or by `error` when it could not be executed."""

    code: int | None
    signal: int | None
    error: str | None
    at: datetime
    lasted_seconds: float

    def __str__(self) -> str:
        """`signal 9 after 5.2 s`, `code 1 after 0.3 s`, or the error."""
        if self.error is not None:
            return self.error
        kind = f"code {self.code}" if self.signal is None else f"signal {self.signal}"
        return f"{kind} after {self.lasted_seconds:.1f} s"


class ProcessState(NamedTuple):
    """One Procfile line: times are aware and in UTC, `restarts` counts since the supervisor's own start.

    `started_at` is the start of the present child; `next_start_at` is set while backing off. `stale` is found when
    reading: the supervisor has gone without a word, so nothing else here is true any more.
    """

    name: str
    state: State
    supervisor_pid: int
    supervisor_birth: str
    child_pid: int | None = None
    started_at: datetime | None = None
    restarts: int = 0
    last_exit: LastExit | None = None
    next_start_at: datetime | None = None
    stale: bool = False


def default_directory() -> Path:
    """`VPTMONITOR_STATE_DIR`; else `processes` in `DATA_DIR`; else `.data/processes` of the project."""
    if named := os.environ.get("VPTMONITOR_STATE_DIR"):
        return Path(named)
    return Path(os.environ.get("DATA_DIR") or _ROOT / ".data") / "processes"


def write(directory: Path, state: ProcessState) -> None:
    """Replace the file of `state.name` in one step, making the directory (0700) when needed. Raises OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = state._asdict()
    del content["stale"]
    content["last_exit"] = state.last_exit and state.last_exit._asdict()
    new = directory / f".{state.name}.{state.supervisor_pid}.new"
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file, default=datetime.isoformat)
        new.replace(directory / f"{state.name}.json")
    except OSError:
        new.unlink(missing_ok=True)
        raise


def read_all(directory: Path) -> list[ProcessState]:
    """All processes by name, as last written; none when nothing ever started. Files of other content are left out."""
    found = (_read(path) for path in sorted(directory.glob("*.json")))
    return [state for state in found if state is not None]


def _read(path: Path) -> ProcessState | None:
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        last = content.pop("last_exit")
        state = ProcessState(**content)._replace(
            state=State(content["state"]),
            started_at=_moment(content["started_at"]),
            next_start_at=_moment(content["next_start_at"]),
            last_exit=last and LastExit(**last)._replace(at=datetime.fromisoformat(last["at"])),
        )
        supervisor = process_table.find(state.supervisor_pid)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    alive = supervisor is not None and supervisor.birth == state.supervisor_birth
    return state._replace(stale=state.state is not State.STOPPED and not alive)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
