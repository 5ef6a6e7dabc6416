"""Heatmaps: counts in buckets over time, from buckets of the query's own or made of its values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from apps.panels.document import Panel
from apps.panels.fields.display import Display
from apps.panels.fields.names import display_name
from apps.panels.frames import Field
from apps.panels.interval import parse_duration, round_interval
from apps.panels.json_reader import Reader
from apps.panels.view.drawing import Drawing, Frames, is_hidden, numbers_of, options_of
from apps.panels.view.ink import ink, mixed
from apps.panels.view.model import HeatCell, Heatmap, Nothing, View
from apps.panels.view.scales import round_ticks

Named: TypeAlias = tuple[Field, Field, str]
"""A field of times, one of numbers, and the name of the latter."""
Cells: TypeAlias = dict[tuple[float, int], float]
"""The value of each cell, by the start of its time and its row."""
MAX_CELLS: Final = 8000
MAX_ROWS: Final = 200
TIME_BUCKETS: Final = 40
VALUE_BUCKETS: Final = 12
"""How many buckets are made, about, where the panel does not say."""

_SCHEMES: Final = {
    "Blues": "#deebf7 #9ecae1 #3182bd #08519c",
    "Greens": "#e5f5e0 #a1d99b #31a354 #006d2c",
    "Greys": "#f0f0f0 #bdbdbd #636363 #252525",
    "Oranges": "#feedde #fdbe85 #fd8d3c #a63603",
    "Purples": "#efedf5 #bcbddc #756bb1 #54278f",
    "Reds": "#fee0d2 #fc9272 #de2d26 #a50f15",
    "RdYlGn": "#d73027 #fee08b #1a9850",
    "RdYlBu": "#d73027 #ffffbf #4575b4",
    "Spectral": "#d53e4f #fee08b #e6f598 #3288bd",
    "YlOrRd": "#ffeda0 #feb24c #f03b20 #800026",
    "YlGnBu": "#edf8b1 #7fcdbb #2c7fb8 #253494",
    "Turbo": "#30123b #4685fa #1ae4b6 #a4fc3c #fb7e21 #7a0403",
    "Viridis": "#440154 #3b528b #21918c #5ec962 #fde725",
    "Magma": "#000004 #51127c #b73779 #fc8961 #fcfdbf",
    "Plasma": "#0d0887 #7e03a8 #cc4778 #f89540 #f0f921",
    "Inferno": "#000004 #57106e #bc3754 #f98e09 #fcffa4",
    "Cividis": "#00224e #414d6b #7c7b78 #bcae6c #fee838",
}


def heatmap(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """A cell for each time and bucket; values outside of `filterValues` (Grafana: at most 1e-9) are left out."""
    options = options_of(panel.options)
    columns = [
        (frame.fields[place], field, display_name(field, frame))
        for frame in frames
        if (place := frame.first_of_type("time")) is not None
        for field in frame.fields
        if field.type == "number" and not is_hidden(field, "viz")
    ]
    if not columns:
        return Nothing("A heatmap needs a time and numbers")
    if options.flag("calculate"):
        rows, cells, step = _made(options, columns, drawing)
    else:
        rows = [name for _, _, name in columns]
        cells, step = _given([(times, field) for times, field, _ in columns], drawing)
    drawn = {place: value for place, value in cells.items() if not _left_out(options.inside("filterValues"), value)}
    if not drawn:
        return Nothing("No value lies in the range")
    fine = sorted(drawn)[:MAX_CELLS]
    color = _Colors(options.inside("color"), drawn.values())
    display = Display(columns[0][1].with_values(list(drawn.values())), clock=drawing.clock)
    count = options.flag("calculate")
    return Heatmap(
        drawing.start,
        drawing.end,
        tuple(rows),
        tuple(
            HeatCell(
                at,
                at + step,
                row,
                f"{drawn[at, row]:g}" if count else str(display(drawn[at, row])),
                color(drawn[at, row]),
            )
            for at, row in fine
        ),
        notices=(f"These are the first {MAX_CELLS} of {len(drawn)} cells.",) if len(drawn) > MAX_CELLS else (),
    )


def _given(columns: Sequence[tuple[Field, Field]], drawing: Drawing) -> tuple[Cells, float]:
    times = sorted({time for clock, _ in columns for time in clock.values if time is not None})
    steps = [after - before for before, after in pairwise(times)]
    step = min(steps) if steps else drawing.end - drawing.start
    cells = {
        (time, row): value
        for row, (clock, field) in enumerate(columns)
        for time, value in zip(clock.values, numbers_of(field), strict=True)
        if time is not None and value is not None
    }
    return cells, step


def _made(options: Reader, columns: Sequence[Named], drawing: Drawing) -> tuple[list[str], Cells, float]:
    """Buckets of values, named by where they start, with how many values of all fields fall into each."""
    points = [
        (time, value)
        for clock, field, _ in columns
        for time, value in zip(clock.values, numbers_of(field), strict=True)
        if time is not None and value is not None
    ]
    if not points:
        return [], {}, 1
    calculation = options.inside("calculation")
    span = drawing.end - drawing.start
    step = _width(calculation.inside("xBuckets"), span) or round_interval(span / TIME_BUCKETS)
    low, high = min(value for _, value in points), max(value for _, value in points)
    height = _width(calculation.inside("yBuckets"), high - low)
    if not height or (high - low) / height > MAX_ROWS:
        ticks = round_ticks(low, high, VALUE_BUCKETS)
        height = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    first = math.floor(low / height)
    counts = Counter((math.floor(time / step) * step, math.floor(value / height) - first) for time, value in points)
    display = drawing.display(columns[0][1])
    rows = [str(display((first + row) * height)) for row in range(max(row for _, row in counts) + 1)]
    return rows, {place: float(count) for place, count in counts.items()}, step


def _width(buckets: Reader, span: float) -> float:
    """The width that the panel asks for, 0 for none: a size (`5m` or a number), or how many there shall be."""
    text = buckets.text("value").strip()
    try:
        value = parse_duration(text) if text[-1:].isalpha() else float(text or 0)
    except ValueError:
        return 0
    if not 0 < value < math.inf:
        return 0
    return span / value if buckets.text("mode", "size") == "count" else value


def _left_out(limits: Reader, value: float) -> bool:
    low, high = limits.number("le"), limits.number("ge")
    return value <= (1e-9 if low is None else low) or (high is not None and value >= high)


class _Colors:
    """The colour of a value between the smallest and the largest."""

    def __init__(self, options: Reader, values: Iterable[float]) -> None:
        known = list(values)
        low, high = options.number("min"), options.number("max")
        self._low = min(known) if low is None else low
        self._high = max(known) if high is None else high
        self._steps = min(128, max(2, options.integer("steps", 64)))
        self._exponent = options.number("exponent") or 0.5
        self._fill = options.text("fill", "dark-orange") if options.text("mode") == "opacity" else ""
        stops = _SCHEMES.get(options.text("scheme"), _SCHEMES["Oranges"]).split()
        self._stops = stops[::-1] if options.flag("reverse") else stops
        self._made: dict[int, str] = {}

    def __call__(self, value: float) -> str:
        share = (value - self._low) / (self._high - self._low) if self._high > self._low else 1.0
        step = round(min(1.0, max(0.0, share)) * (self._steps - 1))
        found = self._made.get(step)
        if found is None:
            found = self._made[step] = self._color(step / (self._steps - 1))
        return found

    def _color(self, share: float) -> str:
        if self._fill:
            return f"color-mix(in srgb, {ink(self._fill)} {10 + 90 * share**self._exponent:.0f}%, transparent)"
        return mixed(self._stops, share)
