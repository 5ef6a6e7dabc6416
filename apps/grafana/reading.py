"""Reads dashboards of a Grafana, several at a time, and keeps the bodies of those only that are not as they were."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, TypeVar

from apps.grafana.answers import LiveDashboard, Resource
from apps.grafana.canonical import digest
from apps.grafana.client import Client
from apps.grafana.errors import GrafanaError, NotFound, Unauthorised, Unreachable

T = TypeVar("T")
R = TypeVar("R")

AWAY_AFTER: Final = 3
"""After so many rows in a row without an answer (each was tried several times), Grafana is taken to be away."""


@dataclass(frozen=True)
class Question:
    """A dashboard to read, and how its digest is made. The body is dropped when the digest is `expected`."""

    uid: str
    expected: str = ""
    without_ids: frozenset[str] = frozenset()
    values: bool = True


@dataclass(frozen=True)
class Reading:
    """What came: `live` is None when Grafana has none, `error` says why nothing is known."""

    live: LiveDashboard | None = None
    digest: str = ""
    error: GrafanaError | None = None
    milliseconds: int = 0


def read_all(client: Client, questions: Iterable[Question], *, concurrency: int) -> Iterator[tuple[Question, Reading]]:
    """Each question with its reading, as they come. Raises Unauthorised; a Grafana that is away is not asked on."""
    away: GrafanaError | None = None
    in_a_row = 0

    def ask(question: Question) -> Reading:
        return Reading(error=away) if away is not None else read(client, question)

    for question, reading in side_by_side(ask, questions, concurrency=concurrency):
        error = reading.error
        if type(error) is Unauthorised:
            raise error
        in_a_row = in_a_row + 1 if isinstance(error, Unreachable) else 0
        if in_a_row >= AWAY_AFTER:
            away = error
        yield question, reading


def read(client: Client, question: Question) -> Reading:
    """Read one dashboard."""
    began = time.monotonic()
    try:
        live = client.dashboard(question.uid)
    except NotFound:
        return Reading(milliseconds=_since(began))
    except GrafanaError as error:
        return Reading(error=error, milliseconds=_since(began))
    made = digest(live.body, folder_uid=live.folder_uid, without_ids=question.without_ids, values=question.values)
    if made == question.expected:
        live = replace(live, body={})
    return Reading(live, made, milliseconds=_since(began))


def resource_versions(client: Client) -> dict[str, Resource]:
    """All dashboards as `/apis` lists them, by uid; none where Grafana has no such API."""
    return {resource.uid: resource for resource in client.resources()}


def side_by_side(do: Callable[[T], R], things: Iterable[T], *, concurrency: int) -> Iterator[tuple[T, R]]:
    """Do something with each thing in `concurrency` threads; results as they come. No thread touches the database.

    What `do` raises is raised here, after the threads have come to their end.
    """
    waiting = iter(things)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="grafana") as pool:
        running: dict[Future[R], T] = {}
        try:
            while True:
                for thing in islice(waiting, 2 * concurrency - len(running)):
                    running[pool.submit(do, thing)] = thing
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            for future in running:
                future.cancel()


def _since(began: float) -> int:
    return round(1000 * (time.monotonic() - began))
