"""Tables: cells, orders, footers."""

from __future__ import annotations

from typing import Any

from apps.panels.view.model import Table
from apps.panels.view.table import MAX_ROWS
from tests.panels.view.drawn import START, drawn, frame


def override(name: str, **properties: Any) -> dict[str, Any]:
    pairs = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": pairs}


def columns(view: Table) -> dict[str, Any]:
    return {column.name: column for column in view.columns}


def test_every_type_of_value_has_its_text() -> None:
    rows = frame(
        time=[START, None], name=["a", None], number=[12.5, None], flag=[True, None], body=[{"a": 1}, ["x", 2]]
    )
    found = columns(drawn("table", rows))
    assert list(found["time"].texts) == ["2026-03-01 12:00:00", ""]
    assert list(found["name"].texts) == ["a", ""]
    assert list(found["number"].texts) == ["12.5", ""]
    assert list(found["flag"].texts) == ["true", ""]
    assert list(found["body"].texts) == ['{"a": 1}', "x, 2"]
    assert found["body"].cell == "json"
    assert [found[name].align for name in ("name", "number")] == ["left", "right"]


def test_a_cell_takes_the_colour_of_its_threshold_and_ink_that_can_be_read() -> None:
    steps = [{"color": "red", "value": 0}, {"color": "yellow", "value": 50}, {"color": "green", "value": 70}]
    view = drawn(
        "table",
        frame(Channel=["one", "two", "three"], Mon=[10.0, 69.9, 70.0], Tests=[1, 2, 3]),
        defaults={
            "unit": "percent",
            "decimals": 0,
            "thresholds": {"mode": "absolute", "steps": steps},
            "custom": {"cellOptions": {"type": "color-background", "mode": "basic"}},
        },
        overrides=[
            override("Tests", unit="short", custom__cellOptions={"type": "auto"}),
            override("Channel", custom__cellOptions={"type": "auto"}),
        ],
    )
    found = columns(view)
    assert list(found["Mon"].texts) == ["10%", "70%", "70%"]
    assert found["Mon"].cell == "background"
    assert list(found["Mon"].colors) == [
        "light-dark(#E02F44, #F2495C)",
        "light-dark(#F2CC0C, #FADE2A)",
        "light-dark(#56A64B, #73BF69)",
    ]
    assert found["Mon"].inks[1] == "#101418"
    assert found["Tests"].cell == "text"
    assert list(found["Tests"].texts) == ["1", "2", "3"]


def test_the_order_that_the_panel_names_is_that_of_values_not_of_texts() -> None:
    sort = {"sortBy": [{"displayName": "Last Ping", "desc": True}, {"displayName": "ms", "desc": True}]}
    view = drawn("table", frame(name=["device10", "Device2", None], ms=[900.0, 1100.0, None]), options=sort)
    # A column that is not there orders nothing; the next one does.
    assert (view.sort.column, view.sort.descending) == (1, True)
    assert list(columns(view)["ms"].ranks) == [1, 2, 0]
    assert list(columns(view)["name"].ranks) == [2, 1, 0]
    huge = "9" * 5000
    assert list(drawn("table", frame(name=["a007", f"a{huge}", "a8"])).columns[0].ranks) == [0, 2, 1]


def test_links_are_filled_from_their_row_and_only_harmless_ones_lead_anywhere() -> None:
    urls = ["https://reports.example.com/a?b=1", None, "javascript:alert(1)"]
    link = {"title": "show report", "url": "${__value.raw}", "targetBlank": True}
    view = drawn("table", frame(id=[1, 2, 3], report=urls), overrides=[override("report", links=[link])])
    links = columns(view)["report"].links
    assert [[(one.title, one.url, one.new_tab) for one in cell] for cell in links] == [
        [("show report", urls[0], True)], [], []
    ]  # fmt: skip


def test_widths_alignment_and_hidden_columns() -> None:
    view = drawn(
        "table",
        frame(a=[1], b=["x"], c=["y"]),
        overrides=[override("a", custom__align="center", custom__width=180), override("c", custom__hidden=True)],
    )
    assert [(column.name, column.align, column.width) for column in view.columns] == [
        ("a", "center", 180), ("b", "left", None)
    ]  # fmt: skip


def test_a_footer_counts_rows_or_calculates_columns() -> None:
    rows = frame(name=["a", "b"], ms=[1500.0, 500.0])
    counted = {"footer": {"show": True, "reducer": ["count"], "countRows": True, "fields": ""}}
    view = drawn("table", rows, options=counted)
    assert (view.footer, [column.footer for column in view.columns]) == (True, ["Count: 2", ""])
    summed = {"footer": {"show": True, "reducer": ["sum"], "fields": ["ms"]}}
    view = drawn("table", rows, options=summed, overrides=[override("ms", unit="ms")])
    assert [column.footer for column in view.columns] == ["Total", "2 s"]
    assert not drawn("table", rows).footer


def test_gauges_fill_and_row_colours_reach_every_cell() -> None:
    rows = frame(name=["a", "b"], load=[25.0, 100.0])
    gauge = override("load", min=0, max=100, custom__cellOptions={"type": "gauge", "mode": "basic"})
    assert list(columns(drawn("table", rows, overrides=[gauge]))["load"].shares) == [0.25, 1]
    whole = override("load", custom__cellOptions={"type": "color-background", "applyToRow": True})
    found = columns(drawn("table", rows, overrides=[whole]))
    assert found["name"].cell == "background"
    assert found["name"].colors == found["load"].colors


def test_of_many_rows_those_that_the_order_puts_first_are_sent() -> None:
    count = MAX_ROWS + 10
    view = drawn("table", frame(n=list(range(count))), options={"sortBy": [{"displayName": "n", "desc": True}]})
    assert (view.rows, view.total) == (MAX_ROWS, count)
    assert max(map(int, view.columns[0].texts)) == count - 1


def test_an_unknown_type_is_a_table_that_says_so() -> None:
    view = drawn("some-flow-panel", frame(name=["a"], value=[1]))
    assert view.kind == "table"
    assert view.notices == ("The portal does not draw panels of the type some-flow-panel. This is their data.",)


def test_options_of_a_wrong_type_count_as_absent() -> None:
    options = {"sortBy": {"x": 1}, "footer": "yes", "cellHeight": 7, "showHeader": "no", "frameIndex": [1]}
    view = drawn("table", frame(a=[1]), options=options, defaults={"custom": {"width": {}, "cellOptions": "x"}})
    assert (view.rows, view.header, view.footer) == (1, True, False)
