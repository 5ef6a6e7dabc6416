"""Two bodies side by side: in words, panel by panel, and line by line."""

from __future__ import annotations

import copy
import json
import random
import time
from typing import Any

import pytest
from django.conf import settings

from apps.dashboards.differences import differences
from apps.dashboards.line_differences import line_differences

SQL = "SELECT name\nFROM devices\nWHERE host = '$host'\nORDER BY name"


def panel(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number, "title": f"Panel {number}", "type": "stat", "gridPos": {"x": 0, "y": number, "w": 12, "h": 8},
        "targets": [{"refId": "A", "rawSql": SQL, "format": "table"}], "fieldConfig": {"defaults": {"unit": "ms"}},
        **fields,
    }  # fmt: skip


def body(*panels: dict[str, Any], **fields: Any) -> dict[str, Any]:
    variable = {"name": "host", "type": "query", "query": "SELECT 1"}
    return {
        "uid": "one", "title": "One", "tags": ["lab"], "panels": list(panels),
        "templating": {"list": [variable]}, **fields,
    }  # fmt: skip


def words(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return differences(before, after).words


def test_equal_bodies_differ_in_nothing_however_their_keys_stand() -> None:
    one = body(panel(1))
    other = json.loads(json.dumps(one, sort_keys=True))
    assert words(one, other) == []
    assert line_differences(one, other) == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"title": "Hosts"}, "panel 4 'Hosts': title 'Panel 4' → 'Hosts'"),
        ({"targets": [{"refId": "A", "rawSql": "SELECT 2", "format": "table"}]}, "panel 4 'Panel 4': query A changed"),
        (
            {"targets": [{"refId": "A", "rawSql": SQL, "format": "time_series"}, {"refId": "B", "rawSql": "SELECT 1"}]},
            "panel 4 'Panel 4': query A: format 'table' → 'time_series'; query B added",
        ),
        ({"targets": []}, "panel 4 'Panel 4': query A removed"),
        ({"gridPos": {"x": 0, "y": 4, "w": 6, "h": 8}}, "panel 4 'Panel 4': size 12 × 8 → 6 × 8"),
        ({"gridPos": {"x": 0, "y": 9, "w": 12, "h": 8}}, "panel 4 moved"),
        (
            {"fieldConfig": {"defaults": {"unit": "s", "decimals": 1}}},
            "panel 4 'Panel 4': fieldConfig.defaults.decimals 1 added; fieldConfig.defaults.unit 'ms' → 's'",
        ),
        ({"transformations": [{"id": "reduce"}]}, "panel 4 'Panel 4': transformations (1 entry) added"),
        ({"options": {f"o{n:02}": n for n in range(30)}}, "panel 4 'Panel 4': options (30 fields) added"),
    ],
)
def test_a_panels_change_is_told_in_words(fields: dict[str, Any], told: str) -> None:
    assert words(body(panel(4)), body(panel(4, **fields))) == [told]


def test_panels_in_rows_come_and_go_by_their_ids() -> None:
    row = {"id": 9, "type": "row", "title": "Row", "panels": [panel(2)]}
    before, after = body(panel(1), row), body({**row, "panels": []}, panel(3), panel(1))
    assert words(before, after) == ["panel 3 'Panel 3' added", "panel 2 'Panel 2' removed"]
    # Without ids the titles say which is which.
    nameless = body({"title": "a"}, {"title": "b"}), body({"title": "b", "type": "stat"})
    assert words(*nameless) == ["panel without id 'b': type 'stat' added", "panel without id 'a' removed"]


def test_the_dashboards_own_fields_and_variables_are_told_first() -> None:
    before = body(panel(1), time={"from": "now-6h", "to": "now"})
    after = body(panel(1, title="x"), time={"from": "now-1d", "to": "now"}, tags=["lab", "new"], refresh="5s")
    after["templating"] = {"list": [{"name": "host", "type": "query", "query": "SELECT 2"}, {"name": "team"}]}
    assert words(before, after) == [
        "refresh '5s' added",
        "tags (1 entry) → (2 entries)",
        "time.from 'now-6h' → 'now-1d'",
        "variable host changed",
        "variable team added",
        "panel 1 'x': title 'Panel 1' → 'x'",
    ]


def test_many_changes_of_one_panel_are_cut_and_a_number_says_how_many() -> None:
    options = {f"o{number:02}": number for number in range(30)}
    told = words(body(panel(1, options=options)), body(panel(1, options=dict.fromkeys(options, "x"))))
    assert told[0].endswith("options.o10 10 → 'x'; 19 more")


def test_a_changed_word_is_at_most_five_lines_also_in_a_query() -> None:
    before = body(panel(1), panel(2))
    for after in (
        body(panel(1), panel(2, title="Panel two")),
        body(panel(1, targets=[{"refId": "A", "rawSql": SQL.replace("host", "rack"), "format": "table"}]), panel(2)),
    ):
        lines = line_differences(before, after)
        assert len(lines) <= 5
        assert [line.sign for line in lines] == ["@", " ", "-", "+", " "]
    assert [" ".join(str(line).split()) for line in lines] == [
        "@ panels[0].targets[0].rawSql",
        r"FROM devices\n",
        r"- WHERE host = '$host'\n",
        r"+ WHERE rack = '$rack'\n",
        r"ORDER BY name",
    ]
    minus = lines[2]
    assert (minus.head.strip(), minus.word, minus.tail) == ("WHERE", "host = '$host", r"'\n")


def test_changes_side_by_side_are_one_run_and_nothing_is_told_twice() -> None:
    before = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "panels": []}
    lines = [str(line) for line in line_differences(before, {**before, "b": 9, "d": 9, "h": 9})]
    assert lines == [
        "@ b", '    "a": 1,', '-   "b": 2,', '+   "b": 9,', '    "c": 3,', '-   "d": 4,', '+   "d": 9,', '    "e": 5,',
        "@ h", '    "g": 7,', '-   "h": 8,', '+   "h": 9,', '    "panels": []',
    ]  # fmt: skip
    assert str(line_differences({}, {"a": 1})[0]) == "@ the document"


def test_the_lines_carry_the_whole_change() -> None:
    document = json.loads((settings.ROOT / "grafana_config/dashboards/virtualpytest-overview.json").read_text())
    chance = random.Random(4)
    for _ in range(20):
        other = copy.deepcopy(document)
        for each in chance.sample(other["panels"], 3):
            each["title"] = f"{chance.random()}"
        del other["panels"][chance.randrange(len(other["panels"]))]
        lines = line_differences(document, other)
        assert lines == line_differences(document, other)
        removed, added = (sum(line.sign == sign for line in lines) for sign in "-+")
        assert removed > added >= 2
        assert words(document, other)


def test_bodies_that_have_nothing_in_common_are_compared_in_time() -> None:
    before = {"panels": [{"id": n, "title": f"a{n}"} for n in range(4000)]}
    after = {"panels": [{"id": n, "title": f"b{n}"} for n in range(4000)]}
    began = time.perf_counter()
    assert len(line_differences(before, after)) > 8000
    assert time.perf_counter() - began < 5
