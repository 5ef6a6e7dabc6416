"""Legends, and the calculations that stand in them and in footers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from apps.panels.document import Panel
from apps.panels.fields.javascript import text_of
from apps.panels.fields.reducers import reduce_field, reducer_id, reducer_name
from apps.panels.frames import Field
from apps.panels.view.drawing import Drawing, options_of
from apps.panels.view.model import Entry, Legend

COUNTS: Final = frozenset(("count", "countAll", "changeCount", "distinctCount"))
"""Calculations whose result has no unit, whatever the field's is."""


def figure(field: Field, reducer: str, drawing: Drawing) -> str:
    """A calculation over a field as text, in the field's unit where it has one."""
    reducer = reducer_id(reducer)
    value = reduce_field(field, [reducer])[reducer]
    if reducer in COUNTS:
        return text_of(value)
    if reducer == "diffperc":
        return "" if value is None else f"{value * 100:.1f}%"
    return str(drawing.display(field)(value))


def legend_of(panel: Panel, drawing: Drawing, series: Iterable[tuple[int, str, str, Field | None]]) -> Legend:
    """The panel's legend for series of an index, a name, a CSS colour and the field that calculations are made of."""
    options = options_of(panel.options).inside("legend")
    mode = options.text("displayMode", "list")
    if not options.flag("showLegend", True) or mode == "hidden":
        return Legend()
    calculations = [reducer_id(name) for name in options.texts("calcs")]
    table = mode == "table"

    def figures(field: Field | None) -> tuple[str, ...]:
        if field is None:
            return ()
        texts = [(reducer_name(name), figure(field, name, drawing)) for name in calculations]
        return tuple(text if table else f"{name}: {text}" for name, text in texts)

    entries = tuple(Entry(index, name, color, figures(field)) for index, name, color, field in series)
    return Legend(
        entries,
        placement="right" if options.text("placement") == "right" else "bottom",
        figures=tuple(reducer_name(name) for name in calculations),
        table=table,
    )
