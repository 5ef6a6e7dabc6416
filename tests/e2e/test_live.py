"""Pages that move: what is written in one window, or in the database, shows in the other without a reload."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import PICTURES, Visitor
from tests.start.portal import Portal

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
HOST = "live-host"

UNTOUCHED = "window.mark === 'here'"


def state(page: Page, word: str) -> None:
    """Wait until the mark in the bar says so."""
    expect(page.locator(".top [data-live]")).to_have_attribute("data-live", word, timeout=15_000)


def live(visitor: Visitor, path: str) -> Page:
    """Open a page, wait until it hears, and mark it: a reload would lose the mark."""
    page = visitor.open(path)
    state(page, "live")
    page.evaluate("window.mark = 'here'")
    return page


@pytest.fixture
def write(started: Portal) -> Iterator[Callable[[str], list[Any]]]:
    """Run SQL on the platform's database, and remove the rows of the test's host in the end."""
    yield started.ask
    for table in ("alerts", "script_results", "campaign_executions"):
        started.ask(f"DELETE FROM {table} WHERE host_name = '{HOST}'")


@pytest.fixture
def team(started: Portal) -> str:
    return str(started.ask("SELECT id FROM teams LIMIT 1")[0][0])


def alert(write: Callable[[str], Any], kind: str = "freeze") -> str:
    key = str(uuid4())
    write(
        "INSERT INTO alerts (id, host_name, device_id, device_name, incident_type)"
        f" VALUES ('{key}', '{HOST}', '{key}', 'Box of the test', '{kind}')"
    )
    return key


def run(write: Callable[[str], Any], team: str, name: str) -> str:
    key = str(uuid4())
    write(
        "INSERT INTO script_results"
        " (id, team_id, script_name, script_type, host_name, device_name, success, started_at, completed_at)"
        f" VALUES ('{key}', '{team}', '{name}', 'test', '{HOST}', 'Box', false, now(), now())"
    )
    return key


def test_a_decision_in_one_window_shows_in_the_other(
    visitor: Callable[..., Visitor], write: Callable[[str], Any]
) -> None:
    one, two = visitor(), visitor()
    path = f"/alerts/?host={HOST}&state=all"
    pages = [live(window, path) for window in (one, two)]
    key = alert(write)
    for page in pages:
        expect(page.locator(f"tr[data-href*='{key}']")).to_be_visible()
    row = pages[0].locator(f"tr[data-href*='{key}']")
    row.get_by_role("button", name="Acknowledge").click()
    other = pages[1].locator(f"tr[data-href*='{key}']")
    expect(other.locator(".badge")).to_contain_text("acknowledged")
    write(f"UPDATE alerts SET status = 'resolved', end_time = now() WHERE id = '{key}'")
    expect(other.locator(".badge")).to_contain_text("resolved")
    assert pages[1].evaluate(UNTOUCHED)


def test_the_overview_counts_on_and_a_row_keeps_its_place(
    visitor: Callable[..., Visitor], write: Callable[[str], Any], team: str
) -> None:
    page = live(visitor(), "/")
    figure = page.locator(".figure", has_text="Active alerts").locator(".figure-value")
    before = int(figure.inner_text())
    alert(write)
    expect(figure).to_have_text(str(before + 1))
    key = run(write, team, "zap-of-the-test")
    latest = page.locator(f"#latest tr[data-href*='{key}']")
    expect(latest).to_contain_text("running")
    element = latest.element_handle()
    write(f"UPDATE script_results SET success = true, execution_time_ms = 900, completed_at = now() WHERE id = '{key}'")
    expect(latest).to_contain_text("ok")
    assert element.evaluate("node => node.isConnected"), "the same row, not another in its place"
    assert page.evaluate(UNTOUCHED)


def test_while_somebody_reads_new_rows_are_announced_and_wait(
    visitor: Callable[..., Visitor], write: Callable[[str], Any], team: str
) -> None:
    window = visitor()
    first = run(write, team, "first")
    page = live(window, "/runs/")
    row = page.locator(f"tr[data-href*='{first}']")
    page.keyboard.press("j")
    expect(page.locator("tr.is-current")).to_be_visible()
    top = row.bounding_box()
    keys = [run(write, team, f"new {number}") for number in range(2)]
    write(
        f"UPDATE script_results SET success = true, execution_time_ms = 900, completed_at = now() WHERE id = '{first}'"
    )
    news = page.locator(".live-news button")
    expect(news).to_have_text("2 new runs")
    expect(row).to_contain_text("ok")
    expect(page.locator("[data-announcer]")).to_have_text("2 new runs")
    assert row.bounding_box() == top, "nothing jumps"
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / "live-news-1280-light.png")
    news.click()
    for key in keys:
        expect(page.locator(f"tr[data-href*='{key}']")).to_be_visible()
    expect(news).to_have_count(0)
    assert page.evaluate(UNTOUCHED)


def test_a_dashboard_asks_for_the_panels_whose_tables_changed_alone(
    visitor: Callable[..., Visitor], write: Callable[[str], Any], team: str
) -> None:
    page = visitor().open("/d/virtualpytest-overview/?from=now-1h&to=now&refresh=")
    state(page, "live")
    asked: list[tuple[float, str]] = [(time.monotonic(), "")]
    page.on("request", lambda one: asked.append((time.monotonic(), one.url)) if "/panels/" in one.url else None)
    # What happened shortly before a page was drawn is told to it as well: that must be over.
    while time.monotonic() - asked[-1][0] < 3:
        page.wait_for_timeout(100)
    tables: dict[str, str] = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[data-tables]')]"
        ".filter(panel => panel.getBoundingClientRect().top < innerHeight)"
        ".map(panel => [panel.dataset.panel, panel.dataset.tables]))"
    )
    wanted = {panel for panel, names in tables.items() if "campaign_executions" in names.split()}
    assert wanted
    assert wanted != set(tables)
    asked.clear()
    with page.expect_request(lambda request: "/panels/" in request.url, timeout=15_000):
        write(
            "INSERT INTO campaign_executions (team_id, campaign_name, campaign_execution_id, host_name, device_name,"
            f" started_at) VALUES ('{team}', 'of the test', '{uuid4()}', '{HOST}', 'Box', now())"
        )
    page.wait_for_load_state("networkidle")
    panels = {url.split("/panels/")[1].partition("/")[0] for _, url in asked}
    assert panels
    assert panels <= wanted


def test_a_browser_without_sockets_asks_and_hears_the_same(
    visitor: Callable[..., Visitor], write: Callable[[str], Any]
) -> None:
    window = visitor()
    window.page.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.(), 5); } close() {} };"
    )
    page = window.open(f"/alerts/?host={HOST}&state=all")
    state(page, "polling")
    page.evaluate("window.mark = 'here'")
    key = alert(write)
    expect(page.locator(f"tr[data-href*='{key}']")).to_be_visible()
    assert page.evaluate(UNTOUCHED)


def test_new_alerts_count_in_the_title_of_a_page_that_nobody_looks_at(
    visitor: Callable[..., Visitor], write: Callable[[str], Any]
) -> None:
    page = live(visitor(), "/campaigns/")
    page.evaluate("document.hasFocus = () => false")
    alert(write)
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page).to_have_title(re.compile(r"^[^(]"))


def test_the_viewer_stops_and_goes_on_without_a_gap(
    visitor: Callable[..., Visitor], write: Callable[[str], Any]
) -> None:
    page = live(visitor(), f"/alerts/?host={HOST}&state=all")
    page.locator("summary.live-mark").click()
    page.screenshot(path=PICTURES / "live-menu-1280-light.png")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".top .live-word")).to_have_text("Paused")
    key = alert(write)
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        assert page.locator(f"tr[data-href*='{key}']").count() == 0
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(f"tr[data-href*='{key}']")).to_be_visible()
    expect(page.locator(".top .live-word")).to_have_text("Live")
