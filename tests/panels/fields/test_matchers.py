"""Which fields an override or a transformation speaks of."""

from __future__ import annotations

import re
from typing import Any

import pytest

from apps.panels.fields.matchers import MatcherError, compare, field_matcher
from apps.panels.frames import Field, Frame

FRAMES = (
    Frame(
        (
            Field("Time", "time", [1, 2]),
            Field("cpu", "number", [1, 9], {"host": "a"}),
            Field("cpu", "number", [2, 4], {"host": "b"}),
            Field("note", "string", ["x", "y"]),
        ),
        ref_id="A",
    ),
    Frame((Field("ok", "boolean", [True]), Field("Time", "time", [1])), ref_id="B"),
)
NAMES = ["A.Time", "A.cpu a", "A.cpu b", "A.note", "B.ok", "B.Time"]


@pytest.mark.parametrize(
    ("kind", "options", "matched"),
    [
        ("byName", "note", "A.note"),
        ("byName", "cpu a", "A.cpu a"),
        ("byName", "cpu", "A.cpu a, A.cpu b"),
        ("byName", "CPU", ""),
        ("byNames", {"names": ["note", "cpu b"]}, "A.cpu b, A.note"),
        ("byNames", {"mode": "exclude", "names": ["Time"]}, "A.cpu a, A.cpu b, A.note, B.ok"),
        ("byRegexp", "/^cpu/", "A.cpu a, A.cpu b"),
        ("byRegexp", "cpu", ""),
        ("byRegexp", "cpu .*", "A.cpu a, A.cpu b"),
        ("byRegexp", "/NOTE/i", "A.note"),
        ("byRegexpOrNames", {"pattern": "/^n/", "names": ["ok"]}, "A.note, B.ok"),
        ("byType", "time", "A.Time, B.Time"),
        ("byTypes", ["string", "boolean"], "A.note, B.ok"),
        ("byFrameRefID", "B", "B.ok, B.Time"),
        ("byValue", {"reducer": "max", "op": "gt", "value": 5}, "A.cpu a"),
        ("byValue", {"reducer": "last", "op": "<=", "value": 4}, "A.cpu b"),
        ("numeric", None, "A.cpu a, A.cpu b"),
        ("time", None, "A.Time, B.Time"),
        ("first", None, "A.Time, B.ok"),
        ("firstTimeField", None, "A.Time, B.Time"),
        ("alwaysMatch", None, ", ".join(NAMES)),
        ("neverMatch", None, ""),
        ("invertMatch", {"id": "byType", "options": "number"}, "A.Time, A.note, B.ok, B.Time"),
        ("anyMatch", [{"id": "byName", "options": "ok"}, {"id": "byName", "options": "note"}], "A.note, B.ok"),
        ("allMatch", [{"id": "byType", "options": "time"}, {"id": "first"}], "A.Time"),
    ],
)
def test_matchers(kind: str, options: Any, matched: str) -> None:
    match = field_matcher({"id": kind, "options": options})
    found = [match(field, frame, FRAMES) for frame in FRAMES for field in frame.fields]
    assert ", ".join(name for name, yes in zip(NAMES, found, strict=True) if yes) == matched


@pytest.mark.parametrize(
    ("config", "said"),
    [({"id": "byMagic"}, "'byMagic'"), ({"id": "byRegexp", "options": "/(/"}, "'/(/'"), ({}, "''")],
)
def test_what_cannot_be_read_is_named(config: dict[str, Any], said: str) -> None:
    with pytest.raises(MatcherError, match=re.escape(said)):
        field_matcher(config)


def test_comparisons_of_what_is_no_number_are_false() -> None:
    assert compare(">", "10", 9)
    assert not compare("<", None, 9)
    assert not compare("~", 1, 1)
