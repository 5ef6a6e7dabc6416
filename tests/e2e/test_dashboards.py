"""A dashboard under people's hands: what it shows, its range, its variables, its panels, its address."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import Visitor
from tests.start.portal import Portal

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

RUNS = "SELECT $__timeGroupAlias(started_at, '1h'), count(*) AS runs FROM script_results WHERE $__timeFilter(started_at) AND host_name IN ($host) GROUP BY 1 ORDER BY 1"  # noqa: E501
HOSTS = "SELECT DISTINCT host_name FROM script_results ORDER BY 1"


def panel(id: int, kind: str, title: str, sql: str, y: int, w: int = 12, x: int = 0, **values: Any) -> dict[str, Any]:
    query = {"refId": "A", "rawSql": sql, "format": "time_series" if kind == "timeseries" else "table"}
    place = {"x": x, "y": y, "w": w, "h": 8}
    return {"id": id, "type": kind, "title": title, "gridPos": place, "targets": [query] if sql else []} | values


BODY = {
    "uid": "by-hand",
    "title": "By hand",
    "schemaVersion": 41,
    "time": {"from": "now-2d", "to": "now"},
    "templating": {
        "list": [
            {"name": "host", "label": "Host", "type": "query", "query": HOSTS, "refresh": 1, "multi": True,
             "includeAll": True, "current": {"text": "All", "value": "$__all"}},
            {"name": "unit", "label": "Unit", "type": "custom", "query": "minutes,hours"},
        ]
    },
    "panels": [
        panel(1, "timeseries", "Runs in $unit", RUNS, 0),
        panel(2, "table", "Hosts", "SELECT host_name, count(*) AS runs FROM script_results WHERE host_name IN ($host) GROUP BY 1", 0, x=12),  # noqa: E501
        panel(3, "stat", "Broken", "SELECT nothing_like_that FROM script_results", 8),
        panel(4, "stat", "Answer", "SELECT 42 AS answer", 8, x=12),
        {"id": 5, "type": "row", "title": "More", "collapsed": True, "gridPos": {"x": 0, "y": 16, "w": 24, "h": 1},
         "panels": [panel(6, "stat", "Folded", "SELECT 7 AS seven", 17)]},
    ],
}  # fmt: skip


@pytest.fixture
def by_hand(started: Portal, tmp_path: Path) -> str:
    """The address of a dashboard with a panel of each sort."""
    file = tmp_path / "by-hand.json"
    file.write_text(json.dumps(BODY))
    started.manage("import_dashboards", str(file))
    return "/d/by-hand/"


def frame(page: Page, number: int) -> Any:
    return page.locator(f'[data-panel="{number}"]')


def drawn(page: Page, *numbers: int) -> None:
    """These panels show what the server answered."""
    for number in numbers:
        expect(frame(page, number).locator("[data-painted]")).to_have_count(1)


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query, keep_blank_values=True)


def test_each_panel_shows_its_data_and_a_broken_one_its_error(by_hand: str, visitor: Callable[..., Visitor]) -> None:
    page = visitor().open(by_hand)
    drawn(page, 1, 2, 4)
    expect(frame(page, 1).locator(".panel-title")).to_have_text("Runs in minutes")
    expect(frame(page, 4)).to_contain_text("42")
    expect(frame(page, 2).locator("td").first).not_to_be_empty()
    expect(frame(page, 3)).to_contain_text("nothing_like_that")
    frame(page, 3).get_by_role("button", name="See the SQL").click()
    expect(page.locator(".inspect-sql")).to_contain_text("nothing_like_that")


def test_the_range_is_picked_typed_zoomed_and_taken_back(by_hand: str, visitor: Callable[..., Visitor]) -> None:
    page = visitor().open(by_hand)
    drawn(page, 1)
    label = page.locator("[data-range-label]")
    expect(label).to_have_text("Last 2 days")
    page.keyboard.press("t")
    page.get_by_role("link", name="Last 6 hours").click()
    expect(label).to_have_text("Last 6 hours")
    assert asked(page) == {"from": ["now-6h"], "to": ["now"]}
    page.keyboard.press("t")
    page.locator("input[type=text][name=from]").fill("2026-03-01 12:00")
    page.locator("input[type=text][name=to]").fill("2026-03-01 13:30")
    page.keyboard.press("Enter")
    expect(label).to_have_text("1 Mar 2026, 12:00 to 13:30")
    assert asked(page)["tz"] == ["Europe/Paris"]
    page.keyboard.press("z")
    expect(label).to_have_text("1 Mar 2026, 11:15 to 14:15")
    page.go_back()
    expect(label).to_have_text("1 Mar 2026, 12:00 to 13:30")


def test_dragging_over_a_panel_zooms_all(by_hand: str, visitor: Callable[..., Visitor]) -> None:
    page = visitor().open(by_hand)
    drawn(page, 1)
    box = frame(page, 1).locator(".view-plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=\d+&to=\d+"))
    expect(page.locator("[data-range-label]")).to_contain_text(" to ")
    drawn(page, 1, 2)


def test_variables_are_searched_and_chosen_and_stand_in_the_address(
    by_hand: str, visitor: Callable[..., Visitor]
) -> None:
    page = visitor().open(by_hand)
    host = page.locator('[data-variable="host"]')
    host.locator("summary").click()
    options = host.locator("[data-options] label")
    name = options.nth(1).inner_text().strip()
    options.nth(1).click()
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile("var-host="))
    assert asked(page)["var-host"] == [name]
    expect(host.locator("summary b")).to_have_text(name)
    drawn(page, 2)
    expect(frame(page, 2).locator("tbody tr")).to_have_count(1)
    page.locator('[data-variable="unit"] summary').click()
    page.locator('[data-variable="unit"] label', has_text="hours").click()
    expect(frame(page, 1).locator(".panel-title")).to_have_text("Runs in hours")


def test_a_panel_alone_a_row_opened_and_the_rows_behind(by_hand: str, visitor: Callable[..., Visitor]) -> None:
    page = visitor().open(by_hand)
    drawn(page, 2)
    frame(page, 2).hover()
    page.keyboard.press("v")
    expect(page.locator("[data-panel]")).to_have_count(1)
    drawn(page, 2)
    page.keyboard.press("Escape")
    expect(page.locator("[data-panel]")).to_have_count(4)
    page.get_by_role("link", name="More", exact=True).click()
    drawn(page, 6)
    expect(frame(page, 6)).to_contain_text("7")
    frame(page, 4).hover()
    page.keyboard.press("i")
    expect(page.locator(".inspect-table")).to_contain_text("42")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert download.value.path().read_text() == "answer\n42\n"


def test_panels_far_below_are_asked_for_when_they_come_into_view(
    started: Portal, tmp_path: Path, visitor: Callable[..., Visitor]
) -> None:
    tall = {**BODY, "uid": "tall", "title": "Tall", "templating": {"list": []},
            "panels": [panel(number, "stat", f"No {number}", f"SELECT {number} AS n", number * 8, w=24) for number in range(1, 13)]}  # fmt: skip  # noqa: E501
    (tmp_path / "tall.json").write_text(json.dumps(tall))
    started.manage("import_dashboards", str(tmp_path / "tall.json"))
    one = visitor()
    requests: list[str] = []
    one.page.on(
        "request",
        lambda request: requests.append(request.url) if "/panels/" in request.url and "data?" in request.url else None,
    )
    page = one.open("/d/tall/")
    drawn(page, 1, 2)
    assert not any("/panels/12/" in url for url in requests)
    frame(page, 12).scroll_into_view_if_needed()
    drawn(page, 12)
    expect(frame(page, 12)).to_contain_text("12")


def test_a_wall_display_a_phone_and_a_panel_elsewhere(by_hand: str, visitor: Callable[..., Visitor]) -> None:
    page = visitor(width=1920, height=1080).open(f"{by_hand}?kiosk")
    drawn(page, 1, 2, 4)
    expect(page.locator(".side")).not_to_be_visible()
    expect(page.locator("[data-asked]")).to_contain_text("Asked")
    phone = visitor(width=390, height=844, has_touch=True, is_mobile=True).open(by_hand)
    drawn(phone, 1)
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
    phone.locator("[data-times] summary").tap()
    phone.get_by_role("link", name="Last hour").tap()
    expect(phone.locator("[data-range-label]")).to_have_text("Last hour")
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
    solo = visitor().open("/d-solo/by-hand/4/?from=now-1h&to=now")
    drawn(solo, 4)
    expect(solo.locator("body")).to_contain_text("42")


def test_a_favourite_is_made_with_one_click(by_hand: str, visitor: Callable[..., Visitor]) -> None:
    page = visitor().open("/dashboards/")
    row = page.locator("li", has_text="By hand").first
    row.get_by_role("button").click()
    expect(page.locator(".group-head").first).to_contain_text("Favourites")
    page.locator("li", has_text="By hand").first.get_by_role("link", name="By hand").click()
    page.wait_for_url(f"**{by_hand}")


def test_what_a_dashboard_holds_is_text_and_never_script(
    started: Portal, tmp_path: Path, visitor: Callable[..., Visitor]
) -> None:
    evil = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"
    sql = f"SELECT '{evil.replace(chr(39), chr(39) * 2)}' AS \"{evil.replace(chr(34), chr(34) * 2)[:50]}\", 1 AS n"
    link = {"title": evil, "url": "javascript:alert(3)"}
    panels = [
        panel(1, "table", evil, sql, 0, description=evil, links=[link], fieldConfig={"defaults": {"links": [link]}}),
        panel(2, "stat", f"$kind {evil}", sql, 0, x=12, fieldConfig={"defaults": {"unit": f"suffix:{evil}"}}),
        panel(
            3,
            "text",
            evil,
            "",
            8,
            options={"mode": "html", "content": "<b onclick=alert(4)>bold</b><script>alert(5)</script>"},
        ),
        panel(4, "barchart", evil, sql, 8, x=12),
        panel(5, evil, evil, sql.replace("1 AS n", "nothing"), 16),
        {"id": 6, "type": "row", "title": evil, "gridPos": {"x": 0, "y": 24, "w": 24, "h": 1}},
    ]
    kind = {"name": "kind", "label": evil, "type": "custom", "query": evil.replace(",", ""), "description": evil}
    body = {**BODY, "uid": "evil", "title": evil, "description": evil, "tags": [evil[:40]], "panels": panels,
            "links": [{**link, "type": "link"}], "templating": {"list": [kind]}}  # fmt: skip
    (tmp_path / "evil.json").write_text(json.dumps(body))
    started.manage("import_dashboards", str(tmp_path / "evil.json"))
    one = visitor()
    one.page.on("dialog", lambda dialog: one.complaints.append(f"a dialog: {dialog.message}"))
    page = one.open("/d/evil/")
    drawn(page, 1, 2, 3, 4)
    expect(frame(page, 3).locator("b")).to_have_text("bold")
    expect(frame(page, 5)).to_contain_text("nothing")
    frame(page, 1).hover()
    page.keyboard.press("i")
    expect(page.locator(".inspect-table")).to_be_visible()
    assert page.locator("img[src=x], [href^='javascript']").count() == 0
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    one.open("/dashboards/")
    one.open("/d-solo/evil/1/")
    drawn(one.page, 1)
