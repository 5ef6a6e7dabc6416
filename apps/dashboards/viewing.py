"""From a panel's answer to what is drawn of it."""

from __future__ import annotations

from typing import Final

from apps.panels.document import Panel
from apps.panels.fields.units import Clock
from apps.panels.opening import Opened
from apps.panels.panel import Answer
from apps.panels.view import Drawing, View, draw

COLUMN_PIXELS: Final = 50
ROW_PIXELS: Final = 38
"""About how large a cell of the grid is; the height with the gap below it."""


def view_of(opened: Opened, answer: Answer, *, width: int | None = None, height: int | None = None) -> View:
    """What to draw, in a place of that many pixels; without, in the place that the grid gives."""
    clock = Clock(opened.calendar.zone, opened.now.timestamp() * 1000)
    place = width or answer.panel.grid.w * COLUMN_PIXELS, height or _height(answer.panel)
    drawing = Drawing(answer.range.start_ms, answer.range.end_ms, clock, answer.text, answer.address, *place)
    return draw(answer.panel, answer.frames, drawing)


def _height(panel: Panel) -> int:
    # The title and the padding take about one row.
    return max(1, panel.grid.h - 1) * ROW_PIXELS
