"""The geometry of small charts, computed on the server: scales, ticks, polylines, bars. Pure: no Django, no colours.

Plots are stretched by the browser (`preserveAspectRatio="none"`), so coordinates are in a fixed box and strokes do not
scale; the labels are HTML beside the drawing and keep their size on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from apps.portal.components import Series, State, Threshold

WIDTH, HEIGHT = 1000.0, 200.0
"""The box that a plot's coordinates are in; the browser stretches it."""
MAX_TABLE_ROWS = 500

Kind = Literal["line", "area", "bars"]
_Across = Callable[[datetime], float]
_Down = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Lines between known values, the closed area below them, and the place of the last known value."""

    lines: tuple[str, ...]
    areas: tuple[str, ...]
    last: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Trace:
    """A series as SVG paths: its line, and the area below it (empty when the kind has none)."""

    number: int
    label: str
    state: State | None
    line: str
    area: str


@dataclass(frozen=True, slots=True)
class Bar:
    number: int
    state: State | None
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Level:
    y: float
    label: str
    state: State


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table that says the same as the drawing; x is the place in the plot."""

    at: datetime
    x: float
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a template needs to draw a chart. `ticks` go from the bottom to the top."""

    traces: tuple[Trace, ...]
    bars: tuple[Bar, ...]
    levels: tuple[Level, ...]
    ticks: tuple[float, ...]
    grid: tuple[float, ...]
    instants: tuple[datetime, ...]
    rows: tuple[Row, ...]
    labels: tuple[str, ...]
    days: bool


def ticks(low: float, high: float, count: int = 4) -> tuple[float, ...]:
    """Round, evenly spaced values that enclose low and high: steps of 1, 2, 2.5 or 5 times a power of ten."""
    if low == high:
        low, high = (0.0, high) if high > 0 else (low, 0.0) if low < 0 else (0.0, 1.0)
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(index * step, 10) for index in range(first, last + 1))


def sparkline(values: Sequence[float | None], width: float, height: float) -> Sparkline:
    """A line through the values over a box of width x height px; None leaves a gap. A flat line runs in the middle."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return Sparkline((), (), None)
    low, high = min(known), max(known)
    inset = 2.5
    step = (width - 2 * inset) / max(1, len(values) - 1)

    def place(index: int, value: float) -> tuple[float, float]:
        share = 0.5 if low == high else (value - low) / (high - low)
        return round(inset + index * step, 1), round(height - inset - share * (height - 2 * inset), 1)

    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None or not math.isfinite(value):
            runs.append([])
        else:
            runs[-1].append(place(index, float(value)))
    runs = [run for run in runs if run]
    lines = tuple(_points(run if len(run) > 1 else [*run, (run[0][0] + 0.1, run[0][1])]) for run in runs)
    areas = tuple(_points([(run[0][0], height), *run, (run[-1][0], height)]) for run in runs if len(run) > 1)
    return Sparkline(lines, areas, runs[-1][-1])


def chart(
    series: Sequence[Series],
    *,
    kind: Kind = "line",
    from_zero: bool = True,
    ceiling: float | None = None,
    thresholds: Sequence[Threshold] = (),
) -> Chart | None:
    """Lays out the series; None when they hold no value at all.

    `from_zero` keeps zero in sight; `ceiling` is the greatest value that makes sense (1 for a ratio). Bars of several
    series are stacked in their order.
    """
    points = [point for one in series for point in one.points]
    known = [value for _, value in points if value is not None and math.isfinite(value)]
    if not known:
        return None
    if kind == "bars":
        known += _stacks(series)
    low, high = min(known), max([*known, *(level.value for level in thresholds)])
    scale = ticks(min(low, 0.0) if from_zero else low, high if ceiling is None else min(high, ceiling))
    if ceiling is not None and scale[-1] > ceiling:
        scale = tuple(tick for tick in scale if tick <= ceiling + 1e-9)
        scale = scale if scale[-1] >= min(high, ceiling) - 1e-9 else (*scale[:-1], ceiling)
    bottom, top = scale[0], scale[-1]
    start, end = min(at for at, _ in points), max(at for at, _ in points)
    step = _step(series) if kind == "bars" else timedelta(0)
    span = (end - start + step).total_seconds() or 1.0

    def across(at: datetime) -> float:
        return round((at - start).total_seconds() / span * WIDTH, 2)

    def down(value: float) -> float:
        clamped = min(max(value, bottom), top)
        return round(HEIGHT - (clamped - bottom) / (top - bottom) * HEIGHT, 2)

    places = sorted({at for at, _ in points})
    lookup = [dict(one.points) for one in series]
    middle = step / 2
    return Chart(
        traces=() if kind == "bars" else tuple(_trace(i, one, kind, across, down) for i, one in enumerate(series, 1)),
        bars=_bars(series, places, lookup, step, across, down) if kind == "bars" else (),
        levels=tuple(Level(down(level.value), level.label, level.state) for level in thresholds),
        ticks=scale,
        grid=tuple(down(tick) for tick in scale),
        instants=tuple(start + (end - start) * share for share in (0, 0.25, 0.5, 0.75, 1)),
        rows=tuple(
            Row(at, across(at + middle), tuple(values.get(at) for values in lookup)) for at in places[-MAX_TABLE_ROWS:]
        ),
        labels=tuple(one.label for one in series),
        days=span > 36 * 3600,
    )


def _trace(index: int, series: Series, kind: Kind, across: _Across, down: _Down) -> Trace:
    lines: list[str] = []
    areas: list[str] = []
    run: list[tuple[float, float]] = []
    for at, value in [*series.points, (None, None)]:
        if at is not None and value is not None and math.isfinite(value):
            run.append((across(at), down(value)))
            continue
        if run:
            # A lone point still shows: a round cap needs a line of some length.
            drawn = run if len(run) > 1 else [*run, (run[0][0] + 0.01, run[0][1])]
            lines.append("M" + "L".join(f"{x:g} {y:g}" for x, y in drawn))
            if kind == "area" and len(run) > 1:
                outline = [(run[0][0], HEIGHT), *run, (run[-1][0], HEIGHT)]
                areas.append("M" + "L".join(f"{x:g} {y:g}" for x, y in outline) + "Z")
        run = []
    return Trace(index, series.label, series.state, "".join(lines), "".join(areas))


def _bars(
    series: Sequence[Series],
    places: Sequence[datetime],
    lookup: Sequence[dict[datetime, float | None]],
    step: timedelta,
    across: _Across,
    down: _Down,
) -> tuple[Bar, ...]:
    if not places:
        return ()
    slot = across(places[0] + step)
    bars = []
    for at in places:
        total = 0.0
        for index, (one, values) in enumerate(zip(series, lookup, strict=True), 1):
            value = values.get(at)
            if not value or not math.isfinite(value):
                continue
            foot, head = down(total), down(total + value)
            total += value
            x = round(across(at) + slot * 0.1, 2)
            bars.append(Bar(index, one.state, x, min(foot, head), round(slot * 0.8, 2), round(abs(foot - head), 2)))
    return tuple(bars)


def _stacks(series: Sequence[Series]) -> list[float]:
    totals: dict[datetime, float] = {}
    for one in series:
        for at, value in one.points:
            totals[at] = totals.get(at, 0.0) + (value or 0.0)
    return list(totals.values())


def _step(series: Sequence[Series]) -> timedelta:
    """The smallest distance between two instants: the width of a bar's slot."""
    places = sorted({at for one in series for at, _ in one.points})
    return min((later - earlier for earlier, later in pairwise(places)), default=timedelta(hours=1))


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)
