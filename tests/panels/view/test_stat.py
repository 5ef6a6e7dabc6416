"""Figures: which values, their names, colours and histories."""

from __future__ import annotations

from typing import Any

from apps.panels.view.model import Stat
from tests.panels.view.drawn import HOUR, START, drawn, frame

TIMES = [START, START + HOUR, START + 2 * HOUR]


def words(view: Stat) -> list[tuple[str, str]]:
    return [(tile.title, f"{tile.prefix}{tile.text}{tile.suffix}") for tile in view.tiles]


def reduced(**options: Any) -> dict[str, Any]:
    return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False} | options}


def test_one_value_with_its_unit_and_the_colour_of_its_threshold() -> None:
    steps = [{"color": "red", "value": 0}, {"color": "yellow", "value": 95}, {"color": "green", "value": 99}]
    view = drawn(
        "stat",
        frame(value=[97.46]),
        options={"colorMode": "value", "textMode": "auto", **reduced()},
        defaults={"unit": "percent", "min": 0, "max": 100, "thresholds": {"mode": "absolute", "steps": steps}},
    )
    assert words(view) == [("value", "97.5%")]
    assert view.tiles[0].color == "light-dark(#F2CC0C, #FADE2A)"
    assert (view.show, view.color) == ("value", "value")


def test_several_values_have_names_and_the_chosen_calculations() -> None:
    view = drawn("stat", frame(time=TIMES, a=[1.0, 5.0, None], b=[7.0, 8.0, 9.0]), options=reduced(calcs=["max"]))
    assert words(view) == [("a", "5"), ("b", "9")]
    assert view.show == "value_and_name"
    view = drawn("stat", frame(time=TIMES, a=[1.0, 5.0, 3.0]), options=reduced(calcs=["lastNotNull", "count"]))
    assert words(view) == [("a Last *", "3"), ("a Count", "3")]


def test_fields_are_chosen_by_their_names() -> None:
    rows = frame(value=[3], other=[4], name=["x"])
    assert words(drawn("stat", rows, options=reduced(fields="/^value$/"))) == [("value", "3")]
    assert words(drawn("stat", rows, options=reduced(fields="/^name$/"))) == [("name", "x")]


def test_values_per_row_are_named_by_their_texts() -> None:
    rows = frame(host=["pi1", "pi2"], load=[10.0, 20.0])
    assert words(drawn("stat", rows, options=reduced(values=True))) == [("pi1", "10"), ("pi2", "20")]
    both = frame(host=["pi1"], load=[10.0], temperature=[50.0])
    named = [("pi1 load", "10"), ("pi1 temperature", "50")]
    assert words(drawn("stat", both, options=reduced(values=True))) == named
    assert len(drawn("stat", frame(n=list(range(40))), options=reduced(values=True)).tiles) == 25
    assert len(drawn("stat", frame(n=list(range(40))), options=reduced(values=True, limit=3)).tiles) == 3


def test_the_history_and_its_change_stand_behind_a_series() -> None:
    view = drawn("stat", frame(time=TIMES, n=[10.0, None, 15.0]), options={"showPercentChange": True, **reduced()})
    (tile,) = view.tiles
    assert list(tile.spark) == [10, None, 15]
    assert list(tile.spark_times) == TIMES
    assert (tile.change, tile.rising) == ("50.0%", True)
    plain = drawn("stat", frame(time=TIMES, n=[10.0, 11.0, 15.0]), options={"graphMode": "none", **reduced()})
    assert not plain.tiles[0].spark


def test_a_background_has_ink_that_can_be_read() -> None:
    steps = [{"color": "transparent", "value": 0}]
    view = drawn(
        "stat",
        frame(value=[12]),
        options={"colorMode": "background", "textMode": "value"},
        defaults={"thresholds": {"mode": "absolute", "steps": steps}},
    )
    assert view.color == "background"
    assert view.tiles[0].ink == "inherit"


def test_a_missing_value_says_what_the_panel_says() -> None:
    assert words(drawn("stat", frame(value=[None]))) == [("value", "No data")]
    assert words(drawn("stat", frame(value=[None]), defaults={"noValue": "No test ended"})) == [
        ("value", "No test ended")
    ]


def test_a_figure_leads_where_its_link_says() -> None:
    view = drawn(
        "stat",
        frame(value=[3], page=["/runs/"]),
        options=reduced(fields="value"),
        defaults={"links": [{"title": "Runs of ${lab}", "url": "${__data.fields.page}?lab=${lab}"}]},
        interpolate=lambda text: text.replace("${lab}", "Zürich"),
        address=lambda text: text.replace("${lab}", "zurich"),
    )
    assert [(link.title, link.url) for link in view.tiles[0].links] == [("Runs of Zürich", "/runs/?lab=zurich")]


def test_orientation_and_texts() -> None:
    def how(**options: Any) -> tuple[str, str, bool]:
        view = drawn("stat", frame(a=[1], b=[2]), options=options)
        return view.vertical, view.show, view.center

    assert how(orientation="horizontal", textMode="name") == ("yes", "name", False)
    assert how(orientation="vertical", textMode="none", justifyMode="center") == ("no", "none", True)
