"""A dashboard opened for a viewer: the range, the variables' options, what is chosen, and what is asked wrongly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.panels.document import read_dashboard
from apps.panels.opening import Asked, Fault, Opened, Viewer, open_dashboard
from tests.panels.conftest import ME

pytestmark = pytest.mark.django_db(databases=["default", "source"])

NOW = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)
HOSTS = {
    "name": "host", "type": "query", "refresh": 1, "multi": True, "includeAll": True,
    "query": "SELECT * FROM (VALUES ('rack-1'), ('rack-2')) h(name)",
}  # fmt: skip
DEVICES = {"name": "device", "type": "query", "refresh": 1, "query": "SELECT h || '/tv' FROM unnest(ARRAY[$host]) h"}
BROKEN = {"name": "broken", "type": "query", "refresh": 1, "query": "SELECT nothing FROM nowhere"}


def opened(
    *variables: dict[str, Any], asked: Asked | None = None, only: list[str] | None = None, now: datetime = NOW,
    **fields: Any,
) -> Opened:  # fmt: skip
    body = {"uid": "lab", "title": "Lab", "panels": [], "schemaVersion": 41, "templating": {"list": list(variables)}}
    document = read_dashboard({**body, "time": {"from": "now-1h", "to": "now"}, **fields})
    return open_dashboard(document, asked or Asked(), Viewer(ME), now=now, only=only)


def test_the_dashboards_own_range_and_choice_are_taken() -> None:
    found = opened(HOSTS)
    assert (found.range.raw_from, found.range.raw_to, found.faults) == ("now-1h", "now", ())
    assert [option.value for option in found.options["host"]] == ["rack-1", "rack-2"]
    assert found.selections["host"].is_all


def test_those_who_look_in_the_same_seconds_ask_for_the_same_range() -> None:
    first, second = opened(now=NOW), opened(now=NOW + timedelta(seconds=0.9))
    assert (first.range.start, first.range.end) == (second.range.start, second.range.end)
    assert 0 <= (NOW - first.range.end).total_seconds() < first.keep_seconds


def test_days_are_those_of_the_viewers_zone() -> None:
    found = opened(asked=Asked("now/d", "now/d", "Asia/Tokyo"))
    assert found.range.start == datetime(2026, 3, 1, 15, tzinfo=UTC) - timedelta(days=1)


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        (Asked(from_="yesterday"), "from"),
        (Asked(to="never"), "to"),
        (Asked(from_="now", to="now-1h"), "from"),
        (Asked(zone="Mars/Olympus"), "tz"),
        (Asked(values={"host": ["rack-9"]}), "var-host"),
        (Asked(scoped={"host": "rack-9"}), "scope-host"),
    ],
)
def test_what_is_asked_wrongly_is_named_and_the_default_stands(asked: Asked, parameter: str) -> None:
    found = opened(HOSTS, asked=asked)
    assert [fault.parameter for fault in found.faults] == [parameter]
    assert found.selections["host"].is_all
    assert found.range.start < found.range.end


def test_a_variable_follows_the_one_that_its_query_names() -> None:
    found = opened(DEVICES, HOSTS, asked=Asked(values={"host": ["rack-2"]}))
    assert [option.value for option in found.options["device"]] == ["rack-2/tv"]
    assert found.selections["device"].values == ("rack-2/tv",)


def test_a_value_with_quotes_chooses_and_stays_a_value() -> None:
    names = {**HOSTS, "query": "SELECT 'it''s; DROP TABLE x --'"}
    found = opened(DEVICES, names, asked=Asked(values={"host": ["it's; DROP TABLE x --"]}))
    assert found.faults == ()
    assert [option.value for option in found.options["device"]] == ["it's; DROP TABLE x --/tv"]


def test_only_what_matters_is_filled_in() -> None:
    found = opened(BROKEN, DEVICES, HOSTS, only=["device"], asked=Asked(values={"broken": ["what"]}))
    assert set(found.selections) == {"device", "host"}
    assert (found.faults, found.troubles) == ((), {})


def test_a_broken_query_leaves_its_variable_without_values_and_says_so() -> None:
    found = opened(BROKEN, HOSTS)
    assert found.troubles == {"broken": 'relation "nowhere" does not exist'}
    assert (found.options["broken"], found.selections["broken"].values) == ((), ())
    assert found.selections["host"].is_all


def test_a_copy_of_a_repeated_panel_has_its_own_value() -> None:
    found = opened(HOSTS, asked=Asked(values={"host": ["$__all"]}, scoped={"host": "rack-2"}))
    assert found.selections["host"].values == ("rack-2",)


def test_options_that_the_document_keeps_need_no_query() -> None:
    kept = {**BROKEN, "refresh": 0, "options": [{"text": "One", "value": "1"}]}
    found = opened(kept)
    assert (found.troubles, found.selections["broken"].values) == ({}, ("1",))


def test_an_interval_that_follows_the_range_is_worked_out() -> None:
    auto = {
        "name": "step", "type": "interval", "query": "1m,1h", "auto": True, "auto_count": 10, "auto_min": "10s",
        "current": {"text": "auto", "value": "$__auto_interval_step"},
    }  # fmt: skip
    assert opened(auto).selections["step"].values == ("5m",)


def test_a_reference_to_a_data_source_is_the_portals_whatever_is_asked() -> None:
    source = {
        "name": "ds", "type": "datasource", "query": "postgres", "current": {"text": "portal", "value": "portal"}
    }  # fmt: skip
    found = opened(source, asked=Asked(values={"ds": ["another"]}))
    assert (found.faults, found.selections["ds"].values) == ((), ("portal",))


def test_a_kind_that_cannot_be_filled_in_is_left_alone() -> None:
    found = opened({"name": "filters", "type": "adhoc"})
    assert (dict(found.selections), found.troubles) == ({}, {})


def test_faults_are_told_for_people() -> None:
    [fault] = opened(HOSTS, asked=Asked(values={"host": ["rack-9"]})).faults
    assert fault == Fault("var-host", "'rack-9' is not among the values of host")
