"""Grafana's colours as CSS values that hold in both themes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from apps.panels.fields.colors import css

DARK_INK: Final = "#101418"
LIGHT_INK: Final = "#ffffff"
_NUMBER: Final = re.compile(r"\d+\.?\d*")
_LIGHT_NAMES: Final = frozenset(
    (
        *("white", "yellow", "beige", "khaki", "gold", "silver", "pink", "cyan", "aqua", "lime", "violet", "tan"),
        *("orchid", "plum", "salmon", "coral", "turquoise", "lightgreen", "lightblue", "lightgray", "lightgrey"),
    )
)
"""Names of CSS, among those that panels may use, on which black is read better."""


@lru_cache(maxsize=4096)
def ink(name: str) -> str:
    """The CSS value of a colour, as `light-dark(…)` where it differs between the themes; nothing for no colour."""
    if not name:
        return ""
    light, dark = css(name, "light"), css(name, "dark")
    return light if light == dark else f"light-dark({light}, {dark})"


@lru_cache(maxsize=4096)
def ink_on(name: str) -> str:
    """Black or white, whichever is read better on a background of this colour, in both themes."""
    light, dark = _on(css(name, "light")), _on(css(name, "dark"))
    return light if light == dark else f"light-dark({light}, {dark})"


def _on(value: str) -> str:
    parts = _parts(value)
    if parts is None:
        return LIGHT_INK if value.casefold() not in _LIGHT_NAMES else DARK_INK
    *color, opacity = parts
    if opacity < 0.4:
        return "inherit"
    red, green, blue = map(_linear, color)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # The contrast with black is (L + 0.05) / 0.05, with white 1.05 / (L + 0.05): they meet at 0.179.
    return DARK_INK if luminance > 0.179 else LIGHT_INK


def _parts(value: str) -> tuple[float, float, float, float] | None:
    """Red, green, blue and opacity between 0 and 1; None for a colour that is written otherwise."""
    if value.startswith("#"):
        digits = value[1:] if len(value) > 5 else "".join(digit * 2 for digit in value[1:])
        red, green, blue, opacity = (int(f"{digits}ff"[i : i + 2], 16) / 255 for i in (0, 2, 4, 6))
        return red, green, blue, opacity
    if value.casefold().startswith("rgb"):
        numbers = [min(255.0, float(number)) for number in _NUMBER.findall(value)]
        red, green, blue = (number / 255 for number in numbers[:3])
        return red, green, blue, numbers[3] if len(numbers) > 3 else 1.0
    return None


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def mixed(stops: Sequence[str], share: float) -> str:
    """The colour at a share (0 to 1) of the way through colours that are written #rrggbb."""
    place = min(1.0, max(0.0, share)) * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    low, high = (bytes.fromhex(stop[1:]) for stop in stops[index : index + 2])
    return "#" + "".join(f"{round(a + (b - a) * (place - index)):02x}" for a, b in zip(low, high, strict=True))
