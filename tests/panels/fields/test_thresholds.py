"""Thresholds and the place of a value between a field's ends."""

from __future__ import annotations

import math

import pytest

from apps.panels.fields.thresholds import DEFAULT, Step, read_thresholds, share

STEPS = [{"value": 80, "color": "red"}, {"value": None, "color": "green"}, {"value": 50, "color": "orange"}]


@pytest.mark.parametrize(
    ("value", "color"),
    [(-1e9, "green"), (49.9, "green"), (50, "orange"), (80, "red"), (1e9, "red"), (-math.inf, "green")],
)
def test_the_last_step_reached_holds(value: float, color: str) -> None:
    thresholds = read_thresholds({"thresholds": {"mode": "absolute", "steps": STEPS}})
    assert thresholds.active(value, (0, 1)).color == color


@pytest.mark.parametrize(("value", "color"), [(0, "green"), (100, "orange"), (159, "orange"), (160, "red")])
def test_percentages_count_between_the_ends(value: float, color: str) -> None:
    thresholds = read_thresholds({"thresholds": {"mode": "percentage", "steps": STEPS}})
    assert thresholds.active(value, (0, 200)).color == color
    assert thresholds.absolute((0, 200))[1:] == (Step(100, "orange"), Step(160, "red"))


def test_without_any_grafanas_own() -> None:
    assert read_thresholds({}) == DEFAULT
    assert [step.color for step in DEFAULT.steps] == ["green", "red"]


def test_a_first_step_above_the_value_holds_nevertheless() -> None:
    thresholds = read_thresholds({"thresholds": {"steps": [{"value": 10, "color": "blue"}]}})
    assert thresholds.active(1, (0, 100)).color == "blue"


@pytest.mark.parametrize(
    ("value", "span", "place"),
    [(50, (0, 100), 0.5), (-50, (0, 100), -0.5), (5, (5, 5), 0), (math.nan, (0, 1), 0), (-math.inf, (0, 1), 0)],
)
def test_share(value: float, span: tuple[float, float], place: float) -> None:
    assert share(value, span) == place
