"""Gantt charts."""

from __future__ import annotations

from typing import Any

from tests.panels.view.drawn import HOUR, START, drawn, frame

OPTIONS: dict[str, Any] = {
    **{"colorField": "success", "groupBy": "device", "labelFields": ["task"], "textField": "device"},
    **{"startField": "time", "endField": "time_end"},
    "colors": [{"color": "#299c46", "value": "true"}, {"color": "#d44a3a", "value": "false"}],
}


def test_overlapping_bars_of_a_device_lie_on_lines_of_its_lane() -> None:
    rows = frame(
        device=["pi1-tv", "pi1-tv", "pi2-box", "pi1-tv"],
        task=["zap", "goto", "kpi", "boot"],
        time=[START, START + HOUR, START, START + 3 * HOUR],
        time_end=[START + 2 * HOUR, START + 2 * HOUR, START + HOUR, None],
        success=[True, False, True, None],
    )
    view = drawn("marcusolsson-gantt-panel", rows, options=OPTIONS, now=START + 5 * HOUR)
    assert (view.lanes, view.depths) == (("pi1-tv", "pi2-box"), (2, 1))
    found = {span.text: span for span in view.spans}
    assert [(found[name].lane, found[name].line) for name in ("zap", "goto", "kpi", "boot")] == [
        (0, 0), (0, 1), (1, 0), (0, 0)
    ]  # fmt: skip
    assert found["zap"].color == "#299c46"
    assert found["goto"].color == "#d44a3a"
    assert (found["boot"].open, found["boot"].end) == (True, START + 5 * HOUR)
    assert found["goto"].lines == ("task: goto", "success: false")
    assert [(entry.name, entry.color) for entry in view.legend.entries][:2] == [
        ("true", "#299c46"), ("false", "#d44a3a")
    ]  # fmt: skip


def test_bars_outside_of_the_range_are_counted() -> None:
    rows = frame(device=["a", "b"], time=[START, START - 9 * HOUR], time_end=[START + HOUR, START - 8 * HOUR])
    view = drawn("marcusolsson-gantt-panel", rows, options=OPTIONS)
    assert view.lanes == ("a",)
    assert view.notices == ("1 of 2 bars lie outside of the range.",)
    rows = frame(device=["b"], time=[START - 9 * HOUR], time_end=[START - 8 * HOUR])
    assert drawn("marcusolsson-gantt-panel", rows, options=OPTIONS).text == "No bar lies in the range"


def test_mappings_colour_states_that_the_panel_does_not_list() -> None:
    mappings = [{"type": "value", "options": {"paused": {"color": "yellow", "text": "Paused"}}}]
    rows = frame(device=["a"], time=[START], time_end=[START + HOUR], status=["paused"])
    options = OPTIONS | {"colorField": "status", "colors": []}
    view = drawn("marcusolsson-gantt-panel", rows, options=options, defaults={"mappings": mappings})
    assert view.spans[0].color == "light-dark(#F2CC0C, #FADE2A)"
    assert [entry.name for entry in view.legend.entries] == ["Paused"]


def test_without_fields_named_the_first_text_and_times_are_taken() -> None:
    rows = frame(device=["a"], time=[START], time_end=[START + HOUR])
    view = drawn("marcusolsson-gantt-panel", rows)
    assert (view.lanes, view.spans[0].end) == (("a",), START + HOUR)
    no_time = drawn("marcusolsson-gantt-panel", frame(device=["a"]))
    assert no_time.text == "A Gantt chart needs a time at which its bars start"
