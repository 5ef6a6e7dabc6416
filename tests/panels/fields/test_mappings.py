"""Value mappings."""

from __future__ import annotations

import math
from typing import Any

import pytest

from apps.panels.fields.mappings import MappingResult, map_value


def value(**options: Any) -> dict[str, Any]:
    return {"type": "value", "options": {key: {"text": text} for key, text in options.items()}}


def range_(low: Any, high: Any, text: str) -> dict[str, Any]:
    return {"type": "range", "options": {"from": low, "to": high, "result": {"text": text}}}


def regex(pattern: str, text: str) -> dict[str, Any]:
    return {"type": "regex", "options": {"pattern": pattern, "result": {"text": text}}}


def special(match: str, text: str) -> dict[str, Any]:
    return {"type": "special", "options": {"match": match, "result": {"text": text}}}


@pytest.mark.parametrize(
    ("mapping", "given", "text"),
    [
        (value(**{"1": "up", "0": "down"}), 1, "up"),
        (value(**{"1": "up"}), 1.0, "up"),
        (value(**{"1": "up"}), "1", "up"),
        (value(**{"1": "up"}), 2, None),
        (value(true="yes"), True, "yes"),
        (value(null="none"), None, None),
        (range_(1, 5, "few"), 1, "few"),
        (range_(1, 5, "few"), 5, "few"),
        (range_(1, 5, "few"), 5.01, None),
        (range_(None, 5, "few"), -100, "few"),
        (range_(1, None, "many"), 1e9, "many"),
        (range_("1", "5", "few"), "3 apples", "few"),
        (range_(1, 5, "few"), "apples", None),
        (range_(1, 5, "few"), None, None),
        (regex("/^host-(.*)$/", "$1"), "host-7", "7"),
        (regex("host", "x"), "host", "x"),
        (regex("host", "x"), "host-7", None),
        (regex("/A/i", "x"), "banana", "bxnana"),
        (regex("/a/g", "x"), "banana", "bxnxnx"),
        (regex("/1/", "x"), 1, None),
        (regex("/(/", "x"), "(", None),
        (special("null", "-"), None, "-"),
        (special("null", "-"), 0, None),
        (special("nan", "-"), math.nan, "-"),
        (special("null+nan", "-"), None, "-"),
        (special("null+nan", "-"), math.nan, "-"),
        (special("true", "y"), True, "y"),
        (special("true", "y"), 1, None),
        (special("false", "n"), False, "n"),
        (special("empty", "?"), "", "?"),
        (special("empty", "?"), None, None),
        ({"type": "other", "options": {}}, 1, None),
        ({"type": "value"}, 1, None),
    ],
)
def test_the_four_kinds(mapping: dict[str, Any], given: Any, text: str | None) -> None:
    found = map_value([mapping], given)
    assert (found.text if found else None) == text


def test_the_first_that_fits_wins() -> None:
    found = map_value([range_(1, 20, "1-20"), value(**{"11": "eleven"})], 11)
    assert found == MappingResult(text="1-20")


def test_a_mapping_may_give_a_colour_or_an_icon_alone() -> None:
    mapping = {"type": "value", "options": {"up": {"color": "green", "icon": "check", "index": 3}}}
    assert map_value([mapping], "up") == MappingResult(None, "green", "check", 3)


def test_an_empty_text_is_a_text() -> None:
    assert map_value([value(**{"1": ""})], 1) == MappingResult(text="")
