"""What the linter says about a dashboard, and what it keeps quiet about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apps.panels.document import read_dashboard
from apps.panels.lint import lint
from apps.panels.sql_names import missing, names_of

CATALOGUE = {
    "runs": {"id", "host_name", "started_at", "success", "timestamp", "data"},
    "hosts": {"name", "team_id", "created_at"},
}
VARIABLE = {"name": "host", "type": "query", "query": "SELECT name FROM hosts", "multi": True, "includeAll": True}
BOUND = "$__timeFilter(started_at)"


def said(sql: str, *, kind: str = "table", variables: list[dict[str, Any]] | None = None, **panel: Any) -> list[str]:
    target = {"refId": "A", "rawSql": sql, "format": "table"}
    document = {
        "title": "t",
        "schemaVersion": 41,
        "panels": [{"id": 1, "type": kind, "targets": [target], **panel}],
        "templating": {"list": variables or []},
    }
    found = lint(read_dashboard(document), CATALOGUE)
    return [f"{problem.severity} {problem.path}: {problem.text}" for problem in found]


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        (f"SELECT 1 FROM campaigns WHERE {BOUND}", "The database has no table campaigns"),
        (f"SELECT speed FROM runs WHERE {BOUND}", "The database has no column speed"),
        (f"SELECT r.speed FROM runs AS r WHERE {BOUND}", "The database has no column runs.speed"),
        (f"SELECT round(avg(speed)::numeric, 2) AS speedy FROM runs WHERE {BOUND}", "The database has no column speed"),
        ("SELECT count(*) FROM runs", "The query has no time filter: it reads its tables whole"),
        (f"SELECT 1 FROM runs WHERE {BOUND} AND host_name IN ()", "IN () is no SQL"),
        (f"SELECT 1 FROM runs WHERE {BOUND} AND host_name = '$hots'", "There is no variable hots"),
        ("SELECT 1; SELECT 2", "The query holds several statements; a panel runs one"),
        (
            "SELECT 1 FROM runs WHERE $__timeFilter(coalesce(started_at, now()))",
            "$__timeFilter ends at the first parenthesis that closes: its argument can hold none",
        ),
        ("  ", "The query is empty"),
    ],
)
def test_each_fault_is_found_where_it_is(sql: str, finding: str) -> None:
    findings = said(sql)
    assert len(findings) == 1, findings
    assert "panels[0].targets[0].rawSql: " in findings[0]
    assert findings[0].endswith(finding)


def test_a_text_that_is_never_closed_is_told() -> None:
    (finding,) = said("SELECT 'open")
    assert finding.startswith("error panels[0].targets[0].rawSql: ")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        f'SELECT host_name AS "Host", count(*) total FROM runs WHERE {BOUND} GROUP BY 1 ORDER BY total',
        "SELECT * FROM runs WHERE started_at > now() - interval '1 day'",
        "SELECT count(*) FROM pg_catalog.pg_class WHERE reltuples > 5",
        f"WITH a (x, y) AS (SELECT id, success FROM runs WHERE {BOUND}), b AS MATERIALIZED (SELECT x FROM a) "
        "SELECT x, y FROM a JOIN b USING (x)",
        "SELECT h.name, r.n FROM hosts h LEFT JOIN LATERAL (SELECT count(*) AS n FROM runs WHERE host_name = "
        f"h.name AND {BOUND}) r ON true",
        "SELECT extract(epoch FROM started_at), substring(host_name FROM 2), host_name IS DISTINCT FROM 'x' "
        f"FROM public.runs WHERE {BOUND}",
        f"SELECT e.key, e.value ->> 'a' FROM runs, jsonb_each(data) AS e(key, value) WHERE {BOUND}",
        f'SELECT "id", "timestamp", runs.host_name FROM runs -- FROM nothing, speed\nWHERE {BOUND} /* IN () */',
        "SELECT generate_series FROM generate_series($__timeFrom()::timestamptz, $__timeTo()::timestamptz, '1h')",
        f"SELECT t.day, count(*) FROM (SELECT date_trunc('day', started_at) AS day FROM runs WHERE {BOUND}) t "
        "GROUP BY t.day",
        "SELECT CASE WHEN success THEN 'IN ()' ELSE $x$speed $host$x$ END result, id::text::varchar FROM "
        f"runs WHERE {BOUND}",
        f"SELECT sum(1) OVER w, row_number() OVER (PARTITION BY host_name) FROM runs WHERE {BOUND} WINDOW w "
        "AS (ORDER BY id)",
    ],
)
def test_right_queries_are_left_in_peace(sql: str) -> None:
    assert said(sql) == []


def test_idioms_that_break_grafana_are_named_once_each() -> None:
    guard = "'${host:csv}' = '' OR host_name IN ($host) OR host_name IN (${host})"
    sql = f"SELECT 1 FROM runs WHERE {BOUND} AND ({guard})"
    findings = said(sql, variables=[VARIABLE])
    assert [finding.split(" ")[0] for finding in findings] == ["warning", "warning"]
    assert "IN ()" in findings[0]
    assert "apostrophe" in findings[1]
    never_empty = {**VARIABLE, "allValue": "'x'"}
    assert said(f"SELECT 1 FROM runs WHERE {BOUND} AND host_name IN ($host)", variables=[never_empty]) == []


def test_variables_are_judged_too() -> None:
    variables = [
        {"name": "host", "type": "query", "query": "SELECT nmae FROM hosts WHERE name = '$device'"},
        {"name": "device", "type": "query", "query": "SELECT '$host'"},
        {"name": "filter", "type": "adhoc"},
    ]
    assert said("SELECT 1", variables=variables) == [
        "error templating.list[host]: The variable depends on itself",
        "error templating.list[host].query: The database has no column nmae",
        "error templating.list[device]: The variable depends on itself",
        "warning templating.list[filter]: The portal does not fill in variables of type adhoc",
        "warning templating.list[filter]: Nothing uses the variable filter",
    ]


def test_panels_that_cannot_be_drawn_are_named() -> None:
    assert said("SELECT 1", kind="acme-flow-panel", repeat="rack") == [
        "warning panels[0].type: The panel type acme-flow-panel is unknown; its data are shown as a table",
        "error panels[0].repeat: There is no variable rack",
    ]
    assert said("SELECT 1", libraryPanel={"uid": "x", "name": "Shared"}) == [
        "warning panels[0]: The library panel Shared is not part of this document"
    ]
    assert said("SELECT 1", datasource={"type": "prometheus", "uid": "p"}) == [
        "warning panels[0].targets[0].datasource: This query asks no SQL database"
    ]
    assert said("SELECT 1", targets=[]) == ["warning panels[0].targets: The panel asks nothing"]
    assert said("", kind="text", targets=[]) == []


def test_a_column_that_another_table_has_is_missing_from_this_one() -> None:
    tables, columns = missing("SELECT h.id, r.id FROM hosts h, runs r", CATALOGUE)
    assert (tables, columns) == ([], ["hosts.id"])


def test_bare_names_are_not_judged_beside_a_table_that_nobody_knows() -> None:
    found = missing("SELECT speed, h.speed FROM hosts h JOIN other USING (id)", CATALOGUE)
    assert found == (["other"], ["hosts.speed"])


def test_the_names_of_a_query() -> None:
    names = names_of("WITH t AS (SELECT a FROM x) SELECT t.a, y.b, c FROM t JOIN s.y ON true, z AS q")
    assert names.tables == {"x", "y", "z"}
    assert names.qualified == {("t", "a"), ("y", "b")}


@pytest.mark.parametrize("name", ["virtualpytest-overview.json", "system/system-health.json"])
def test_the_dashboards_that_ship_have_no_finding(name: str) -> None:
    path = Path(__file__).parents[2] / "grafana_config" / "dashboards" / name
    assert lint(read_dashboard(json.loads(path.read_text()))) == ()
