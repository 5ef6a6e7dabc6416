"""What a field is called on the screen."""

from __future__ import annotations

import pytest

from apps.panels.fields.names import display_name, frame_name, screen_names
from apps.panels.frames import Field, Frame


def number(name: str = "Value", **labels: str) -> Field:
    return Field(name, "number", [1], labels)


TIME = Field("Time", "time", [1])


@pytest.mark.parametrize(
    ("frames", "name"),
    [
        ([Frame((number("Field 1"),))], "Field 1"),
        ([Frame((number("Field 1"),), name="Series A")], "Field 1"),
        ([Frame((number("F"),), name="Series A"), Frame((number("F"),), name="Series B")], "Series A F"),
        ([Frame((number(server="Server A"),))], "Server A"),
        ([Frame((number("cpu", server="a"), number("mem", server="b")))], "cpu a"),
        ([Frame((number(server="a", mode="b"),))], '{mode="b", server="a"}'),
        ([Frame((number("cpu", server="a", mode="b"),))], 'cpu {mode="b", server="a"}'),
        ([Frame((number(),))], "Value"),
        ([Frame((number(),), name="Series A")], "Series A"),
        ([Frame((number(host="h"),), name="cpu"), Frame((number(host="h"),), name="cpu")], "h"),
    ],
)
def test_a_field_is_called_after_what_tells_it_apart(frames: list[Frame], name: str) -> None:
    assert display_name(frames[0].fields[0], frames[0], frames) == name


def test_a_configured_name_comes_first() -> None:
    both = Field("x", "number", [], config={"displayName": "Mine", "displayNameFromDS": "Its"})
    assert display_name(both) == "Mine"
    assert display_name(Field("x", "number", [], config={"displayNameFromDS": "Its"})) == "Its"


def test_frames_have_names_too() -> None:
    assert frame_name(Frame((TIME, number("a"), number("b")))) == "a, b"
    assert frame_name(Frame((TIME, number("cpu", host="h")))) == '{host="h"}'
    assert frame_name(Frame((TIME, number("a")), ref_id="C"), 2) == "Series (C)"
    assert frame_name(Frame((TIME,), name="mine")) == "mine"


def test_equal_names_are_numbered_unless_the_dashboard_gave_them() -> None:
    given = Field("x", "number", [1], config={"displayName": "a"})
    assert screen_names(Frame((number("a"), number("b"), number("a"), given))) == ["a 1", "b", "a 2", "a"]
