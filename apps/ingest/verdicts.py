"""What became of each row, in the words of the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from operator import attrgetter
from typing import Any, Final, Literal

import msgspec

Status = Literal["stored", "already there", "updated", "refused"]
STATUSES: Final[tuple[Status, ...]] = ("stored", "already there", "updated", "refused")
MOST_NOTES: Final = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was refused: which field, what is wrong with it, and what to do."""

    field: str
    problem: str
    fix: str


class Refused(Exception):  # noqa: N818 -- a verdict
    """A row that is not stored."""

    def __init__(self, field: str, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.fault = Fault(field, problem, fix)


class Verdict(msgspec.Struct, omit_defaults=True):
    """About one row, as the answer says it. `id` is the value of the kind's key, as it was given or derived."""

    row: int
    status: Status
    id: Any = None
    field: str | None = None
    problem: str | None = None
    fix: str | None = None
    clock_skew_seconds: int | None = None


def refusal(row: int, id_: Any, fault: Fault) -> Verdict:
    """The verdict about a row that is not stored."""
    return Verdict(row, "refused", id_, fault.field, fault.problem, fault.fix)


@dataclass(slots=True)
class Answer:
    """About a batch: a verdict for every row, in order."""

    kind: str
    verdicts: list[Verdict] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    received_at: str = ""

    def note(self, text: str) -> None:
        """Say once what holds for several rows; at most so many different things are said."""
        if len(self.notes) < MOST_NOTES:
            self.notes[text] = None

    @property
    def status(self) -> HTTPStatus:
        """201 when all is there and something is new, 200 when nothing is, 207 when some were refused, 422 when all."""
        counts = Counter(verdict.status for verdict in self.verdicts)
        if counts["refused"]:
            return (
                HTTPStatus.UNPROCESSABLE_ENTITY if counts["refused"] == len(self.verdicts) else HTTPStatus.MULTI_STATUS
            )
        return HTTPStatus.CREATED if counts["stored"] else HTTPStatus.OK

    @property
    def document(self) -> dict[str, Any]:
        counts = Counter(verdict.status for verdict in self.verdicts)
        return {
            "kind": self.kind,
            "received_at": self.received_at,
            "counts": {
                "received": len(self.verdicts),
                **{status.replace(" ", "_"): counts[status] for status in STATUSES},
            },
            "rows": self.verdicts,
            "notes": list(self.notes),
        }


def in_order(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """By the number of the row."""
    return sorted(verdicts, key=attrgetter("row"))
