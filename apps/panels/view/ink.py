"""Grafana's colours as CSS values that hold in both themes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from apps.panels.fields.colors import css


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
    digits = value.removeprefix("#")
    if not value.startswith("#") or len(digits) not in (3, 6):
        return "inherit" if value.startswith("rgba") else "#ffffff"
    parts = [digits[i : i + 2] for i in (0, 2, 4)] if len(digits) == 6 else [digit * 2 for digit in digits]
    red, green, blue = (_linear(int(part, 16) / 255) for part in parts)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # The contrast with black is (L + 0.05) / 0.05, with white 1.05 / (L + 0.05): they meet at 0.179.
    return "#101418" if luminance > 0.179 else "#ffffff"


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def mixed(stops: Sequence[str], share: float) -> str:
    """The colour at a share (0 to 1) of the way through colours that are written #rrggbb."""
    place = min(1.0, max(0.0, share)) * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    low, high = (bytes.fromhex(stop[1:]) for stop in stops[index : index + 2])
    return "#" + "".join(f"{round(a + (b - a) * (place - index)):02x}" for a, b in zip(low, high, strict=True))
