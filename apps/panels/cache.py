"""Answers that several people may share: one asks, the others wait for it or get it from memory, with its age."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from apps.panels.errors import LASTING, PanelError

T = TypeVar("T")
Stop = Callable[[], bool]

LOOK_SECONDS: Final = 0.05
STEPS: Final = (2, 5, 10, 15, 30, 60)
"""Seconds that an answer may be old."""


def keep_seconds(span_seconds: float) -> int:
    """How long the answer for a time range of `span_seconds` is shown again: about a 1440th of it (a pixel of a wide
    chart), from 2 seconds to a minute. An hour: 2 s, six hours: 15 s, a day and more: 60 s."""
    wanted = span_seconds / 1440
    return next((step for step in reversed(STEPS) if step <= wanted), STEPS[0])


def steady(moment: float, span_seconds: float) -> float:
    """`moment` (epoch seconds) rounded down to a multiple of `keep_seconds`: so that all who look at "the last hour" in
    these seconds ask for the same hour, and get the same answer."""
    step = keep_seconds(span_seconds)
    return moment // step * step


@dataclass
class _Flight(Generic[T]):
    """A question under way, and who waits for its answer."""

    waiting: dict[int, Stop] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    answer: T | None = None
    failure: PanelError | None = None
    closed: bool = False
    """All who waited had left, so that it was stopped: whoever comes now asks anew."""


@dataclass(frozen=True)
class _Kept(Generic[T]):
    answer: T | None
    failure: PanelError | None
    asked: float
    until: float
    weight: int


class Answers(Generic[T]):
    """Answers by key, each asked for once at a time, kept for a time, up to `capacity` in weight."""

    def __init__(
        self, *, capacity: int, weigh: Callable[[T], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._capacity = capacity
        self._weigh = weigh
        self._clock = clock
        self._guard = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()
        self._flights: dict[Hashable, _Flight[T]] = {}
        self._weight = 0

    def get(
        self, key: Hashable, ask: Callable[[Stop], T], *, keep: float, stop: Stop, stopped: Callable[[], PanelError]
    ) -> tuple[T, float]:
        """The answer for `key` and its age in seconds; 0.0 when it was asked for just now.

        `ask` is called by one of all who want the answer at the same time; what it gets tells whether all have left.
        Whoever leaves (`stop`) gets the error that `stopped` makes; the others are not hurt. Answers are kept for
        `keep` seconds, and so are failures that would come again; other failures only reach those who wait now.
        """
        with self._guard:
            if (kept := self._fresh(key)) is not None:
                if kept.failure is not None:
                    raise kept.failure.again()
                return kept.answer, self._clock() - kept.asked  # type: ignore[return-value]
            flight = self._flights.get(key)
            leads = flight is None or flight.closed
            if flight is None or leads:
                flight = self._flights[key] = _Flight()
            me = max(flight.waiting, default=0) + 1
            flight.waiting[me] = stop
        if leads:
            self._fly(key, flight, ask, keep)
        else:
            self._wait(flight, me, stop, stopped)
        if flight.failure is not None:
            raise flight.failure.again()
        if stop():
            raise stopped()
        return flight.answer, 0.0  # type: ignore[return-value]

    def clear(self) -> None:
        """Forget what is kept; questions under way go on."""
        with self._guard:
            self._kept.clear()
            self._weight = 0

    def _fly(self, key: Hashable, flight: _Flight[T], ask: Callable[[Stop], T], keep: float) -> None:
        asked = self._clock()
        try:
            flight.answer = ask(lambda: self._is_left(key, flight))
        except PanelError as failure:
            flight.failure = failure
        except BaseException:
            flight.failure = PanelError("unavailable", "The query ended with a fault of the portal; its log says more.")
            raise
        finally:
            with self._guard:
                if self._flights.get(key) is flight:
                    del self._flights[key]
                if flight.failure is None or flight.failure.kind in LASTING:
                    self._keep(key, flight, asked, keep)
            flight.done.set()

    def _wait(self, flight: _Flight[T], me: int, stop: Stop, stopped: Callable[[], PanelError]) -> None:
        while not flight.done.wait(LOOK_SECONDS):
            if stop():
                with self._guard:
                    flight.waiting.pop(me, None)
                raise stopped()

    def _is_left(self, key: Hashable, flight: _Flight[T]) -> bool:
        """Whether all who wait have left. Decided once: a later comer starts a flight of its own."""
        with self._guard:
            if not flight.closed and all(stop() for stop in flight.waiting.values()):
                flight.closed = True
                if self._flights.get(key) is flight:
                    del self._flights[key]
            return flight.closed

    def _fresh(self, key: Hashable) -> _Kept[T] | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept

    def _keep(self, key: Hashable, flight: _Flight[T], asked: float, keep: float) -> None:
        weight = 1024 + (self._weigh(flight.answer) if flight.answer is not None else 0)
        if keep <= 0 or weight > self._capacity:
            return
        self._drop(key)
        # From the end of the query on: a slow one would be too old the moment it is there.
        self._kept[key] = _Kept(flight.answer, flight.failure, asked, self._clock() + keep, weight)
        self._weight += weight
        while self._weight > self._capacity:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._weight -= kept.weight
