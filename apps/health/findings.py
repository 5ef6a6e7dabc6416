"""What a check is, what it finds, and how checks are run: side by side, within a time limit, never raising.

Checks come in groups. A group runs in a thread of its own, one check after another over one connection, so that a look
at the portal's health costs a database a connection or two, and so that a database that hangs holds up its group alone.
A group that hangs is not started a second time: later callers wait for the same run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import Error as DatabaseProblem
from django.db import connections

from apps.health.masking import error_text


class State(StrEnum):
    """How what was checked is, in the words that the whole portal uses; `unknown` when it could not be found out."""

    OK = "ok"
    WARNING = "warning"
    FAILING = "failing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """What a check returns. `text` and `fix` are for everybody who may open the health page: they name no address, no
    role and no file. Those go into `details`, which administrators see. Nothing holds a secret.
    """

    state: State
    text: str
    fix: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A question with a name that never changes, for programs, and a title for people.

    When an `essential` check of a group fails, the others of the group are not asked.
    """

    name: str
    title: str
    run: Callable[[], Verdict]
    essential: bool = False


@dataclass(frozen=True)
class Group:
    """Checks that belong together; all of them have `seconds` together."""

    name: str
    title: str
    seconds: float
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Finding:
    """A check's verdict, as it is shown. `milliseconds` is what the check took, None when it did not come to an end."""

    name: str
    title: str
    group: str
    state: State
    text: str
    fix: str
    details: Mapping[str, object]
    milliseconds: float | None


def ok(text: str, **details: object) -> Verdict:
    """All is well."""
    return Verdict(State.OK, text, "", details)


def warning(text: str, fix: str, **details: object) -> Verdict:
    """It works, and somebody should see to it."""
    return Verdict(State.WARNING, text, fix, details)


def failing(text: str, fix: str, **details: object) -> Verdict:
    """It does not work."""
    return Verdict(State.FAILING, text, fix, details)


def unknown(text: str, fix: str = "", **details: object) -> Verdict:
    """It could not be found out, which something else explains."""
    return Verdict(State.UNKNOWN, text, fix, details)


class _Run:
    """One run of a group, in a thread that ends by itself."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.started = time.monotonic()
        self.done = threading.Event()
        self.current: Check | None = None
        self._findings: dict[str, Finding] = {}

    def start(self) -> None:
        threading.Thread(target=self._work, name=f"checks-{self.group.name}", daemon=True).start()

    def _work(self) -> None:
        missing = ""
        try:
            for check in self.group.checks:
                self.current = check
                if missing:
                    finding = _finding(self.group, check, unknown(f"Not asked, since this fails: {missing}."), None)
                else:
                    started = time.monotonic()
                    verdict = _ask(check)
                    finding = _finding(self.group, check, verdict, round((time.monotonic() - started) * 1000, 1))
                    if check.essential and verdict.state is State.FAILING:
                        missing = check.title.lower()
                self._findings[check.name] = finding
        finally:
            connections.close_all()
            self.done.set()

    def findings(self, seconds: float) -> list[Finding]:
        """What is known now, one finding for each check."""
        found = []
        for check in self.group.checks:
            known = self._findings.get(check.name)
            if known is None and check is self.current:
                verdict = failing(
                    f"No answer within {seconds:g} s.", "See whether what it asks is overloaded or cut off."
                )
                known = _finding(self.group, check, verdict, None)
            found.append(known or _finding(self.group, check, unknown("Not asked: what comes before it hangs."), None))
        return found


def _ask(check: Check) -> Verdict:
    try:
        return check.run()
    except DatabaseProblem as error:
        return unknown("The database did not answer this.", error=error_text(error))
    except Exception as error:
        return unknown(f"This could not be found out ({type(error).__name__}).", error=error_text(error))


def _finding(group: Group, check: Check, verdict: Verdict, milliseconds: float | None) -> Finding:
    return Finding(
        check.name, check.title, group.name, verdict.state, verdict.text, verdict.fix, verdict.details, milliseconds
    )


_lock = threading.Lock()
_runs: dict[Group, _Run] = {}


def run(groups: Iterable[Group], *, patience: float = 1.0, max_age: float = 0.0) -> list[Finding]:
    """The findings of all checks of `groups`, in their order.

    Takes at most the longest of the groups' time limits, each times `patience`. Findings that are not older than
    `max_age` seconds are taken as they are. Never raises for what a check does.
    """
    runs = [_current_run(group, max_age) for group in groups]
    begun = time.monotonic()
    found: list[Finding] = []
    for one in runs:
        seconds = one.group.seconds * patience
        one.done.wait(max(0.0, begun + seconds - time.monotonic()))
        found += one.findings(seconds)
    return found


def _current_run(group: Group, max_age: float) -> _Run:
    with _lock:
        last = _runs.get(group)
        if last is not None and (not last.done.is_set() or time.monotonic() - last.started < max_age):
            return last
        _runs[group] = fresh = _Run(group)
    fresh.start()
    return fresh


def forget() -> None:
    """Drop what is remembered, so that the next call looks anew; for tests."""
    with _lock:
        _runs.clear()


def worst(findings: Iterable[Finding]) -> State:
    """Failing, else warning, else ok. What is unknown has a cause that is told elsewhere, and does not count."""
    states = {finding.state for finding in findings}
    return next((state for state in (State.FAILING, State.WARNING) if state in states), State.OK)
