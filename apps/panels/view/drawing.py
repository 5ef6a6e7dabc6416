"""What drawing needs besides a panel and its frames, and what every panel type asks of a field."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from apps.panels.dates import FULL_DATE, format_date
from apps.panels.fields.display import Display
from apps.panels.fields.javascript import text_of
from apps.panels.fields.links import links_for
from apps.panels.fields.units import Clock
from apps.panels.frames import Field, Frame
from apps.panels.json_reader import Reader
from apps.panels.view.model import Link, Number

Frames: TypeAlias = Sequence[Frame]


@dataclass(frozen=True)
class Drawing:
    """The range that a panel shows (epoch ms), the viewer's clock, and about how many pixels there are.

    `interpolate` puts the dashboard's variables into a text, which is then still text, not HTML; `address` into the
    address of a link.
    """

    start: float
    end: float
    clock: Clock = field(default_factory=Clock)
    interpolate: Callable[[str], str] = str
    address: Callable[[str], str] = str
    width: int = 640
    height: int = 320

    def display(self, one: Field) -> Display:
        """Shows the values of a field."""
        return Display(one, clock=self.clock)

    def time(self, epoch_ms: float) -> str:
        """A moment on the viewer's clock."""
        return format_date(epoch_ms, FULL_DATE, self.clock.zone)

    def texts(self, field: Field) -> list[str]:
        """The texts of all values. Equal values are written once."""
        config = field.config
        if field.type == "string" and not (config.get("mappings") or config.get("unit")):
            empty = text_of(config.get("noValue"))
            return [value or empty for value in field.values]
        display = self.display(field)
        known: dict[tuple[type, Any], str] = {}
        found = []
        for value in field.values:
            if isinstance(value, list | dict):
                found.append(display.text(value))
                continue
            key = (type(value), value)
            text = known.get(key)
            if text is None:
                text = known[key] = display.text(value)
            found.append(text)
        return found

    def links(self, field: Field, frame: Frame, row: int) -> tuple[Link, ...]:
        """Where a value leads."""
        return next(self._links(field, frame, (row,)), ())

    def column_links(self, field: Field, frame: Frame) -> tuple[tuple[Link, ...], ...]:
        """The links of all values; nothing where the field has none."""
        return tuple(self._links(field, frame, range(frame.length)))

    def _links(self, field: Field, frame: Frame, rows: Iterable[int]) -> Iterator[tuple[Link, ...]]:
        if not field.config.get("links"):
            return
        displays: dict[int, Display] = {}

        def show(one: Field, value: Any) -> str:
            display = displays.get(id(one)) or displays.setdefault(id(one), self.display(one))
            return display.text(value)

        for row in rows:
            found = links_for(field, frame, row, interpolate=self.interpolate, address=self.address, show=show)
            yield tuple(Link(link.title, link.url, link.new_tab) for link in found)


def options_of(reader_of: Any) -> Reader:
    """Options of a panel or of a field, to be read with the types that they must have."""
    return Reader(reader_of if isinstance(reader_of, dict) else {}, "")


def custom_of(field: Field) -> Reader:
    """What the panel type has added to a field's configuration."""
    return options_of(field.config.get("custom"))


def is_hidden(field: Field, part: str) -> bool:
    """Is the field kept out of this part of the panel (`viz`, `legend`, `tooltip`)?"""
    return custom_of(field).inside("hideFrom").flag(part)


def numbers_of(field: Field) -> list[Number]:
    """The values that can be drawn: true is 1, what is not finite is missing."""
    return [
        None if value is None or not isinstance(value, int | float) or not math.isfinite(value) else value + 0
        for value in field.values
    ]
