"""Bars by category."""

from __future__ import annotations

from typing import Any

from tests.panels.view.drawn import START, drawn, frame

GREEN, RED = "light-dark(#56A64B, #73BF69)", "light-dark(#E02F44, #F2495C)"
STEPS = [{"color": "red", "value": 0}, {"color": "green", "value": 80}]


def test_bars_are_named_by_the_first_text_and_carry_their_values() -> None:
    view = drawn("barchart", frame(ui=["tv", "web"], ms=[1500.0, None]), defaults={"unit": "ms"})
    (bars,) = view.series
    assert view.labels == ("tv", "web")
    assert (bars.name, list(bars.values), list(bars.texts)) == ("ms", [1500, None], ["1.5 s", ""])
    assert bars.color == GREEN
    assert not bars.colors
    assert view.axes[0].low == 0
    assert view.axes[0].high > 1500


def test_the_category_is_the_field_that_the_panel_names() -> None:
    rows = frame(id=["1", "2"], Script=["zap", "goto"], rate=[1.0, 2.0])
    assert drawn("barchart", rows, options={"xField": "Script"}).labels == ("zap", "goto")
    assert drawn("barchart", frame(n=[1.0])).text == "A bar chart needs a text or a time that names its bars"


def test_times_below_bars_say_what_tells_them_apart() -> None:
    def labels(*times: float) -> Any:
        return drawn("barchart", frame(time=list(times), tv=[1.0] * len(times))).labels

    day = 24 * 3_600_000
    midnight = START - day // 2
    assert labels(midnight, midnight + day) == ("2026-03-01", "2026-03-02")
    assert labels(START, START + 60_000) == ("03-01 12:00", "03-01 12:01")
    assert labels(START + 1000) == ("2026-03-01 12:00:01",)


def test_where_thresholds_colour_a_bar_has_the_colour_of_its_value() -> None:
    defaults = {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": STEPS}}
    view = drawn("barchart", frame(host=["a", "b"], rate=[79.0, 80.0]), defaults=defaults)
    assert view.series[0].colors == [RED, GREEN]


def test_another_field_may_colour_the_bars() -> None:
    mappings = [{"type": "value", "options": {"bad": {"color": "red"}, "good": {"color": "green"}}}]
    view = drawn(
        "barchart",
        frame(host=["a", "b"], state=["bad", "good"], rate=[1.0, 2.0]),
        options={"colorByField": "state"},
        overrides=[
            {"matcher": {"id": "byName", "options": "state"}, "properties": [{"id": "mappings", "value": mappings}]}
        ],
    )
    assert view.series[0].colors == [RED, GREEN]


def test_a_hidden_field_fills_links_and_is_not_drawn() -> None:
    hidden: dict[str, Any] = {"id": "custom.hideFrom", "value": {"legend": True, "tooltip": True, "viz": True}}
    view = drawn(
        "barchart",
        frame(action=["home", "live"], avg=[10.0, 20.0], report_url=["https://r.example.com/1", None]),
        options={"orientation": "horizontal", "showValue": "always", "barWidth": 0.9},
        defaults={"links": [{"title": "View Last Report", "url": "${__data.fields.report_url}", "targetBlank": True}]},
        overrides=[{"matcher": {"id": "byName", "options": "report_url"}, "properties": [hidden]}],
    )
    (bars,) = view.series
    assert [[link.url for link in links] for links in bars.links] == [["https://r.example.com/1"], []]
    assert (view.horizontal, view.show_values, view.bar_width) == (True, "always", 0.9)


def test_two_units_have_two_axes() -> None:
    def named(name: str, **properties: Any) -> dict[str, Any]:
        found = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
        return {"matcher": {"id": "byName", "options": name}, "properties": found}

    view = drawn(
        "barchart",
        frame(script=["a"], rate=[50.0], volume=[1200]),
        defaults={"unit": "percent"},
        overrides=[
            named("rate", custom__axisPlacement="left", custom__axisLabel="Success", max=100),
            named("volume", custom__axisPlacement="right", custom__axisLabel="Volume", unit="short"),
        ],
    )
    assert [(axis.label, axis.side) for axis in view.axes] == [("Success", "left"), ("Volume", "right")]
    assert view.axes[0].high == 100
    assert [bars.axis for bars in view.series] == [0, 1]
    assert list(view.series[1].texts) == ["1.2 K"]


def test_stacked_bars_stand_on_each_other() -> None:
    rows = frame(script=["a", "b"], passed=[3, 0], failed=[1, None])
    view = drawn("barchart", rows, options={"stacking": "normal"})
    assert view.stacked
    assert [(list(bars.base), list(bars.values)) for bars in view.series] == [([0, 0], [3, 0]), ([3, None], [4, None])]
    assert list(view.series[1].texts) == ["1", ""]
    shares = drawn("barchart", rows, options={"stacking": "percent"})
    assert list(shares.series[1].values) == [1, None]
    assert shares.axes[0].ticks[-1].text == "100%"


def test_legend_and_labels() -> None:
    rows = frame(script=["a"], n=[1])
    assert drawn("barchart", rows, options={"legend": {"showLegend": False}}).legend.entries == ()
    view = drawn(
        "barchart", rows, options={"legend": {"displayMode": "table", "calcs": ["sum"]}, "xTickLabelRotation": -45}
    )
    assert [(e.name, e.figures) for e in view.legend.entries] == [("n", ("1",))]
    assert (view.legend.figures, view.legend.table, view.rotate) == (("Total",), True, -45)
