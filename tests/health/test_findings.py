"""Checks never raise, never take longer than they may, and never pile up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from apps.health.findings import Check, Group, State, Verdict, failing, ok, run, unknown, warning, worst

Checked = Callable[[], Verdict]


def group(*checks: Checked, seconds: float = 5.0, essential: bool = False) -> Group:
    named = [Check(f"check{number}", f"Check {number}", one, essential) for number, one in enumerate(checks)]
    return Group("group", "Group", seconds, tuple(named))


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging check waits for; opened at the end, so that no thread is left."""
    event = threading.Event()
    yield event
    event.set()


def test_findings_come_in_the_order_of_their_checks() -> None:
    found = run([group(lambda: ok("fine", a=1), lambda: warning("so so", "mend it"))])
    assert [(one.name, one.state, one.text, one.fix) for one in found] == [
        ("check0", State.OK, "fine", ""),
        ("check1", State.WARNING, "so so", "mend it"),
    ]
    assert found[0].details == {"a": 1}
    assert found[0].milliseconds is not None


def test_a_check_that_raises_is_unknown_and_tells_no_secret(settings: Settings) -> None:
    settings.SECRET_KEY = "a$c4nary/of secrets"

    def broken() -> Verdict:
        raise RuntimeError(f"key {settings.SECRET_KEY}, encoded a%24c4nary%2Fof%20secrets\nsecond line")

    (found,) = run([group(broken)])
    assert found.state is State.UNKNOWN
    assert "RuntimeError" in found.text
    assert found.details == {"error": "key ********, encoded ********"}


def test_one_that_hangs_fails_in_time_and_the_next_is_not_asked(gate: threading.Event) -> None:
    def hang() -> Verdict:
        gate.wait()
        return ok("at last")

    started = time.monotonic()
    found = run([group(lambda: ok("fine"), hang, lambda: ok("never"), seconds=0.2)])
    assert time.monotonic() - started < 1
    assert [one.state for one in found] == [State.OK, State.FAILING, State.UNKNOWN]
    assert "0.2 s" in found[1].text


def test_a_group_that_hangs_is_not_started_twice(gate: threading.Event) -> None:
    calls = []

    def hang() -> Verdict:
        calls.append(1)
        gate.wait()
        return ok("at last")

    hanging = group(hang, seconds=0.05)
    for _ in range(3):
        run([hanging])
    assert len(calls) == 1


def test_groups_run_side_by_side(gate: threading.Event) -> None:
    met = threading.Barrier(2)

    def meet() -> Verdict:
        met.wait(5)
        return ok("met")

    found = run([group(meet), Group("other", "Other", 5.0, (Check("other", "Other", meet),))])
    assert [one.text for one in found] == ["met", "met"]


def test_when_an_essential_check_fails_the_others_are_not_asked() -> None:
    found = run([group(lambda: failing("gone", "start it"), lambda: ok("never"), essential=True)])
    assert [one.state for one in found] == [State.FAILING, State.UNKNOWN]
    assert "check 0" in found[1].text


def test_fresh_findings_are_used_again_only_when_that_is_allowed() -> None:
    calls = []

    def count() -> Verdict:
        calls.append(1)
        return ok(str(len(calls)))

    counting = group(count)
    texts = [run([counting], max_age=age)[0].text for age in (60, 60, 0)]
    assert texts == ["1", "1", "2"]


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        ([ok("")], State.OK),
        ([ok(""), unknown("")], State.OK),
        ([warning("", ""), ok("")], State.WARNING),
        ([warning("", ""), failing("", "")], State.FAILING),
    ],
)
def test_the_worst_counts_and_what_is_unknown_does_not(verdicts: list[Verdict], state: State) -> None:
    assert worst(run([group(*(lambda verdict=verdict: verdict for verdict in verdicts))])) is state
