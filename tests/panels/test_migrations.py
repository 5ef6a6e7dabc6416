"""Older documents come out in the shapes of today."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panels.migrations import NEWEST, migrated


def one(version: int, **panel: Any) -> dict[str, Any]:
    result: dict[str, Any] = migrated({"schemaVersion": version, "panels": [{"id": 1, "type": "stat", **panel}]})[0]
    (only,) = result["panels"]
    assert isinstance(only, dict)
    return only


def test_a_document_of_today_stays_as_it_is() -> None:
    body = {"schemaVersion": NEWEST, "panels": [{"id": 1, "type": "table", "minSpan": 6}], "refresh": False}
    assert migrated(body) == (body, [])


@pytest.mark.parametrize(("span", "expected"), [(24, 1), (12, 2), (8, 3), (6, 4), (5, 6), (2, 12), (1, 24)])
def test_17_the_least_width_becomes_copies_in_a_row(span: int, expected: int) -> None:
    assert one(16, minSpan=span)["maxPerRow"] == expected


def test_19_links_of_panels_have_an_address() -> None:
    links = [
        {"dashUri": "db/x", "includeVars": True, "keepTime": True, "params": "a=1"},
        {"dashboard": "My Lab!"},
        {"url": "http://x/?q=1", "params": "b=2"},
        {},
    ]
    assert [link["url"] for link in one(18, links=links)["links"]] == [
        "dashboard/db/x?$__url_time_range&$__all_variables&a=1",
        "dashboard/db/my-lab",
        "http://x/?q=1&b=2",
        "/",
    ]


def test_21_names_in_data_links_are_renewed() -> None:
    options = {"dataLinks": [{"url": "/x?s=${__series_name}&l=${__series.labels.host}&t=$__value_time"}]}
    (link,) = one(19, options=options)["options"]["dataLinks"]
    assert link["url"] == "/x?s=${__series.name}&l=${__field.labels.host}&t=${__value.time}"


def test_23_only_a_multiple_choice_is_a_list() -> None:
    variables = [
        {"name": "a", "multi": True, "current": {"value": "x", "text": "X"}},
        {"name": "b", "multi": False, "current": {"value": ["y"], "text": ["Y"]}},
        {"name": "c", "multi": False, "current": {}},
    ]
    body, _ = migrated({"schemaVersion": 22, "panels": [], "templating": {"list": variables}})
    assert [each["current"] for each in body["templating"]["list"]] == [
        {"value": ["x"], "text": ["X"]},
        {"value": "y", "text": "Y"},
        {},
    ]


def test_26_a_text_panel_keeps_its_text_in_options() -> None:
    panel = one(25, type="text2", mode="markdown", content="# Hello")
    assert (panel["type"], panel["options"]) == ("text", {"mode": "markdown", "content": "# Hello"})


def test_27_stored_copies_go_and_shown_constants_can_be_typed() -> None:
    body, _ = migrated(
        {
            "schemaVersion": 26,
            "panels": [{"id": 1}, {"id": 2, "repeatPanelId": 1}, {"id": 3, "panels": [{"id": 4, "repeatPanelId": 9}]}],
            "templating": {"list": [{"type": "constant", "hide": 0}, {"type": "constant", "hide": 2}]},
        }
    )
    assert [panel["id"] for panel in body["panels"]] == [1, 3]
    assert body["panels"][1]["panels"] == []
    assert [each["type"] for each in body["templating"]["list"]] == ["textbox", "constant"]


def test_29_a_query_variable_is_asked_anew() -> None:
    variables = [
        {"type": "query", "refresh": 0, "options": [{"value": "old"}]},
        {"type": "query", "refresh": 2, "options": []},
        {"type": "custom", "options": [{"value": "kept"}]},
    ]
    body, _ = migrated({"schemaVersion": 28, "panels": [], "templating": {"list": variables}})
    assert [(each.get("refresh"), each["options"]) for each in body["templating"]["list"]] == [
        (1, []),
        (2, []),
        (None, [{"value": "kept"}]),
    ]


def test_30_mappings_say_what_they_are() -> None:
    old = [
        {"id": 1, "type": 1, "value": "1", "text": "on"},
        {"id": 2, "type": 1, "value": "0", "text": "off"},
        {"id": 3, "type": 1, "value": "null", "text": "N/A"},
        {"id": 4, "type": 2, "from": "5", "to": "9", "text": "7"},
    ]
    thresholds = {"mode": "absolute", "steps": [{"color": "green", "value": None}, {"color": "red", "value": 6}]}
    panel = one(29, fieldConfig={"defaults": {"mappings": old, "thresholds": thresholds}, "overrides": []})
    assert panel["fieldConfig"]["defaults"]["mappings"] == [
        {"type": "value", "options": {"1": {"text": "on"}, "0": {"text": "off"}}},
        {"type": "special", "options": {"match": "null", "result": {"text": "N/A"}}},
        {"type": "range", "options": {"from": 5.0, "to": 9.0, "result": {"text": "7", "color": "red"}}},
    ]


def test_31_labels_to_fields_is_followed_by_a_merge() -> None:
    steps = one(30, transformations=[{"id": "labelsToFields"}, {"id": "limit"}])["transformations"]
    assert [step["id"] for step in steps] == ["labelsToFields", "merge", "limit"]


def test_35_hidden_axes_leave_the_one_of_time() -> None:
    config = {"defaults": {"custom": {"axisPlacement": "hidden"}}, "overrides": []}
    (override,) = one(34, type="timeseries", fieldConfig=config)["fieldConfig"]["overrides"]
    assert override["matcher"] == {"id": "byType", "options": "time"}
    assert override["properties"] == [{"id": "custom.axisPlacement", "value": "auto"}]


@pytest.mark.parametrize(
    ("legend", "expected"),
    [
        ({"displayMode": "hidden"}, {"displayMode": "list", "showLegend": False}),
        ({"displayMode": "table"}, {"displayMode": "table", "showLegend": True}),
        ({"displayMode": "list", "showLegend": False}, {"displayMode": "list", "showLegend": False}),
    ],
)
def test_37_a_legend_says_whether_it_shows(legend: dict[str, Any], expected: dict[str, Any]) -> None:
    assert one(36, options={"legend": legend})["options"]["legend"] == expected


def test_38_cells_of_tables_have_options() -> None:
    config = {
        "defaults": {"custom": {"displayMode": "color-background"}},
        "overrides": [{"matcher": {}, "properties": [{"id": "custom.displayMode", "value": "lcd-gauge"}]}],
    }
    panel = one(37, type="table", fieldConfig=config)["fieldConfig"]
    assert panel["defaults"]["custom"] == {"cellOptions": {"type": "color-background", "mode": "gradient"}}
    assert panel["overrides"][0]["properties"] == [
        {"id": "custom.cellOptions", "value": {"type": "gauge", "mode": "lcd"}}
    ]


def test_40_a_refresh_that_is_no_text_is_none() -> None:
    assert migrated({"schemaVersion": 39, "panels": [], "refresh": False})[0]["refresh"] == ""


def test_42_what_is_hidden_has_no_tooltip() -> None:
    hidden = {"id": "custom.hideFrom", "value": {"viz": True, "legend": False, "tooltip": False}}
    panel = one(41, fieldConfig={"defaults": {}, "overrides": [{"matcher": {}, "properties": [hidden]}]})
    assert panel["fieldConfig"]["overrides"][0]["properties"][0]["value"]["tooltip"] is True


def test_a_version_that_is_no_number_counts_as_today() -> None:
    body, warnings = migrated({"schemaVersion": "x", "panels": []})
    assert body["schemaVersion"] == "x"
    assert [warning.path for warning in warnings] == ["schemaVersion"]
