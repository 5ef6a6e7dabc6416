"""A plan as people read it, and as a file that is applied later, only while Grafana is still as it was.

The file is JSON with `format` and `version`; another version is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from django.utils import timezone

from apps.grafana.models import GrafanaInstance
from apps.grafana.verdict import Action, State

FORMAT: Final = "vptmonitor-sync-plan"
VERSION: Final = 1


PENDING: Final = frozenset({State.AHEAD.value, State.DRIFTED.value, State.MISSING.value, State.FLAPPING.value})


class PlanFileError(ValueError):
    """The file holds no plan that can be applied."""


class StalePlanError(RuntimeError):
    """Grafana or the registry has moved since the plan was made. `rows` has the titles of what moved."""

    def __init__(self, rows: list[str]) -> None:
        more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
        super().__init__(f"the plan is out of date: {', '.join(rows[:5])}{more} changed meanwhile; make a new one")
        self.rows = rows


@dataclass(frozen=True)
class Row:
    """A line of a plan: what was found, and what is to be done. The digests and the version say what it rests on."""

    kind: str
    uid: str
    title: str
    state: str
    action: str
    words: str = ""
    live_version: int = 0
    live_digest: str = ""
    desired_digest: str = ""
    edited_by: str = ""
    edited_at: str = ""
    status: int | None = None

    @property
    def writes(self) -> bool:
        """Whether something is written, there or here."""
        return self.action != Action.NONE.value

    @property
    def pending(self) -> bool:
        """Whether the row is not as it should be, whatever a sync may do about it."""
        return self.state in PENDING or self.action not in (Action.NONE.value, Action.LEARN.value)

    @property
    def ground(self) -> tuple[Any, ...]:
        """What must be the same for the plan still to hold."""
        return (self.state, self.action, self.live_version, self.live_digest, self.desired_digest)


@dataclass(frozen=True)
class Plan:
    """What a sync of one instance would do."""

    instance: str
    address: str
    made_at: datetime
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, instance: GrafanaInstance, rows: Iterable[Row]) -> Self:
        return cls(instance.name, instance.address, timezone.now(), tuple(rows))

    @property
    def changes(self) -> tuple[Row, ...]:
        """The rows in which something is written."""
        return tuple(row for row in self.rows if row.writes)

    @property
    def counts(self) -> dict[str, int]:
        """How many dashboards are in each state."""
        return dict(Counter(row.state for row in self.rows if row.kind == "dashboard"))

    @property
    def fingerprint(self) -> str:
        """Equal for plans that do the same upon the same bodies; for a form that confirms a plan."""
        grounds = sorted((row.kind, row.uid, *map(str, row.ground)) for row in self.changes)
        return hashlib.sha256(json.dumps(grounds).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """For a file, an API, or whoever asked for JSON."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "instance": self.instance,
            "address": self.address,
            "made_at": self.made_at.isoformat(),
            "counts": self.counts,
            "rows": [asdict(row) for row in self.rows],
        }

    def must_equal(self, now: Plan) -> None:
        """Raises StalePlanError unless `now`, made just now, would do exactly the same upon the same bodies."""
        ours = {(row.kind, row.uid): row for row in self.changes}
        theirs = {(row.kind, row.uid): row for row in now.changes}
        moved = [
            (ours.get(key) or theirs[key]).title
            for key in dict.fromkeys((*ours, *theirs))
            if key not in ours or key not in theirs or ours[key].ground != theirs[key].ground
        ]
        if moved:
            raise StalePlanError(moved)


def write(path: Path, plans: Iterable[Plan], options: dict[str, Any]) -> None:
    """Save plans with the options that they were made with."""
    document = {
        "format": FORMAT, "version": VERSION, "options": options, "plans": [plan.as_json() for plan in plans],
    }  # fmt: skip
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> tuple[list[Plan], dict[str, Any]]:
    """The plans of a file and their options. Raises PlanFileError, OSError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise PlanFileError(f"{path} holds no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PlanFileError(f"{path} holds no plan of sync_dashboards")
    if document.get("version") != VERSION:
        raise PlanFileError(f"{path} is a plan of version {document.get('version')}; this program applies {VERSION}")
    try:
        return [_plan(one) for one in document["plans"]], dict(document["options"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PlanFileError(f"{path} is damaged: {error!r}") from None


def _plan(told: dict[str, Any]) -> Plan:
    names = {one.name for one in fields(Row)}
    rows = tuple(Row(**{name: value for name, value in row.items() if name in names}) for row in told["rows"])
    return Plan(told["instance"], told["address"], datetime.fromisoformat(told["made_at"]), rows)
