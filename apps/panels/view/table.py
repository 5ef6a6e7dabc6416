"""Tables: Grafana's cell types, footers and orders."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from apps.panels.document import Panel
from apps.panels.fields.javascript import text_of
from apps.panels.fields.names import display_name
from apps.panels.fields.reducers import reducer_id, reducer_name
from apps.panels.frames import Field, Frame
from apps.panels.json_reader import Reader
from apps.panels.view.drawing import Drawing, Frames, custom_of, options_of
from apps.panels.view.ink import ink, ink_on
from apps.panels.view.legend import figure
from apps.panels.view.model import Column, Nothing, Sort, Table, View

MAX_ROWS: Final = 2000
"""A browser gets no more rows than these; the view says how many there are."""
MAX_TEXT: Final = 5000
"""A cell's text ends after so many characters."""

Cell = Literal["text", "color", "background", "gauge", "json", "link", "image"]
_CELLS: Final[Mapping[str, Cell]] = {
    "color-text": "color",
    "color-background": "background",
    "color-background-solid": "background",
    "gauge": "gauge",
    "basic": "gauge",
    "gradient-gauge": "gauge",
    "lcd-gauge": "gauge",
    "json-view": "json",
    "data-links": "link",
    "image": "image",
}
_DIGITS: Final = re.compile(r"(\d+)")


def table(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """The frame that the panel names, or the first with rows; hidden columns are left out."""
    options = options_of(panel.options)
    frame = _chosen(frames, options.integer("frameIndex"))
    fields = [field for field in frame.fields if not custom_of(field).flag("hidden")]
    if not fields:
        return Nothing()
    total = frame.length
    sort = _sort(options, fields, frame)
    if total > MAX_ROWS:
        frame = _first_rows(frame, fields, sort)
        fields = [field for field in frame.fields if not custom_of(field).flag("hidden")]
    footer = _footer(options.inside("footer"), fields, frame, total, drawing)
    columns = [_column(field, frame, text, drawing) for field, text in zip(fields, footer, strict=True)]
    height = options.text("cellHeight", "sm")
    filled = sum(1 for one in frames if one.length)
    notices = (f"The query gave {filled} tables; this is the first.",) if filled > 1 else ()
    return Table(
        _rows_colored(fields, columns),
        frame.length,
        total,
        sort=sort,
        header=options.flag("showHeader", True),
        footer=options.inside("footer").flag("show"),
        height="md" if height == "md" else "lg" if height == "lg" else "sm",
        notices=notices,
    )


def _chosen(frames: Frames, index: int) -> Frame:
    if 0 < index < len(frames):
        return frames[index]
    return next((frame for frame in frames if frame.length), frames[0] if frames else Frame())


def _sort(options: Reader, fields: Sequence[Field], frame: Frame) -> Sort | None:
    names = [display_name(field, frame) for field in fields]
    for wanted in options.objects("sortBy"):
        name = wanted.text("displayName")
        # A column that is not there orders nothing, as in Grafana.
        if name in names:
            return Sort(names.index(name), wanted.flag("desc"))
    return None


def _first_rows(frame: Frame, fields: Sequence[Field], sort: Sort | None) -> Frame:
    rows = range(frame.length)
    if sort is None:
        return frame.take(rows[:MAX_ROWS])
    ranks = ranked(fields[sort.column])
    order = sorted(rows, key=lambda row: -ranks[row] if sort.descending else ranks[row])
    return frame.take(sorted(order[:MAX_ROWS]))


def _column(field: Field, frame: Frame, footer: str, drawing: Drawing) -> Column:
    custom = custom_of(field)
    cell = _cell(field, custom)
    colors, inks, shares = _marks(field, cell, drawing)
    wanted = custom.text("align", "auto")
    return Column(
        name=display_name(field, frame),
        texts=[text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…" for text in drawing.texts(field)],
        ranks=ranked(field),
        cell=cell,
        colors=colors,
        inks=inks,
        shares=shares,
        links=drawing.column_links(field, frame),
        align="center" if wanted == "center" else "right" if _is_right(field, wanted) else "left",
        width=custom.number("width"),
        min_width=custom.number("minWidth"),
        wrap=custom.inside("cellOptions").flag("wrapText") or custom.flag("wrapText"),
        numeric=field.type == "number",
        footer=footer,
    )


def _is_right(field: Field, wanted: str) -> bool:
    return wanted == "right" or (wanted == "auto" and field.type == "number")


def _cell(field: Field, custom: Reader) -> Cell:
    kind = custom.inside("cellOptions").text("type") or custom.text("displayMode")
    return _CELLS.get(kind, "json" if field.type == "other" else "text")


def _marks(field: Field, cell: Cell, drawing: Drawing) -> tuple[list[str], list[str], list[float | None]]:
    """The colours of the cells, of the text on them, and how far their gauges reach."""
    if cell not in ("color", "background", "gauge"):
        return [], [], []
    display = drawing.display(field)
    shown = [display(value) for value in field.values]
    known = [value is not None for value in field.values]
    colors = [ink(one.color) if there else "" for one, there in zip(shown, known, strict=True)]
    inks = [ink_on(one.color) if there else "" for one, there in zip(shown, known, strict=True)]
    shares = [min(1.0, max(0.0, one.percent or 0)) if there else None for one, there in zip(shown, known, strict=True)]
    return colors, inks if cell == "background" else [], shares if cell == "gauge" else []


def _rows_colored(fields: Sequence[Field], columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns; where one of them colours whole rows, the plain ones take its colours."""
    for field, column in zip(fields, columns, strict=True):
        if column.cell == "background" and custom_of(field).inside("cellOptions").flag("applyToRow"):
            return tuple(_painted(each, column) if each.cell == "text" else each for each in columns)
    return tuple(columns)


def _painted(column: Column, like: Column) -> Column:
    return replace(column, cell="background", colors=like.colors, inks=like.inks)


def ranked(field: Field) -> list[int]:
    """For each value its place in ascending order; equal values share one, missing ones come first."""
    plain = (str, int, float, type(None))
    values = [value if isinstance(value, plain) else text_of(value) for value in field.values]
    places = {value: place for place, value in enumerate(sorted(set(values), key=_order))}
    return [places[value] for value in values]


def _order(value: Any) -> tuple[Any, ...]:
    if value is None:
        return (0, 0)
    if isinstance(value, int | float):
        return (1, float("-inf") if math.isnan(value) else value)
    # Numbers inside texts count as numbers: device2 stands before device10.
    parts = _DIGITS.split(value.casefold())
    return (
        2,
        tuple((len(bare := part.lstrip("0")), bare) if place % 2 else part for place, part in enumerate(parts)),
        value,
    )


def _footer(footer: Reader, fields: Sequence[Field], frame: Frame, total: int, drawing: Drawing) -> tuple[str, ...]:
    if not footer.flag("show"):
        return ("",) * len(fields)
    reducer = reducer_id(next(iter(footer.texts("reducer")), "sum"))
    wanted = footer.fields.get("fields") or ()
    named = {wanted} if isinstance(wanted, str) else {str(name) for name in wanted}
    texts = []
    for field in fields:
        counts = field.type == "number" and (not named or display_name(field, frame) in named)
        texts.append(figure(field, reducer, drawing) if counts else "")
    if footer.flag("countRows") and reducer == "count":
        return (f"Count: {total}", *("" for _ in texts[1:]))
    return tuple(texts) if texts[0] else (reducer_name(reducer), *texts[1:])
