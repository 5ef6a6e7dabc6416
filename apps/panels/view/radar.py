"""Radars: what the ECharts panels of VirtualPyTest draw.

Those panels hold a script that makes the chart. It is never run: that it makes a radar, its title, the unit and the
name of its ring are read from the script's text, and the values come from the data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from apps.panels.document import Panel
from apps.panels.fields.colors import palette_color
from apps.panels.fields.display import Display, series_constant
from apps.panels.fields.names import display_name
from apps.panels.frames import Field, Frame
from apps.panels.view.drawing import Drawing, Frames, is_hidden, numbers_of, options_of
from apps.panels.view.ink import ink
from apps.panels.view.legend import legend_of
from apps.panels.view.model import Nothing, Radar, Ring, View
from apps.panels.view.table import table

MAX_SPOKES: Final = 60
RINGS: Final = 4
MARGIN: Final = 1.2
"""The outermost ring lies this much beyond the largest value."""
_TEXT = r"""\s*:\s*\[?\s*(['"])(?P<text>(?:(?!\1).){1,120})\1"""
_IS_RADAR: Final = re.compile(r"""\btype\s*:\s*['"]radar['"]""")
_TITLE: Final = re.compile(rf"\btitle\s*:\s*\{{\s*text{_TEXT}")
_LEGEND: Final = re.compile(rf"\blegend\s*:\s*\{{\s*data{_TEXT}")
_UNIT: Final = re.compile(r"""['"]\s*(?P<unit>ms|s|%)\s*\)?['"]""")
_UNITS: Final = {"ms": "ms", "s": "s", "%": "percent"}


def echarts(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """The radar that the panel's script would make; the data as a table where it makes something else."""
    script = options_of(panel.options).text("getOption")
    if _IS_RADAR.search(script):
        return radar(panel, frames, drawing, script)
    view = table(panel, frames, drawing)
    notice = "This panel is drawn by a script, which the portal does not run. This is its data."
    return replace(view, notices=(*view.notices, notice))


def radar(panel: Panel, frames: Frames, drawing: Drawing, script: str = "") -> View:
    """A spoke for each row, named by the first text; a ring for each number."""
    frame = next(frame for frame in frames if frame.length)
    place = frame.first_of_type("string")
    fields = [field for field in frame.fields if field.type == "number" and not is_hidden(field, "viz")]
    if place is None or not fields:
        return Nothing("A radar needs a text that names its spokes, and numbers")
    notices = (f"These are the first {MAX_SPOKES} of {frame.length} spokes.",) if frame.length > MAX_SPOKES else ()
    frame = frame.take(range(min(frame.length, MAX_SPOKES)))
    labels = drawing.texts(frame.fields[place])
    fields = [
        _with_unit(field, script) for field in frame.fields if field.type == "number" and not is_hidden(field, "viz")
    ]
    numbers = [[None if value is None else _rounded(value, field) for value in numbers_of(field)] for field in fields]
    largest = max((value for values in numbers for value in values if value is not None), default=0)
    outermost = math.ceil(largest * MARGIN) if largest > 0 else 1
    rings = []
    for index, (field, values) in enumerate(zip(fields, numbers, strict=True)):
        texts = drawing.texts(field.with_values(values))
        shares = [None if value is None else min(1.0, max(0.0, value / outermost)) for value in values]
        rings.append(Ring(_name(field, frame, script, len(fields)), _color(field, index), values, texts, shares))
    display = Display(fields[0], clock=drawing.clock)
    return Radar(
        _labels(labels, rings),
        tuple(rings),
        tuple(str(display(outermost * step / RINGS)) for step in range(1, RINGS + 1)),
        legend_of(panel, drawing, ((i, ring.name, ring.color, None) for i, ring in enumerate(rings))),
        title=_found(_TITLE, script),
        notices=notices,
    )


def _labels(names: Sequence[str], rings: Sequence[Ring]) -> tuple[str, ...]:
    """The names of the spokes; with the values of a ring that is alone."""
    if len(rings) > 1:
        return tuple(names)
    texts = rings[0].texts
    return tuple(f"{name} ({text})" if text else name for name, text in zip(names, texts, strict=True))


def _rounded(value: float, field: Field) -> float:
    return math.floor(value + 0.5) if field.config.get("unit") == "ms" else value


def _with_unit(field: Field, script: str) -> Field:
    unit = _UNIT.search(script)
    if field.config.get("unit") or unit is None:
        return field
    return replace(field, config={**field.config, "unit": _UNITS[unit["unit"]]})


def _name(field: Field, frame: Frame, script: str, count: int) -> str:
    return (_found(_LEGEND, script) if count == 1 else "") or display_name(field, frame)


def _found(pattern: re.Pattern[str], script: str) -> str:
    """The last such text: those before it stand where there is nothing to draw."""
    found = [match["text"] for match in pattern.finditer(script)]
    return found[-1] if found else ""


def _color(field: Field, index: int) -> str:
    # A ring has one colour, whatever its values are; the first is blue.
    return ink(series_constant(field) or palette_color(index + 5))
