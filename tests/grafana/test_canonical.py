"""The cases that every tool gets some of wrong: what is a change, and what only a server's way of writing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.grafana.canonical import canonical, digest, same, unnumbered

Body = dict[str, Any]


def ours(**fields: Any) -> Body:
    """A dashboard as the registry has it: a panel, a row with one inside, a library panel, a variable."""
    return {
        "uid": "lab",
        "title": "Lab",
        "tags": ["lab"],
        "schemaVersion": 39,
        "panels": [
            {
                "id": 1,
                "type": "stat",
                "title": "Runs",
                "fieldConfig": {
                    "defaults": {"thresholds": {"mode": "absolute", "steps": [{"color": "green"}]}, "min": 8}
                },
            },
            {"id": 2, "type": "row", "title": "More", "collapsed": True, "panels": [{"id": 3, "type": "table"}]},
            {"id": 4, "gridPos": {"x": 0, "y": 9, "w": 6, "h": 4}, "libraryPanel": {"uid": "lib", "name": "Shared"}},
        ],
        "templating": {"list": [{"name": "host", "type": "query", "current": {"text": "a", "value": "a"}}]},
        **fields,
    }


def server(body: Body) -> Body:
    """The same as a server gives it back."""
    return {**copy.deepcopy(body), "id": 47, "version": 2}


def test_case_1_a_server_numbers_what_nobody_changed() -> None:
    assert same(ours(), server(ours()))


def test_case_2_an_exported_file_still_has_the_numbers_of_another_server() -> None:
    assert same(ours(id=47, version=9), {**server(ours()), "id": 3, "version": 1})


def test_case_3_a_key_that_was_added_is_a_change() -> None:
    assert not same(ours(), {**server(ours()), "refresh": "5s"})


def test_case_4_a_panels_title_is_a_change() -> None:
    live = server(ours())
    live["panels"][0]["title"] = "Executions"
    assert not same(ours(), live)


def test_case_5_a_key_that_was_removed_is_a_change() -> None:
    live = server(ours())
    del live["tags"]
    assert not same(ours(), live)


def test_case_6_an_edit_that_was_undone_is_none() -> None:
    assert same(ours(), {**server(ours()), "version": 3})


def test_case_7_a_panels_id_counts_where_ours_has_one() -> None:
    live = server(ours())
    live["panels"][0]["id"] = 12
    assert not same(ours(), live)
    without = ours()
    del without["panels"][0]["id"]
    assert same(without, live)


def test_case_8_a_panels_id_in_a_row_counts_where_ours_has_one() -> None:
    live = server(ours())
    live["panels"][1]["panels"][0]["id"] = 12
    assert not same(ours(), live)
    without = ours()
    without["panels"][1]["panels"][0]["id"] = None
    assert same(without, live)
    assert unnumbered(without) == {"1.0"}


def test_case_9_a_server_fills_in_what_a_library_panel_is() -> None:
    live = server(ours())
    live["panels"][2] |= {"type": "table", "title": "Shared", "targets": [{"refId": "A"}]}
    live["panels"][2]["libraryPanel"] |= {"meta": {"folderName": "General", "updated": "2026-01-01"}, "type": "table"}
    assert same(ours(), live)
    live["panels"][2]["libraryPanel"]["uid"] = "other"
    assert not same(ours(), live)


def test_case_9_a_library_panel_that_was_moved_is_a_change() -> None:
    live = server(ours())
    live["panels"][2]["gridPos"]["w"] = 12
    assert not same(ours(), live)


def test_case_10_a_server_migrates_the_schema() -> None:
    assert same(ours(), {**server(ours()), "schemaVersion": 41})


def test_case_11_a_server_writes_the_value_of_the_first_threshold() -> None:
    live = server(ours())
    live["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"] = [{"color": "green", "value": None}]
    assert same(ours(), live)
    live["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"] = [{"color": "green", "value": 0}]
    assert not same(ours(), live)


def test_case_12_another_folder_is_a_change() -> None:
    assert same(ours(), server(ours()), folders=("lab", "lab"))
    assert not same(ours(), server(ours()), folders=("lab", ""))


def test_case_13_a_whole_number_may_be_written_as_a_fraction() -> None:
    live = server(ours())
    live["panels"][0]["fieldConfig"]["defaults"]["min"] = 8.0
    assert same(ours(), live)
    live["panels"][0]["fieldConfig"]["defaults"]["min"] = 8.5
    assert not same(ours(), live)


@pytest.mark.parametrize(("values", "expected"), [(True, False), (False, True)])
def test_case_14_a_viewers_value_of_a_variable_counts_by_policy(values: bool, expected: bool) -> None:
    live = server(ours())
    live["templating"]["list"][0]["current"] = {"text": "b", "value": "b"}
    assert same(ours(), live, values=values) is expected
    live["templating"]["list"][0]["query"] = "SELECT 1"
    assert not same(ours(), live, values=values)


def test_true_is_not_one() -> None:
    assert not same(ours(editable=True), server(ours(editable=1)))


def test_a_body_is_left_as_it_was() -> None:
    body = ours(id=4)
    before = copy.deepcopy(body)
    canonical(body, without_ids={"0"}, values=False)
    assert body == before


@pytest.mark.parametrize("panels", [None, {}, "x", [None, 3, {"panels": "x"}, {"libraryPanel": 1, "panels": [None]}]])
def test_a_malformed_body_has_a_form_too(panels: object) -> None:
    body = {"panels": panels, "templating": {"list": [None, {"options": [1]}]}}
    assert same(body, {**body, "version": 2}, values=False)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
bodies = st.dictionaries(st.sampled_from(["title", "panels", "templating", "time", "x"]), json_values)


@given(bodies)
def test_the_form_of_a_form_is_itself(body: Body) -> None:
    assert canonical(canonical(body)) == canonical(body)
    assert digest(canonical(body)) == digest(body)


@given(bodies, json_values)
def test_one_value_more_is_always_a_change(body: Body, value: object) -> None:
    assert not same(body, {**body, "added": value})
