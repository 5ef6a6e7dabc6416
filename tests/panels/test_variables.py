"""Options come from where the document says, and only what is among them can be chosen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.panels.document import read_dashboard
from apps.panels.timerange import TimeRange
from apps.panels.variables import (
    ALL,
    Authored,
    Option,
    UnknownValueError,
    Variable,
    choose,
    circular,
    follow_range,
    in_order,
    options_from_rows,
    static_options,
)

HOST = Variable("host", "query", multi=True, include_all=True)
OPTIONS = (Option("Host one", "host-1"), Option("Host two", "host-2"))


def declared(**fields: Any) -> Variable:
    document = {"title": "t", "schemaVersion": 41, "panels": [], "templating": {"list": [{"name": "v", **fields}]}}
    (variable,) = read_dashboard(document).variables
    return variable


def texts(options: tuple[Option, ...]) -> list[str]:
    return [option.text for option in options]


def test_the_options_that_an_author_writes() -> None:
    custom = declared(type="custom", query="a, b\\,c , Label : value,1")
    assert static_options(custom) == (
        Option("a", "a"), Option("b,c", "b,c"), Option("Label", "value"), Option("1", "1"),
    )  # fmt: skip
    assert static_options(declared(type="constant", query="x, y")) == (Option("x, y", "x, y"),)
    assert static_options(declared(type="textbox", query="typed")) == (Option("typed", "typed"),)
    interval = declared(type="interval", query="1m,10m", auto=True)
    assert [option.value for option in static_options(interval)] == ["$__auto_interval_v", "1m", "10m"]


def test_a_query_gives_options_from_every_column_or_from_those_named_so() -> None:
    rows: list[tuple[object, ...]] = [("b", 1), ("a", None), ("b", 2.0), (None, True)]
    assert texts(options_from_rows(HOST, ["x", "y"], rows)) == ["b", "1", "a", "2", "true"]
    found = options_from_rows(HOST, ["__value", "__text"], [(7, "seven"), (8, "seven"), (None, "none")])
    assert found == (Option("seven", "7"), Option("none", "none"))


@pytest.mark.parametrize(
    ("regex", "found"),
    [
        ("/host-(\\d+)/", [("1", "1"), ("2", "2")]),
        ("host-1", [("host-1", "host-1")]),
        ("/HOST-1$/i", [("host-1", "host-1")]),
        ("/(?<text>\\w+)-(?<value>\\d)/", [("host", "1")]),
        ("/(?<value>\\d)/", [("1", "1"), ("2", "2")]),
        ("/o(.)/g", [("s", "s"), ("x", "x")]),
        ("/nothing/", []),
    ],
)
def test_a_regex_cuts_what_it_finds(regex: str, found: list[tuple[str, str]]) -> None:
    rows = [("host-1",), ("host-2 box",)]
    got = options_from_rows(replace(HOST, regex=regex), ["name"], rows)
    assert [(option.text, option.value) for option in got] == found


def test_a_regex_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        options_from_rows(replace(HOST, regex="/(/"), ["name"], [("a",)])


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (0, ["b10", "B9", "a2", "c"]),
        (1, ["B9", "a2", "b10", "c"]),
        (2, ["c", "b10", "a2", "B9"]),
        (3, ["c", "a2", "B9", "b10"]),
        (4, ["b10", "B9", "a2", "c"]),
        (5, ["a2", "b10", "B9", "c"]),
        (6, ["c", "B9", "b10", "a2"]),
        (7, ["a2", "B9", "b10", "c"]),
        (8, ["c", "b10", "B9", "a2"]),
    ],
)
def test_options_are_sorted(sort: int, order: list[str]) -> None:
    rows = [("b10",), ("B9",), ("a2",), ("c",)]
    assert texts(options_from_rows(replace(HOST, sort=sort), ["name"], rows)) == order


def test_values_and_texts_of_an_address_choose() -> None:
    chosen = choose(HOST, OPTIONS, ["host-2", "Host one", "host-2"])
    assert chosen.values == ("host-2", "host-1")
    assert (chosen.is_list, chosen.quotes, chosen.is_all) == (True, True, False)
    assert chosen.url_values == ("host-2", "host-1")


@pytest.mark.parametrize(
    ("variable", "requested"),
    [
        (HOST, ["host-3"]),
        (HOST, ["host-1", "' OR 1=1 --"]),
        (HOST, ["host-1\0"]),
        (replace(HOST, multi=False), ["host-1", "host-2"]),
        (replace(HOST, include_all=False), [ALL]),
        (Variable("host", "custom"), ["other"]),
        (Variable("host", "textbox"), ["x" * 10_001]),
        (Variable("host", "textbox"), ["\ud800"]),
    ],
)
def test_what_is_no_option_is_refused_by_the_parameters_name(variable: Variable, requested: list[str]) -> None:
    with pytest.raises(UnknownValueError) as caught:
        choose(variable, OPTIONS, requested)
    assert caught.value.parameter == "var-host"


@pytest.mark.parametrize("variable", [Variable("host", "textbox"), replace(HOST, allow_custom=True)])
def test_what_people_may_type_is_a_value_like_any_other(variable: Variable) -> None:
    chosen = choose(variable, OPTIONS, ["' OR 1=1 --"])
    assert chosen.values == ("' OR 1=1 --",)
    assert chosen.authored is Authored.NO


def test_all_is_every_option_or_the_authors_own_text() -> None:
    for requested in ([ALL], ["All"], None):
        chosen = choose(HOST, OPTIONS, requested)
        assert chosen.is_all
        assert chosen.values == ("host-1", "host-2")
        assert chosen.url_values == (ALL,)
    assert choose(replace(HOST, all_value=".*"), OPTIONS, [ALL]).custom_all == ".*"


def test_without_an_address_the_document_chooses_what_is_still_there() -> None:
    single = Variable("host", "query", current=(Option("Host two", "host-2"),))
    assert choose(single, OPTIONS).values == ("host-2",)
    assert choose(replace(single, current=(Option("old", "gone"),)), OPTIONS).values == ("host-1",)
    assert choose(single, ()).values == ()
    gone = replace(HOST, current=(Option("old", "gone"), Option("Host two", "host-2")))
    assert choose(gone, OPTIONS).values == ("host-2",)


def test_nothing_chosen_is_an_empty_list() -> None:
    for requested in ([], [""]):
        chosen = choose(HOST, OPTIONS, requested)
        assert chosen.values == ()
        assert not chosen.is_all
    assert choose(HOST, ()).values == ()


def test_a_constant_and_what_keeps_out_of_the_address_cannot_be_chosen() -> None:
    constant = declared(type="constant", query="x")
    assert choose(constant, static_options(constant), ["y"]).values == ("x",)
    hidden = replace(HOST, skip_url=True, current=(Option("Host two", "host-2"),))
    assert choose(hidden, OPTIONS, ["host-1"]).values == ("host-2",)


def test_an_interval_follows_the_range() -> None:
    variable = declared(type="interval", query="1m,10m", auto=True, auto_count=10, auto_min="10s")
    chosen = choose(variable, static_options(variable), ["$__auto_interval_v"])
    start = datetime(2026, 3, 1, tzinfo=UTC)
    assert follow_range(variable, chosen, TimeRange(start, start + timedelta(hours=1), "", "")).values == ("5m",)
    assert follow_range(variable, chosen, TimeRange(start, start + timedelta(seconds=9), "", "")).values == ("10s",)
    fixed = choose(variable, static_options(variable), ["10m"])
    assert follow_range(variable, fixed, TimeRange(start, start + timedelta(hours=1), "", "")) == fixed


def test_variables_come_after_those_that_they_use() -> None:
    device = Variable("device", "query", query="SELECT name FROM device WHERE h IN ($host) AND team = '[[team:csv]]'")
    host = Variable("host", "query", query="SELECT name FROM hosts WHERE team = '${team}'")
    team = Variable("team", "query", query="SELECT name FROM teams")
    by_regex = Variable("model", "query", query="SELECT name FROM device_models", regex="/$device/")
    ordered = in_order([by_regex, device, host, team])
    assert [variable.name for variable in ordered] == ["team", "host", "device", "model"]
    assert circular(ordered) == ()


def test_a_circle_of_variables_is_told_and_does_not_hang() -> None:
    one = Variable("one", "query", query="SELECT '$two'")
    two = Variable("two", "query", query="SELECT '$one'")
    alone = Variable("alone", "query", query="SELECT '$alone'")
    after = Variable("after", "query", query="SELECT '$two'")
    assert {variable.name for variable in in_order([after, one, two, alone])} == {"one", "two", "alone", "after"}
    assert circular([after, one, two, alone]) == ("one", "two", "alone")
