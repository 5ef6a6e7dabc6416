"""Runs jobs when they are due, one at a time. A job that fails is tried again, later each time; the others go on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import uniform

from django.db import Error as DatabaseProblem
from django.db import close_old_connections

from apps.health.masking import error_text

logger = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
"""A job that fails is tried again after these, whatever its interval: a daily one must not wait for tomorrow."""


@dataclass(frozen=True)
class Job:
    """Something to do every so often, counted from the end of one run to the start of the next.

    `jitter` moves each start by up to that share of the interval, so that several portals do not ask at once.
    """

    name: str
    every_seconds: float
    run: Callable[[], object]
    jitter: float = 0.0

    def pause(self) -> float:
        """Seconds until the next run."""
        return self.every_seconds * (1 + uniform(-self.jitter, self.jitter))  # noqa: S311 -- chance, not secrecy


@dataclass
class _Turn:
    """When a job is due, on the loop's clock, and how often in a row it failed."""

    job: Job
    due: float
    failures: int = field(default=0)


class Loop:
    """Each job runs at the start, then at its interval. `clock` counts seconds and never goes back."""

    def __init__(self, jobs: Iterable[Job], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turns = [_Turn(job, clock()) for job in jobs]
        self._stopped = threading.Event()

    def run(self) -> None:
        """Run what is due until `stop` is called, which may be from another thread."""
        while not self._stopped.is_set():
            self._stopped.wait(self.run_due())

    def stop(self) -> None:
        """End `run` after the job at work."""
        self._stopped.set()

    def run_due(self) -> float:
        """Run each job that is due; the seconds until the next one is."""
        for turn in self._turns:
            if turn.due <= self._clock() and not self._stopped.is_set():
                self._run(turn)
        return max(0.0, min((turn.due for turn in self._turns), default=self._clock() + 1) - self._clock())

    def run_once(self) -> list[str]:
        """Run every job a single time; the names of those that failed."""
        for turn in self._turns:
            self._run(turn)
        return [turn.job.name for turn in self._turns if turn.failures]

    def _run(self, turn: _Turn) -> None:
        name = turn.job.name
        # A connection that the server has closed meanwhile is not used again.
        close_old_connections()
        try:
            turn.job.run()
        except Exception as error:
            turn.failures += 1
            delay = min(FIRST_RETRY_SECONDS * 2.0 ** min(turn.failures - 1, 10), LONGEST_RETRY_SECONDS)
            turn.due = self._clock() + delay
            if turn.failures == 1 and not isinstance(error, DatabaseProblem):
                logger.exception("%s failed, again in %g s", name, delay)
            else:
                said = error_text(error)
                logger.warning("%s failed %d in a row, again in %g s: %s", name, turn.failures, delay, said)
        else:
            if turn.failures:
                logger.info("%s works again", name)
            turn.failures = 0
            turn.due = self._clock() + turn.job.pause()
        finally:
            close_old_connections()
