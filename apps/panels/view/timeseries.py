"""Lines, areas, bars and points over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from apps.panels.document import Panel
from apps.panels.fields.display import series_color
from apps.panels.fields.names import display_name
from apps.panels.frames import Field, Frame
from apps.panels.json_reader import Reader
from apps.panels.view.drawing import Drawing, Frames, custom_of, is_hidden, numbers_of, options_of
from apps.panels.view.ink import ink
from apps.panels.view.legend import legend_of
from apps.panels.view.levels import levels_of
from apps.panels.view.model import Line, Nothing, Number, TimeSeries, View
from apps.panels.view.scales import Scale, Scales, percent_scaled
from apps.panels.view.stacks import stacked

_DASHES: Final = {"dash": (10.0, 10.0), "dot": (0.0, 10.0)}


@dataclass
class _Series:
    """A field on its way to become a line; `ends` and `base` are what is drawn, in the units of its scale."""

    field: Field
    name: str
    clock: int
    values: list[Number]
    texts: list[str]
    ends: list[Number]
    base: list[Number]
    scale: Scale

    @property
    def custom(self) -> Reader:
        return custom_of(self.field)

    def move(self, clock: int, rows: Sequence[int | None]) -> None:
        """Take other times: for each of them the row that was measured then, or None."""
        self.clock = clock
        self.values = self.ends = [None if row is None else self.values[row] for row in rows]
        self.texts = ["" if row is None else self.texts[row] for row in rows]


def timeseries(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """All numbers of the frames that have a time."""
    clocks: list[Sequence[float]] = []
    scales = Scales(drawing.height)
    series: list[_Series] = []
    timeless = 0
    for frame in frames:
        place = frame.first_of_type("time")
        if place is None:
            timeless += bool(frame.length)
            continue
        frame = _ascending(frame, place)
        clock = _clock(frame.fields[place].values, clocks)
        series += [_read(field, frame, clock, scales, drawing) for field in frame.fields if _is_drawn(field)]
    if not series:
        return Nothing("The data has no time" if timeless else "The data has no numbers")
    for one in series:
        _cut(one, clocks)
    _stack(series, clocks)
    _fill_between(series)
    for one in series:
        one.scale.hold(one.ends)
        one.scale.from_zero |= one.custom.text("drawStyle") == "bars" or bool(one.base)
    axes = scales.finished()
    tooltip = options_of(panel.options).inside("tooltip")
    mode, order = tooltip.text("mode", "single"), tooltip.text("sort")
    listed = [(index, one) for index, one in enumerate(series) if not is_hidden(one.field, "legend")]
    return TimeSeries(
        drawing.start,
        drawing.end,
        tuple(clocks),
        tuple(_line(one) for one in series),
        axes,
        levels_of(((one.scale.number, one.field) for one in series), axes),
        legend_of(panel, drawing, ((i, one.name, ink(series_color(one.field)), one.field) for i, one in listed)),
        tooltip="multi" if mode == "multi" else "none" if mode == "none" else "single",
        order="asc" if order == "asc" else "desc" if order == "desc" else "",
        notices=("A part of the data has no time and is not drawn.",) if timeless else (),
    )


def _is_drawn(field: Field) -> bool:
    return field.type in ("number", "boolean") and not is_hidden(field, "viz")


def _ascending(frame: Frame, place: int) -> Frame:
    """The rows that have a time, in the order of time."""
    times = frame.fields[place].values
    rows = [row for row, time in enumerate(times) if time is not None]
    order = sorted(rows, key=times.__getitem__)
    return frame if order == list(range(frame.length)) else frame.take(order)


def _clock(times: Sequence[float], clocks: list[Sequence[float]]) -> int:
    if times not in clocks:
        clocks.append(times)
    return clocks.index(times)


def _read(field: Field, frame: Frame, clock: int, scales: Scales, drawing: Drawing) -> _Series:
    values = numbers_of(field)
    custom = custom_of(field)
    if custom.text("transform") == "negative-Y":
        values = [None if value is None else -value for value in values]
    share = custom.inside("stacking").text("mode") == "percent"
    sample = percent_scaled(field) if share else field
    texts = drawing.texts(field)
    return _Series(field, display_name(field, frame), clock, values, texts, values, [], scales.of(sample))


def _cut(one: _Series, clocks: list[Sequence[float]]) -> None:
    """Where two values lie further apart than `insertNulls` (ms), put a missing one between them."""
    longest = one.custom.number("insertNulls")
    times = clocks[one.clock]
    if not longest or longest < 0 or not any(after - before > longest for before, after in pairwise(times)):
        return
    cut: list[float] = []
    rows: list[int | None] = []
    for row, time in enumerate(times):
        if row and time - times[row - 1] > longest:
            cut.append((time + times[row - 1]) / 2)
            rows.append(None)
        cut.append(time)
        rows.append(row)
    one.move(_clock(cut, clocks), rows)


def _stack(series: Sequence[_Series], clocks: list[Sequence[float]]) -> None:
    groups: dict[tuple[str, str, int], list[_Series]] = {}
    for one in series:
        stacking = one.custom.inside("stacking")
        mode = stacking.text("mode", "none")
        if mode in ("normal", "percent"):
            groups.setdefault((mode, stacking.text("group", "A"), one.scale.number), []).append(one)
    for (mode, _, _), members in groups.items():
        _on_one_clock(members, clocks)
        for one, place in zip(members, stacked([m.values for m in members], percent=mode == "percent"), strict=True):
            one.ends, one.base = place.ends, place.base


def _on_one_clock(members: Sequence[_Series], clocks: list[Sequence[float]]) -> None:
    """Give all members the times of all of them: what stands on each other is measured at the same moments."""
    if len({one.clock for one in members}) == 1:
        return
    times = sorted({time for one in members for time in clocks[one.clock]})
    number = _clock(times, clocks)
    for one in members:
        at = {time: row for row, time in enumerate(clocks[one.clock])}
        one.move(number, [at.get(time) for time in times])


def _fill_between(series: Sequence[_Series]) -> None:
    for one in series:
        name = one.custom.text("fillBelowTo")
        other = next((other for other in series if other.name == name and other.clock == one.clock), None)
        if name and other is not None and not one.base:
            one.base = other.ends


def _line(one: _Series) -> Line:
    custom = one.custom
    draw = custom.text("drawStyle", "line")
    style = custom.inside("lineStyle")
    dash = tuple(float(part) for part in style.fields.get("dash") or () if isinstance(part, int | float))
    spans = custom.fields.get("spanNulls")
    points = custom.text("showPoints", "auto")
    return Line(
        name=one.name,
        color=ink(series_color(one.field)),
        clock=one.clock,
        axis=one.scale.number,
        values=one.ends,
        texts=one.texts,
        base=one.base,
        draw="bars" if draw == "bars" else "points" if draw == "points" else "line",
        curve=_curve(custom.text("lineInterpolation")),
        width=_or(custom.number("lineWidth"), 1),
        fill=_or(custom.number("fillOpacity"), 0) / 100,
        points="always" if points == "always" else "never" if points == "never" else "auto",
        point_size=_or(custom.number("pointSize"), 5),
        dash=(dash or _DASHES.get(style.text("fill"), ())) if style.text("fill", "solid") != "solid" else (),
        gap=-1 if spans is True else _or(custom.number("spanNulls"), 0) if spans else 0,
        in_tooltip=not is_hidden(one.field, "tooltip"),
    )


def _curve(name: str) -> Literal["linear", "smooth", "stepBefore", "stepAfter"]:
    if name == "smooth":
        return "smooth"
    if name == "stepBefore":
        return "stepBefore"
    return "stepAfter" if name == "stepAfter" else "linear"


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
