"""Gantt charts (the plugin marcusolsson-gantt-panel): rows with a start and an end, as bars in lanes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from apps.panels.date_parsing import parse_date
from apps.panels.document import Panel
from apps.panels.fields.colors import color_for_name, known_color
from apps.panels.fields.javascript import text_of, to_number
from apps.panels.fields.mappings import map_value
from apps.panels.fields.names import display_name
from apps.panels.frames import Field, Frame
from apps.panels.json_reader import Reader
from apps.panels.view.drawing import Drawing, Frames, options_of
from apps.panels.view.ink import ink, ink_on
from apps.panels.view.legend import legend_of
from apps.panels.view.model import Gantt, Nothing, Span, View

MAX_SPANS = 3000
"""More bars than these are left out, with a notice."""
NO_VALUE = "No value"


@dataclass(frozen=True)
class _Task:
    """A row: its lane's name and its bar, which has no lane yet; `state` is what its colour stands for."""

    lane: str
    state: str
    color: str
    span: Span


def gantt(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """A lane for each value of the field that groups, with lines for what overlaps; a row without an end still runs."""
    options = options_of(panel.options)
    frame = next(frame for frame in frames if frame.length)
    times = [field for field in frame.fields if field.type == "time"]
    start = _named(frame, options.text("startField")) or (times[0] if times else None)
    end = _named(frame, options.text("endField")) or (times[1] if len(times) > 1 else None)
    if start is None:
        return Nothing("A Gantt chart needs a time at which its bars start")
    tasks = list(_tasks(options, frame, start, end, drawing))
    seen = [task for task in tasks if task.span.end >= drawing.start and task.span.start <= drawing.end]
    notices = []
    if len(seen) < len(tasks):
        notices.append(f"{len(tasks) - len(seen)} of {len(tasks)} bars lie outside of the range.")
    if len(seen) > MAX_SPANS:
        notices.append(f"These are the first {MAX_SPANS} of {len(seen)} bars.")
    if not seen:
        return Nothing("No bar lies in the range", notices=tuple(notices))
    lanes, depths, spans = in_lanes([(task.lane, task.span) for task in seen[:MAX_SPANS]])
    states = {task.state: task.color for task in seen if task.state}
    return Gantt(
        drawing.start,
        drawing.end,
        lanes,
        depths,
        spans,
        legend_of(panel, drawing, ((i, state, ink(color), None) for i, (state, color) in enumerate(states.items()))),
        show_values="auto",
        notices=tuple(notices),
    )


def in_lanes(spans: Sequence[tuple[str, Span]]) -> tuple[tuple[str, ...], tuple[int, ...], tuple[Span, ...]]:
    """Lanes in the order of their first spans, how many lines each has, and the spans on the first line with room."""
    lanes: dict[str, int] = {}
    free: list[list[float]] = []
    placed = []
    for lane, _ in spans:
        if lane not in lanes:
            lanes[lane] = len(lanes)
            free.append([])
    for lane, span in sorted(spans, key=lambda one: one[1].start):
        lines = free[lanes[lane]]
        line = next((line for line, until in enumerate(lines) if until <= span.start), len(lines))
        if line == len(lines):
            lines.append(-math.inf)
        lines[line] = span.end
        placed.append(replace(span, lane=lanes[lane], line=line))
    return tuple(lanes), tuple(len(lines) for lines in free), tuple(placed)


def _tasks(options: Reader, frame: Frame, start: Field, end: Field | None, drawing: Drawing) -> Iterable[_Task]:
    text = _named(frame, options.text("textField")) or _first_text(frame)
    group = _named(frame, options.text("groupByField") or options.text("groupBy")) or text
    labels = [field for name in options.texts("labelFields") if (field := _named(frame, name))]
    color_of = _colors(_named(frame, options.text("colorField")), options, drawing)
    shown = {field.name: drawing.texts(field) for field in frame.fields}
    told = [field for field in frame.fields if field not in (start, end, group)]
    for row in range(frame.length):
        begins = _moment(start.values[row])
        if begins is None:
            continue
        ends = _moment(end.values[row]) if end is not None else None
        running = ends is None
        words = [shown[field.name][row] for field in labels]
        if not words and text is not None and text is not group:
            words = [shown[text.name][row]]
        state, color = color_of(row)
        span = Span(
            begins,
            max(begins, drawing.clock.now() if ends is None else ends),
            " · ".join(word for word in words if word),
            ink(color),
            lane=0,
            lines=tuple(f"{display_name(field, frame)}: {shown[field.name][row] or NO_VALUE}" for field in told),
            open=running,
            links=tuple(link for field in frame.fields for link in drawing.links(field, frame, row)),
            ink=ink_on(color),
        )
        yield _Task(shown[group.name][row] if group is not None else "", state, color, span)


def _named(frame: Frame, name: str) -> Field | None:
    if not name:
        return None
    return next((field for field in frame.fields if name in (field.name, display_name(field, frame))), None)


def _first_text(frame: Frame) -> Field | None:
    place = frame.first_of_type("string")
    return None if place is None else frame.fields[place]


def _moment(value: Any) -> float | None:
    """Epoch milliseconds of a time, a number of them, or a date that is written out."""
    moment = parse_date(value) if isinstance(value, str) else None
    number = to_number(value) if moment is None else moment
    return number if math.isfinite(number) else None


def _colors(field: Field | None, options: Reader, drawing: Drawing) -> Callable[[int], tuple[str, str]]:
    """For a row what its colour stands for, and the colour: from the panel's list, a mapping, or by the value."""
    if field is None:
        return lambda row: ("", "blue")
    listed: Mapping[str, str] = {one.text("value"): one.text("color") for one in options.objects("colors")}
    texts = drawing.texts(field)

    def color(row: int) -> tuple[str, str]:
        value = field.values[row]
        if value is None:
            return NO_VALUE, "text"
        raw = text_of(value)
        mapped = map_value(field.config.get("mappings") or (), value)
        if raw in listed:
            return texts[row], known_color(listed[raw])
        if mapped and mapped.color:
            return texts[row], known_color(mapped.color)
        return texts[row], color_for_name(raw)

    return color
