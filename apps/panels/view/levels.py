"""Thresholds as lines and areas of a chart."""

from __future__ import annotations

import math
from collections.abc import Iterable

from apps.panels.fields.display import span_of
from apps.panels.fields.thresholds import read_thresholds
from apps.panels.frames import Field
from apps.panels.view.drawing import custom_of
from apps.panels.view.ink import ink
from apps.panels.view.model import Axis, Level


def levels_of(fields: Iterable[tuple[int, Field]], axes: tuple[Axis, ...]) -> tuple[Level, ...]:
    """The thresholds that fields (with the index of their axis) show; an axis shows those of its first field."""
    found: list[Level] = []
    done: set[int] = set()
    for axis, field in fields:
        mode = custom_of(field).inside("thresholdsStyle").text("mode", "off")
        if mode == "off" or mode == "series" or axis in done:
            continue
        done.add(axis)
        steps = read_thresholds(field.config).absolute(field.span or span_of(field))
        low, high = axes[axis].low, axes[axis].high
        if "area" in mode:
            ends = [*(step.value for step in steps[1:]), math.inf]
            for step, end in zip(steps, ends, strict=True):
                start, stop = max(low, step.value), min(high, end)
                if stop > start:
                    found.append(Level(axis, start, ink(step.color), until=stop))
        if "line" in mode or "dashed" in mode:
            dashed = "dashed" in mode
            lines = (step for step in steps if math.isfinite(step.value))
            found += [Level(axis, step.value, ink(step.color), dashed=dashed) for step in lines]
    return tuple(found)
