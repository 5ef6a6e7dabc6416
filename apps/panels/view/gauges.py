"""Gauges and bar gauges: values between the ends of their field."""

from __future__ import annotations

from apps.panels.document import Panel
from apps.panels.fields.colors import GRADIENTS, known_color
from apps.panels.fields.display import series_constant, span_of
from apps.panels.fields.thresholds import read_thresholds, share
from apps.panels.frames import Field
from apps.panels.view.drawing import Drawing, Frames, options_of
from apps.panels.view.ink import ink
from apps.panels.view.model import BarGauge, Gauge, Nothing, Tile, View
from apps.panels.view.tiles import Shown, shown_values


def gauge(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """An arc for each value."""
    options = options_of(panel.options)
    values = shown_values(panel, frames, drawing)
    if not values:
        return Nothing()
    return Gauge(
        tuple(_tile(one, drawing) for one in values),
        markers=options.flag("showThresholdMarkers", True),
        labels=options.flag("showThresholdLabels"),
    )


def bargauge(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """A bar for each value. Without an orientation, bars stand where the panel is wider than high, as in Grafana."""
    options = options_of(panel.options)
    values = shown_values(panel, frames, drawing)
    if not values:
        return Nothing()
    mode = options.text("displayMode", "gradient")
    orientation = options.text("orientation", "auto")
    stands = orientation == "vertical" or (orientation == "auto" and drawing.width > drawing.height)
    return BarGauge(
        tuple(_tile(one, drawing) for one in values),
        vertical=stands,
        mode="lcd" if mode == "lcd" else "basic" if mode == "basic" else "gradient",
        unfilled=options.flag("showUnfilled", True),
    )


def _tile(one: Shown, drawing: Drawing) -> Tile:
    span = one.field.span or span_of(one.field)
    display = drawing.display(one.field)
    percent = one.text.percent
    return Tile(
        one.title,
        one.text.text,
        one.text.prefix,
        one.text.suffix,
        ink(one.text.color),
        links=one.links,
        percent=None if percent is None else min(1.0, max(0.0, percent)),
        low=str(display(span[0])),
        high=str(display(span[1])),
        steps=_steps(one.field, span),
    )


def _steps(field: Field, span: tuple[float, float]) -> tuple[tuple[float, str], ...]:
    """Where between the ends (0 to 1) each colour begins."""
    still = series_constant(field)
    if still is not None:
        return ((0.0, ink(still)),)
    mode = str((field.config.get("color") or {}).get("mode"))
    if mode in GRADIENTS:
        stops = GRADIENTS[mode]
        return tuple((index / (len(stops) - 1), ink(stop)) for index, stop in enumerate(stops))
    steps = read_thresholds(field.config).absolute(span)
    places = [min(1.0, max(0.0, share(step.value, span))) for step in steps]
    return tuple((place, ink(known_color(step.color))) for place, step in zip(places, steps, strict=True))
