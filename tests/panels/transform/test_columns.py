"""Which columns there are, in which order, under which names."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panels.frames import Field, Frame
from tests.panels.transform.shapes import frame, table, transformed

ROWS = frame(time=[1, 2], temperature=[20, 21], humidity=[40, 50])


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["time", "temperature", "humidity"]),
        ({"excludeByName": {"time": True, "humidity": False}}, ["temperature", "humidity"]),
        ({"includeByName": {"time": True}}, ["time"]),
        ({"indexByName": {"humidity": 0, "time": 1, "temperature": 2}}, ["humidity", "time", "temperature"]),
        ({"indexByName": {"humidity": 0}}, ["humidity", "time", "temperature"]),
        ({"renameByName": {"time": "When", "humidity": ""}}, ["When", "temperature", "humidity"]),
        (
            {"excludeByName": {"time": True}, "indexByName": {"humidity": 0}, "renameByName": {"humidity": "Damp"}},
            ["Damp", "temperature"],
        ),
    ],
)
def test_organize(options: dict[str, Any], names: list[str]) -> None:
    assert list(table("organize", options, ROWS)) == names


def test_organize_goes_by_the_name_on_the_screen() -> None:
    cpu = [Field("cpu", "number", [1], {"host": host}) for host in ("a", "b")]
    found = table("organize", {"renameByName": {"cpu a": "A"}, "excludeByName": {"cpu b": True}}, Frame(tuple(cpu)))
    assert found == {"A": [1]}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"include": {"names": ["time", "humidity"]}}, ["time", "humidity"]),
        ({"include": {"pattern": "/^t/"}}, ["time", "temperature"]),
        ({"include": {"pattern": "/^h/", "names": ["time"]}}, ["time", "humidity"]),
        ({"exclude": {"names": ["time"]}}, ["temperature", "humidity"]),
        ({"include": {"pattern": "/^t/"}, "exclude": {"names": ["time"]}}, ["temperature"]),
        ({}, ["time", "temperature", "humidity"]),
    ],
)
def test_filter_fields_by_name(options: dict[str, Any], names: list[str]) -> None:
    assert list(table("filterFieldsByName", options, ROWS)) == names


def test_frames_without_columns_go() -> None:
    assert transformed("filterFieldsByName", {"include": {"names": ["nothing"]}}, ROWS) == ()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"regex": "temp.*", "renamePattern": "T"}, ["time", "T", "humidity"]),
        ({"regex": "(.*)ity", "renamePattern": "$1"}, ["time", "temperature", "humid"]),
        ({"regex": "/e/", "renamePattern": "E"}, ["timE", "tEmperature", "humidity"]),
        ({"regex": "/e/g", "renamePattern": "E"}, ["timE", "tEmpEraturE", "humidity"]),
        ({"regex": "(?<first>.).*", "renamePattern": "$<first>"}, ["t", "t", "h"]),
        ({"regex": "", "renamePattern": "x"}, ["time", "temperature", "humidity"]),
    ],
)
def test_rename_by_regex(options: dict[str, Any], names: list[str]) -> None:
    (result,) = transformed("renameByRegex", options, ROWS)
    assert [field.config.get("displayName", field.name) for field in result.fields] == names


def test_filter_by_query() -> None:
    other = frame("B", x=[1])
    assert transformed("filterByRefId", {"include": "B|C"}, ROWS, other) == (other,)
    assert transformed("filterByRefId", {}, ROWS, other) == (ROWS, other)
