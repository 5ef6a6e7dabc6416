"""Colours for both themes, and what is read on them."""

from __future__ import annotations

import pytest

from apps.panels.view.ink import DARK_INK, LIGHT_INK, ink, ink_on, mixed


def test_a_colour_has_a_value_for_each_theme() -> None:
    assert ink("green") == "light-dark(#56A64B, #73BF69)"
    assert ink("#EAB839") == "#EAB839"
    assert ink("") == ""
    assert ink("red; background: url(https://example.com)") == "#808080"


@pytest.mark.parametrize(
    ("background", "shown"),
    [
        ("white", DARK_INK),
        ("navy", LIGHT_INK),
        ("#fff", DARK_INK),
        ("#000", LIGHT_INK),
        ("#ffffff10", "inherit"),
        ("#0000", "inherit"),
        ("rgb(250, 250, 250)", DARK_INK),
        ("rgba(0, 0, 0, 0.1)", "inherit"),
        ("transparent", "inherit"),
        ("dark-blue", LIGHT_INK),
        ("super-light-yellow", DARK_INK),
    ],
)
def test_what_stands_on_a_colour_can_be_read(background: str, shown: str) -> None:
    assert ink_on(background) == shown


def test_colours_between_others() -> None:
    stops = ("#000000", "#ffffff", "#ff0000")
    assert [mixed(stops, share) for share in (0, 0.25, 0.5, 1, 7)] == [
        "#000000", "#808080", "#ffffff", "#ff0000", "#ff0000"
    ]  # fmt: skip
