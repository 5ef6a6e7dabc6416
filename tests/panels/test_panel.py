"""A panel's data: its queries run for what is chosen, and an error of one hurts nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from apps.accounts.scope import TeamScope
from apps.panels.document import read_dashboard
from apps.panels.opening import Asked, Viewer, open_dashboard
from apps.panels.panel import Answer, ask_panel, variables_of
from apps.panels.run import Who
from tests.panels.conftest import ME

pytestmark = pytest.mark.django_db(databases=["default", "source"])

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOST = {"name": "host", "type": "custom", "query": "rack-1,rack-2", "multi": True, "includeAll": True}


def target(sql: str, name: str = "A", **fields: Any) -> dict[str, Any]:
    return {"refId": name, "rawSql": sql, "format": "table", **fields}


def panel(*targets: dict[str, Any], number: int = 1, **fields: Any) -> dict[str, Any]:
    return {"id": number, "type": "table", "title": "", "targets": list(targets), **fields}


def answer(
    *panels: dict[str, Any], variables: tuple[dict[str, Any], ...] = (HOST,), who: Who = ME, points: int = 500,
    asked: Asked | None = None,
) -> Answer:  # fmt: skip
    """The first panel of a dashboard, asked for with the variables that matter to it."""
    body = {"uid": "lab", "title": "Lab", "schemaVersion": 41, "time": {"from": "now-1h", "to": "now"}}
    document = read_dashboard({**body, "panels": list(panels), "templating": {"list": list(variables)}})
    first = document.panels[0]
    opened = open_dashboard(document, asked or Asked(), Viewer(who), now=NOW, only=variables_of(document, first))
    return ask_panel(opened, first, max_data_points=points)


def values(found: Answer) -> list[list[Any]]:
    assert found.failures == ()
    return [field.values for frame in found.frames for field in frame.fields]


def test_the_queries_become_frames_and_say_how_they_ran() -> None:
    found = answer(panel(target("SELECT 1 AS n"), target("SELECT 'x' AS word", "B")))
    assert values(found) == [[1], ["x"]]
    assert [(ran.ref_id, ran.sql, ran.rows) for ran in found.ran] == [
        ("A", "SELECT 1 AS n", 1),
        ("B", "SELECT 'x' AS word", 1),
    ]
    assert found.ms >= sum(ran.ms for ran in found.ran) > 0


def test_an_error_of_one_query_leaves_the_others() -> None:
    found = answer(panel(target("SELECT 1 AS n"), target("SELECT nothing", "B")))
    [failure] = found.failures
    assert (failure.ref_id, failure.kind, failure.text, failure.position) == (
        "B",
        "sql",
        'column "nothing" does not exist',
        8,
    )
    assert [frame.ref_id for frame in found.frames] == ["A"]
    assert [ran.ref_id for ran in found.ran] == ["A", "B"]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT $__timeGrp(t, '5m')", "Unknown macro $__timeGrp."),
        ("SELECT 'open", "never closed"),
        ("SELECT 1; DROP TABLE x", "statement"),
        ("DELETE FROM x", ""),
    ],
)
def test_what_cannot_run_is_a_failure_and_never_an_exception(sql: str, said: str) -> None:
    [failure] = answer(panel(target(sql))).failures
    assert said in failure.text


def test_hidden_and_empty_queries_do_not_run() -> None:
    assert answer(panel(target("SELECT nothing", hide=True), target("", "B"))).ran == ()


def test_variables_are_filled_into_queries_titles_names_and_transformations() -> None:
    rename = {"id": "organize", "options": {"renameByName": {"n": "on ${host:text}"}}}
    found = answer(
        panel(target("SELECT count(*) AS n FROM unnest(ARRAY[$host]) h"), title="$host", transformations=[rename]),
        asked=Asked(values={"host": ["rack-1", "rack-2"]}),
    )
    assert values(found) == [[2]]
    assert (found.title, found.frames[0].fields[0].display_name) == ("rack-1 + rack-2", "on rack-1 + rack-2")


def test_a_panel_may_have_a_range_and_an_interval_of_its_own() -> None:
    own = panel(
        target("SELECT $__timeFrom() AS a, $__timeTo() AS b, '$__interval' AS step"), timeFrom="10m", timeShift="1d",
        interval="2m",
    )  # fmt: skip
    assert values(answer(own)) == [["2026-02-28T11:50:00Z"], ["2026-02-28T12:00:00Z"], ["2m"]]


def test_what_is_wrong_with_them_is_a_notice() -> None:
    found = answer(panel(target("SELECT '$__interval' AS step"), timeShift="soon", interval="often"))
    assert values(found) == [["1m"]]
    assert [notice.split("'s ")[1].split(" has")[0] for notice in found.notices] == ["timeShift", "interval"]


def test_points_decide_on_the_interval_down_to_a_minute() -> None:
    sql = target("SELECT '$__interval' AS step")
    assert values(answer(panel(sql), points=10)) == [["5m"]]
    assert values(answer(panel(sql), points=1000)) == [["1m"]]
    assert values(answer(panel(sql, maxDataPoints=2), points=1000)) == [["30m"]]


def test_gaps_of_a_series_are_filled_as_its_macro_says() -> None:
    sql = "SELECT $__timeGroupAlias(t, '20m', 7), 1 AS v FROM (VALUES (timestamptz '2026-03-01 11:25Z')) q(t)"
    found = answer(panel(target(sql, format="time_series"), type="timeseries"))
    assert values(found)[1] == [7, 1, 7, 7]


def test_a_series_without_times_says_so() -> None:
    [failure] = answer(panel(target("SELECT 1 AS v", format="time_series"))).failures
    assert 'column named "time"' in failure.text


def test_a_query_that_asks_something_else_than_the_database_is_named() -> None:
    mixed = {"uid": "-- Mixed --"}
    other = target("", "B", datasource={"type": "prometheus", "uid": "p"})
    found = answer(
        panel(target("SELECT 1 AS n", datasource={"uid": "pg", "type": "postgres"}), other, datasource=mixed)
    )
    assert values(found) == [[1]]
    assert found.notices == ("Query B asks a data source of type prometheus, which the portal lacks.",)


def test_a_panel_can_show_the_rows_of_another_one_with_its_variables() -> None:
    first = {"id": "limit", "options": {"limitField": 1}}
    lender = panel(target("SELECT * FROM unnest(ARRAY[$host]) AS h"), number=2, transformations=[first])
    source = {"type": "datasource", "uid": "-- Dashboard --"}
    plain = panel({"refId": "A", "panelId": 2}, datasource=source)
    assert values(answer(plain, lender)) == [["rack-1", "rack-2"]]
    changed = panel({"refId": "A", "panelId": 2, "withTransforms": True}, datasource=source)
    assert values(answer(changed, lender)) == [["rack-1"]]


@pytest.mark.parametrize("number", [1, 9])
def test_borrowing_from_itself_or_from_nobody_is_a_failure(number: int) -> None:
    source = {"type": "datasource", "uid": "-- Dashboard --"}
    [failure] = answer(panel({"refId": "A", "panelId": number}, datasource=source)).failures
    assert "another panel" in failure.text or "this one's" in failure.text


def test_a_variable_without_values_is_named_by_the_panels_that_need_it() -> None:
    broken = {"name": "device", "type": "query", "refresh": 1, "query": "SELECT nothing"}
    [failure] = answer(panel(target("SELECT '$device'")), variables=(broken,)).failures
    assert (failure.kind, failure.text) == ("sql", 'The variable device has no values. column "nothing" does not exist')
    assert values(answer(panel(target("SELECT 1")), variables=(broken,))) == [[1]]


def test_what_is_left_out_is_told() -> None:
    found = answer(panel(target("SELECT 1 AS n"), transformations=[{"id": "magic", "options": {}}]))
    assert values(found) == [[1]]
    assert "'magic'" in found.notices[0]


def test_who_sees_some_teams_only_is_refused_where_rows_cannot_be_kept_apart(settings: Settings) -> None:
    settings.SOURCE_ACCESS = "read"
    limited = Who("alice", TeamScope(team_ids=frozenset({UUID(int=1)})))
    [failure] = answer(panel(target("SELECT 1")), who=limited).failures
    assert failure.kind == "refused"


def test_what_was_just_asked_is_shown_again_with_its_age() -> None:
    first, second = answer(panel(target("SELECT random() AS r"))), answer(panel(target("SELECT random() AS r")))
    assert values(first) == values(second)
    assert second.age_seconds > first.age_seconds == 0


def test_values_in_addresses_are_encoded_and_the_whole_query_of_a_dashboard_is_not() -> None:
    odd = {"name": "host", "type": "custom", "query": "a&b/c"}
    asked = Asked(values={"host": ["a&b/c"]})
    found = answer(panel(target("SELECT '$__all_variables'")), variables=(odd,), asked=asked)
    assert found.address("/x?h=$host&${__all_variables}") == "/x?h=a%26b%2Fc&var-host=a%26b%2Fc"
    assert found.address("/x?$__url_time_range") == "/x?from=now-1h&to=now"
    assert found.text("${host}") == "a&b/c"


def test_a_library_panel_is_shown_as_such() -> None:
    found = answer({"id": 1, "title": "", "libraryPanel": {"uid": "u", "name": "Uptime"}})
    assert found.notices == ("This is the library panel Uptime, which is not part of the dashboard's document.",)
