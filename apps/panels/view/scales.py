"""Scales of values: the ends, and round values between them with their texts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from apps.panels.fields.display import Display, configured_ends
from apps.panels.fields.javascript import text_of
from apps.panels.frames import Field
from apps.panels.json_reader import Reader
from apps.panels.view.drawing import custom_of
from apps.panels.view.model import Axis, Tick

LEAST_TICKS: Final = 4
TICK_PX: Final = 44
"""About so far are two ticks apart, in pixels; where there is less room, the browser leaves some out."""

_SECONDS: Final = {
    **{"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0},
    **{"dtdurationms": 1e-3, "dtdurations": 1.0, "clockms": 1e-3, "clocks": 1.0, "dthms": 1.0, "timeticks": 1e-2},
}
"""How long one is, in units that are written as minutes and hours from a minute on."""
_CLOCK: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""Round steps of a clock, in seconds."""
_BINARY: Final = frozenset(("bytes", "bits", "binbps", "binBps"))
_DAY: Final = 86_400


def round_ticks(low: float, high: float, count: int, unit: str = "") -> tuple[float, ...]:
    """Round, evenly spaced values inside low and high, about `count`, and round in their unit: minutes, kibibytes."""
    if not 1e-300 < high - low < math.inf:
        return (low,)
    step = _step((high - low) / max(1, count), unit)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return tuple(round(index * step, min(digits, 15)) for index in range(first, last + 1))


def _step(rough: float, unit: str) -> float:
    seconds = _SECONDS.get(unit, 0.0)
    if rough * seconds > 30:
        days = _decimal_step(rough * seconds / _DAY) * _DAY
        return next((step for step in _CLOCK if step >= rough * seconds * 0.999), days) / seconds
    if unit in _BINARY and rough >= 512:
        size: float = 1024.0 ** math.floor(math.log(rough * 2, 1024))
        return _decimal_step(rough / size) * size
    return _decimal_step(rough)


def _decimal_step(rough: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten, at least `rough`. Whole numbers stay whole: there is no 2.5 itself."""
    power: float = 10.0 ** math.floor(math.log10(rough))
    factors = (1, 2, 5, 10) if power == 1 else (1, 2, 2.5, 5, 10)
    return next(factor * power for factor in factors if factor * power >= rough * 0.999)


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

    def __init__(self, length: int) -> None:
        """`length` is that of the axes, in pixels."""
        self._length = length
        self._scales: dict[tuple[Any, ...], Scale] = {}

    def of(self, one: Field) -> Scale:
        """The scale of a field, made where there is none yet."""
        custom = custom_of(one)
        distribution = custom.inside("scaleDistribution")
        key = (
            text_of(one.config.get("unit")),
            *configured_ends(one),
            custom.number("axisSoftMin"),
            custom.number("axisSoftMax"),
            custom.text("axisPlacement", "auto"),
            custom.text("axisLabel"),
            distribution.text("type", "linear"),
            distribution.number("log"),
        )
        return self._scales.setdefault(key, Scale(one, len(self._scales)))

    def finished(self) -> tuple[Axis, ...]:
        """All axes in the order in which they were asked for."""
        axes: list[Axis] = []
        for scale in self._scales.values():
            axes.append(self._axis(scale, axes))
        return tuple(axes)

    def _axis(self, scale: Scale, before: list[Axis]) -> Axis:
        custom = custom_of(scale.sample)
        distribution = custom.inside("scaleDistribution")
        log = (2 if distribution.number("log") == 2 else 10) if distribution.text("type") == "log" else 0
        placement = custom.text("axisPlacement", "auto")
        taken = [axis.side for axis in before if not axis.hidden]
        side = "right" if placement in ("right", "top") or (placement == "auto" and "left" in taken) else "left"
        low, high = _ends(scale, custom, from_zero=scale.from_zero and not log, padded=not log)
        if log:
            low, high, values = _log_ticks(low, high, log)
        else:
            values = round_ticks(
                low, high, max(LEAST_TICKS, self._length // TICK_PX), text_of(scale.sample.config.get("unit"))
            )
        return Axis(
            low, high, ticks_of(scale.sample, values), "right" if side == "right" else "left",
            label=custom.text("axisLabel"),
            hidden=placement == "hidden",
            grid=custom.flag("axisGridShow", side == "left" or not taken),
            log=log,
        )  # fmt: skip


def percent_scaled(one: Field) -> Field:
    """The field with the configuration of an axis of shares of a whole."""
    return replace(one, config={**one.config, "unit": "percentunit", "min": 0, "max": 1})


def ticks_of(one: Field, values: Iterable[float]) -> tuple[Tick, ...]:
    """The values with their texts in the field's unit; mappings say nothing about an axis."""
    places = list(values)
    # The decimals of a value, which the panel may say, would be too few here or too many.
    config = {**one.config, "mappings": (), "decimals": None}
    display = Display(Field(one.name, "number", places, config=config, span=one.span))
    texts = [display.text(value) for value in places]
    decimals = 0
    while len(set(texts)) < len(set(places)) and decimals < 6:
        decimals += 1
        texts = [str(display(value, decimals)) for value in places]
    return tuple(Tick(value, text) for value, text in zip(places, texts, strict=True))


def _ends(scale: Scale, custom: Reader, *, from_zero: bool, padded: bool) -> tuple[float, float]:
    low, high = scale.low, scale.high
    if low > high:
        low, high = 0.0, 1.0
    soft_low, soft_high = custom.number("axisSoftMin"), custom.number("axisSoftMax")
    low = low if soft_low is None else min(low, soft_low)
    high = high if soft_high is None else max(high, soft_high)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if custom.flag("axisCenteredZero"):
        high = max(abs(low), abs(high))
        low = -high
    hard_low, hard_high = (
        end if end is not None and math.isfinite(end) else None for end in configured_ends(scale.sample)
    )
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
