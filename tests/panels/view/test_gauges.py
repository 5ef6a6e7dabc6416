"""Gauges, bar gauges and pies."""

from __future__ import annotations

from typing import Any

from tests.panels.view.drawn import drawn, frame

RED, GREEN = "light-dark(#E02F44, #F2495C)", "light-dark(#56A64B, #73BF69)"
STEPS = [{"color": "red", "value": None}, {"color": "green", "value": 75}]
LOAD: dict[str, Any] = {"min": 0, "max": 200, "unit": "percent", "thresholds": {"mode": "absolute", "steps": STEPS}}
ROWS: dict[str, Any] = {"reduceOptions": {"values": True, "calcs": ["lastNotNull"]}}


def test_a_gauge_reaches_as_far_as_its_value_between_the_ends() -> None:
    view = drawn("gauge", frame(load=[100.0]), defaults=LOAD)
    (tile,) = view.tiles
    assert (tile.percent, f"{tile.text}{tile.suffix}", tile.color) == (0.5, "100%", GREEN)
    assert (tile.low, tile.high) == ("0%", "200%")
    assert tile.steps == ((0, RED), (0.375, GREEN))
    assert (view.markers, view.labels) == (True, False)


def test_what_lies_beyond_the_ends_is_drawn_at_them() -> None:
    view = drawn("gauge", frame(a=[900.0], b=[-3.0], c=[None]), defaults=LOAD)
    assert [tile.percent for tile in view.tiles] == [1, 0, None]
    assert view.tiles[2].text == "No data"


def test_bars_have_a_direction_and_a_mode() -> None:
    rows = frame(host=["a", "b"], load=[50.0, 150.0])

    def how(**options: Any) -> tuple[bool, str, bool]:
        view = drawn("bargauge", rows, options=options | ROWS, defaults=LOAD, width=400, height=200)
        assert [(tile.title, tile.percent) for tile in view.tiles] == [("a", 0.25), ("b", 0.75)]
        return view.vertical, view.mode, view.unfilled

    assert how(orientation="horizontal", displayMode="lcd") == (False, "lcd", True)
    assert how(orientation="auto", displayMode="basic", showUnfilled=False) == (True, "basic", False)


def test_a_gradient_has_its_stops() -> None:
    view = drawn("bargauge", frame(n=[5.0]), defaults={"color": {"mode": "continuous-GrYlRd"}, "min": 0, "max": 10})
    assert [place for place, _ in view.tiles[0].steps] == [0, 0.5, 1]


def test_slices_are_shares_of_the_whole_the_largest_first() -> None:
    view = drawn(
        "piechart",
        frame(result=["Failed", "Passed", "Other"], tests=[1, 3, 0]),
        options={
            **ROWS,
            "pieType": "donut",
            "displayLabels": ["percent", "name"],
            "legend": {"displayMode": "table", "placement": "right", "values": ["percent", "value"]},
        },
    )
    assert [(one.name, one.text, one.share) for one in view.slices] == [("Passed", "3", 0.75), ("Failed", "1", 0.25)]
    assert len({one.color for one in view.slices}) == 2
    assert (view.donut, view.labels) == (True, ("name", "percent"))
    assert [(e.name, e.figures) for e in view.legend.entries] == [
        ("Passed", ("3", "75%")), ("Failed", ("1", "25%"))
    ]  # fmt: skip
    assert view.legend.figures == ("Value", "Percent")


def test_a_pie_of_fields_has_the_colours_that_they_are_given() -> None:
    red = {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}}
    overrides = [{"matcher": {"id": "byName", "options": "failed"}, "properties": [red]}]
    view = drawn("piechart", frame(passed=[1], failed=[2]), overrides=overrides)
    assert [(one.name, one.color) for one in view.slices] == [("failed", RED), ("passed", GREEN)]
    assert drawn("piechart", frame(n=[0], m=[None])).text == "No value is above zero"
