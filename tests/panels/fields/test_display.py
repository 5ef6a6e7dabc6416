"""Values as they are shown."""

from __future__ import annotations

import math
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.panels.fields import Clock, Display, series_color
from apps.panels.fields.display import color_scale, span_of
from apps.panels.frames import Field, FieldType

STEPS = [{"value": None, "color": "green"}, {"value": 50, "color": "orange"}, {"value": 80, "color": "red"}]


def shown(value: Any, kind: FieldType = "number", /, **config: Any) -> str:
    return str(Display(Field("x", kind, [value], config=config))(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (3, "3"),
        ("3", "3"),
        ("", ""),
        ("hello", "hello"),
        (True, "true"),
        ([], ""),
        (["a", "b"], "a, b"),
        ({"a": [1]}, '{"a": [1]}'),
        (3.23, "3.23"),
        (60.0, "60"),
        (0.5, "0.5"),
        (math.inf, "∞"),
    ],
)
def test_without_a_configuration(value: Any, text: str) -> None:
    assert shown(value) == text


def test_units_and_decimals() -> None:
    assert shown(100_030_303, unit="bytes", decimals=2) == "95.40 MiB"
    assert shown(1000, unit="short") == "1 K"
    assert shown("6", decimals=1) == "6.0"
    assert shown(99.97, unit="percent") == "100%"
    assert str(Display(Field("x", "number", [], config={"decimals": 3}))(1.5, 1)) == "1.5"


def test_texts_stay_texts_unless_a_unit_says_otherwise() -> None:
    assert shown("22.1122334455", "string", unit="string", decimals=2) == "22.1122334455"
    assert shown("22.1122334455", "string", decimals=2) == "22.1122334455"
    assert shown("22.1122334455", "string", unit="none", decimals=2) == "22.11"
    assert shown("0012", "string") == "0012"


def test_what_stands_for_no_value() -> None:
    assert shown(None, noValue="-") == "-"
    assert shown("", "string", noValue="empty") == "empty"
    assert shown(0, noValue="-") == "0"


def test_times_in_the_viewers_zone() -> None:
    clock = Clock(zone=ZoneInfo("Asia/Tokyo"))
    days = Field("t", "time", [0, 86_400_000])
    assert str(Display(days, clock=clock)(0)) == "1970-01-01 09:00:00"
    moments = Field("t", "time", [0, 1500])
    assert str(Display(moments, clock=clock)(1500)) == "1970-01-01 09:00:01.500"
    assert shown(0, "time", unit="bytes") == "1970-01-01 00:00:00"
    assert shown(0, "time", unit="dateTimeAsUS") == "01/01/1970 12:00:00 am"
    assert shown(0, "time", unit="time:YYYY") == "1970"
    assert shown("2020-08-01T08:48:43.783337Z", "string", unit="dateTimeAsIso") == "2020-08-01 08:48:43"


def test_booleans() -> None:
    assert shown(True, "boolean") == "true"
    assert shown(False, "boolean", unit="bool_on_off") == "Off"
    assert shown(True, "boolean", unit="bytes") == "true"


def test_mappings_give_text_colour_and_icon() -> None:
    mappings = [{"type": "value", "options": {"1": {"text": "up", "color": "blue", "icon": "check"}}}]
    text = Display(Field("x", "number", [1], config={"mappings": mappings, "unit": "bytes"}))(1)
    assert (str(text), text.color, text.icon, text.numeric) == ("up", "blue", "check", 1)
    assert shown(2, mappings=mappings, unit="bytes") == "2 B"


def test_a_mapping_to_an_empty_text_hides_the_value() -> None:
    mappings = [{"type": "value", "options": {"0": {"text": ""}}}]
    text = Display(Field("x", "number", [0], config={"mappings": mappings}))(0)
    assert (str(text), text.numeric) == ("", 0)


def test_colours_by_threshold() -> None:
    config = {"color": {"mode": "thresholds"}, "thresholds": {"steps": STEPS}, "min": 0, "max": 100}
    display = Display(Field("x", "number", [], config=config))
    assert [display(value).color for value in (10, 50, 90)] == ["green", "orange", "red"]
    assert [display(value).percent for value in (10, 50, 90)] == [0.1, 0.5, 0.9]
    assert display(None).color == "green"


def test_colours_that_do_not_look_at_values() -> None:
    field = Field("x", "number", [1], series_index=1)
    modes: dict[str, Any] = {
        "palette-classic": "semi-dark-yellow",
        "fixed": "purple",
    }
    for mode, color in modes.items():
        own = Field("x", "number", [1], config={"color": {"mode": mode, "fixedColor": "purple"}}, series_index=1)
        assert Display(own)(1).color == color
        assert series_color(own) == color
    assert series_color(field) == "green"


def test_a_series_takes_the_colour_of_one_of_its_values() -> None:
    def color(by: str) -> str:
        config = {"color": {"mode": "thresholds", "seriesBy": by}, "thresholds": {"steps": STEPS}}
        return series_color(Field("x", "number", [90, 10, 60], config=config))

    assert [color(by) for by in ("last", "min", "max")] == ["orange", "green", "red"]


def test_gradients_follow_the_place_between_the_ends() -> None:
    field = Field("x", "number", [0, 50, 100], config={"color": {"mode": "continuous-GrYlRd"}})
    scale = color_scale(field)
    assert scale(0) == ("#73bf69", 0)
    assert scale(100) == ("#f2495c", 1)


def test_a_colour_from_a_dashboard_is_one_or_grey() -> None:
    evil = "red;} body{display:none"
    config = {"color": {"mode": "fixed", "fixedColor": evil}}
    assert Display(Field("x", "number", [1], config=config))(1).color == "#808080"
    mappings = [{"type": "value", "options": {"1": {"color": evil}}}]
    assert Display(Field("x", "number", [1], config={"mappings": mappings}))(1).color == "#808080"


@pytest.mark.parametrize(
    ("values", "config", "span"),
    [
        ([5, None, 15], {}, (5, 15)),
        ([5, 15], {"min": 0}, (0, 15)),
        ([5, 15], {"max": "20"}, (5, 20)),
        ([], {}, (0, 100)),
        ([], {"max": 10}, (0, 10)),
        ([], {"min": 10, "max": 5}, (5, 10)),
        ([math.inf, 3], {}, (3, 3)),
    ],
)
def test_ends(values: list[Any], config: dict[str, Any], span: tuple[float, float]) -> None:
    assert span_of(Field("x", "number", values, config=config)) == span
