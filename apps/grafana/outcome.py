"""What a run came to, for scripts: the exit code, and the JSON that `sync_dashboards --format json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, Final

from apps.grafana.edits import Side
from apps.grafana.models import SyncRun
from apps.grafana.plan_file import Plan
from apps.grafana.run import Report
from apps.grafana.verdict import State

FORMAT: Final = "vptmonitor-sync"
VERSION: Final = 1


class Exit(IntEnum):
    """Exit codes of `sync_dashboards`; they do not change."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    PENDING = 3
    PARTIAL = 4
    CONFLICT = 5
    GUARD = 6
    AUTHENTICATION = 7


_WORST_FIRST: Final = (
    Exit.AUTHENTICATION, Exit.GUARD, Exit.CONFLICT, Exit.ERROR, Exit.PARTIAL, Exit.PENDING, Exit.DONE,
)  # fmt: skip
_OF_STATUS: Final = {
    SyncRun.Status.DONE: Exit.DONE,
    SyncRun.Status.PARTIAL: Exit.PARTIAL,
    SyncRun.Status.CONFLICT: Exit.CONFLICT,
    SyncRun.Status.STALE: Exit.CONFLICT,
    SyncRun.Status.GUARD: Exit.GUARD,
    SyncRun.Status.REFUSED: Exit.AUTHENTICATION,
}


@dataclass(frozen=True)
class Result:
    """What came of one Grafana: a run with its plan, a plan alone, or an error before either."""

    instance: str
    code: Exit
    plan: Plan | None = None
    report: Report | None = None
    error: str = ""
    differences: dict[str, list[Side]] = field(default_factory=dict)

    @classmethod
    def of_run(cls, report: Report, *, checked: bool = False) -> Result:
        """Of a run; one that only looked says what is pending."""
        record = report.run
        code = _OF_STATUS.get(SyncRun.Status(record.status), Exit.ERROR)
        if checked and code in (Exit.DONE, Exit.PARTIAL) and report.plan is not None:
            code = of_check(report.plan)
        return cls(record.instance.name, code, report.plan, report, record.error)

    def as_json(self) -> dict[str, Any]:
        """One entry of the list `instances`."""
        told: dict[str, Any] = {"instance": self.instance, "exit_code": int(self.code), "error": self.error}
        if self.report is not None:
            record = self.report.run
            told |= {
                "run": record.pk, "status": record.status, "total": record.total, "changed": record.changed,
                "failed": record.failed, "counts": record.counts, "seconds": record.seconds,
                "requests": record.requests, "bytes_sent": record.sent, "bytes_received": record.received,
                "steps": [
                    {
                        "kind": step.row.kind, "uid": step.row.uid, "title": step.row.title, "state": step.row.state,
                        "action": step.row.action, "outcome": str(step.outcome), "words": step.words,
                        "http_status": step.status, "milliseconds": step.milliseconds,
                    }
                    for step in self.report.steps
                ],
            }  # fmt: skip
        if self.plan is not None:
            told["plan"] = {"counts": self.plan.counts, "rows": [asdict(row) for row in self.plan.rows]}
        if self.differences:
            told["differences"] = {
                uid: [{"heading": heading, "words": words} for heading, words in sides]
                for uid, sides in self.differences.items()
            }
        return told


def of_check(plan: Plan) -> Exit:
    """Whether all is as it should be."""
    states = {row.state for row in plan.rows}
    if State.CONFLICT in states:
        return Exit.CONFLICT
    if State.UNKNOWN in states:
        return Exit.PARTIAL
    return Exit.PENDING if any(row.pending for row in plan.rows) else Exit.DONE


def worst(results: Iterable[Result]) -> Exit:
    """The code of all together."""
    codes = {result.code for result in results}
    return next((code for code in _WORST_FIRST if code in codes), Exit.DONE)


def as_json(results: list[Result]) -> dict[str, Any]:
    """The whole document."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "exit_code": int(worst(results)),
        "instances": [result.as_json() for result in results],
    }
