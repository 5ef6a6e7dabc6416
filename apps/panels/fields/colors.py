"""Grafana's named colours in both themes, its palettes and its gradients.

A colour travels by its name ("semi-dark-red", "#EAB839", "transparent") as long as possible, so that a page can draw
the same data in a light and in a dark theme; `css` gives the value for one theme.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping, Sequence
from typing import Literal

Theme = Literal["dark", "light"]
Rgb = tuple[float, float, float]

FALLBACK = "#808080"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SHADES = ("super-light-", "light-", "", "semi-dark-", "dark-")
_HUES: Mapping[Theme, Mapping[str, str]] = {
    "dark": {
        "red": "#FFA6B0 #FF7383 #F2495C #E02F44 #C4162A",
        "orange": "#FFCB7D #FFB357 #FF9830 #FF780A #FA6400",
        "yellow": "#FFF899 #FFEE52 #FADE2A #F2CC0C #E0B400",
        "green": "#C8F2C2 #96D98D #73BF69 #56A64B #37872D",
        "blue": "#C0D8FF #8AB8FF #5794F2 #3274D9 #1F60C4",
        "purple": "#DEB6F2 #CA95E5 #B877D9 #A352CC #8F3BB8",
    },
    "light": {
        "red": "#FF7383 #F2495C #E02F44 #C4162A #AD0317",
        "orange": "#FFB357 #FF9830 #FF780A #FA6400 #E55400",
        "yellow": "#FFEE52 #FADE2A #F2CC0C #E0B400 #CC9D00",
        "green": "#96D98D #73BF69 #56A64B #37872D #19730E",
        "blue": "#8AB8FF #5794F2 #3274D9 #1F60C4 #1250B0",
        "purple": "#CA95E5 #B877D9 #A352CC #8F3BB8 #7C2EA3",
    },
}
_SPECIAL: Mapping[Theme, Mapping[str, str]] = {
    "dark": {"transparent": "rgba(0, 0, 0, 0)", "text": "#CCCCDC", "panel-bg": "#181B1F"},
    "light": {"transparent": "rgba(255, 255, 255, 0)", "text": "#24292E", "panel-bg": "#FFFFFF"},
}
NAMED: Mapping[Theme, Mapping[str, str]] = {
    theme: {
        **{
            shade + hue: value
            for hue, values in hues.items()
            for shade, value in zip(_SHADES, values.split(), strict=True)
        },
        **_SPECIAL[theme],
    }
    for theme, hues in _HUES.items()
}
"""Every colour that has a name of Grafana's own, and its CSS value, by theme."""

CLASSIC: Sequence[str] = _words(
    "green semi-dark-yellow light-blue semi-dark-orange red blue purple #705DA0 dark-green yellow "
    "#447EBC #C15C17 #890F02 #0A437C #6D1F62 #584477 #B7DBAB #F4D598 #70DBED #F9BA8F #F29191 #82B5D8 #E5A8E2 #AEA2E0 "
    "#629E51 #E5AC0E #64B0C8 #E0752D #BF1B00 #0A50A1 #962D82 #614D93 #9AC48A #F2C96D #65C5DB #F9934E #EA6460 #5195CE "
    "#D683CE #806EB7 #3F6833 #967302 #2F575E #99440A #58140C #052B51 #511749 #3F2B5B #E0F9D7 #FCEACA #CFFAFF #F9E2D2 "
    "#FCE2DE #BADFF4 #F9D9F9 #DEDAF7"
)
"""The classic palette: series take its colours in turn."""

GRADIENTS: Mapping[str, Sequence[str]] = {
    "continuous-GrYlRd": ("green", "yellow", "red"),
    "continuous-RdYlGr": ("red", "yellow", "green"),
    "continuous-BlYlRd": ("dark-blue", "super-light-yellow", "dark-red"),
    "continuous-YlRd": ("super-light-yellow", "dark-red"),
    "continuous-BlPu": ("blue", "purple"),
    "continuous-YlBl": ("super-light-yellow", "dark-blue"),
    "continuous-blues": ("panel-bg", "dark-blue"),
    "continuous-reds": ("panel-bg", "dark-red"),
    "continuous-greens": ("panel-bg", "dark-green"),
    "continuous-purples": ("panel-bg", "dark-purple"),
    "continuous-viridis": _words("#440154 #472C7A #3B528B #2C728E #21918C #28AE80 #5EC962 #ADDC30 #FDE725"),
    "continuous-magma": _words("#000004 #1D1147 #51127C #832681 #B73779 #E75263 #FC8961 #FEC488 #FCFDBF"),
    "continuous-plasma": _words("#0D0887 #4B03A1 #7D03A8 #A82296 #CB4679 #E56B5D #F89441 #FDC328 #F0F921"),
    "continuous-inferno": _words("#000004 #210C4A #57106E #8A226A #BC3754 #E45A31 #F98E09 #F9CB35 #FCFFA4"),
    "continuous-cividis": _words("#00224E #123570 #3B496C #575D6D #707173 #8A8678 #A59C74 #C3B369 #FEE838"),
}
"""Colour modes that turn a position between 0 and 1 into a colour, and the colours they pass through."""

_CSS_NAMES = frozenset(
    _words(
        "black white gray grey silver maroon olive lime aqua teal navy fuchsia cyan magenta pink brown gold indigo "
        "violet salmon coral tomato crimson turquoise orchid khaki beige tan lavender plum chocolate darkgreen "
        "darkred darkblue darkorange lightgreen lightblue lightgray lightgrey darkgray darkgrey steelblue slategray"
    )
)
_CSS_VALUE = re.compile(
    r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})\Z|(?:rgb|hsl)a?\(\s*[\d.]+(?:deg)?%?(?:\s*[,/\s]\s*[\d.]+%?){2,3}\s*\)\Z",
    re.IGNORECASE,
)


def known_color(name: object) -> str:
    """The colour itself when it is one that a page may use, else grey: a dashboard's text never reaches CSS unread."""
    if isinstance(name, str):
        text = name.strip()
        if text in NAMED["dark"] or text.lower() in _CSS_NAMES or _CSS_VALUE.match(text):
            return text
    return FALLBACK


def css(name: str, theme: Theme = "dark") -> str:
    """The CSS value of a colour in a theme; grey for what is no colour."""
    return NAMED[theme].get(name.strip()) or known_color(name)


def is_palette(mode: str) -> bool:
    """Does the mode give a series its colour by its place or name, whatever its values are?"""
    return mode in ("palette-classic", "palette-classic-by-name")


def palette_color(index: int) -> str:
    return CLASSIC[index % len(CLASSIC)]


def color_for_name(name: str) -> str:
    """The same colour for the same name on every panel."""
    code = 5381
    for letter in reversed(name):
        code = (code * 33 ^ ord(letter)) & 0xFFFFFFFF
    return CLASSIC[code % len(CLASSIC)]


def gradient_color(mode: str, position: float, theme: Theme = "dark") -> str:
    """The colour at a position between 0 and 1 (beyond them: the ends) of a continuous mode, as #rrggbb."""
    stops = [_rgb(css(stop, theme)) for stop in GRADIENTS[mode]]
    position = min(1.0, max(0.0, position))
    return _hex(_spline(stops, position) if len(stops) < 9 else _linear(stops, position))


def shade_color(base: str, index: int, theme: Theme = "dark") -> str:
    """The colour for a series in the mode "shades": the base, then in turn lighter and darker ones."""
    place = index % 11
    if place == 0:
        return known_color(base)
    step = (place + 1) // 2 / 6
    lighter = place % 2 == 1
    red, green, blue = (part / 255 for part in _rgb(css(base, theme)))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    hue = (hue + (1 if lighter else -1) * step * 10 / 360) % 1
    light = min(1.0, max(0.0, light + (1 if lighter else -1) * step * 0.35))
    red, green, blue = colorsys.hls_to_rgb(hue, light, saturation)
    return _hex((red * 255, green * 255, blue * 255))


def _rgb(value: str) -> Rgb:
    digits = value.removeprefix("#")
    if not value.startswith("#"):
        return (128, 128, 128)
    if len(digits) < 6:
        digits = "".join(digit * 2 for digit in digits[:3])
    return (int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16))


def _hex(color: Rgb) -> str:
    return "#" + "".join(f"{min(255, max(0, round(part))):02x}" for part in color)


def _linear(stops: Sequence[Rgb], position: float) -> Rgb:
    place = position * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    rest = place - index
    low, high = stops[index], stops[index + 1]
    return (
        low[0] + (high[0] - low[0]) * rest,
        low[1] + (high[1] - low[1]) * rest,
        low[2] + (high[2] - low[2]) * rest,
    )


def _spline(stops: Sequence[Rgb], position: float) -> Rgb:
    """A uniform cubic B-spline through the end colours; the ends are extended so that it starts and stops on them."""
    count = len(stops) - 1
    index = min(int(position * count), count - 1)
    rest = position * count - index

    def channel(number: int) -> float:
        here, after = stops[index][number], stops[index + 1][number]
        before = stops[index - 1][number] if index else 2 * here - after
        beyond = stops[index + 2][number] if index < count - 1 else 2 * after - here
        square, cube = rest**2, rest**3
        return (
            (1 - 3 * rest + 3 * square - cube) * before
            + (4 - 6 * square + 3 * cube) * here
            + (1 + 3 * rest + 3 * square - 3 * cube) * after
            + cube * beyond
        ) / 6

    return (channel(0), channel(1), channel(2))
