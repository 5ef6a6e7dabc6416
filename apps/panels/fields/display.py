"""A value as it is shown: text with its unit, colour, icon, and where it lies between the field's ends."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from apps.panels.date_parsing import parse_date
from apps.panels.fields import colors
from apps.panels.fields.javascript import number_text, text_of, to_number
from apps.panels.fields.mappings import MappingResult, map_value
from apps.panels.fields.reducers import finite_numbers, reduce_field
from apps.panels.fields.thresholds import read_thresholds, share
from apps.panels.fields.units import Clock, Formatted, find_format, is_boolean_unit, is_date_unit
from apps.panels.frames import Field

DEFAULT_SPAN = (0.0, 100.0)
_DECIMAL = re.compile(r"-?\d{1,15}\.\d{1,6}\Z", re.ASCII)


@dataclass(frozen=True)
class Text:
    """A value on the screen. `color` is a name of Grafana's or a CSS colour; `percent` lies between 0 and 1 inside
    the field's span and beyond them outside; `numeric` is NaN for what is no number."""

    text: str
    prefix: str = ""
    suffix: str = ""
    color: str = ""
    icon: str = ""
    percent: float | None = None
    numeric: float = math.nan

    def __str__(self) -> str:
        return self.prefix + self.text + self.suffix


class Display:
    """Shows the values of one configured field. Make one for a field, call it for each value."""

    def __init__(self, field: Field, *, clock: Clock | None = None, theme: colors.Theme = "dark") -> None:
        self.field = field
        self._config = field.config
        self._mappings = field.config.get("mappings") or ()
        self._no_value = text_of(field.config.get("noValue"))
        self._decimals = _decimals(field.config.get("decimals"))
        unit = field.config.get("unit")
        self._unit = str(unit) if unit else None
        clock = clock or Clock()
        if field.type == "time" and not is_date_unit(self._unit):
            self._unit = "dateTimeAsSystem"
            clock = replace(clock, show_ms=_spans_less_than_a_minute(field))
        elif field.type == "boolean" and not is_boolean_unit(self._unit):
            self._unit = None
        elif field.type == "string" and not self._unit:
            self._unit = "string"
        # Known once for all values: a table has thousands.
        self._is_text = self._unit == "string"
        self._is_date = is_date_unit(self._unit)
        self._is_boolean = is_boolean_unit(self._unit)
        self._trims = self._decimals is None and field.type == "number" and not self._is_date
        self._clock = clock
        self._format = find_format(self._unit)
        self._color = color_scale(field, theme=theme)
        self._no_number = self._color(-math.inf)

    def __call__(self, value: Any, decimals: int | None = None) -> Text:
        """The value's text; `decimals` win over the configured ones."""
        numeric = self._number(value)
        mapped = map_value(self._mappings, value) if self._mappings else None
        written = self._written(value, numeric, mapped, decimals)
        color, percent = self._colored(numeric, mapped)
        return Text(
            written.text,
            written.prefix,
            written.suffix,
            color,
            (mapped.icon or "") if mapped else "",
            percent,
            numeric,
        )

    def text(self, value: Any) -> str:
        """The value's text alone, which is quicker: a chart has thousands."""
        mapped = map_value(self._mappings, value) if self._mappings else None
        return str(self._written(value, self._number(value), mapped, None))

    def _number(self, value: Any) -> float:
        if self._is_text:
            return math.nan
        if self._is_date and isinstance(value, str):
            moment = parse_date(value)
            return to_number(value) if moment is None else moment
        return to_number(value)

    def _written(self, value: Any, numeric: float, mapped: MappingResult | None, decimals: int | None) -> Formatted:
        if mapped and mapped.text is not None:
            return Formatted(mapped.text)
        if not math.isnan(numeric) and (self._is_boolean or not isinstance(value, bool)):
            written = self._format(numeric, self._decimals if decimals is None else decimals, self._clock)
            if self._trims:
                return Formatted(_without_zeros(written.text), written.prefix, written.suffix)
            return written
        text = text_of(value)
        return Formatted(text or self._no_value)

    def _colored(self, numeric: float, mapped: MappingResult | None) -> tuple[str, float | None]:
        color, percent = self._no_number if math.isnan(numeric) else self._color(numeric)
        if mapped and mapped.color is not None:
            return colors.known_color(mapped.color), None if math.isnan(numeric) else percent
        return color, percent


def color_scale(field: Field, *, theme: colors.Theme = "dark") -> Callable[[float], tuple[str, float]]:
    """A function from a number to its colour and its place between the ends of the field's span."""
    color = field.config.get("color") or {}
    mode = str(color.get("mode") or "thresholds")
    span = field.span or span_of(field)
    if field.type == "boolean":
        yes, no = ("green", "red")
        if mode in colors.GRADIENTS:
            yes, no = colors.GRADIENTS[mode][-1], colors.GRADIENTS[mode][0]
        return lambda value: (yes, 1.0) if value and value != -math.inf else (no, 0.0)
    still = series_constant(field, theme=theme)
    if still is not None:
        return lambda value: (still, share(value, span))
    if mode in colors.GRADIENTS:
        return lambda value: (colors.gradient_color(mode, share(value, span), theme), share(value, span))
    thresholds = read_thresholds(field.config)
    known = {step.color: colors.known_color(step.color) for step in thresholds.steps}
    return lambda value: (known[thresholds.active(value, span).color], share(value, span))


def series_constant(field: Field, *, theme: colors.Theme = "dark") -> str | None:
    """The colour of a field whose mode does not look at values; None when it does."""
    color = field.config.get("color") or {}
    match color.get("mode"):
        case "fixed":
            return colors.known_color(color.get("fixedColor", colors.FALLBACK))
        case "shades":
            return colors.shade_color(str(color.get("fixedColor", colors.FALLBACK)), field.series_index, theme)
        case "palette-classic":
            return colors.palette_color(field.series_index)
        case "palette-classic-by-name":
            return colors.color_for_name(field.display_name or field.name)
    return None


def series_color(field: Field, *, theme: colors.Theme = "dark") -> str:
    """The one colour of a whole series: of its mode, or of its last value (`color.seriesBy`) when values decide."""
    still = series_constant(field, theme=theme)
    if still is not None:
        return still
    by = str((field.config.get("color") or {}).get("seriesBy") or "last")
    value = to_number(reduce_field(field, [by])[by])
    return color_scale(field, theme=theme)(0 if math.isnan(value) else value)[0]


def span_of(field: Field) -> tuple[float, float]:
    """The configured ends, else those of the field's own values; 0 to 100 without numbers."""
    if field.type != "number":
        return DEFAULT_SPAN
    numbers = finite_numbers(field.values)
    low, high = configured_ends(field)
    if (low is None or high is None) and not numbers:
        return (DEFAULT_SPAN[0] if low is None else low, DEFAULT_SPAN[1] if high is None else high)
    return (min(numbers) if low is None else low, max(numbers) if high is None else high)


def configured_ends(field: Field) -> tuple[float | None, float | None]:
    """`min` and `max` of the configuration, the smaller one first, None where it has no number."""
    low, high = (to_number(field.config.get(name)) for name in ("min", "max"))
    if low > high:
        low, high = high, low
    return None if math.isnan(low) else low, None if math.isnan(high) else high


def _decimals(value: Any) -> int | None:
    number = to_number(value)
    return int(min(20, max(0, number))) if math.isfinite(number) else None


def _without_zeros(text: str) -> str:
    if _DECIMAL.match(text):
        return text.rstrip("0").rstrip(".")
    number = to_number(text)
    return text if math.isnan(number) else number_text(number)


def _spans_less_than_a_minute(field: Field) -> bool:
    known = [value for value in (field.values[:1] + field.values[-1:]) if value is not None]
    return len(field.values) > 1 and len(known) == 2 and abs(known[1] - known[0]) < 60_000
