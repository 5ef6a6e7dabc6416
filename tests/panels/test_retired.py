"""Panels of types that Grafana has retired come out as what took their place."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panels.migrations import migrated


def new(**panel: Any) -> dict[str, Any]:
    result: dict[str, Any] = migrated({"schemaVersion": 16, "panels": [{"id": 1, **panel}]})[0]["panels"][0]
    return result


def properties(override: dict[str, Any]) -> dict[str, Any]:
    return {each["id"]: each["value"] for each in override["properties"]}


def test_a_graph_becomes_a_time_series() -> None:
    axes = [{"format": "ms", "min": "0", "label": "Took", "logBase": 10}, {"format": "percent", "max": 100}]
    panel = new(
        type="graph", fill=3, linewidth=2, steppedLine=True, nullPointMode="connected", stack=True, percentage=True,
        yaxes=axes, legend={"show": True, "values": True, "avg": True, "current": True, "rightSide": True},
        tooltip={"shared": True, "sort": 2},
    )  # fmt: skip
    defaults = panel["fieldConfig"]["defaults"]
    custom = defaults["custom"]
    assert panel["type"] == "timeseries"
    assert (defaults["unit"], defaults["min"]) == ("ms", 0)
    assert (custom["drawStyle"], custom["fillOpacity"], custom["lineWidth"]) == ("line", 30, 2)
    assert (custom["lineInterpolation"], custom["spanNulls"]) == ("stepAfter", True)
    assert custom["stacking"]["mode"] == "percent"
    assert (custom["axisLabel"], custom["scaleDistribution"]) == ("Took", {"type": "log", "log": 10})
    assert panel["options"]["legend"]["calcs"] == ["mean", "lastNotNull"]
    assert panel["options"]["legend"]["placement"] == "right"
    assert panel["options"]["tooltip"] == {"mode": "multi", "sort": "desc"}


def test_what_a_graph_says_of_some_series_becomes_overrides() -> None:
    panel = new(
        type="graph", aliasColors={"ok": "#00ff00"}, yaxes=[{"format": "short"}, {"format": "percent"}],
        seriesOverrides=[{"alias": "/^rate/", "yaxis": 2, "bars": True}, {"alias": "ok", "fill": 0}],
    )  # fmt: skip
    color, second, first = panel["fieldConfig"]["overrides"]
    assert properties(color) == {"color": {"mode": "fixed", "fixedColor": "#00ff00"}}
    assert second["matcher"] == {"id": "byRegexp", "options": "/^rate/"}
    found = properties(second)
    assert (found["custom.drawStyle"], found["unit"], found["custom.axisPlacement"]) == ("bars", "percent", "right")
    assert (first["matcher"]["id"], properties(first)) == ("byName", {"custom.fillOpacity": 0})


def test_the_thresholds_of_a_graph_are_areas_and_lines() -> None:
    both = [
        {"value": 80, "op": "gt", "colorMode": "critical", "fill": True, "line": True},
        {"value": 20, "op": "lt", "colorMode": "ok"},
    ]
    defaults = new(type="graph", thresholds=both)["fieldConfig"]["defaults"]
    steps = [(step["value"], step["color"]) for step in defaults["thresholds"]["steps"]]
    assert steps == [(None, "green"), (20, "transparent"), (80, "red")]


def test_a_graph_by_series_becomes_bars() -> None:
    panel = new(type="graph", xaxis={"mode": "series", "values": ["avg"]})
    assert (panel["type"], panel["options"]["reduceOptions"]["calcs"]) == ("bargauge", ["mean"])


def test_a_singlestat_becomes_a_figure_or_a_gauge() -> None:
    given: dict[str, Any] = {
        "type": "singlestat", "format": "percent", "decimals": 1, "valueName": "current", "thresholds": "50,80",
        "colors": ["green", "orange", "red"], "colorBackground": True, "sparkline": {"show": True},
        "valueMaps": [{"op": "=", "value": "1", "text": "yes"}, {"op": "=", "value": "null", "text": "none"}],
    }  # fmt: skip
    stat = new(**given)
    defaults = stat["fieldConfig"]["defaults"]
    assert (stat["type"], stat["options"]["colorMode"], stat["options"]["graphMode"]) == ("stat", "background", "area")
    assert stat["options"]["reduceOptions"]["calcs"] == ["lastNotNull"]
    assert (defaults["unit"], defaults["decimals"]) == ("percent", 1)
    assert [step["value"] for step in defaults["thresholds"]["steps"]] == [None, 50.0, 80.0]
    assert defaults["mappings"] == [
        {"type": "value", "options": {"1": {"text": "yes"}}},
        {"type": "special", "options": {"match": "null", "result": {"text": "none"}}},
    ]
    gauge = new(**given, gauge={"show": True, "minValue": 0, "maxValue": 10})
    assert (gauge["type"], gauge["fieldConfig"]["defaults"]["max"]) == ("gauge", 10)


def test_styles_of_the_old_table_become_overrides_the_first_one_winning() -> None:
    styles = [
        {"pattern": "at", "type": "date", "dateFormat": "YYYY-MM-DD", "alias": "Day"},
        {
            "pattern": "/took/", "type": "number", "unit": "s", "decimals": 2, "colorMode": "cell",
            "thresholds": ["5", "10"], "colors": ["green", "orange", "red"],
            "link": True, "linkUrl": "/runs/${__cell}", "linkTooltip": "Run",
        },
        {"pattern": "id", "type": "hidden"},
    ]  # fmt: skip
    panel = new(type="table", styles=styles, transform="timeseries_to_rows")
    hidden, took, at = (properties(override) for override in panel["fieldConfig"]["overrides"])
    assert at == {"displayName": "Day", "unit": "time:YYYY-MM-DD"}
    assert (took["unit"], took["decimals"], took["custom.cellOptions"]) == ("s", 2, {"type": "color-background"})
    assert [step["value"] for step in took["thresholds"]["steps"]] == [None, 5.0, 10.0]
    assert took["links"] == [{"title": "Run", "url": "/runs/${__value.text}", "targetBlank": False}]
    assert hidden == {"custom.hidden": True}
    assert [step["id"] for step in panel["transformations"]] == ["seriesToRows"]


def test_the_pie_chart_plugin_becomes_the_pie_chart() -> None:
    panel = new(
        type="grafana-piechart-panel", pieType="donut", valueName="total", format="short", legendType="Right side",
        legend={"show": True, "percentage": True}, aliasColors={"a": "red"},
    )  # fmt: skip
    options = panel["options"]
    assert (panel["type"], options["pieType"], options["reduceOptions"]["calcs"]) == ("piechart", "donut", ["sum"])
    assert (options["legend"]["placement"], options["legend"]["values"]) == ("right", ["percent"])


def test_a_gauge_of_before_grafana_7_keeps_its_fields() -> None:
    old = {"calcs": ["max"], "defaults": {"unit": "s", "mappings": [{"type": 1, "value": "1", "text": "one"}]}}
    panel = new(type="gauge", options={"fieldOptions": {**old, "thresholds": [{"color": "red", "value": None}]}})
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["options"]["reduceOptions"] == {"calcs": ["max"]}
    assert (defaults["unit"], defaults["thresholds"]["steps"]) == ("s", [{"color": "red", "value": None}])
    assert defaults["mappings"] == [{"type": "value", "options": {"1": {"text": "one"}}}]


@pytest.mark.parametrize("kind", ["table", "stat", "timeseries", "gauge"])
def test_a_panel_of_today_stays_as_it_is(kind: str) -> None:
    config = {"defaults": {"unit": "s"}, "overrides": []}
    panel = migrated({"schemaVersion": 42, "panels": [{"id": 1, "type": kind, "fieldConfig": config, "options": {}}]})
    assert panel[0]["panels"] == [{"id": 1, "type": kind, "fieldConfig": config, "options": {}}]


PARTS = (
    "yaxes", "xaxis", "legend", "tooltip", "thresholds", "colors", "seriesOverrides", "aliasColors", "gauge", "styles",
    "columns", "valueMaps", "rangeMaps", "sparkline", "fill", "options", "valueName", "targets",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["graph", "singlestat", "table-old", "grafana-piechart-panel", "gauge"])
@pytest.mark.parametrize("junk", [None, True, 7, "x", [1], [None], {"a": 1}, float("inf")])
def test_what_is_no_part_of_it_is_left_out(kind: str, junk: Any) -> None:
    assert new(type=kind, **dict.fromkeys(PARTS, junk))["id"] == 1
