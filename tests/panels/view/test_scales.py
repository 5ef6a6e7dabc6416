"""Axes: round values with their texts."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panels.frames import Field
from apps.panels.view.scales import Scales, round_ticks, ticks_of


def texts(unit: str, low: float, high: float, count: int = 6, **config: Any) -> list[str]:
    field = Field("x", "number", [], config={"unit": unit, **config})
    return [tick.text for tick in ticks_of(field, round_ticks(low, high, count, unit))]


@pytest.mark.parametrize(
    ("unit", "high", "shown"),
    [
        ("short", 13, ["0", "5", "10"]),
        ("short", 2, ["0", "0.5", "1", "1.5", "2"]),
        ("percent", 100, ["0%", "20%", "40%", "60%", "80%", "100%"]),
        ("percentunit", 1, ["0%", "20%", "40%", "60%", "80%", "100%"]),
        ("ms", 2400, ["0 ms", "500 ms", "1 s", "1.5 s", "2 s"]),
        ("ms", 300_000, ["0 ms", "1 min", "2 mins", "3 mins", "4 mins", "5 mins"]),
        ("s", 200, ["0 s", "1 min", "2 mins", "3 mins"]),
        ("s", 86_400, ["0 s", "6 hours", "12 hours", "18 hours", "1 day"]),
        ("bytes", 4 * 1024**3, ["0 B", "1 GiB", "2 GiB", "3 GiB", "4 GiB"]),
    ],
)
def test_ticks_are_round_in_their_unit(unit: str, high: float, shown: list[str]) -> None:
    assert texts(unit, 0, high, 5) == shown


def test_ticks_have_as_many_decimals_as_tell_them_apart() -> None:
    # Two thousand milliseconds and what lies around them would all be "2 s" without decimals.
    assert texts("ms", 1900, 2100, 4, decimals=0) == ["1.9 s", "1.95 s", "2 s", "2.05 s", "2.1 s"]
    assert texts("percent", 0, 100, 5, decimals=1)[1] == "20%"


def test_values_that_no_axis_can_hold_have_one_tick() -> None:
    assert round_ticks(5, 5, 4) == (5,)
    assert round_ticks(-1e308, 1e308, 4) == (-1e308,)
    assert round_ticks(0, 5e-324, 4) == (0,)


def axis(values: list[float | None], **config: Any) -> Any:
    field = Field("x", "number", [], config=config)
    scales = Scales(264)
    scales.of(field).hold(values)
    return scales.finished()[0]


def test_an_axis_holds_its_values_with_some_room() -> None:
    found = axis([10, 20, None])
    assert 0 <= found.low < 10
    assert 20 < found.high < 25


def test_soft_ends_give_way_to_values_and_hard_ones_do_not() -> None:
    soft = {"custom": {"axisSoftMin": 0, "axisSoftMax": 100}}
    assert (axis([40, 60], **soft).low, axis([40, 160], **soft).high > 160) == (0, True)
    assert (axis([-5, 60], min=0, max=50).low, axis([0, 60], min=0, max=50).high) == (0, 50)


def test_a_logarithmic_axis_has_powers() -> None:
    found = axis([3, 4000], custom={"scaleDistribution": {"type": "log", "log": 10}})
    assert (found.low, found.high, found.log) == (1, 10_000, 10)
    assert [tick.value for tick in found.ticks] == [1, 10, 100, 1000, 10_000]
    assert axis([-1, 0], custom={"scaleDistribution": {"type": "log", "log": 0}}).low > 0


def test_zero_may_be_the_middle_and_nothing_has_an_axis_too() -> None:
    found = axis([-10, 60], custom={"axisCenteredZero": True})
    assert found.low == -found.high
    assert (axis([]).low, axis([]).high > 0) == (0, True)


def test_configuration_of_a_wrong_type_counts_as_absent() -> None:
    found = axis([1, 2], unit=["x"], min={}, custom={"axisLabel": [1], "scaleDistribution": "log", "axisSoftMin": {}})
    assert (found.label, found.log) == ("", 0)
