"""Lines, bars and areas over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.panels.frames import Field, Frame
from apps.panels.view.model import TimeSeries
from tests.panels.view.drawn import HOUR, START, drawn, frame

TIMES = [START, START + HOUR, START + 2 * HOUR]
GREEN = "light-dark(#56A64B, #73BF69)"


def series(*columns: tuple[str, list[Any]], times: Sequence[float] = TIMES) -> Frame:
    return Frame((Field("time", "time", list(times)), *(Field(name, "number", values) for name, values in columns)))


def by_name(view: TimeSeries) -> dict[str, Any]:
    return {line.name: line for line in view.lines}


def test_values_have_their_unit_and_the_palette_gives_the_colours() -> None:
    view = drawn("timeseries", series(("cpu", [10.0, 12.5, None])), defaults={"unit": "percent"})
    (line,) = view.lines
    assert (line.name, list(line.values), list(line.texts)) == ("cpu", [10.0, 12.5, None], ["10%", "12.5%", ""])
    assert line.color == GREEN
    assert list(view.clocks[line.clock]) == TIMES
    assert (view.start, view.end) == (START, START + 6 * HOUR)


def test_a_line_crosses_gaps_only_where_the_panel_says_so() -> None:
    def gap(spans: Any) -> Any:
        return (
            drawn("timeseries", series(("a", [1.0, None, 3.0])), defaults={"custom": {"spanNulls": spans}}).lines[0].gap
        )

    assert (gap(False), gap(True), gap(900_000), gap(None)) == (0, -1, 900_000, 0)


def test_a_line_is_cut_where_values_lie_too_far_apart() -> None:
    times = [START, START + HOUR, START + 4 * HOUR]
    rows = series(("a", [1.0, 2.0, 3.0]), times=times)
    view = drawn("timeseries", rows, defaults={"custom": {"insertNulls": 2 * HOUR}})
    (line,) = view.lines
    assert list(view.clocks[line.clock]) == [*times[:2], START + 2.5 * HOUR, times[2]]
    assert (list(line.values), list(line.texts)) == ([1, 2, None, 3], ["1", "2", "", "3"])


def test_the_style_is_what_the_panel_says() -> None:
    custom = {
        **{"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 2, "lineInterpolation": "stepAfter"},
        **{"showPoints": "never", "pointSize": 7, "lineStyle": {"fill": "dash", "dash": [4, 2]}},
    }
    (line,) = drawn("timeseries", series(("a", [1.0, 2.0, 3.0])), defaults={"custom": custom}).lines
    assert (line.draw, line.fill, line.width, line.curve) == ("bars", 0.8, 2, "stepAfter")
    assert (line.points, line.point_size, line.dash) == ("never", 7, (4, 2))


def test_stacked_series_stand_on_each_other_and_say_their_own_values() -> None:
    frames = series(("a", [1.0, 2.0, None]), ("b", [10.0, 20.0, 30.0]), ("c", [-5.0, -5.0, -5.0]))
    view = drawn("timeseries", frames, defaults={"custom": {"stacking": {"mode": "normal", "group": "A"}}})
    lines = by_name(view)
    assert list(lines["b"].values) == [11, 22, 30]
    assert list(lines["b"].base) == [1, 2, 0]
    assert list(lines["b"].texts) == ["10", "20", "30"]
    assert list(lines["c"].values) == [-5, -5, -5]
    assert view.axes[0].low <= -5
    assert view.axes[0].high >= 30


def test_shares_of_a_stack_fill_the_axis() -> None:
    stacking = {"custom": {"stacking": {"mode": "percent", "group": "A"}}}
    view = drawn("timeseries", series(("a", [1.0, 0.0, 1.0]), ("b", [3.0, 0.0, 1.0])), defaults=stacking)
    lines = by_name(view)
    assert list(lines["a"].values) == [0.25, 0, 0.5]
    assert list(lines["b"].values) == [1, 0, 1]
    assert list(lines["b"].texts) == ["3", "0", "1"]
    assert (view.axes[0].low, view.axes[0].high) == (0, 1)
    assert [tick.text for tick in view.axes[0].ticks][-1] == "100%"


def test_a_stack_of_two_queries_is_measured_at_the_times_of_both() -> None:
    first, second = (
        series(
            (
                "a",
                [1.0, 1.0],
            ),
            times=TIMES[:2],
        ),
        series(("b", [5.0, 5.0]), times=TIMES[1:]),
    )
    view = drawn("timeseries", first, second, defaults={"custom": {"stacking": {"mode": "normal"}}})
    lines = by_name(view)
    assert lines["a"].clock == lines["b"].clock
    assert list(view.clocks[lines["b"].clock]) == TIMES
    assert list(lines["b"].values) == [None, 6, 5]


def test_units_have_an_axis_each_the_second_on_the_right() -> None:
    overrides = [{"matcher": {"id": "byName", "options": "b"}, "properties": [{"id": "unit", "value": "ms"}]}]
    view = drawn("timeseries", series(("a", [0.0, 50.0, 100.0]), ("b", [900.0, 1100.0, 1500.0])), overrides=overrides)
    assert [axis.side for axis in view.axes] == ["left", "right"]
    assert by_name(view)["b"].axis == 1
    assert "1 s" in [tick.text for tick in view.axes[1].ticks]


def test_configured_ends_are_the_ends_of_the_axis() -> None:
    view = drawn("timeseries", series(("a", [3.0, 5.0, 7.0])), defaults={"min": 0, "max": 100, "unit": "percent"})
    assert (view.axes[0].low, view.axes[0].high) == (0, 100)
    assert [tick.text for tick in view.axes[0].ticks] == ["0%", "20%", "40%", "60%", "80%", "100%"]


def test_thresholds_are_lines_or_areas() -> None:
    steps = [{"color": "green", "value": None}, {"color": "red", "value": 80}]
    defaults: dict[str, Any] = {"min": 0, "max": 100, "thresholds": {"mode": "absolute", "steps": steps}}

    def levels(mode: str) -> list[tuple[float, float | None, bool]]:
        custom = {"custom": {"thresholdsStyle": {"mode": mode}}}
        view = drawn("timeseries", series(("a", [10.0, 90.0, 20.0])), defaults=defaults | custom)
        return [(level.value, level.until, level.dashed) for level in view.levels]

    assert levels("off") == []
    assert levels("line") == [(80, None, False)]
    assert levels("dashed") == [(80, None, True)]
    assert levels("area") == [(0, 80, False), (80, 100, False)]
    assert levels("line+area") == [(0, 80, False), (80, 100, False), (80, None, False)]


def test_the_legend_names_series_with_their_figures_unless_they_are_hidden() -> None:
    hidden = {"id": "custom.hideFrom", "value": {"legend": True, "tooltip": True, "viz": False}}
    view = drawn(
        "timeseries",
        series(("a", [1.0, 2.0, 4.0]), ("b", [1.0, 1.0, 1.0]), ("c", [0.0, 0.0, 0.0])),
        options={"legend": {"calcs": ["max", "lastNotNull"], "displayMode": "list", "placement": "right"}},
        defaults={"unit": "s"},
        overrides=[
            {"matcher": {"id": "byName", "options": "b"}, "properties": [hidden]},
            {"matcher": {"id": "byName", "options": "c"}, "properties": [{"id": "custom.hideFrom.viz", "value": True}]},
        ],
    )
    assert [line.name for line in view.lines] == ["a", "b"]
    assert [line.in_tooltip for line in view.lines] == [True, False]
    assert [(entry.name, entry.figures) for entry in view.legend.entries] == [("a", ("Max: 4 s", "Last *: 4 s"))]
    assert view.legend.placement == "right"


def test_a_tooltip_tells_one_series_or_all_in_an_order() -> None:
    def how(**tooltip: Any) -> tuple[str, str]:
        view = drawn("timeseries", series(("a", [1.0, 2.0, 3.0])), options={"tooltip": tooltip})
        return view.tooltip, view.order

    assert [how(), how(mode="multi", sort="desc"), how(mode="none", sort="none")] == [
        ("single", ""), ("multi", "desc"), ("none", "")
    ]  # fmt: skip


def test_rows_out_of_order_are_drawn_in_the_order_of_time() -> None:
    view = drawn("timeseries", series(("a", [2.0, 1.0]), times=[TIMES[1], TIMES[0]]))
    assert list(view.clocks[0]) == TIMES[:2]
    assert list(view.lines[0].values) == [1, 2]


def test_data_without_a_time_says_so() -> None:
    assert drawn("timeseries", frame(name=["a"], value=[1])).text == "The data has no time"


def test_no_rows_say_what_the_panel_says_for_no_value() -> None:
    assert drawn("timeseries").text == "No data"
    assert drawn("stat", frame(value=[]), defaults={"noValue": "No test ended"}).text == "No test ended"


def test_what_is_no_finite_number_is_missing() -> None:
    view = drawn("timeseries", series(("a", [1.0, float("inf"), float("nan")])))
    assert list(view.lines[0].values) == [1, None, None]
