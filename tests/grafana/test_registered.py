"""The queries of the registry's dashboards, as a viewer's are held against them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Dashboard
from apps.grafana import registered
from apps.grafana.models import GrafanaInstance, Placement
from apps.grafana.registered import RegisteredQueries, queries_in

pytestmark = pytest.mark.django_db


def panel(number: int, sql: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "type": "table", "title": "t", "targets": [{"refId": "A", "rawSql": sql}], **more}


def body(uid: str = "one", *panels: dict[str, Any]) -> dict[str, Any]:
    return {
        "uid": uid,
        "title": uid,
        "schemaVersion": 41,
        "panels": [
            panel(1, "SELECT a FROM t WHERE host IN ($host)"),
            {"id": 2, "type": "row", "collapsed": True, "panels": [panel(3, "SELECT in_a_row")]},
            *panels,
        ],
        "templating": {
            "list": [
                {"name": "host", "type": "query", "query": "SELECT host FROM t WHERE x = '$other'", "multi": True},
                {"name": "other", "type": "query", "query": {"rawSql": "SELECT other", "refId": "v"}},
                {"name": "typed", "type": "textbox", "query": "SELECT typed"},
            ]
        },
        "annotations": {"list": [{"name": "a", "enable": True, "rawQuery": "SELECT noted"}]},
    }


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "KEEP", 0.0)


def test_all_that_a_dashboard_asks_is_known() -> None:
    import_dashboard(body())
    known = RegisteredQueries()
    for sql in (
        "SELECT a FROM t WHERE host IN ('x','y')",
        "SELECT in_a_row",
        "SELECT host FROM t WHERE x = 'b'",
        "SELECT other",
        "SELECT noted",
    ):
        assert known.has(sql), sql
    for sql in ("SELECT a FROM t", "SELECT typed", "SELECT 1", "", "SELECT a FROM t WHERE host IN (secret)"):
        assert not known.has(sql), sql


def test_changes_of_the_registry_are_seen() -> None:
    row = import_dashboard(body()).dashboard
    known = RegisteredQueries()
    assert not known.has("SELECT later")
    import_dashboard(body("one", panel(9, "SELECT later")))
    assert known.has("SELECT later")
    Dashboard.objects.filter(pk=row.pk).update(enabled=False)
    assert not known.has("SELECT later")
    assert not known.has("SELECT in_a_row")


def test_what_was_last_sent_counts_until_the_next_sync() -> None:
    row = import_dashboard(body("one", panel(9, "SELECT earlier"))).dashboard
    assert row.current is not None
    instance = GrafanaInstance.objects.create(name="g", address="http://127.0.0.1:3000")
    Placement.objects.create(dashboard=row, instance=instance, sent=row.current.stored)
    import_dashboard(body("one", panel(9, "SELECT later")))
    known = RegisteredQueries()
    assert known.has("SELECT earlier")
    assert known.has("SELECT later")
    Dashboard.objects.filter(pk=row.pk).update(enabled=False)
    assert not known.has("SELECT earlier")


def test_a_library_panels_model_counts() -> None:
    library = {"id": 5, "libraryPanel": {"uid": "l", "name": "l", "model": panel(5, "SELECT from_library")}}
    assert "SELECT from_library" in set(queries_in(body("one", library)))


def test_asking_again_costs_one_query(django_assert_num_queries: Any) -> None:
    import_dashboard(body())
    known = RegisteredQueries()
    known.has("SELECT 1")
    with django_assert_num_queries(1):
        known.has("SELECT a FROM t WHERE host IN ('x')")


def test_within_a_second_it_costs_none(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    import_dashboard(body())
    known = RegisteredQueries()
    known.has("SELECT 1")
    monkeypatch.setattr(registered, "KEEP", 60.0)
    context: CaptureQueriesContext
    with django_assert_num_queries(0) as context:
        for number in range(100):
            assert known.has(f"SELECT a FROM t WHERE host IN ({number})")
    assert not context.captured_queries


def test_odd_documents_have_no_queries() -> None:
    odd: list[Any] = [{}, [], None, {"templating": []}, {"templating": {"list": [1, {"type": "query", "query": 3}]}}]
    assert [list(queries_in(one)) for one in odd] == [[], [], [], [], []]
