"""Pies and donuts."""

from __future__ import annotations

import math

from apps.panels.document import Panel
from apps.panels.view.drawing import Drawing, Frames, options_of
from apps.panels.view.ink import ink
from apps.panels.view.model import Entry, Legend, Nothing, Pie, Slice, View
from apps.panels.view.tiles import shown_values


def piechart(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """A slice for each value above zero, the largest first unless the panel wants the data's order."""
    options = options_of(panel.options)
    values = [one for one in shown_values(panel, frames, drawing) if 0 < one.text.numeric < math.inf]
    whole = sum(one.text.numeric for one in values)
    if not whole:
        return Nothing("No value is above zero")
    order = options.text("sort", "desc")
    if order in ("asc", "desc"):
        values.sort(key=lambda one: one.text.numeric, reverse=order == "desc")
    slices = tuple(
        Slice(one.title, str(one.text), ink(one.text.color), one.text.numeric / whole, one.links) for one in values
    )
    return Pie(
        slices,
        donut=options.text("pieType") == "donut",
        labels=tuple(name for name in ("name", "percent", "value") if name in options.texts("displayLabels")),
        legend=_legend(panel, slices),
    )


def _legend(panel: Panel, slices: tuple[Slice, ...]) -> Legend:
    options = options_of(panel.options).inside("legend")
    mode = options.text("displayMode", "list")
    if not options.flag("showLegend", True) or mode == "hidden":
        return Legend()
    wanted = options.texts("values")
    heads = tuple(head for name, head in (("value", "Value"), ("percent", "Percent")) if name in wanted)

    def figures(one: Slice) -> tuple[str, ...]:
        found = {"Value": one.text, "Percent": f"{one.share * 100:.0f}%"}
        return tuple(found[head] for head in heads)

    return Legend(
        tuple(Entry(index, one.name, one.color, figures(one)) for index, one in enumerate(slices)),
        placement="right" if options.text("placement") == "right" else "bottom",
        figures=heads,
        table=mode == "table",
    )
