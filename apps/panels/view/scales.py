"""Scales of values: the ends, and round values between them with their texts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from apps.panels.fields.display import Display, configured_ends
from apps.panels.fields.javascript import to_number
from apps.panels.frames import Field
from apps.panels.view.model import Axis, Tick

TICK_PX = 44
"""The least distance between two ticks, in pixels."""


def round_ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    """Round, evenly spaced values inside low and high, about `count`: steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > low:
        return (low,)
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return tuple(round(index * step, min(digits, 15)) for index in range(first, last + 1))


@dataclass
class Scale:
    """An axis in the making: a field of those that share it, its place among the axes, and what it must hold.

    `from_zero` keeps zero in sight, as bars need it.
    """

    sample: Field
    number: int
    low: float = math.inf
    high: float = -math.inf
    from_zero: bool = False

    def hold(self, values: Iterable[float | None]) -> None:
        """Stretch to hold the values, which are finite."""
        known = [value for value in values if value is not None]
        self.low = min((self.low, *known))
        self.high = max((self.high, *known))


class Scales:
    """The axes of a chart. Fields with the same unit, ends, placement and kind of scale share one."""

    def __init__(self, height: int) -> None:
        self._height = height
        self._scales: dict[tuple[Any, ...], Scale] = {}

    def of(self, one: Field) -> Scale:
        """The scale of a field, made where there is none yet."""
        custom = one.config.get("custom") or {}
        distribution = custom.get("scaleDistribution") or {}
        key = (
            one.config.get("unit") or "",
            *configured_ends(one),
            to_number(custom.get("axisSoftMin")) if custom.get("axisSoftMin") is not None else None,
            to_number(custom.get("axisSoftMax")) if custom.get("axisSoftMax") is not None else None,
            custom.get("axisPlacement") or "auto",
            custom.get("axisLabel") or "",
            distribution.get("type") or "linear",
            distribution.get("log") or 0,
        )
        return self._scales.setdefault(key, Scale(one, len(self._scales)))

    def finished(self) -> tuple[Axis, ...]:
        """All axes in the order in which they were asked for."""
        axes: list[Axis] = []
        for scale in self._scales.values():
            axes.append(self._axis(scale, axes))
        return tuple(axes)

    def _axis(self, scale: Scale, before: list[Axis]) -> Axis:
        custom: Mapping[str, Any] = scale.sample.config.get("custom") or {}
        distribution = custom.get("scaleDistribution") or {}
        log = to_number(distribution.get("log") or 10) if distribution.get("type") == "log" else 0
        placement = custom.get("axisPlacement") or "auto"
        taken = [axis.side for axis in before if not axis.hidden]
        side = "right" if placement in ("right", "top") or (placement == "auto" and "left" in taken) else "left"
        low, high = _ends(scale, custom, from_zero=scale.from_zero and not log, padded=not log)
        if log:
            low, high, values = _log_ticks(low, high, log)
        else:
            values = round_ticks(low, high, max(2, self._height // TICK_PX))
        shown = custom.get("axisGridShow")
        return Axis(
            low, high, ticks_of(scale.sample, values), "right" if side == "right" else "left",
            label=str(custom.get("axisLabel") or ""),
            hidden=placement == "hidden",
            grid=bool(shown) if shown is not None else side == "left" or not taken,
            log=log,
        )  # fmt: skip


def percent_scaled(one: Field) -> Field:
    """The field with the configuration of an axis of shares of a whole."""
    return replace(one, config={**one.config, "unit": "percentunit", "min": 0, "max": 1})


def ticks_of(one: Field, values: Iterable[float]) -> tuple[Tick, ...]:
    """The values with their texts in the field's unit; mappings say nothing about an axis."""
    places = list(values)
    plain = Display(Field(one.name, "number", places, config={**one.config, "mappings": ()}, span=one.span))
    texts = [str(plain(value)) for value in places]
    if len(set(texts)) < len(texts):
        # Decimals that suit the values are too few for the distances between them.
        step = min(abs(after - before) for before, after in itertools.pairwise(places))
        decimals = max(0, math.ceil(-math.log10(step))) if step else 0
        texts = [str(plain(value, decimals)) for value in places]
    return tuple(Tick(value, text) for value, text in zip(places, texts, strict=True))


def _ends(scale: Scale, custom: Mapping[str, Any], *, from_zero: bool, padded: bool) -> tuple[float, float]:
    low, high = scale.low, scale.high
    if low > high:
        low, high = 0.0, 1.0
    soft_low, soft_high = (to_number(custom.get(name)) for name in ("axisSoftMin", "axisSoftMax"))
    low = low if math.isnan(soft_low) else min(low, soft_low)
    high = high if math.isnan(soft_high) else max(high, soft_high)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if custom.get("axisCenteredZero"):
        high = max(abs(low), abs(high))
        low = -high
    hard_low, hard_high = configured_ends(scale.sample)
    if padded:
        room = (high - low) * 0.06 or abs(high) * 0.5 or 1.0
        if high != 0 or not from_zero:
            high += room
        if low < 0 or (low > 0 and not from_zero):
            low = low - room if low < 0 else max(0.0, low - room)
    low = low if hard_low is None else hard_low
    high = high if hard_high is None else hard_high
    return (low, high) if high > low else (low, low + 1.0)


def _log_ticks(low: float, high: float, base: float) -> tuple[float, float, tuple[float, ...]]:
    low = low if low > 0 else min(1.0, high / base) if high > 0 else 0.1
    high = high if high > low else low * base
    first, last = math.floor(math.log(low, base) + 1e-9), math.ceil(math.log(high, base) - 1e-9)
    last = max(last, first + 1)
    step = max(1, (last - first) // 8)
    return base**first, base**last, tuple(base**power for power in range(first, last + 1, step))
