"""A dashboard document becomes values; what is wrong in it is told by its path, and hurts nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.panels.datasource import DataSource
from apps.panels.document import Grid, InvalidDocumentError, Library, TimeSettings, read_dashboard
from apps.panels.json_reader import Problem


def document(*panels: object, **fields: object) -> dict[str, Any]:
    return {"uid": "u", "title": "Lab", "schemaVersion": 42, "panels": list(panels), **fields}


def test_everything_that_a_page_needs_is_read() -> None:
    source = {"type": "grafana-postgresql-datasource", "uid": "db"}
    dashboard = read_dashboard(
        document(
            {
                "id": 3,
                "type": "timeseries",
                "title": "Load",
                "description": "Per host",
                "gridPos": {"x": 6, "y": 2, "w": 18, "h": 9},
                "datasource": source,
                "targets": [
                    {"refId": "A", "rawSql": "SELECT 1", "format": "table", "datasource": source},
                    {"refId": "B", "rawSql": "SELECT 2", "format": "time_series", "hide": True},
                    {"refId": "C", "rawSql": "SELECT 3"},
                ],
                "fieldConfig": {"defaults": {"unit": "ms"}, "overrides": []},
                "options": {"legend": {"showLegend": True}},
                "transformations": [{"id": "organize", "options": {}}],
                "interval": "1m",
                "maxDataPoints": "200",
                "timeFrom": "2h",
                "timeShift": "1d",
                "links": [{"title": "More", "url": "/d/x", "targetBlank": True}],
                "repeat": "host",
                "repeatDirection": "v",
                "maxPerRow": 3,
            },
            tags=["a", "b"],
            time={"from": "now-7d", "to": "now-1d"},
            refresh="30s",
            timezone="utc",
            graphTooltip=1,
            templating={"list": [{"name": "host", "type": "custom", "query": "a,b"}]},
            annotations={"list": [{"name": "Built in", "builtIn": 1, "hide": True}]},
        )
    )
    assert dashboard.problems == ()
    assert (dashboard.uid, dashboard.title, dashboard.tags) == ("u", "Lab", ("a", "b"))
    assert (dashboard.time, dashboard.refresh, dashboard.timezone) == (TimeSettings("now-7d", "now-1d"), "30s", "utc")
    assert dashboard.shared_crosshair
    assert [each.name for each in dashboard.variables] == ["host"]
    assert [(each.name, each.built_in, each.hidden) for each in dashboard.annotations] == [("Built in", True, True)]
    panel = dashboard.panel(3)
    assert panel is not None
    assert (panel.type, panel.title, panel.grid) == ("timeseries", "Load", Grid(6, 2, 18, 9))
    assert panel.datasource == DataSource("grafana-postgresql-datasource", "db")
    assert [(t.ref_id, t.raw_sql, t.format, t.hide) for t in panel.targets] == [
        ("A", "SELECT 1", "table", False),
        ("B", "SELECT 2", "time_series", True),
        ("C", "SELECT 3", "time_series", False),
    ]
    assert (panel.interval, panel.max_data_points, panel.time_from, panel.time_shift) == ("1m", 200, "2h", "1d")
    assert (panel.repeat, panel.repeat_direction, panel.max_per_row) == ("host", "v", 3)
    assert [(link.title, link.url, link.new_tab) for link in panel.links] == [("More", "/d/x", True)]
    assert panel.field_config["defaults"] == {"unit": "ms"}
    assert [step["id"] for step in panel.transformations] == ["organize"]


def test_what_a_document_leaves_out_has_grafanas_defaults() -> None:
    dashboard = read_dashboard({"title": "t", "panels": [{"type": "stat"}]})
    assert (dashboard.time, dashboard.refresh, dashboard.timezone) == (TimeSettings("now-6h", "now"), "", "browser")
    (panel,) = dashboard.panels
    assert (panel.id, panel.grid, panel.targets, panel.max_data_points) == (1, Grid(0, 0, 12, 8), (), None)
    assert dashboard.problems == ()


def test_panels_inside_a_closed_row_belong_to_it() -> None:
    row = {"id": 1, "type": "row", "collapsed": True, "panels": [{"id": 2, "type": "stat"}], "repeat": "host"}
    dashboard = read_dashboard(document(row, {"id": 3, "type": "table"}))
    assert [panel.id for panel in dashboard.all_panels()] == [2, 3]
    assert dashboard.panels[0].is_row
    assert dashboard.panels[0].collapsed
    inside = dashboard.panel(2)
    assert inside is not None
    assert inside.type == "stat"


def test_a_library_panel_is_shown_as_such() -> None:
    (panel,) = read_dashboard(document({"id": 1, "libraryPanel": {"uid": "l", "name": "Shared"}})).panels
    assert (panel.type, panel.library) == ("library", Library("l", "Shared"))


@pytest.mark.parametrize(
    "wrapped",
    [
        {"dashboard": document(), "meta": {"slug": "x"}},
        {"apiVersion": "dashboard.grafana.app/v1beta1", "metadata": {"name": "u"}, "spec": document()},
        {"apiVersion": "dashboard.grafana.app/v1beta1", "metadata": {"name": "u"}, "spec": document(uid=None)},
    ],
)
def test_envelopes_are_opened(wrapped: dict[str, Any]) -> None:
    assert (read_dashboard(wrapped).uid, read_dashboard(wrapped).title) == ("u", "Lab")


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (None, ""),
        ([1], ""),
        ({}, "panels"),
        ({"title": "t", "panels": {}}, "panels"),
        ({"title": "t", "elements": {}, "layout": {}}, "elements"),
        ({"apiVersion": "dashboard.grafana.app/v2beta1", "spec": {"elements": {}, "layout": {}}}, "elements"),
        ({"apiVersion": "v1", "spec": 3}, "spec"),
        (document(*({"type": "stat"} for _ in range(1001))), "panels"),
    ],
)
def test_what_is_no_dashboard_is_refused_with_the_reason(wrong: object, path: str) -> None:
    with pytest.raises(InvalidDocumentError) as refused:
        read_dashboard(wrong)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_each_wrong_part_is_named_and_the_rest_is_read() -> None:
    dashboard = read_dashboard(
        document(
            {"id": 1, "type": "stat", "title": 5, "gridPos": {"w": "wide"}, "targets": [{"refId": "A", "rawSql": {}}]},
            "no panel",
            {"id": 1, "type": "table", "targets": [{"refId": "A"}, {"refId": "A"}]},
            {"id": 9},
            title=" ",
            templating={"list": [{"type": "query"}, {"name": "x", "type": "custom"}, {"name": "x"}]},
            time=[],
        )
    )
    assert [(problem.path, problem.severity) for problem in dashboard.problems] == [
        ("time", "error"),
        ("title", "error"),
        ("panels[1]", "error"),
        ("panels[2].id", "error"),
        ("panels[0].gridPos.w", "error"),
        ("panels[0].targets[0].rawSql", "error"),
        ("panels[2].targets[1].refId", "error"),
        ("panels[3].type", "error"),
        ("templating.list[0].name", "error"),
        ("templating.list[2].name", "error"),
    ]
    assert [panel.id for panel in dashboard.panels] == [1, 10, 9]
    assert dashboard.panels[0].title == "5"
    assert [target.ref_id for target in dashboard.panels[1].targets] == ["A", "B"]
    assert str(dashboard.problems[2]) == "panels[1]: This is text, not an object"


def test_old_documents_are_read_with_a_word_of_warning() -> None:
    assert read_dashboard(document(schemaVersion=36)).problems == ()
    (warning,) = read_dashboard(document(schemaVersion=30)).problems
    assert (warning.path, warning.severity) == ("schemaVersion", "warning")
    assert read_dashboard(document(schemaVersion=30)).schema_version == 30
    (error,) = read_dashboard({"title": "t", "rows": [], "schemaVersion": 12}).problems
    assert (error.path, error.severity) == ("schemaVersion", "error")


def test_a_document_is_left_as_it_was() -> None:
    body = document({"id": 1, "type": "table", "fieldConfig": {"defaults": {"custom": {"displayMode": "lcd-gauge"}}}})
    body["schemaVersion"] = 20
    before = json.dumps(body)
    read_dashboard(body)
    assert json.dumps(body) == before


_NAMES = st.sampled_from([
    "id", "type", "title", "panels", "targets", "rawSql", "refId", "format", "gridPos", "x", "y", "w", "h", "list",
    "templating", "name", "query", "current", "value", "text", "options", "fieldConfig", "defaults", "overrides",
    "properties", "mappings", "thresholds", "steps", "links", "datasource", "uid", "annotations", "time", "from",
    "refresh", "tags", "repeat", "maxPerRow", "minSpan", "transformations", "custom", "legend", "hideFrom",
])  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 60) | st.floats(allow_nan=False) | st.sampled_from(["", "row", "a"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=30,
)


@given(st.dictionaries(_NAMES, _JSON, max_size=8), st.lists(_JSON, max_size=4), st.integers(0, 50))
def test_no_document_makes_the_reader_fail(fields: dict[str, Any], panels: list[Any], version: int) -> None:
    dashboard = read_dashboard({**fields, "panels": panels, "schemaVersion": version})
    ids = [each.id for panel in dashboard.panels for each in (panel, *panel.children)]
    assert len(set(ids)) == len(ids)
    assert all(isinstance(problem, Problem) for problem in dashboard.problems)
