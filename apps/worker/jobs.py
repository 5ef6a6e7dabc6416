"""What the worker does, and how often."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from random import Random

from django.conf import settings
from django.utils import timezone

from apps.accounts import sign_in
from apps.grafana import schedule
from apps.live import retention
from apps.mirror.demo.presence import demo_rows_present
from apps.mirror.demo.simulate import Simulator
from apps.triage import silences
from apps.worker.loop import Job

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def registered() -> list[Job]:
    """The jobs that these settings ask for. Only a source of our own has a lab that is made up."""
    jobs = [
        Job("clear sessions", DAY, clear_sessions),
        Job("clear sign-in attempts", HOUR, sign_in.prune),
        Job("notice silent hosts", 30.0, silences.watch),
        Job("drop old events", MINUTE, retention.prune),
    ]
    if settings.SYNC_INTERVAL:
        jobs.append(Job("sync dashboards", settings.SYNC_INTERVAL, schedule.sync_all, jitter=0.1))
    if settings.DEMO and settings.SOURCE_ACCESS == "own":
        jobs.append(Job("simulate the demo lab", 1.0, simulation()))
    return jobs


def simulation() -> Callable[[], None]:
    """A step of the demo lab; nothing where no demo rows are."""
    simulator = Simulator(timezone.now, Random())  # noqa: S311 -- chance, not secrecy

    def step() -> None:
        if demo_rows_present():
            simulator.step()

    return step


def clear_sessions() -> None:
    """Delete the sessions that have expired."""
    clear: Callable[[], None] = import_module(settings.SESSION_ENGINE).SessionStore.clear_expired
    clear()
