"""A view of every kind, made by hand: what the server's own tests prove is not repeated here."""

from __future__ import annotations

import math

from apps.panels.view.model import (
    Axis,
    BarChart,
    BarGauge,
    Bars,
    Column,
    Entry,
    Gantt,
    Gauge,
    HeatCell,
    Heatmap,
    Legend,
    Level,
    Line,
    Link,
    Nothing,
    Pie,
    Radar,
    Ring,
    Slice,
    Sort,
    Span,
    Stat,
    Table,
    Text,
    Tick,
    Tile,
    TimeSeries,
)

HOUR = 3_600_000
START = 1_790_000_000_000 - 1_790_000_000_000 % (24 * HOUR)
"""A midnight, UTC."""
END = START + 6 * HOUR
GREEN, RED, BLUE, ORANGE = "#73bf69", "#f2495c", "light-dark(#3274d9, #5794f2)", "#ff9830"


def ticks(*values: float, unit: str = "") -> tuple[Tick, ...]:
    return tuple(Tick(value, f"{value:g}{unit}") for value in values)


def wave(name: str, color: str, *, height: float = 40, count: int = 73, axis: int = 0, holes: bool = False) -> Line:
    """A line with a value every five minutes; with holes, some are missing."""
    values = [round(50 + height * math.sin(index / 9 + len(name)), 2) for index in range(count)]
    kept = [None if holes and index % 20 in (7, 8) else value for index, value in enumerate(values)]
    return Line(
        name, color, 0, axis, kept, ["" if value is None else f"{value:g} ms" for value in kept], width=2, fill=0.1
    )


def legend(*names: tuple[str, str], table: bool = False, right: bool = False) -> Legend:
    entries = tuple(
        Entry(index, name, color, ("12.0 ms", "98.0 ms") if table else ()) for index, (name, color) in enumerate(names)
    )
    return Legend(entries, "right" if right else "bottom", ("Mean", "Max") if table else (), table)


def ring(name: str, color: str, *shares: float | None) -> Ring:
    """A ring whose values are percentages."""
    values = [None if share is None else share * 100 for share in shares]
    return Ring(name, color, values, ["" if value is None else f"{value:g} %" for value in values], shares)


CLOCK = [START + index * HOUR / 12 for index in range(73)]
LINES = TimeSeries(
    start=START, end=END, clocks=(CLOCK,), tooltip="multi",
    lines=(
        wave("stb1", GREEN, holes=True),
        wave("mobile1", BLUE, height=25),
        wave("tv with a long name", ORANGE, axis=1),
    ),
    axes=(
        Axis(0, 100, ticks(0, 25, 50, 75, 100, unit=" ms"), label="Duration"),
        Axis(0, 120, ticks(0, 40, 80, 120, unit=" %"), side="right", grid=False),
    ),
    levels=(Level(0, 80, RED, dashed=True), Level(0, 80, RED, until=100)),
    legend=legend(("stb1", GREEN), ("mobile1", BLUE), ("tv with a long name", ORANGE)),
)  # fmt: skip
COUNTS = [float(3 + index % 5) for index in range(13)]
BARS_OVER_TIME = TimeSeries(
    start=START, end=END, clocks=([START + index * HOUR / 2 for index in range(13)],),
    lines=(
        Line("passed", GREEN, 0, 0, COUNTS, [f"{count:g}" for count in COUNTS], base=[0.0] * 13, draw="bars", fill=0.8),
        Line("failed", RED, 0, 0, [count + 1 for count in COUNTS], ["1"] * 13, base=COUNTS, draw="bars", fill=0.8),
    ),
    axes=(Axis(0, 9, ticks(0, 2, 4, 6, 8)),), legend=legend(("passed", GREEN), ("failed", RED), table=True),
)  # fmt: skip
UPRIGHT = BarChart(
    labels=("login", "zapping", "playback", "a very long script name", "goto"),
    series=(
        Bars("passed", GREEN, 0, [12.0, 30.0, 7.0, None, 18.0], ["12", "30", "7", "", "18"]),
        Bars("failed", RED, 0, [2.0, 4.0, 9.0, 1.0, 0.0], ["2", "4", "9", "1", "0"],
             links=((), (Link("Runs", "/runs/?script=zapping"),), (), (), ())),
    ),
    axes=(Axis(0, 32, ticks(0, 10, 20, 30), label="Count"),), legend=legend(("passed", GREEN), ("failed", RED)),
)  # fmt: skip
LYING = BarChart(
    labels=UPRIGHT.labels, horizontal=True, show_values="always",
    series=(Bars("Success", GREEN, 0, [98.5, 45.0, 70.0, 12.0, 0.0], ["98.5 %", "45 %", "70 %", "12 %", "0 %"],
                 colors=(GREEN, RED, ORANGE, RED, RED)),),
    axes=(Axis(0, 100, ticks(0, 25, 50, 75, 100, unit=" %")),),
)  # fmt: skip
STACKED = BarChart(
    labels=("mon", "tue", "wed"), stacked=True,
    series=(
        Bars("passed", GREEN, 0, [12.0, 30.0, 7.0], ["12", "30", "7"], base=[0.0, 0.0, 0.0]),
        Bars("failed", RED, 0, [16.0, 32.0, 17.0], ["4", "2", "10"], base=[12.0, 30.0, 7.0]),
    ),
    axes=(Axis(0, 40, ticks(0, 10, 20, 30, 40)),), legend=legend(("passed", GREEN), ("failed", RED), right=True),
)  # fmt: skip
FIGURE = Stat(tiles=(Tile("Success rate", "94.2", suffix=" %", color=GREEN, spark=[3.0, 5.0, 4.0, 8.0, 7.0, 9.0]),))
FIGURES = Stat(
    show="value_and_name", color="background",
    tiles=(
        Tile("stb1", "12", color=GREEN, ink="#101418"),
        Tile("mobile with a long name", "1,204", suffix=" ms", color=RED, ink="#ffffff", change="12 %", rising=True),
        Tile("tv1", "N/A", color="light-dark(#ccccdc, #3a3f4a)", ink="light-dark(#101418, #ffffff)"),
    ),
)  # fmt: skip
ROWS = Table(
    rows=4, total=9, sort=Sort(1, descending=True),
    columns=(
        Column("Device", ["stb1", "mobile1", "<b>tv1</b>", "stb2"], [1, 0, 3, 2],
               links=((Link("Device", "/devices/stb1/"),), (), (), (Link("One", "/a"), Link("Two", "/b")))),
        Column("Runs", ["12", "1,204", "7", "99"], [1, 3, 0, 2], align="right", numeric=True),
        Column("Success", ["94 %", "12 %", "50 %", "100 %"], [2, 0, 1, 3], cell="gauge",
               colors=(GREEN, RED, ORANGE, GREEN), shares=(0.94, 0.12, 0.5, 1.0)),
        Column("State", ["ok", "failing", "warning", "ok"], [1, 0, 2, 1], cell="background",
               colors=(GREEN, RED, ORANGE, GREEN), inks=("#101418", "#ffffff", "#101418", "#101418")),
        Column("Script", ["scripts/validation/fullzap_with_a_name.py", "goto", "zap", "x"], [2, 0, 3, 1]),
    ),
)  # fmt: skip
WORDS = Text(
    "<h2>Hello</h2><p>Some <strong>words</strong> with a <a href='/x'>link</a>.</p><ul><li>one</li><li>two</li></ul>"
)
EMPTY = Nothing("No data in this range")

STEPS = ((0.0, RED), (0.6, ORANGE), (0.8, GREEN))
MEASURED = tuple(
    Tile(name, f"{share * 100:g}", suffix=" %", color=color, percent=share, low="0 %", high="100 %", steps=STEPS)
    for name, share, color in (
        ("host1", 0.94, GREEN),
        ("host2 behind the wall", 0.64, ORANGE),
        ("lab", 0.07, RED),
    )
)
GAUGE = Gauge(tiles=MEASURED[:1])
GAUGES = Gauge(tiles=MEASURED, labels=True)
FILLED = BarGauge(tiles=MEASURED)
LAMPS = BarGauge(tiles=MEASURED, mode="lcd")
STANDING = BarGauge(tiles=MEASURED, mode="basic", vertical=True)
SLICES = (
    Slice("passed", "60", GREEN, 0.6, (Link("Runs", "/runs/"),)),
    Slice("failed", "30", RED, 0.3), Slice("skipped", "8", ORANGE, 0.08),
    Slice("other", "2", BLUE, 0.02),
)  # fmt: skip
PIE = Pie(
    slices=SLICES, labels=("name", "percent"), legend=legend(("passed", GREEN), ("failed", RED), ("skipped", ORANGE))
)
DONUT = Pie(
    slices=SLICES, donut=True, labels=("percent",), legend=legend(("passed", GREEN), ("failed", RED), right=True)
)
WHOLE = Pie(slices=(Slice("passed", "9", GREEN, 1.0),), donut=True)
RUNS = Gantt(
    start=START, end=END, lanes=("host1 · stb1", "host1 · mobile1", "lab · tv"), depths=(1, 2, 1),
    spans=(
        Span(START - HOUR, START + HOUR, "stb1", GREEN, 0, lines=("fullzap", "duration 2 h"), ink="#101418"),
        Span(START + 1.5 * HOUR, START + 2 * HOUR, "stb1", RED, 0, ink="#ffffff", links=(Link("Run", "/runs/1/"),)),
        Span(START + HOUR, START + 4 * HOUR, "mobile1", GREEN, 1, ink="#101418"),
        Span(START + 3 * HOUR, START + 5 * HOUR, "mobile1", ORANGE, 1, line=1, ink="#101418"),
        Span(START + 5 * HOUR, END, "tv", BLUE, 2, open=True, ink="#ffffff"),
    ),
    legend=legend(("passed", GREEN), ("failed", RED)),
)  # fmt: skip
STATES = Gantt(
    start=START, end=END, lanes=("stb1", "mobile1"), depths=(1, 1), states=True,
    spans=tuple(
        Span(START + index * HOUR, START + (index + 1) * HOUR, word, color, lane, ink="#101418")
        for lane in (0, 1)
        for index, (word, color) in enumerate((("ok", GREEN), ("freeze", RED), ("ok", GREEN), ("blackscreen", ORANGE)))
    ),
)  # fmt: skip
HOSTS = ("Success", "Speed", "Uptime", "Coverage", "Stability")
RADAR = Radar(
    labels=HOSTS, ticks=("25", "50", "75", "100"), legend=legend(("host1", GREEN), ("host2", BLUE)),
    rings=(
        ring("host1", GREEN, 0.9, 0.6, 0.99, 0.4, 0.75),
        ring("host2", BLUE, 0.5, 0.8, 0.7, None, 0.3),
    ),
)  # fmt: skip
HEAT = Heatmap(
    start=START, end=END, rows=("0 – 10 ms", "10 – 20 ms", "20 – 50 ms", "50 – 100 ms"),
    cells=tuple(
        HeatCell(
            START + column * HOUR / 4, START + (column + 1) * HOUR / 4, row, f"{(column * 7 + row * 5) % 13}",
            f"rgb(255, {255 - (column * 7 + row * 5) % 13 * 18}, 120)",
        )
        for column in range(24) for row in range(4) if (column + row) % 5
    ),
)  # fmt: skip

VIEWS = {
    "lines": LINES, "bars-over-time": BARS_OVER_TIME, "upright": UPRIGHT, "lying": LYING, "stacked": STACKED,
    "figure": FIGURE, "figures": FIGURES, "rows": ROWS, "words": WORDS, "nothing": EMPTY, "gauge": GAUGE,
    "gauges": GAUGES, "filled": FILLED, "lamps": LAMPS, "standing": STANDING, "pie": PIE, "donut": DONUT,
    "whole": WHOLE, "runs": RUNS, "states": STATES, "radar": RADAR, "heat": HEAT,
}  # fmt: skip
"""Every kind, most in more than one manner, by the names of its pictures."""
