"""Single values with their names: what figures, gauges and pies show of the data (Grafana: `getFieldDisplayValues`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from apps.panels.document import Panel
from apps.panels.fields.display import Display, Text
from apps.panels.fields.javascript import text_of
from apps.panels.fields.matchers import FieldMatcher, MatcherError, field_matcher
from apps.panels.fields.names import display_name
from apps.panels.fields.reducers import reduce_field, reducer_id, reducer_name
from apps.panels.frames import Field, Frame
from apps.panels.view.drawing import Drawing, Frames, is_hidden, options_of
from apps.panels.view.legend import COUNTS
from apps.panels.view.model import Link

MAX_VALUES: Final = 25
"""Without a limit of its own, a panel shows so many rows."""
MOST_VALUES: Final = 500


@dataclass(frozen=True)
class Shown:
    """A value to show, its name, and the field that it is of; `frame` tells whether it has a history."""

    field: Field
    frame: Frame
    title: str
    text: Text
    links: tuple[Link, ...] = ()
    is_row: bool = False


def shown_values(panel: Panel, frames: Frames, drawing: Drawing) -> list[Shown]:
    """The values that `reduceOptions` ask for: calculations of each field, or the value of every row."""
    options = options_of(panel.options).inside("reduceOptions")
    matches = _matcher(options.text("fields"))
    rows = options.flag("values")
    limit = min(options.integer("limit") or MAX_VALUES, MOST_VALUES)
    reducers = [reducer_id(name) for name in options.texts("calcs")] or ["lastNotNull"]
    found: list[Shown] = []
    for frame in frames:
        for field in frame.fields:
            if not matches(field, frame, frames) or is_hidden(field, "viz"):
                continue
            made = _of_rows(field, frame, len(found), drawing) if rows else _of_field(field, frame, reducers, drawing)
            for one in made:
                if len(found) == (limit if rows else MOST_VALUES):
                    return found
                found.append(one)
    return found


def _matcher(fields: str) -> FieldMatcher:
    if not fields:
        return _is_number
    try:
        return field_matcher({"id": "byRegexp", "options": fields})
    except MatcherError:
        return field_matcher({"id": "byName", "options": fields})


def _is_number(field: Field, frame: Frame, frames: Frames) -> bool:
    return field.type == "number"


def _of_field(field: Field, frame: Frame, reducers: list[str], drawing: Drawing) -> Iterator[Shown]:
    for reducer, value in reduce_field(field, reducers).items():
        config = {**field.config, "unit": None, "decimals": None} if reducer in COUNTS else field.config
        display = drawing.display(replace(field, config=config, type="number" if reducer in COUNTS else field.type))
        name = display_name(field, frame)
        title = f"{name} {reducer_name(reducer)}" if len(reducers) > 1 else name
        row = next((row for row in reversed(range(frame.length)) if field.values[row] == value), 0)
        yield Shown(field, frame, title, _text(display, value), drawing.links(field, frame, row))


def _of_rows(field: Field, frame: Frame, count: int, drawing: Drawing) -> Iterator[Shown]:
    others = [other for other in frame.fields if other is not field]
    names = [other for other in others if other.type == "string"]
    has_numbers = any(other.type == "number" for other in others)
    for row in range(frame.length):
        # A palette gives each row the next colour.
        of_row = replace(field, series_index=count + row)
        parts = [text for other in names if (text := text_of(other.values[row]))]
        title = text_of(field.config.get("displayName")) or " ".join(
            [*parts, display_name(field, frame)] if has_numbers or not parts else parts
        )
        shown = _text(drawing.display(of_row), field.values[row])
        yield Shown(of_row, frame, title, shown, drawing.links(field, frame, row), is_row=True)


def _text(display: Display, value: object) -> Text:
    text: Text = display(value)
    return text if str(text) else replace(text, text="No data", color="text", percent=None)
