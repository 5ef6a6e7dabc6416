"""Changes of a database that the portal does not own, found by looking: no trigger may be made there.

One process looks, the one that holds an advisory lock in the portal's database; what it finds goes into the portal's
own events, so that every web process hears of it as of any other. Of each table it looks at the newest rows by time and
at what is still open (active alerts, runs under way), whose rows are changed later, and compares with what it saw
before, since the platform keeps `updated_at` of hardly anything. A row that changes when it is neither new nor open is
not noticed; neither is one that is deleted.

A table is looked at again after `LIVE_POLL_SECONDS`, or after twenty times what the look took: at most a twentieth of
one connection's time goes into it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connections, transaction
from django.db.models import BooleanField, CharField, DateTimeField, Field, IntegerField, QuerySet, TextField

from apps.live.events import MOST_IDS, Operation
from apps.live.install import channel_of, schema_of
from apps.live.tables import PORTAL
from apps.mirror import shape, states
from apps.mirror.models import (
    CampaignExecution,
    DeploymentExecution,
    MirrorModel,
    PlatformAlert,
    ScriptResult,
    SystemIncident,
    TestExecution,
)

logger = logging.getLogger(__name__)

LOCK: Final = 0x7670_746D_7761_7463
"""Of the advisory lock that the process holds which looks."""
NEWEST: Final = 200
MOST_OPEN: Final = 1000
SHARE: Final = 20.0
LONGEST_PAUSE: Final = 60.0
WORDS: Final = frozenset({"status", "check_type", "discard_type", "name", "host_name", "capture_status"})
"""Texts that are compared; the others may be long, and do not change by themselves."""

OPEN: Final[Mapping[type[MirrorModel], Callable[[Any], Any]]] = {
    PlatformAlert: lambda rows: rows.filter(status="active"),
    ScriptResult: lambda rows: rows.running(),
    CampaignExecution: lambda rows: rows.in_state(states.RUNNING, states.QUEUED),
    TestExecution: lambda rows: rows.in_state(states.RUNNING, states.QUEUED),
    DeploymentExecution: lambda rows: rows.in_state(states.RUNNING, states.QUEUED),
    SystemIncident: lambda rows: rows.open(),
}
"""What is looked at however old it is, since it will change."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A row as it was: what is compared, when it was made, and whose it is."""

    values: Hashable
    at: datetime | None
    team: Any
    host: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one table and one team or host that something happened to."""

    topic: str
    op: Operation
    team: Any
    host: str | None
    ids: tuple[str, ...]
    more: bool = False


@dataclass
class Table:
    """What is known of one table."""

    model: type[MirrorModel]
    due: float = 0.0
    seen: dict[Any, Seen] | None = None
    open: frozenset[Any] = field(default_factory=frozenset)
    oldest: datetime | None = None
    """The time of the oldest of the newest rows, where there are older ones."""

    def look(self) -> list[Found]:
        """What happened since the last look; nothing at the first. Raises django.db.Error."""
        newest, opened = self._newest(), self._open()
        now = {**opened, **newest}
        before = self.seen
        if before is not None and (left := self.open - now.keys()):
            now |= self._rows(self.model.objects.filter(pk__in=left))
        found = [] if before is None else [*self._compared(before, now, newest, opened)]
        self.seen, self.open = {**newest, **opened}, frozenset(opened)
        self.oldest = (
            min((row.at for row in newest.values() if row.at), default=None) if len(newest) >= NEWEST else None
        )
        return found

    def _compared(
        self,
        before: Mapping[Any, Seen],
        now: Mapping[Any, Seen],
        newest: Mapping[Any, Seen],
        opened: Mapping[Any, Seen],
    ) -> Iterable[Found]:
        groups: dict[tuple[Operation, Any, str | None], list[str]] = defaultdict(list)
        for key, row in now.items():
            known = before.get(key)
            if known is None:
                # Whoever is no newer than the newest before has come up again, since others went.
                if key in opened or self.oldest is None or row.at is None or row.at > self.oldest:
                    groups["insert", row.team, row.host].append(str(key))
            elif known.values != row.values:
                groups["update", row.team, row.host].append(str(key))
        for key in self.open - now.keys():
            groups["delete", before[key].team, before[key].host].append(str(key))
        # When none of the newest was known, there may be more than were read.
        flood = len(newest) >= NEWEST and not (newest.keys() & before.keys())
        for (op, team, host), ids in groups.items():
            yield Found(self.model._meta.db_table, op, team, host, tuple(ids), flood and op == "insert")

    def _newest(self) -> dict[Any, Seen]:
        return self._rows(self.model.objects.latest_first()[:NEWEST])

    def _open(self) -> dict[Any, Seen]:
        narrow = OPEN.get(self.model)
        return self._rows(narrow(self.model.objects.order_by("-pk"))[:MOST_OPEN]) if narrow else {}

    def _rows(self, rows: QuerySet[Any]) -> dict[Any, Seen]:
        model = self.model
        time_field = model.time_field or "pk"
        team, host = model.team_lookup or "pk", model.host_lookup or "pk"
        found = {}
        for key, at, of_team, of_host, *values in rows.values_list("pk", time_field, team, host, *compared(model)):
            found[key] = Seen(
                tuple(values),
                at if isinstance(at, datetime) else None,
                of_team if model.team_lookup else None,
                of_host if model.host_lookup else None,
            )
        return found


@cache
def compared(model: type[MirrorModel]) -> tuple[str, ...]:
    """The fields by which a change of a row shows: numbers, times, verdicts, short words."""
    return tuple(field.name for field in model._meta.concrete_fields if _shows(field))


def _shows(field: Field[Any, Any]) -> bool:
    if isinstance(field, BooleanField | IntegerField | DateTimeField):
        return not field.primary_key
    return isinstance(field, CharField | TextField) and field.name in WORDS


class Watch:
    """Looks at every table in turn. `run` is for a thread of its own."""

    def __init__(self) -> None:
        self._tables = [Table(model) for model in shape.mirrored_models()]
        self._holder = 0
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look until `stop` is called."""
        failed = False
        while not self._stopped.is_set():
            pause = float(settings.LIVE_POLL_SECONDS)
            try:
                if self.leads():
                    pause = self.look()
                if failed:
                    logger.info("the source is looked at again")
                failed = False
            except DatabaseProblem as error:
                if not failed:
                    logger.warning("the source cannot be looked at: %s", type(error).__name__)
                failed = True
                self._forget()
                # They may be what failed; with the portal's goes the lock.
                connections.close_all()
            self._stopped.wait(max(0.05, pause))
        connections.close_all()

    def stop(self) -> None:
        """End `run`, which may be in another thread."""
        self._stopped.set()

    def leads(self) -> bool:
        """Whether this process is the one that looks. Whoever becomes it says that what happened before is unknown."""
        with connections[PORTAL].cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone() or (0,)
            if pid == self._holder:
                return True
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            if not (cursor.fetchone() or (False,))[0]:
                return False
        self._forget()
        self._holder = pid
        for table in self._tables:
            if shape.has_table(table.model):
                table.look()
        known = [table.model._meta.db_table for table in self._tables if table.seen is not None]
        tell(Found(name, "gap", None, None, ()) for name in known)
        return True

    def look(self) -> float:
        """Look at the tables that are due and tell what was found; the seconds until the next is due."""
        for table in self._tables:
            if table.due <= time.monotonic() and shape.has_table(table.model):
                began = time.monotonic()
                found = table.look()
                took = time.monotonic() - began
                table.due = began + min(LONGEST_PAUSE, max(settings.LIVE_POLL_SECONDS, took * SHARE))
                if found:
                    tell(found)
        return min((table.due for table in self._tables), default=0.0) - time.monotonic()

    def _forget(self) -> None:
        self._holder = 0
        for table in self._tables:
            table.seen, table.open = None, frozenset()


def tell(found: Iterable[Found]) -> None:
    """Write events into the portal's database and wake who listens. Raises django.db.Error."""
    schema = schema_of(PORTAL)
    quoted = connections[PORTAL].ops.quote_name(schema)
    rows = [
        (one.topic, one.op, one.team, one.host, one.op == "gap", list(one.ids[:MOST_IDS]), len(one.ids) + one.more)
        for one in found
    ]
    with transaction.atomic(using=PORTAL), connections[PORTAL].cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quoted}.live_event (topic, op, team, host, everybody, ids, rows)"  # noqa: S608 -- a schema
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            rows,
        )
        cursor.execute("SELECT pg_notify(%s, '')", [channel_of(schema)])


def start() -> threading.Thread | None:
    """Look in a thread of this process, where the source is not the portal's own; else None."""
    if settings.SOURCE_ACCESS == "own":
        return None
    thread = threading.Thread(target=Watch().run, name="watch the source", daemon=True)
    thread.start()
    return thread
