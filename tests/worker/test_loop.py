"""Jobs run when they are due; one that fails is tried later, and disturbs no other."""

from __future__ import annotations

import itertools
import logging
import threading

import pytest
from django.db import OperationalError

from apps.worker.loop import LONGEST_RETRY_SECONDS, Job, Loop

pytestmark = pytest.mark.django_db(databases=["default", "source"])  # the loop looks after the process's connections


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Work:
    """Counts its runs, and fails as long as `error` is set."""

    def __init__(self, error: Exception | None = None) -> None:
        self.runs = 0
        self.error = error

    def __call__(self) -> None:
        self.runs += 1
        if self.error is not None:
            raise self.error


def test_each_job_runs_at_the_start_and_then_at_its_interval(clock: Clock) -> None:
    often, seldom = Work(), Work()
    loop = Loop([Job("often", 1, often), Job("seldom", 10, seldom)], clock)
    assert loop.run_due() == 1
    for _ in range(10):
        clock.now += 1
        loop.run_due()
    assert (often.runs, seldom.runs) == (11, 2)


def test_what_was_missed_is_not_made_up_for(clock: Clock) -> None:
    work = Work()
    loop = Loop([Job("work", 1, work)], clock)
    loop.run_due()
    clock.now += 3600
    loop.run_due()
    loop.run_due()
    assert work.runs == 2


def test_a_job_that_fails_waits_longer_each_time_and_others_go_on(clock: Clock) -> None:
    broken, fine = Work(ValueError("no")), Work()
    loop = Loop([Job("broken", 0.1, broken), Job("fine", 1, fine)], clock)
    times = []
    for _ in range(400):
        before = broken.runs
        loop.run_due()
        if broken.runs > before:
            times.append(clock.now)
        clock.now += 1
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[:6] == [1, 2, 4, 8, 16, 32]
    assert set(gaps[6:]) == {LONGEST_RETRY_SECONDS}
    assert fine.runs == 400


def test_a_daily_job_does_not_wait_for_tomorrow_when_it_failed(clock: Clock) -> None:
    work = Work(OperationalError("the server is restarting"))
    loop = Loop([Job("daily", 86400, work)], clock)
    assert loop.run_due() == 1
    work.error = None
    clock.now += 1
    assert loop.run_due() == 86400
    assert work.runs == 2


def test_a_job_that_works_again_has_its_interval_back(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    work = Work(ValueError("no"))
    loop = Loop([Job("work", 5, work)], clock)
    for _ in range(3):
        clock.now += loop.run_due()
    work.error = None
    assert loop.run_due() == 5
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING", "WARNING", "INFO"]
    # The traceback is told once.
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False, False]


def test_once_runs_everything_and_names_what_failed(clock: Clock) -> None:
    fine = Work()
    loop = Loop([Job("broken", 60, Work(ValueError("no"))), Job("fine", 60, fine)], clock)
    assert loop.run_once() == ["broken"]
    assert fine.runs == 1


def test_stop_ends_the_loop_at_once() -> None:
    loop = Loop([Job("work", 3600, Work())])
    thread = threading.Thread(target=loop.run)
    thread.start()
    loop.stop()
    thread.join(5)
    assert not thread.is_alive()
