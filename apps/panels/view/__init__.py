"""What a panel draws: its frames and options as plain values that a browser turns into marks without thinking.

Texts, colours, scales, stacks, ticks, links and orders are worked out here; the browser measures and places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from apps.panels.document import Panel
from apps.panels.fields.javascript import text_of
from apps.panels.view.barchart import barchart
from apps.panels.view.drawing import Drawing, Frames
from apps.panels.view.gantt import gantt
from apps.panels.view.gauges import bargauge, gauge
from apps.panels.view.heatmap import heatmap
from apps.panels.view.model import Nothing, View, encode
from apps.panels.view.piechart import piechart
from apps.panels.view.radar import echarts
from apps.panels.view.stat import stat
from apps.panels.view.states import state_timeline, status_history
from apps.panels.view.table import table
from apps.panels.view.text import text
from apps.panels.view.timeseries import timeseries

__all__ = ["TYPES", "Drawing", "View", "default_color_mode", "draw", "encode", "needs_data"]

_Draw: TypeAlias = Callable[[Panel, Frames, Drawing], View]
TYPES: Final[Mapping[str, _Draw]] = {
    "barchart": barchart,
    "bilibala-echarts-panel": echarts,
    "bargauge": bargauge,
    "gauge": gauge,
    "heatmap": heatmap,
    "marcusolsson-gantt-panel": gantt,
    "piechart": piechart,
    "stat": stat,
    "state-timeline": state_timeline,
    "status-history": status_history,
    "table": table,
    "text": text,
    "timeseries": timeseries,
    "volkovlabs-echarts-panel": echarts,
}
_COLOR_MODES: Final[Mapping[str, str]] = {
    "timeseries": "palette-classic",
    "barchart": "palette-classic",
    "piechart": "palette-classic",
    "state-timeline": "continuous-GrYlRd",
    "status-history": "thresholds",
}


def draw(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """The view of a panel. `frames` have been transformed and have their field configuration (`fields.overrides`).

    A type that is not known is drawn as a table, with a notice. Wrong options count as absent.
    """
    if needs_data(panel) and not any(frame.length for frame in frames):
        return Nothing(_no_data(panel))
    known = TYPES.get(panel.type)
    if known:
        return known(panel, frames, drawing)
    view = table(panel, frames, drawing)
    notice = f"The portal does not draw panels of the type {panel.type}. This is their data."
    return replace(view, notices=(*view.notices, notice))


def needs_data(panel: Panel) -> bool:
    """Does the panel draw what its queries give?"""
    return panel.type != "text"


def default_color_mode(panel: Panel) -> str:
    """The colour mode of fields that name none (`apply_field_config` wants it)."""
    return _COLOR_MODES.get(panel.type, "thresholds")


def _no_data(panel: Panel) -> str:
    defaults = panel.field_config.get("defaults")
    return (text_of(defaults.get("noValue")) if isinstance(defaults, dict) else "") or "No data"
