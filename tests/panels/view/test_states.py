"""States over time."""

from __future__ import annotations

from typing import Any

from tests.panels.view.drawn import HOUR, START, drawn, frame

TIMES = [START, START + HOUR, START + 2 * HOUR, START + 3 * HOUR]
MAPPINGS = [{"type": "value", "options": {"up": {"text": "Up", "color": "green"}, "down": {"color": "red"}}}]
RED, GREEN = "light-dark(#E02F44, #F2495C)", "light-dark(#56A64B, #73BF69)"


def spans(view: Any) -> list[tuple[int, float, float, str]]:
    return [(one.lane, (one.start - START) / HOUR, (one.end - START) / HOUR, one.text) for one in view.spans]


def test_a_state_lasts_until_the_next_and_the_last_one_until_now() -> None:
    rows = frame(time=TIMES, tv=["up", "up", None, "down"])
    view = drawn("state-timeline", rows, defaults={"mappings": MAPPINGS}, now=START + 5 * HOUR)
    assert spans(view) == [(0, 0, 2, "Up"), (0, 3, 5, "down")]
    assert [one.color for one in view.spans] == [GREEN, RED]
    assert (view.lanes, view.states) == (("tv",), True)
    assert [(e.name, e.color) for e in view.legend.entries] == [("Up", GREEN), ("down", RED)]


def test_equal_values_may_stay_apart() -> None:
    rows = frame(time=TIMES[:2], tv=["up", "up"])
    assert len(drawn("state-timeline", rows, options={"mergeValues": False}).spans) == 2


def test_a_history_has_a_cell_around_each_value() -> None:
    rows = frame(time=TIMES, load=[10.0, 20.0, None, 95.0], other=[1.0, 1.0, 1.0, 1.0])
    steps = [{"color": "green", "value": None}, {"color": "red", "value": 80}]
    defaults = {"thresholds": {"mode": "absolute", "steps": steps}}
    view = drawn("status-history", rows, defaults=defaults, options={"showValue": "never", "rowHeight": 0.5})
    assert spans(view)[:3] == [(0, -0.5, 0.5, "10"), (0, 0.5, 1.5, "20"), (0, 2.5, 3.5, "95")]
    assert view.spans[2].color == RED
    assert (view.lanes, view.show_values, view.row_height) == (("load", "other"), "never", 0.5)
    assert [e.name for e in view.legend.entries] == ["< 80", "80+"]


def test_data_without_a_time_says_so() -> None:
    assert drawn("state-timeline", frame(a=["x"])).text == "The data has no time"
