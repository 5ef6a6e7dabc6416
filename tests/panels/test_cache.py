"""Answers are shared: asked for once, kept for a time that fits, and nobody is hurt by another's leaving."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from apps.panels.cache import Answers, keep_seconds, steady
from apps.panels.errors import Kind, PanelError


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Source:
    """Counts how often it is asked; waits for `go` where that is wanted."""

    asked: int = 0
    failure: Kind | None = None
    go: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)

    def ask(self, stop: Callable[[], bool]) -> str:
        self.asked += 1
        if self.failure:
            raise PanelError(self.failure, "no")
        return f"answer {self.asked}"

    def ask_slowly(self, stop: Callable[[], bool]) -> str:
        self.asked += 1
        self.begun.set()
        while not self.go.wait(0.01):
            if stop():
                raise left()
        return f"answer {self.asked}"


def left() -> PanelError:
    return PanelError("cancelled", "left")


def never() -> bool:
    return False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def answers(clock: Clock) -> Answers[str]:
    return Answers(capacity=10_000, weigh=len, clock=clock)


def get(
    answers: Answers[str], ask: Callable[[Callable[[], bool]], str], key: str = "k", keep: float = 10
) -> tuple[str, float]:
    return answers.get(key, ask, keep=keep, stop=never, stopped=left)


def test_an_answer_is_kept_for_its_time_and_tells_its_age(answers: Answers[str], clock: Clock) -> None:
    source = Source()
    assert get(answers, source.ask) == ("answer 1", 0.0)
    clock.now += 9
    assert get(answers, source.ask) == ("answer 1", 9.0)
    assert get(answers, source.ask, key="other") == ("answer 2", 0.0)
    clock.now += 2
    assert get(answers, source.ask) == ("answer 3", 0.0)


def test_without_a_time_nothing_is_kept(answers: Answers[str]) -> None:
    source = Source()
    get(answers, source.ask, keep=0)
    assert get(answers, source.ask, keep=0) == ("answer 2", 0.0)


@pytest.mark.parametrize(
    ("kind", "asked"), [("sql", 1), ("timeout", 1), ("too_large", 1), ("unavailable", 2), ("busy", 2), ("cancelled", 2)]
)
def test_failures_that_would_come_again_are_kept(answers: Answers[str], kind: Kind, asked: int) -> None:
    source = Source(failure=kind)
    for _ in range(2):
        with pytest.raises(PanelError, match="no"):
            get(answers, source.ask)
    assert source.asked == asked


def test_what_was_not_asked_for_longest_goes_first_when_there_is_too_much(answers: Answers[str]) -> None:
    source = Source()
    for key in "abcdefghi":
        get(answers, source.ask, key=key)
    get(answers, source.ask, key="a")
    get(answers, source.ask, key="j")
    assert source.asked == 10
    get(answers, source.ask, key="a")
    assert source.asked == 10
    get(answers, source.ask, key="b")
    assert source.asked == 11


class Viewer(threading.Thread):
    """Somebody who asks in a thread of their own."""

    def __init__(self, answers: Answers[str], source: Source) -> None:
        super().__init__()
        self.gone = threading.Event()
        self.answers = answers
        self.source = source
        self.seen: str | None = None
        self.start()

    def run(self) -> None:
        try:
            self.seen, _ = self.answers.get("k", self.source.ask_slowly, keep=10, stop=self.gone.is_set, stopped=left)
        except PanelError as error:
            self.seen = error.kind


def test_the_first_viewer_may_leave_while_others_wait(answers: Answers[str]) -> None:
    source = Source()
    first = Viewer(answers, source)
    assert source.begun.wait(5)
    others = [Viewer(answers, source) for _ in range(5)]
    deadline = threading.Event()
    while len(answers._flights["k"].waiting) < 6:
        assert not deadline.wait(0.01)
    first.gone.set()
    others[0].gone.set()
    others[0].join(2)
    assert others[0].seen == "cancelled"
    source.go.set()
    for viewer in (first, *others):
        viewer.join(5)
    assert source.asked == 1
    assert [viewer.seen for viewer in others[1:]] == ["answer 1"] * 4
    assert first.seen == "cancelled"


def test_when_all_have_left_the_question_stops_and_the_next_viewer_asks_anew(answers: Answers[str]) -> None:
    source = Source()
    first = Viewer(answers, source)
    assert source.begun.wait(5)
    first.gone.set()
    first.join(2)
    assert first.seen == "cancelled"
    source.go.set()
    second = Viewer(answers, source)
    second.join(5)
    assert second.seen == "answer 2"


def test_a_fault_of_the_portal_reaches_those_who_wait_as_an_error(answers: Answers[str]) -> None:
    def broken(stop: Callable[[], bool]) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        get(answers, broken)
    assert get(answers, Source().ask) == ("answer 1", 0.0)


@pytest.mark.parametrize(
    ("span", "seconds"), [(0, 2), (3600, 2), (3 * 3600, 5), (6 * 3600, 15), (86400, 60), (90 * 86400, 60)]
)
def test_the_longer_the_range_the_older_an_answer_may_be(span: float, seconds: int) -> None:
    assert keep_seconds(span) == seconds


def test_people_who_look_at_the_same_range_in_the_same_seconds_ask_the_same() -> None:
    assert steady(1_000_000_019.9, 86400) == steady(1_000_000_000.1, 86400) == 999_999_960
    assert steady(1_000_000_061, 86400) != steady(1_000_000_000, 86400)
