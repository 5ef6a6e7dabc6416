"""Bars by category.

Where a field's colour mode looks at values (thresholds, gradients), each bar has the colour of its own value; Grafana
does so only with the gradient mode "scheme" and otherwise paints all bars as the last one.
"""

from __future__ import annotations

from collections.abc import Sequence

from apps.panels.dates import FULL_DATE, format_date
from apps.panels.document import Panel
from apps.panels.fields.display import series_color, series_constant
from apps.panels.fields.names import display_name
from apps.panels.frames import Field, Frame
from apps.panels.json_reader import Reader
from apps.panels.view.drawing import Drawing, Frames, custom_of, is_hidden, numbers_of, options_of
from apps.panels.view.ink import ink
from apps.panels.view.legend import legend_of
from apps.panels.view.levels import levels_of
from apps.panels.view.model import BarChart, Bars, Nothing, View
from apps.panels.view.scales import Scale, Scales, percent_scaled
from apps.panels.view.stacks import Stacked, stacked

MAX_BARS = 1000
"""More categories than a screen has room for are left out, with a notice."""


def barchart(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """The numbers of the first frame with rows, by its category: `xField`, else its first text or time."""
    options = options_of(panel.options)
    filled = [frame for frame in frames if frame.length]
    frame = filled[0]
    notices = [f"The query gave {len(filled)} results; this is the first."] if len(filled) > 1 else []
    category = _category(frame, options.text("xField"))
    if category is None:
        return Nothing("A bar chart needs a text or a time that names its bars")
    if frame.length > MAX_BARS:
        notices.append(f"These are the first {MAX_BARS} of {frame.length} bars.")
        frame = frame.take(range(MAX_BARS))
        category = _category(frame, options.text("xField")) or category
    fields = [one for one in frame.fields if one is not category and _is_drawn(one)]
    if not fields:
        return Nothing("The data has no numbers")
    return _chart(options, panel, frame, category, fields, drawing, tuple(notices))


def _chart(
    options: Reader,
    panel: Panel,
    frame: Frame,
    category: Field,
    fields: Sequence[Field],
    drawing: Drawing,
    notices: tuple[str, ...],
) -> View:
    stacking = options.text("stacking", "none")
    percent = stacking == "percent"
    horizontal = _is_horizontal(options.text("orientation", "auto"), drawing)
    # Texts beside each other need more room than texts above each other.
    scales = Scales(drawing.width // 2 if horizontal else drawing.height)
    owners = [scales.of(percent_scaled(field) if percent else field) for field in fields]
    numbers = [numbers_of(field) for field in fields]
    places = stacked(numbers, percent=percent) if stacking in ("normal", "percent") else []
    for index, scale in enumerate(owners):
        scale.hold(places[index].ends if places else numbers[index])
        scale.from_zero = True
    axes = scales.finished()
    by = _named(frame, options.text("colorByField"))
    series = []
    for index, (field, scale) in enumerate(zip(fields, owners, strict=True)):
        place = places[index] if places else Stacked([], numbers[index])
        series.append(_bars(field, frame, scale, place, by, drawing))
    listed = [(i, series[i].name, series[i].color, f) for i, f in enumerate(fields) if not is_hidden(f, "legend")]
    values = options.text("showValue", "auto")
    return BarChart(
        tuple(_labels(category, drawing)),
        tuple(series),
        axes,
        horizontal=horizontal,
        stacked=bool(places),
        show_values="always" if values == "always" else "never" if values == "never" else "auto",
        rotate=_or(options.number("xTickLabelRotation"), 0),
        group_width=_or(options.number("groupWidth"), 0.7),
        bar_width=_or(options.number("barWidth"), 0.97),
        radius=_or(options.number("barRadius"), 0),
        levels=levels_of(((s.number, f) for s, f in zip(owners, fields, strict=True)), axes),
        legend=legend_of(panel, drawing, listed),
        notices=notices,
    )


def _labels(category: Field, drawing: Drawing) -> list[str]:
    """What stands below the bars; of times, what tells them apart: days, or minutes."""
    if category.type != "time" or category.config.get("unit"):
        return drawing.texts(category)
    parts = [(time, format_date(time, "HH:mm:ss", drawing.clock.zone)) for time in category.values if time is not None]
    if all(clock == "00:00:00" for _, clock in parts):
        pattern = "YYYY-MM-DD"
    else:
        pattern = "MM-DD HH:mm" if all(clock.endswith(":00") for _, clock in parts) else FULL_DATE
    return ["" if time is None else format_date(time, pattern, drawing.clock.zone) for time in category.values]


def _category(frame: Frame, wanted: str) -> Field | None:
    found = _named(frame, wanted)
    if found is None:
        place = frame.first_of_type("string")
        place = frame.first_of_type("time") if place is None else place
        found = None if place is None else frame.fields[place]
    return found


def _named(frame: Frame, name: str) -> Field | None:
    if not name:
        return None
    return next((field for field in frame.fields if name in (field.name, display_name(field, frame))), None)


def _is_drawn(field: Field) -> bool:
    return field.type in ("number", "boolean") and not is_hidden(field, "viz")


def _is_horizontal(orientation: str, drawing: Drawing) -> bool:
    return orientation == "horizontal" or (orientation == "auto" and drawing.width < drawing.height)


def _bars(field: Field, frame: Frame, scale: Scale, place: Stacked, by: Field | None, drawing: Drawing) -> Bars:
    return Bars(
        name=display_name(field, frame),
        color=ink(series_color(field)),
        axis=scale.number,
        values=place.ends,
        texts=drawing.texts(field),
        base=place.base,
        colors=_colors(field, by, drawing),
        links=drawing.column_links(field, frame),
        fill=_or(custom_of(field).number("fillOpacity"), 80) / 100,
    )


def _colors(field: Field, by: Field | None, drawing: Drawing) -> list[str]:
    if by is not None:
        display = drawing.display(by)
        return [ink(display(value).color) for value in by.values]
    mapped = any(
        isinstance(mapping, dict) and "color" in str(mapping) for mapping in field.config.get("mappings") or ()
    )
    if series_constant(field) is not None and not mapped:
        return []
    display = drawing.display(field)
    return [ink(display(value).color) for value in field.values]


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
