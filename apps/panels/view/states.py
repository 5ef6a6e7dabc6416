"""States over time: state timelines, and status histories."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias

from apps.panels.document import Panel
from apps.panels.fields.display import Text
from apps.panels.fields.names import display_name
from apps.panels.fields.thresholds import read_thresholds
from apps.panels.frames import Field
from apps.panels.view.drawing import Drawing, Frames, is_hidden, options_of
from apps.panels.view.ink import ink, ink_on
from apps.panels.view.legend import legend_of
from apps.panels.view.model import Gantt, Nothing, Span, View

_SpansOf: TypeAlias = Callable[[Field, Sequence[float], int], Iterator[Span]]
MAX_SPANS: Final = 5000
"""More states than these are left out, with a notice."""


def state_timeline(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """A lane for each field; a state lasts until the next value, the last one until the end of the range or now."""
    merges = options_of(panel.options).flag("mergeValues", True)
    end = max(drawing.start, min(drawing.end, drawing.clock.now()))

    def spans(field: Field, times: Sequence[float], lane: int) -> Iterator[Span]:
        shown = _Shown(field, drawing)
        known: list[tuple[float, Any]] = []
        for time, value in zip(times, field.values, strict=True):
            if not (merges and known and known[-1][1] == value and type(known[-1][1]) is type(value)):
                known.append((time, value))
        for (start, value), (until, _) in pairwise([*known, (max(end, times[-1]), None)]):
            if value is not None and until > start:
                yield shown.span(start, until, value, lane)

    return _states(panel, frames, drawing, spans)


def status_history(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """A lane for each field; a cell for each value, as wide as most of the steps between two times."""

    def spans(field: Field, times: Sequence[float], lane: int) -> Iterator[Span]:
        shown = _Shown(field, drawing)
        steps = [after - before for before, after in pairwise(times) if after > before]
        half = (statistics.median_low(steps) if steps else drawing.end - drawing.start) / 2
        for time, value in zip(times, field.values, strict=True):
            if value is not None:
                yield shown.span(time - half, time + half, value, lane)

    return _states(panel, frames, drawing, spans)


class _Shown:
    """Makes the spans of a field. Equal values are written once."""

    def __init__(self, field: Field, drawing: Drawing) -> None:
        self._display = drawing.display(field)
        self._known: dict[tuple[type, Any], Text] = {}

    def span(self, start: float, end: float, value: Any, lane: int) -> Span:
        key = (type(value), value if not isinstance(value, list | dict) else str(value))
        text = self._known.get(key)
        if text is None:
            text = self._known[key] = self._display(value)
        return Span(start, end, str(text), ink(text.color), lane, ink=ink_on(text.color))


def _states(panel: Panel, frames: Frames, drawing: Drawing, spans_of: _SpansOf) -> View:
    options = options_of(panel.options)
    lanes: list[str] = []
    spans: list[Span] = []
    fields: list[Field] = []
    for frame in frames:
        place = frame.first_of_type("time")
        if place is None:
            continue
        rows = [row for row, time in enumerate(frame.fields[place].values) if time is not None]
        frame = frame.take(sorted(rows, key=frame.fields[place].values.__getitem__))
        for field in frame.fields:
            if field.type != "time" and frame.length and not is_hidden(field, "viz"):
                spans += spans_of(field, frame.fields[place].values, len(lanes))
                lanes.append(display_name(field, frame))
                fields.append(field)
    seen = [span for span in spans if span.end >= drawing.start and span.start <= drawing.end]
    if not seen:
        return Nothing("The data has no time" if not lanes else "No state lies in the range")
    values = options.text("showValue", "auto")
    height = options.number("rowHeight")
    return Gantt(
        drawing.start,
        drawing.end,
        tuple(lanes),
        (1,) * len(lanes),
        tuple(seen[:MAX_SPANS]),
        legend_of(panel, drawing, [(i, name, color, None) for i, (name, color) in enumerate(_legend(fields, seen))]),
        states=True,
        show_values="always" if values == "always" else "never" if values == "never" else "auto",
        row_height=0.9 if height is None else height,
        gap=1,
        notices=(f"These are the first {MAX_SPANS} of {len(seen)} states.",) if len(seen) > MAX_SPANS else (),
    )


def _legend(fields: Sequence[Field], spans: Sequence[Span]) -> list[tuple[str, str]]:
    """Names and colours: of the thresholds where they colour numbers without mappings, else of the states seen."""
    modes = {(field.config.get("color") or {}).get("mode") for field in fields}
    plain = all(field.type == "number" and not field.config.get("mappings") for field in fields)
    if plain and modes == {"thresholds"}:
        steps = read_thresholds(fields[0].config).steps
        return [
            (f"< {after.value:g}" if index == 0 else f"{step.value:g}+", ink(step.color))
            for index, (step, after) in enumerate(pairwise([*steps, steps[-1]]))
        ]
    if plain:
        return []
    return list({span.text: span.color for span in spans}.items())
