"""How `sync_dashboards` tells people what it does: progress on a terminal, lines elsewhere, a summary of one screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from apps.grafana.apply import Step
from apps.grafana.models import SyncStep
from apps.grafana.outcome import Result
from apps.grafana.plan_file import Plan, Row
from apps.grafana.run import Watcher
from apps.grafana.verdict import Action, State

MOST_LINES: Final = 12
"""Rows that a summary lists of each kind."""
EVERY_SECONDS: Final = 0.1
WIDTH: Final = 79
DONE_WORDS: Final = {
    "create": "made", "update": "pushed", "restore": "restored", "adopt": "adopted", "prune": "deleted there",
    "learn": "noted",
}  # fmt: skip
TO_DO_WORDS: Final = {
    "create": "make", "update": "push", "restore": "keep the edit, restore ours", "adopt": "adopt the edit",
    "prune": "delete there", "learn": "note",
}  # fmt: skip


class Lines(Watcher):
    """One line for each row that is done."""

    def __init__(self, name: str, write: Callable[[str], object]) -> None:
        self._name = name
        self._write = write

    def did(self, step: Step) -> None:
        """Tell it."""
        self._write(f"{self._name}: {step_line(step)}\n")


class Progress(Watcher):
    """One line of the terminal that is written over; what failed gets a line of its own."""

    def __init__(self, name: str, write: Callable[[str], object]) -> None:
        self._name = name
        self._write = write
        self._last = 0.0
        self._changes = self._done = 0

    def reading(self, done: int, total: int) -> None:
        """So many have been read."""
        if done == total or time.monotonic() - self._last > EVERY_SECONDS:
            self._show(f"{self._name}: read {done} of {total}")

    def planned(self, plan: Plan) -> None:
        """So much is to be done."""
        self._changes = len(plan.changes)

    def did(self, step: Step) -> None:
        """One more."""
        self._done += step.row.writes
        if step.outcome is SyncStep.Outcome.FAILED:
            self.clear()
            self._write(f"{self._name}: {step_line(step)}\n")
        if self._done == self._changes or time.monotonic() - self._last > EVERY_SECONDS:
            self._show(f"{self._name}: done {self._done} of {self._changes}, {step.row.title}")

    def clear(self) -> None:
        """Take the line away."""
        self._write("\r" + " " * WIDTH + "\r")

    def _show(self, text: str) -> None:
        self._last = time.monotonic()
        self._write("\r" + text[:WIDTH].ljust(WIDTH))


def step_line(step: Step) -> str:
    """A row that is done."""
    row = step.row
    if step.outcome is SyncStep.Outcome.DONE:
        what = DONE_WORDS.get(row.action, row.action)
    else:
        what = "failed" if step.outcome is SyncStep.Outcome.FAILED else row.state
    return f"{what}: {_named(row)}" + (f" ({step.words})" if step.words else "")


def plan_line(row: Row) -> str:
    """A row of a plan."""
    what = TO_DO_WORDS.get(row.action, "leave") if row.writes else f"{row.state}, left"
    return f"{what}: {_named(row)}" + (f" ({row.words})" if row.words else "")


def summary(result: Result, *, verbose: bool = False) -> Iterator[str]:
    """What came of one Grafana, on one screen; with `verbose` every row."""
    name = result.instance
    most = 10**9 if verbose else MOST_LINES
    if result.report is None and result.plan is not None:
        rows = [row for row in result.plan.rows if row.writes or row.state != State.IN_SYNC]
        yield from _cut([f"  {plan_line(row)}" for row in rows], most)
    if result.report is not None and not result.report.steps and result.plan is not None and not result.error:
        rows = [row for row in result.plan.rows if row.state != State.IN_SYNC]
        yield from _cut([f"  {plan_line(row)}" for row in rows], most)
    for uid, sides in result.differences.items():
        for heading, words in sides:
            yield f"  {uid}, {heading}:"
            yield from _cut([f"    {word}" for word in words], most)
    if result.report is not None:
        failed = [step for step in result.report.steps if step.outcome is SyncStep.Outcome.FAILED]
        yield from _cut([f"  {step_line(step)}" for step in failed], most)
    yield f"{name}: {_told(result)}"


def _told(result: Result) -> str:
    if result.error:
        return result.error
    parts = []
    if result.report is not None:
        record = result.report.run
        states = record.counts
        parts.append(f"{record.total} dashboards: {_counts(states)}" if record.total else "no dashboards to look at")
        if record.changed or record.failed:
            parts.append(f"{record.changed} changed, {record.failed} failed")
        parts.append(f"{record.seconds or 0:.1f} s, {record.requests} requests")
    elif result.plan is not None:
        changes = [row for row in result.plan.changes if row.action != Action.LEARN.value]
        parts.append(_counts(result.plan.counts) or "no dashboards to look at")
        parts.append(f"{len(changes)} to change; nothing was written")
    return "; ".join(parts)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state.replace('-', ' ')}" for state, count in sorted(counts.items()))


def _cut(lines: list[str], most: int) -> Iterator[str]:
    yield from lines[:most]
    if len(lines) > most:
        yield f"  … and {len(lines) - most} more (-v 2 tells all)"


def _named(row: Row) -> str:
    return row.title if row.kind == "dashboard" else f"{row.kind} {row.title}"
