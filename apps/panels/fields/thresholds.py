"""Thresholds: the step that a value has reached."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.panels.fields.javascript import to_number


@dataclass(frozen=True)
class Step:
    """From this value on, this colour. Percentages count from the field's smallest to its largest value."""

    value: float
    color: str


@dataclass(frozen=True)
class Thresholds:
    """Steps, lowest first; the first one holds for everything below it too."""

    steps: tuple[Step, ...]
    percentage: bool = False

    def active(self, value: float, span: tuple[float, float]) -> Step:
        """The last step that the value has reached."""
        position = share(value, span) * 100 if self.percentage else value
        active = self.steps[0]
        for step in self.steps[1:]:
            if position >= step.value:
                active = step
        return active

    def absolute(self, span: tuple[float, float]) -> tuple[Step, ...]:
        """The steps as values of the field, for lines and areas of a chart."""
        if not self.percentage:
            return self.steps
        low, high = span
        return tuple(Step(low + (high - low) * step.value / 100, step.color) for step in self.steps)


FALLBACK = Step(0, "#808080")
DEFAULT = Thresholds((Step(-math.inf, "green"), Step(80, "red")))
"""What a panel without thresholds has in Grafana."""


def share(value: float, span: tuple[float, float]) -> float:
    """Where a value lies between the ends of a span: 0 at its start, 1 at its end, 0 when there is no telling."""
    low, high = span
    if value == -math.inf or math.isnan(value) or high == low:
        return 0.0
    return (value - low) / (high - low)


def read_thresholds(config: Mapping[str, Any]) -> Thresholds:
    """The thresholds of a field's configuration, sorted; Grafana's default without any."""
    raw = config.get("thresholds")
    if not isinstance(raw, Mapping):
        return DEFAULT
    steps = sorted(_steps(raw.get("steps") or ()), key=lambda step: step.value)
    return Thresholds(tuple(steps) or (FALLBACK,), percentage=raw.get("mode") == "percentage")


def _steps(raw: Sequence[Any]) -> list[Step]:
    steps = []
    for item in raw:
        if isinstance(item, Mapping):
            value = -math.inf if item.get("value") is None else to_number(item["value"])
            steps.append(Step(-math.inf if math.isnan(value) else value, str(item.get("color") or FALLBACK.color)))
    return steps
