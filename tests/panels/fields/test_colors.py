"""Named colours, palettes and gradients."""

from __future__ import annotations

import pytest

from apps.panels.fields.colors import (
    CLASSIC,
    GRADIENTS,
    NAMED,
    color_for_name,
    css,
    gradient_color,
    known_color,
    palette_color,
    shade_color,
)


def test_named_colours_differ_between_the_themes() -> None:
    assert css("green", "dark") == "#73BF69"
    assert css("green", "light") == "#56A64B"
    assert css("semi-dark-red") == "#E02F44"
    assert css("#EAB839", "light") == "#EAB839"
    assert css("rgba(10, 20, 30, 0.5)") == "rgba(10, 20, 30, 0.5)"
    assert set(NAMED["dark"]) == set(NAMED["light"])


@pytest.mark.parametrize(
    "text",
    ["red;background:url(//evil)", "expression(1)", "var(--x)", "url(x)", "#12", "rgb(1)", "", None, 7, "#fff\n}"],
)
def test_what_is_no_colour_never_reaches_a_page(text: object) -> None:
    assert known_color(text) == "#808080"


def test_the_palette_comes_round() -> None:
    assert palette_color(0) == "green"
    assert palette_color(len(CLASSIC)) == "green"
    assert all(known_color(color) == color for color in CLASSIC)


def test_a_name_always_gets_the_same_colour() -> None:
    assert color_for_name("lab-1") == color_for_name("lab-1")
    assert len({color_for_name(f"lab-{number}") for number in range(40)}) > 15


@pytest.mark.parametrize("mode", GRADIENTS)
def test_gradients_start_and_stop_on_their_colours(mode: str) -> None:
    stops = GRADIENTS[mode]
    assert gradient_color(mode, -1) == gradient_color(mode, 0) == css(stops[0]).lower()
    assert gradient_color(mode, 2) == gradient_color(mode, 1) == css(stops[-1]).lower()
    assert gradient_color(mode, 0.5) not in (gradient_color(mode, 0), gradient_color(mode, 1))


def test_shades_of_a_colour() -> None:
    shades = [shade_color("blue", index) for index in range(11)]
    assert shades[0] == "blue"
    assert len(set(shades)) == 11
    assert shade_color("blue", 11) == "blue"
