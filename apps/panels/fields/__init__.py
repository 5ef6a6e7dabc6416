"""Field configuration: what a panel says about names, units, colours, thresholds, mappings and links of its values.

The way from a panel's frames to what stands on the screen:

    frames, notices = apply_field_config(frames, panel.field_config, interpolate=fill)
    display = Display(field, clock=Clock(zone))
    display(value)                   # Text: text, prefix, suffix, colour, icon, place in the span, number
    links_for(field, frame, row, interpolate=fill, show=show)

After `apply_field_config` each field's `config` is merged from the panel's defaults and overrides, `display_name` is
its name on the screen, `series_index` its place among the series and `span` its smallest and largest number.
`series_color` is the one colour of a series, `read_thresholds` are its steps, `reduce_field` gives one value for a
column. All of it is pure: no database, no clock but the one that is given.
"""

from apps.panels.fields.display import Display, Text, series_color
from apps.panels.fields.links import Link, links_for
from apps.panels.fields.names import display_name
from apps.panels.fields.overrides import apply_field_config
from apps.panels.fields.reducers import reduce_field
from apps.panels.fields.thresholds import read_thresholds
from apps.panels.fields.units import Clock

__all__ = [
    "Clock",
    "Display",
    "Link",
    "Text",
    "apply_field_config",
    "display_name",
    "links_for",
    "read_thresholds",
    "reduce_field",
    "series_color",
]
