"""Big figures with their histories."""

from __future__ import annotations

from typing import Literal

from apps.panels.document import Panel
from apps.panels.fields.reducers import reduce_field
from apps.panels.json_reader import Reader
from apps.panels.view.drawing import Drawing, Frames, numbers_of, options_of
from apps.panels.view.ink import ink, ink_on
from apps.panels.view.model import Nothing, Number, Stat, Tile, View
from apps.panels.view.tiles import Shown, shown_values

MAX_SPARK = 200
"""A history behind a figure has no more points than these."""


def stat(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """A figure for each value. `orientation` says how they repeat: `horizontal` is one below the other."""
    options = options_of(panel.options)
    values = shown_values(panel, frames, drawing)
    if not values:
        return Nothing()
    mode = options.text("colorMode", "value")
    orientation = options.text("orientation", "auto")
    return Stat(
        tuple(_tile(one, options) for one in values),
        color="background" if mode.startswith("background") else "none" if mode == "none" else "value",
        show=_show(options.text("textMode", "auto"), len(values)),
        center=options.text("justifyMode", "auto") == "center",
        vertical="yes" if orientation == "horizontal" else "no" if orientation == "vertical" else "",
    )


def _show(mode: str, count: int) -> Literal["value", "value_and_name", "name", "none"]:
    match mode:
        case "value" | "value_and_name" | "name" | "none":
            return mode
    return "value" if count == 1 else "value_and_name"


def _tile(one: Shown, options: Reader) -> Tile:
    spark, times = _history(one) if options.text("graphMode", "area") != "none" else ((), ())
    change, rising = _change(one) if options.flag("showPercentChange") else ("", False)
    return Tile(
        one.title,
        one.text.text,
        one.text.prefix,
        one.text.suffix,
        ink(one.text.color),
        ink_on(one.text.color),
        spark,
        times,
        one.links,
        change=change,
        rising=rising,
    )


def _history(one: Shown) -> tuple[tuple[Number, ...], tuple[float, ...]]:
    place = one.frame.first_of_type("time")
    if one.is_row or place is None or one.field.type != "number" or one.frame.length < 2:
        return (), ()
    times = one.frame.fields[place].values
    rows = [row for row in range(one.frame.length) if times[row] is not None]
    rows = rows[:: max(1, -(-len(rows) // MAX_SPARK))]
    values = numbers_of(one.field)
    return tuple(values[row] for row in rows), tuple(times[row] for row in rows)


def _change(one: Shown) -> tuple[str, bool]:
    fraction = None if one.is_row else reduce_field(one.field, ["diffperc"])["diffperc"]
    return ("", False) if fraction is None else (f"{abs(fraction) * 100:.1f}%", fraction >= 0)
