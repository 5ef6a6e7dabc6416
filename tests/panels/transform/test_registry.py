"""A panel's chain of transformations."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panels.frames import Field, Frame
from apps.panels.transform import TRANSFORMATIONS, apply

A = Frame((Field("a", "number", [1, 2, 3]),), ref_id="A")
B = Frame((Field("b", "number", [4, 5, 6]),), ref_id="B")


def first(size: Any) -> dict[str, Any]:
    return {"id": "limit", "options": {"limitField": size}}


def test_each_works_on_what_the_one_before_it_left() -> None:
    frames, notices = apply([first(2), {"id": "concatenate", "options": {}}], [A, B])
    assert [(field.name, field.values) for field in frames[0].fields] == [("a", [1, 2]), ("b", [4, 5])]
    assert notices == ()


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"id": "teleport"}, "'teleport' is not known"),
        ({}, "''"),
        (first("many"), "not a number"),
        ({"id": "filterFieldsByName", "options": {"include": {"pattern": "/(/"}}}, "'/(/'"),
        ({"id": "limit", "options": {}, "filter": {"id": "byMagic"}}, "'byMagic'"),
        ({"id": "limit", "options": {}, "filter": {"id": "byRefId", "options": "/(/"}}, "'/(/'"),
        ({"id": "calculateField", "options": {"mode": "magic"}}, "'magic'"),
    ],
)
def test_what_cannot_be_done_is_skipped_and_named(item: dict[str, Any], said: str) -> None:
    frames, notices = apply([item, first(1)], [A])
    assert frames[0].fields[0].values == [1]
    assert len(notices) == 1
    assert said in notices[0]


def test_one_that_is_switched_off_does_nothing() -> None:
    assert apply([{**first(1), "disabled": True}, {"id": "teleport", "disabled": True}], [A]) == ((A,), ())


@pytest.mark.parametrize(("chosen", "lengths"), [("A", [1, 3]), ("B", [3, 1]), ("A|B", [1, 1]), ("/[AB]/", [1, 1])])
def test_a_filter_chooses_frames_and_leaves_the_others_in_their_place(chosen: str, lengths: list[int]) -> None:
    frames, _ = apply([{**first(1), "filter": {"id": "byRefId", "options": chosen}}], [A, B])
    assert [frame.ref_id for frame in frames] == ["A", "B"]
    assert [frame.length for frame in frames] == lengths


POOR = [
    *(None, {}, 3),
    {"fields": 3, "conversions": [None], "mappings": [1], "filters": [2], "sort": [3], "include": 4, "binary": 5},
    {"fields": [], "conversions": 1, "mappings": 2, "filters": 3, "sort": 4, "reducers": 5, "format": 6, "mode": ""},
]


@pytest.mark.parametrize("name", TRANSFORMATIONS)
@pytest.mark.parametrize("options", POOR)
@pytest.mark.parametrize("frames", [[], [Frame()], [A], [A, B, Frame()], [Frame((Field("t", "time", [None]),))]])
def test_poor_options_and_poor_data_break_nothing(name: str, options: Any, frames: list[Frame]) -> None:
    result, _ = apply([{"id": name, "options": options}], frames)
    for frame in result:
        assert {len(field.values) for field in frame.fields} <= {frame.length}


def test_what_comes_in_is_left_as_it_was() -> None:
    frame = Frame((Field("t", "time", [2, 1]), Field("a", "number", [1, 2], {"host": "x"})), ref_id="A")
    before = repr(frame)
    for name in TRANSFORMATIONS:
        apply([{"id": name, "options": {}}], [frame, frame])
    assert repr(frame) == before
