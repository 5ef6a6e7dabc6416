"""The processes that the supervisors tell of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from apps.health.findings import State


class LastExit(Protocol):
    """How the last child ended; its text is such as `signal 9 after 5.2 s`."""

    @property
    def at(self) -> datetime: ...


class ProcessState(Protocol):
    """What the program that `settings.PROCESS_STATES` names returns for each process."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def supervisor_pid(self) -> int: ...
    @property
    def child_pid(self) -> int | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def restarts(self) -> int: ...
    @property
    def last_exit(self) -> LastExit | None: ...
    @property
    def next_start_at(self) -> datetime | None: ...
    @property
    def stale(self) -> bool: ...


@dataclass(frozen=True)
class ProcessRow:
    """A process for people and programs. `says` is its supervisor's word for what it does, or `gone`."""

    name: str
    says: str
    state: State
    pid: int | None
    supervisor_pid: int
    started_at: datetime | None
    restarts: int
    last_exit: str
    last_exit_at: datetime | None
    next_start_at: datetime | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON: times in ISO 8601."""
        return {
            "name": self.name,
            "state": self.says,
            "pid": self.pid,
            "supervisor_pid": self.supervisor_pid,
            "started_at": _iso(self.started_at),
            "restarts": self.restarts,
            "last_exit": self.last_exit or None,
            "last_exit_at": _iso(self.last_exit_at),
            "next_start_at": _iso(self.next_start_at),
        }


def read() -> list[ProcessRow]:
    """All processes by name; none where nothing was ever started. What a killed supervisor left behind is `gone`."""
    reader = cast(Callable[[Path], Sequence[ProcessState]], import_string(settings.PROCESS_STATES))
    return [_row(said) for said in reader(Path(settings.STATE_DIR))]


def _row(said: ProcessState) -> ProcessRow:
    states = {"running": State.OK, "starting": State.OK, "backing-off": State.FAILING, "stopping": State.WARNING}
    return ProcessRow(
        name=said.name,
        says="gone" if said.stale else str(said.state),
        # A process that was stopped on purpose is no failure; one that went without a word is not known to be well.
        state=State.UNKNOWN if said.stale else states.get(str(said.state), State.UNKNOWN),
        pid=None if said.stale else said.child_pid,
        supervisor_pid=said.supervisor_pid,
        started_at=None if said.stale else said.started_at,
        restarts=said.restarts,
        last_exit=str(said.last_exit) if said.last_exit else "",
        last_exit_at=said.last_exit.at if said.last_exit else None,
        next_start_at=None if said.stale else said.next_start_at,
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
