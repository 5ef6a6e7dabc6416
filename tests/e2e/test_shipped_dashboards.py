"""Each panel of the dashboards that ship, in a browser: its marks and cells say what the data endpoint says."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.e2e.browser import Visitor
from tests.start.portal import ROOT, Portal

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

FILES = sorted((ROOT / "grafana_config" / "dashboards").rglob("*.json"))
PIXEL = 1.5
"""How far from its value's place a mark may stand: coordinates are rounded, strokes have a width."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_panel_shows_what_the_data_endpoint_answers(
    file: Path, started: Portal, visitor: Callable[..., Visitor]
) -> None:
    uid = json.loads(file.read_text())["uid"]
    one = visitor(height=4000)
    asked: dict[str, str] = {}

    def keep(request: Any) -> None:
        if found := re.search(r"/panels/(\d+)/data\?", request.url):
            asked[found[1]] = request.url

    one.page.on("request", keep)
    now = int(time.time()) * 1000
    page = one.open(f"/d/{uid}/?from={now - 7 * 86_400_000}&to={now}")
    frames = page.locator("[data-panel]")
    wrong: dict[str, list[str]] = {}
    for index in range(frames.count()):
        frame = frames.nth(index)
        frame.scroll_into_view_if_needed()
        frame.locator("[data-painted]").wait_for()
        number = frame.get_attribute("data-panel") or ""
        body = page.request.get(asked[number]).json()
        view = body["view"]
        assert body["error"] is None
        assert view["kind"] != "nothing", f"panel {number} has no data in the lab"
        if found := COMPARE[view["kind"]](page, frame, view):
            wrong[number] = found
    assert frames.count() > 10
    assert wrong == {}


def tiles(page: Page, frame: Locator, view: dict[str, Any]) -> list[str]:
    """Figures stand as the server wrote them."""
    shown = frame.locator("[data-value]").evaluate_all("all => all.map((one) => one.dataset.value)")
    expected = [tile.get("text", "") for tile in view["tiles"]]
    return [] if shown == expected else [f"{shown} for {expected}"]


def cells(page: Page, frame: Locator, view: dict[str, Any]) -> list[str]:
    """Every row that is made stands in the table, cell by cell."""
    shown = frame.locator("tbody tr").evaluate_all(
        "all => all.map((row) => [...row.cells].map((cell) => cell.textContent.trim()))"
    )
    columns = [[text.strip() for text in column["texts"]] for column in view["columns"]]
    expected = [list(row) for row in zip(*columns, strict=True)]
    return [f"{row} is no row" for row in shown if row not in expected] + ["no row"] * (not shown)


def bars(page: Page, frame: Locator, view: dict[str, Any]) -> list[str]:
    """Each bar carries its own value, without what it stands on."""
    shown = frame.locator("rect[data-value]").evaluate_all(
        "all => all.map((one) => [one.dataset.series, one.dataset.label, Number(one.dataset.value)])"
    )
    expected = {
        (str(number), label): value - base
        for number, series in enumerate(view["series"])
        for label, value, base in zip(
            view["labels"], series["values"], series.get("base") or [0] * len(view["labels"]), strict=True
        )
        if value is not None
    }
    found = {(series, label): value for series, label, value in shown}
    missing = [f"no bar for {key}: {value}" for key, value in expected.items() if value and key not in found]
    return missing + [f"{key}: {value}" for key, value in found.items() if value != pytest.approx(expected[key])]


def series(page: Page, frame: Locator, view: dict[str, Any]) -> list[str]:
    """Lines and bars over time stand where their values are, by the scale that they carry."""
    shown = frame.locator(".view-series").evaluate_all(
        """all => all.map((one) => {
          const marks = one.closest("svg.view-marks");
          return {index: Number(one.dataset.series), low: Number(one.dataset.low), high: Number(one.dataset.high),
            height: Number(marks.getAttribute("height")),
            bars: one.querySelector(".view-bars")?.getAttribute("d") ?? null,
            line: one.querySelector(".view-line")?.getAttribute("d") ?? null};
        })"""
    )
    wrong = [] if len(shown) == len(view["lines"]) else [f"{len(shown)} of {len(view['lines'])} series"]
    for one in shown:
        line = view["lines"][one["index"]]
        each_pixel = (one["high"] - one["low"]) / one["height"]
        bases = line.get("base") or [0] * len(line["values"])
        if one["bars"] is not None:
            found = [
                (float(base) - float(top)) * each_pixel
                for base, top in re.findall(r"M\S+ (-?[\d.]+)V(-?[\d.]+)h", one["bars"])
            ]
            sizes = [v - (b or 0) for v, b in zip(line["values"], bases, strict=True) if v is not None]
            expected = [size for size in sizes if abs(size) > 0.05 * each_pixel]
        else:
            found = [
                one["high"] - float(y) * each_pixel for y in re.findall(r"[ML]-?[\d.]+ (-?[\d.]+)", one["line"] or "")
            ]
            expected = [value for value in line["values"] if value is not None]
        far = [
            (real, drawn)
            for real, drawn in zip(expected, found, strict=False)
            if abs(real - drawn) > PIXEL * each_pixel
        ]
        if far or len(found) != len(expected):
            wrong.append(f"{line['name']}: {len(found)} marks for {len(expected)} values, far off: {far[:3]}")
    return wrong


def spans(page: Page, frame: Locator, view: dict[str, Any]) -> list[str]:
    """Each span begins and ends when its row does."""
    shown = frame.locator("[data-lane]").evaluate_all(
        "all => all.map((one) => [Number(one.dataset.lane), Number(one.dataset.start), Number(one.dataset.end)])"
    )
    expected = [[span.get("lane", 0), span["start"], span["end"]] for span in view["spans"]]
    return [] if sorted(shown) == sorted(expected) else [f"{len(shown)} spans for {len(expected)}"]


COMPARE: dict[str, Callable[[Page, Locator, dict[str, Any]], list[str]]] = {
    "stat": tiles, "gauge": tiles, "bargauge": tiles, "table": cells, "barchart": bars, "timeseries": series,
    "gantt": spans,
}  # fmt: skip
