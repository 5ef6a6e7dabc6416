"""What panels draw in a real browser: marks stand where their values are, and say what they stand for."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from apps.panels.view.model import (
    Axis,
    BarChart,
    BarGauge,
    Bars,
    Column,
    Gantt,
    Gauge,
    Heatmap,
    Line,
    Link,
    Nothing,
    Pie,
    Radar,
    Ring,
    Slice,
    Span,
    Stat,
    Table,
    Text,
    Tile,
    TimeSeries,
    View,
)
from tests.e2e import views
from tests.e2e.browser import PICTURES
from tests.e2e.drawing import STATIC, Stage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SIZES = ((220, 120), (390, 240), (800, 380))


@pytest.fixture
def stage(chromium: Browser) -> Iterator[Callable[..., Stage]]:
    """Makes pages to draw on; a complaint of the browser fails the test."""
    made: list[Stage] = []

    def make(scheme: str = "light", width: int = 1280, height: int = 800) -> Stage:
        made.append(Stage(chromium, scheme=scheme, width=width, height=height))
        return made[-1]

    yield make
    complaints = [complaint for one in made for complaint in one.visitor.complaints]
    for one in made:
        one.close()
    assert complaints == []


@pytest.mark.skipif(os.environ.get("PICTURES") != "1", reason="PICTURES=1 takes pictures of every kind in every size")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_every_kind(stage: Callable[..., Stage], scheme: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    for width, height in SIZES:
        one = stage(scheme, width=1640)
        for view in views.VIEWS.values():
            one.draw(view, width, height)
        one.page.screenshot(path=PICTURES / f"panels-{width}-{scheme}.png", full_page=True)


def vertices(path: str) -> list[tuple[float, float]]:
    """The corners of a path of straight lines."""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def written(box: Locator, name: str) -> list[tuple[float, float]]:
    """The times and values that the line of a series stands for, read back from where its corners are."""
    found = box.evaluate(
        """(box, name) => {
          const marks = box.querySelector("svg.view-marks");
          const series = [...marks.querySelectorAll(".view-series")].find((one) => one.dataset.name === name);
          const number = (element, attribute) => Number(element.getAttribute(attribute));
          return {d: series.querySelector(".view-line").getAttribute("d"),
            start: number(marks, "data-start"), end: number(marks, "data-end"),
            width: number(marks, "width"), height: number(marks, "height"),
            low: number(series, "data-low"), high: number(series, "data-high")};
        }""",
        name,
    )
    return [
        (
            found["start"] + (found["end"] - found["start"]) * x / found["width"],
            found["low"] + (found["high"] - found["low"]) * (1 - y / found["height"]),
        )
        for x, y in vertices(found["d"])
    ]


def test_every_kind_of_view_is_drawn(stage: Callable[..., Stage]) -> None:
    one = stage()
    for view in views.VIEWS.values():
        box = one.draw(view)
        expect(box.locator(".view-nothing")).to_have_count(1 if view.kind == "nothing" else 0)
    assert {view.kind for view in views.VIEWS.values()} == {kind.kind for kind in View.__subclasses__()}


EMPTY: tuple[View, ...] = (
    TimeSeries(start=0, end=0, clocks=(), lines=(), axes=()),
    TimeSeries(start=0, end=9, clocks=([],), lines=(Line("a", "red", 0, 3, [], ()),), axes=()),
    TimeSeries(start=0, end=9, clocks=([5.0],), lines=(Line("", "", 0, 0, [None], ("",)),), axes=(Axis(0, 0, ()),)),
    BarChart(labels=(), series=(), axes=()),
    BarChart(labels=("a",), series=(Bars("", "", 0, [None], [""]),), axes=(Axis(1, 1, (), log=10),), horizontal=True),
    Stat(tiles=()),
    Stat(tiles=(Tile("", "", spark=[None, None], spark_times=[1.0, 1.0]),), show="name"),
    Gauge(tiles=()),
    Gauge(tiles=(Tile("", ""),)),
    BarGauge(tiles=()),
    BarGauge(tiles=(Tile("", ""),), vertical=True, mode="lcd"),
    Table(columns=(), rows=0, total=0),
    Table(columns=(Column("", [None], [0], cell="gauge"),), rows=1, total=1),  # type: ignore[list-item]
    Text(""),
    Text("", code=True),
    Nothing(""),
    Pie(slices=()),
    Pie(slices=(Slice("", "", "", 0.0),), donut=True),
    Gantt(start=0, end=0, lanes=(), depths=(), spans=()),
    Gantt(start=0, end=9, lanes=("",), depths=(1,), spans=(Span(3, 3, "", "", 0), Span(3, 5, "x", "red", 7))),
    Radar(labels=(), rings=(), ticks=()),
    Radar(labels=("a",), rings=(Ring("", "", [None], [""], [None]),), ticks=()),
    Heatmap(start=0, end=0, rows=(), cells=()),
)


def test_views_of_nothing_are_drawn_without_a_complaint(stage: Callable[..., Stage]) -> None:
    one = stage()
    for view in EMPTY:
        box = one.draw(view, 200, 120)
        box.hover()
        if box.locator("svg[tabindex]").count():
            box.locator("svg[tabindex]").focus()
            one.page.keyboard.press("ArrowRight")
        assert "NaN" not in box.inner_html(), view
        assert one.visitor.complaints == [], view


def test_a_drawing_that_fails_stays_in_its_panel(stage: Callable[..., Stage]) -> None:
    one = stage()
    box = one.draw(views.EMPTY)
    lines = {"kind": "timeseries", "lines": [{"values": 5}]}
    table = {"kind": "table", "columns": [{"texts": None}], "rows": 1}
    for view in (lines, table):
        box.evaluate("(box, view) => window.show(box, view)", view)
        expect(box).to_contain_text("This panel cannot be drawn.")
    assert len(one.visitor.complaints) == 2
    one.visitor.complaints.clear()


def test_a_kind_from_a_newer_portal_asks_for_a_reload(stage: Callable[..., Stage]) -> None:
    box = stage().draw(View())
    expect(box).to_contain_text("Reload")


def test_lines_stand_where_their_values_are_and_stop_where_there_are_none(stage: Callable[..., Stage]) -> None:
    box = stage().draw(views.LINES)
    for line in (views.LINES.lines[0], views.LINES.lines[1]):
        expected = [(at, value) for at, value in zip(views.CLOCK, line.values, strict=True) if value is not None]
        found = written(box, line.name)
        assert len(found) == len(expected)
        for (at, value), (time, drawn) in zip(expected, found, strict=True):
            assert abs(at - time) < 60_000
            assert abs(value - drawn) < 0.5
    strokes = box.locator('[data-name="stb1"] .view-line').get_attribute("d") or ""
    assert strokes.count("M") == 5
    assert (box.locator('[data-name="mobile1"] .view-line').get_attribute("d") or "").count("M") == 1


def test_a_line_crosses_gaps_that_are_short_enough(stage: Callable[..., Stage]) -> None:
    values = [1.0, None, 3.0, None, None, None, 7.0, 8.0]
    one = stage()
    for gap, strokes in ((0, 1), (10 * 60_000, 2), (-1, 1)):
        line = Line("a", views.RED, 0, 0, values, (), gap=gap)
        view = TimeSeries(
            start=views.START, end=views.END, clocks=(views.CLOCK[:8],), lines=(line,), axes=(Axis(0, 9, ()),)
        )
        d = one.draw(view).locator(".view-line").get_attribute("d") or ""
        assert d.count("M") == strokes, gap


def test_more_points_than_pixels_keep_their_peaks(stage: Callable[..., Stage]) -> None:
    count = 40_000
    clock = [views.START + index * (views.END - views.START) / count for index in range(count)]
    values = [50.0] * count
    values[20_001], values[30_001] = 100.0, 0.0
    line = Line("a", views.RED, 0, 0, values, (), points="never")
    view = TimeSeries(start=views.START, end=views.END, clocks=(clock,), lines=(line,), axes=(Axis(0, 100, ()),))
    box = stage().draw(view)
    heights = {round(value) for _, value in written(box, "a")}
    assert heights == {0, 50, 100}
    assert len(written(box, "a")) < 2_500


def test_the_values_under_the_pointer_stand_in_the_order_that_the_panel_asks_for(stage: Callable[..., Stage]) -> None:
    one = stage()
    clock = (views.START, views.END)
    # On each other: what counts is a series' own value, not where it ends.
    lines = (
        Line("small", views.GREEN, 0, 0, [10.0, 10.0], ["10"] * 2, base=[0.0, 0.0]),
        Line("large", views.BLUE, 0, 0, [30.0, 30.0], ["20"] * 2, base=[10.0, 10.0]),
        Line("least", views.RED, 0, 0, [31.0, 31.0], ["1"] * 2, base=[30.0, 30.0]),
    )
    axes = (Axis(0, 40, ()),)
    view = TimeSeries(views.START, views.END, (clock,), lines, axes, tooltip="multi", order="desc")
    one.draw(view).locator("svg[role=img]").hover()
    expect(one.page.locator(".view-tooltip-row")).to_have_text(["large20", "small10", "least1"])


def test_pointing_tells_values_and_marks_the_time_in_all_panels(stage: Callable[..., Stage]) -> None:
    one = stage()
    box, other = one.draw(views.LINES), one.draw(views.BARS_OVER_TIME)
    box.locator("svg.view-marks").hover()
    tooltip = one.page.locator(".view-tooltip")
    expect(tooltip.locator(".view-tooltip-row")).to_have_count(3)
    expect(tooltip).to_contain_text("2026, 03:00:00")
    expect(tooltip).to_contain_text(f"mobile1{views.LINES.lines[1].texts[36]}")
    expect(other.locator(".view-cursor")).to_have_attribute("visibility", "visible")
    one.page.mouse.move(5, 790)
    expect(tooltip).to_be_hidden()
    expect(other.locator(".view-cursor")).to_have_attribute("visibility", "hidden")


def test_a_wall_display_enlarges_drawings_and_still_points_right(stage: Callable[..., Stage]) -> None:
    one = stage()
    one.page.evaluate("document.documentElement.style.fontSize = '150%'")
    box = one.draw(views.LINES, 900, 400)
    assert box.locator(".view-axes text").first.evaluate("text => text.getBoundingClientRect().height") > 17
    box.locator("svg.view-marks").hover()
    expect(one.page.locator(".view-tooltip")).to_contain_text("03:00:00")


def test_the_arrow_keys_walk_through_the_values(stage: Callable[..., Stage]) -> None:
    one = stage()
    box = one.draw(views.LINES)
    box.locator("svg").first.focus()
    one.page.keyboard.press("ArrowRight")
    one.page.keyboard.press("ArrowRight")
    expect(one.page.locator(".view-tooltip")).to_contain_text("00:10:00")
    one.page.keyboard.press("ArrowLeft")
    expect(one.page.locator(".view-tooltip")).to_contain_text(f"00:05:00stb1{views.LINES.lines[0].texts[1]}")
    one.page.keyboard.press("Escape")
    expect(one.page.locator(".view-tooltip")).to_be_hidden()


def test_dragging_asks_for_the_range_between(stage: Callable[..., Stage]) -> None:
    one = stage()
    box = one.draw(views.LINES, 900, 300)
    plot = box.locator("svg.view-marks").bounding_box()
    assert plot
    one.page.mouse.move(plot["x"] + plot["width"] * 0.25, plot["y"] + 50)
    one.page.mouse.down()
    one.page.mouse.move(plot["x"] + plot["width"] * 0.75, plot["y"] + 90, steps=4)
    one.page.mouse.up()
    ((start, end),) = one.page.evaluate("window.zooms")
    hours = (views.END - views.START) / views.HOUR
    assert abs((start - views.START) / views.HOUR - hours * 0.25) < 0.05
    assert abs((end - views.START) / views.HOUR - hours * 0.75) < 0.05


def test_the_legend_shows_one_series_alone_also_after_a_refresh(stage: Callable[..., Stage]) -> None:
    one = stage()
    box = one.draw(views.LINES)
    box.get_by_role("button", name="mobile1").click()
    expect(box.locator(".view-series")).to_have_count(1)
    one.redraw(box, views.LINES)
    expect(box.locator(".view-series")).to_have_attribute("data-name", "mobile1")
    box.get_by_role("button", name="stb1").click(modifiers=["Control"])
    expect(box.locator(".view-series")).to_have_count(2)
    box.get_by_role("button", name="mobile1").click(modifiers=["Control"])
    box.get_by_role("button", name="stb1").click()
    expect(box.locator(".view-series")).to_have_count(3)


def test_what_stood_on_a_hidden_series_comes_down(stage: Callable[..., Stage]) -> None:
    one = stage()
    bars = one.draw(views.STACKED)
    bars.get_by_role("button", name="failed").click()
    spots = bars.locator(".view-bar").evaluate_all(
        "bars => bars.map(bar => ['data-value', 'y', 'height'].map(name => Number(bar.getAttribute(name))))"
    )
    assert [value for value, _, _ in spots] == [4, 2, 10]
    assert len({round(y + height) for _, y, height in spots}) == 1
    lines = one.draw(views.BARS_OVER_TIME)
    lines.get_by_role("button", name="failed").click()
    floors = re.findall(r"M[-\d.]+ ([\d.]+)V", lines.locator(".view-bars").get_attribute("d") or "")
    assert len(floors) == 13
    assert len(set(floors)) == 1


def test_the_legend_of_a_gantt_chart_chooses_states(stage: Callable[..., Stage]) -> None:
    box = stage().draw(views.RUNS)
    box.get_by_role("button", name="failed").click()
    expect(box.locator(".view-span")).to_have_count(3)
    expect(box.locator(".view-span[data-text=stb1]")).to_have_count(1)


def test_bars_carry_their_values_and_are_as_long(stage: Callable[..., Stage]) -> None:
    one = stage()
    bars = one.draw(views.UPRIGHT).locator(".view-bar").evaluate_all(
        "bars => bars.map(bar => [bar.dataset.label, Number(bar.dataset.value), Number(bar.getAttribute('height'))])"
    )  # fmt: skip
    assert [(label, value) for label, value, _ in bars[:4]] == [
        ("login", 12), ("zapping", 30), ("playback", 7), ("goto", 18)
    ]  # fmt: skip
    assert len(bars) == 9
    unit = bars[1][2] / 30
    assert all(abs(height - value * unit) < 1 for _, value, height in bars)
    stacked = one.draw(views.STACKED).locator(".view-bar")
    assert stacked.evaluate_all("bars => bars.map(bar => Number(bar.dataset.value))") == [12, 30, 7, 4, 2, 10]
    lying = one.draw(views.LYING)
    expect(lying.locator(".view-bar-text")).to_have_text(["98.5 %", "45 %", "70 %", "12 %", "0 %"])


def test_a_bar_leads_to_its_rows(stage: Callable[..., Stage]) -> None:
    one = stage()
    box = one.draw(views.UPRIGHT)
    with one.page.expect_request("**/runs/?script=zapping"):
        box.locator(".view-bar.has-links").click()
    one.visitor.complaints.clear()  # there are no runs on this page


def test_tables_sort_by_rank_and_keep_the_order(stage: Callable[..., Stage]) -> None:
    one = stage()
    box = one.draw(views.ROWS, 700)
    first = box.locator("tbody td:first-child")
    expect(first).to_have_text(["mobile1", "stb2", "stb1", "<b>tv1</b>"])
    box.get_by_role("button", name="Device").click()
    expect(first).to_have_text(["mobile1", "stb1", "stb2", "<b>tv1</b>"])
    one.redraw(box, views.ROWS)
    expect(first).to_have_text(["mobile1", "stb1", "stb2", "<b>tv1</b>"])
    expect(box.locator("th[aria-sort=ascending]")).to_have_text("Device")
    expect(box).to_contain_text("The first 4 of 9 rows")


def test_long_tables_are_made_while_they_are_read(stage: Callable[..., Stage]) -> None:
    count = 2_000
    column = Column("n", [str(index) for index in range(count)], list(range(count)))
    box = stage().draw(Table(columns=(column,), rows=count, total=count), 300, 200)
    assert box.locator("tbody tr").count() < 500
    region = box.locator(".view-scroll")
    while box.locator("tbody tr").count() < count:
        before = box.locator("tbody tr").count()
        region.evaluate("region => { region.scrollTop = region.scrollHeight }")
        expect(box.locator("tbody tr")).not_to_have_count(before)
    expect(box.locator("tbody tr").last).to_have_text("1999")


def test_nothing_from_the_data_becomes_a_script(stage: Callable[..., Stage]) -> None:
    one = stage()
    attack = "<img src=x onerror=alert(1)>"
    bad = (Link(attack, "javascript:alert(1)"), Link(attack, "data:text/html,x"))
    column = Column(attack, [attack], [0], links=(bad[:1],))
    box = one.draw(Table(columns=(column,), rows=1, total=1, footer=True))
    expect(box.locator("td").first).to_have_text(attack)
    expect(box.locator("a, img")).to_have_count(0)
    tile = one.draw(Stat(tiles=(Tile(attack, attack, prefix=attack, links=bad, color="url(https://example.org)"),)))
    expect(tile.locator("a, img")).to_have_count(0)
    series = (Bars(attack, "red", 0, [1.0], [attack], links=(bad,)),)
    bars = one.draw(
        BarChart(labels=(attack,), series=series, axes=(Axis(0, 1, ()),), legend=views.legend((attack, "red")))
    )
    bars.locator(".view-bar").click()
    expect(one.page.locator(".view-tooltip")).to_contain_text(attack)
    expect(one.page.locator("a, img")).to_have_count(0)


def test_several_links_are_offered(stage: Callable[..., Stage]) -> None:
    one = stage()
    one.draw(views.ROWS, 700).get_by_role("button", name="stb2").click()
    expect(one.page.locator(".view-links a")).to_have_text(["One", "Two"])


def test_figures_gauges_and_slices_carry_their_values(stage: Callable[..., Stage]) -> None:
    one = stage()
    assert one.draw(views.FIGURES).locator("[data-value]").evaluate_all("all => all.map(one => one.dataset.value)") == [
        "12", "1,204", "N/A"
    ]  # fmt: skip
    for view in (views.GAUGES, views.FILLED):
        box = one.draw(view)
        assert box.locator("[data-share]").evaluate_all("all => all.map(one => Number(one.dataset.share))") == [
            0.94, 0.64, 0.07
        ]  # fmt: skip
        expect(box).to_contain_text("94 %")
    slices = one.draw(views.PIE).locator(".view-slice")
    assert slices.evaluate_all("all => all.map(one => [one.dataset.name, one.dataset.text])")[0] == ["passed", "60"]
    expect(one.draw(views.RUNS).locator(".view-span")).to_have_count(5)
    expect(one.draw(views.RADAR).locator("[data-label=Coverage]")).to_have_attribute("data-value", "40")
    expect(one.draw(views.HEAT).locator(".view-cell")).to_have_count(len(views.HEAT.cells))


def test_a_panel_becomes_a_picture(stage: Callable[..., Stage]) -> None:
    one = stage("dark")
    for view in (views.LINES, views.ROWS, views.FIGURES):
        box = one.draw(view, 400, 200)
        size = box.evaluate(
            """async (box) => {
              const image = await createImageBitmap(await window.picture(box, "Title"));
              const canvas = new OffscreenCanvas(image.width, image.height);
              const context = canvas.getContext("2d");
              context.drawImage(image, 0, 0);
              const {data} = context.getImageData(0, 0, image.width, image.height);
              const colors = new Set();
              for (let at = 0; at < data.length; at += 4) colors.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
              return [image.width, image.height, colors.size];
            }"""
        )
        assert size[:2] == [800, 456]
        assert size[2] > 50


def test_the_drawing_scripts_are_light() -> None:
    files = [STATIC / "panels.css", *(STATIC / "panels").glob("*.js")]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 60_000
