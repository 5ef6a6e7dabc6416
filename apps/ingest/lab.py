"""The demo lab, whose hosts write through the API instead of into the tables: the recipe client under a lab's load."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

from apps.ingest.client import Sender
from apps.ingest.kinds import KINDS
from apps.mirror import models
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.life import Life
from apps.mirror.demo.plan import Turn
from apps.mirror.demo.rows.navigation import Tally
from apps.mirror.demo.rows.written import as_written
from apps.mirror.demo.stream import Row

BY_TABLE: Final = {kind.table: kind.name for kind in KINDS.values()}


class RemoteLife(Life):
    """A lab that knows no tables: what it did is in its memory, what it writes goes to `sender`.

    The portal must have the same lab loaded, whose teams and schedules the rows name.
    """

    def __init__(self, lab: Lab, rng: Random, speed: float, sender: Sender, now: datetime) -> None:
        super().__init__(lab, rng, speed, now)
        self._sender = sender
        self._test_runs: set[UUID] = set()

    def step(self, now: datetime) -> int:
        """Put what happened since the last step into the sender's queue; how many rows that were."""
        before = self._sender.waiting + self._sender.sent + self._sender.lost
        self.go_on(None, now.astimezone(UTC))
        return self._sender.waiting + self._sender.sent + self._sender.lost - before

    def _insert(self, table: str, row: Row, columns: tuple[str, ...] | None = None) -> None:
        given = as_written(row, columns or tuple(row))
        self._sender.add(BY_TABLE[table], _plain(given))
        if table == models.TestExecution._meta.db_table:
            self._test_runs.add(UUID(str(row["id"])))

    def _change(self, model: type[models.MirrorModel], key: Any, values: dict[str, Any], **also: Any) -> None:
        del also
        if model is models.Deployment:
            # How often a schedule came due before is in tables that this lab does not know.
            values = {name: value for name, value in values.items() if name != "execution_count"}
        self._sender.change(BY_TABLE[model._meta.db_table], str(key), **_plain(values))

    def _flush(self) -> None:
        """Nothing is collected here: the sender does."""

    def _count_steps(self) -> None:
        # The portal counts what it is told.
        self._tally = Tally()

    def _end_open_alert(self, row: Row) -> None:
        """The portal does it when the new one arrives."""

    def _open_incident(self, row: dict[str, Any]) -> Any:
        key = str(uuid4())
        self._sender.add("incidents", _plain({"incident_uuid": key, **row}))
        return key

    def _has_test_run(self, key: UUID) -> bool:
        return key in self._test_runs

    def _turns_of(self, turn: Turn) -> int:
        del turn
        return 0

    def set_status(self, devices: list[UUID], status: str) -> None:
        """The client's own column, which no host writes."""


def _plain(row: Row) -> dict[str, Any]:
    """Values as JSON has them."""
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat() if value.tzinfo else value.replace(tzinfo=UTC).isoformat()
        case UUID():
            return str(value)
        case tuple() | list():
            return [_value(one) for one in value]
        case _:
            return value
