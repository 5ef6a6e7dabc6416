"""Load the made-up lab into the source database, all tables in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.db import connections, transaction

from apps.mirror.demo import clear, plan, presence
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.rhythm import Story, story_of
from apps.mirror.demo.rows import alerts, execution, fleet, navigation, pings
from apps.mirror.demo.stream import Row, copy_rows

DAYS: Final = 30
MAX_DAYS: Final = 366
BULK_FROM: Final = 5_000
"""From this many runs on, big tables are filled with their rules lifted: five times faster than row by row."""
BULK: Final = frozenset(
    {
        "script_results",
        "execution_results",
        "zap_results",
        "test_executions",
        "test_results",
        "deployment_executions",
        "system_metrics",
        "system_device_metrics",
    }
)


class DemoRefusedError(Exception):
    """Demo rows must not go where they were about to go; the text says why and what to do."""


@dataclass(frozen=True)
class Loaded:
    """A table that was filled: how many rows, in how many seconds."""

    table: str
    rows: int
    seconds: float


def require_own_source() -> None:
    """Raise DemoRefusedError unless the source database is ours to fill."""
    if settings.SOURCE_ACCESS != "own":
        raise DemoRefusedError(
            f"SOURCE_ACCESS is {settings.SOURCE_ACCESS!r}: demo rows go into a database of our own only."
            " Leave DATABASE_URL out (the embedded database), or set SOURCE_ACCESS=own for one made for this."
        )


def load(
    lab: Lab,
    *,
    days: int,
    until: datetime,
    executions: int | None = None,
    replace: bool = False,
    report: Callable[[Loaded], None] = lambda _: None,
) -> list[Loaded]:
    """Fill the source with `days` days of `lab` up to `until`; `executions` is how many steps there shall be.

    The same arguments give the same rows (but for the serial ids of incidents). With `replace`, demo rows that are
    there go first; rows of others always stay. Raises DemoRefusedError where the source is not ours, or holds rows
    and `replace` is false; ValueError for numbers out of range.
    """
    require_own_source()
    if not 1 <= days <= MAX_DAYS:
        raise ValueError(f"1 to {MAX_DAYS} days, not {days}")
    if executions is not None and executions < 0:
        raise ValueError(f"the number of executions is negative: {executions}")
    done = []
    with transaction.atomic(using="source"):
        if replace:
            clear.clear()
        elif table := _first_filled():
            raise DemoRefusedError(
                f"The table {table} has rows already. --replace puts new demo rows in place of old ones."
            )
        story = story_of(lab, until - timedelta(days=days), until)
        work = plan.make(lab, story)
        if executions is not None:
            work.set_steps(executions)
        with connections["source"].cursor() as cursor:
            for loaded in _fill(cursor, lab, story, work):
                done.append(loaded)
                report(loaded)
    presence.forget()
    return done


def _fill(cursor: Any, lab: Lab, story: Story, work: plan.Plan) -> Iterator[Loaded]:
    tally = navigation.Tally()
    steps = tally.watch(execution.all_steps(work.runs, story.until))
    tables: tuple[tuple[str, Callable[[], Iterable[Row]]], ...] = (
        ("teams", lambda: fleet.teams(lab, story)),
        ("device_models", lambda: fleet.device_models(lab, story)),
        ("device", lambda: fleet.devices(lab, story)),
        ("controllers", lambda: fleet.controllers(lab, story)),
        ("environment_profiles", lambda: fleet.environment_profiles(lab, story)),
        ("userinterfaces", lambda: navigation.userinterfaces(lab, story)),
        ("navigation_trees", lambda: navigation.trees(lab, story)),
        ("navigation_nodes", lambda: navigation.nodes(lab, story)),
        ("navigation_edges", lambda: navigation.edges(lab, story)),
        ("campaigns", lambda: fleet.campaigns(lab, story)),
        ("test_cases", lambda: fleet.test_cases(lab, story)),
        ("script_results", lambda: execution.script_results(work.runs)),
        ("campaign_executions", lambda: execution.campaign_executions(work.campaigns)),
        ("execution_results", lambda: steps),
        ("edge_metrics", lambda: tally.edge_metrics(story.start)),
        ("node_metrics", lambda: tally.node_metrics(story.start)),
        ("zap_results", lambda: execution.zaps(work.runs)),
        ("test_executions", lambda: execution.test_executions(work.runs)),
        ("test_results", lambda: execution.test_results(work.runs)),
        ("deployments", lambda: fleet.deployments(lab, story, work.turns)),
        ("deployment_executions", lambda: execution.deployment_executions(work.turns)),
        ("alerts", lambda: alerts.alerts(lab, story)),
        ("heatmaps", lambda: alerts.heatmaps(lab, story)),
        ("system_metrics", lambda: pings.system_metrics(lab, story)),
        ("system_device_metrics", lambda: pings.system_device_metrics(lab, story)),
        ("system_incident", lambda: pings.system_incidents(lab, story)),
        ("device_flags", lambda: pings.device_flags(lab, story)),
    )
    in_bulk = BULK if len(work.runs) >= BULK_FROM else frozenset()
    for table, rows in tables:
        began = time.perf_counter()
        count = (_copy_in_bulk if table in in_bulk else copy_rows)(cursor, table, rows())
        cursor.execute(f'ANALYZE "{table}"')
        yield Loaded(table, count, time.perf_counter() - began)


def _copy_in_bulk(cursor: Any, table: str, rows: Iterable[Row]) -> int:
    """Copy while the table's indexes and foreign keys are gone; then make them again, which checks every row.

    All in the caller's transaction: nobody ever sees the table without them.
    """
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype = 'f' ORDER BY 1",
        [table],
    )
    references = cursor.fetchall()
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %s::regclass AND NOT indisprimary"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) ORDER BY 1",
        [table],
    )
    indexes = cursor.fetchall()
    for name, _ in references:
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    count = copy_rows(cursor, table, rows)
    cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for _, definition in indexes:
        cursor.execute(definition)
    for name, definition in references:
        cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')
    return count


def _first_filled() -> str | None:
    """The name of a mirrored table with rows, if there is one."""
    with connections["source"].cursor() as cursor:
        for model in apps.get_app_config("mirror").get_models():
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{model._meta.db_table}")')  # noqa: S608
            if cursor.fetchone()[0]:
                return model._meta.db_table
    return None
