"""Panels that Grafana draws in frames, and what happens on an open page when Grafana goes and comes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from apps.grafana import run_state
from tests.e2e.browser import Visitor
from tests.e2e.grafana_double import GrafanaDouble
from tests.embedded.helpers import wait_for
from tests.start.portal import Portal

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

DASHBOARD = "/d/virtualpytest-overview/"
FRAME = "iframe.panel-embedded"
DRAWN = "[data-panel-body] > .view"


@pytest.fixture(scope="module")
def _double() -> Iterator[GrafanaDouble]:
    double = GrafanaDouble()
    yield double
    double.stop()


@pytest.fixture
def grafana(started: Portal, _double: GrafanaDouble) -> Iterator[GrafanaDouble]:
    """A Grafana that the portal takes for its own; the same for all tests, since the portal remembers for seconds."""
    place = started.data / "grafana"
    told = run_state.read(place)
    _double.start()
    run_state.write(run_state.RunState(run_state.RUNNING, _double.url, "12.4.0"), place)
    yield _double
    run_state.write(told or run_state.RunState(run_state.ABSENT), place)
    # The portal remembers for seconds, and other tests open pages of the same one.
    with started.session() as client:
        wait_for(
            lambda: 'data-by="grafana"' not in client.get(f"{started.url}{DASHBOARD}", timeout=20).text, "an end", 30
        )


def open_with_frames(one: Visitor) -> Page:
    """The dashboard once the portal has seen that Grafana is there."""

    def seen() -> bool:
        page = one.open(DASHBOARD)
        return page.locator("[data-dashboard]").get_attribute("data-by") == "grafana"

    wait_for(seen, "a page that Grafana draws", 30)
    return one.page


def loaded(page: Page) -> int:
    """How many frames there are, once no panel waits for its own."""
    expect(page.locator(f"{FRAME}[data-loaded=yes]").first).to_be_visible()
    expect(page.locator(f"{FRAME}:not([data-loaded])")).to_have_count(0, timeout=30_000)
    expect(page.locator("[data-panel].is-loading")).to_have_count(0, timeout=30_000)
    return page.locator(FRAME).count()


def inside(page: Page, number: int) -> str:
    """What Grafana's page of a panel says."""
    return page.frame_locator(f"[data-panel='{number}'] {FRAME}").locator("#panel").inner_text()


def test_grafana_draws_and_the_portal_takes_over_and_gives_back(
    grafana: GrafanaDouble, visitor: Callable[..., Visitor]
) -> None:
    page = open_with_frames(visitor(height=1000))
    count = loaded(page)
    assert count >= 6
    assert inside(page, 1) == "panel-1 from now-24h"
    address = page.locator(FRAME).first.get_attribute("src") or ""
    for part in ("theme=light", "var-host=%24__all", "to=now", "timezone=Europe%2FParis", "panelId=panel-"):
        assert part in address

    # Another range: the frames follow without a new page.
    page.locator("[data-times] summary").click()
    page.get_by_role("link", name="Last 6 hours").click()
    expect(page.frame_locator(f"[data-panel='1'] {FRAME}").locator("#panel")).to_have_text("panel-1 moved to now-6h")
    assert loaded(page) == count

    # Grafana goes: the engine draws, in the same page.
    page.evaluate("window.same = true")
    grafana.stop()
    expect(page.locator(FRAME)).to_have_count(0, timeout=30_000)
    expect(page.locator(DRAWN).nth(5)).to_be_visible()
    expect(page.locator("[data-failed]")).to_have_count(0)

    # It comes back: so do its frames.
    grafana.start()
    expect(page.locator(FRAME).first).to_be_visible(timeout=30_000)
    assert loaded(page) == count
    assert page.evaluate("window.same") is True
    assert inside(page, 1) == "panel-1 from now-6h"
    assert grafana.strangers == []


def test_grafana_is_one_click_away(grafana: GrafanaDouble, visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = open_with_frames(one)
    link = page.get_by_role("link", name="Open in Grafana")
    with page.expect_popup() as whole:
        link.click()
    expect(whole.value.locator("#panel")).to_have_text("all from now-24h")
    assert re.match(rf"{re.escape(one.url)}/grafana/d/virtualpytest-overview/\?.*from=now-24h", whole.value.url)
    page.locator("[data-panel='1']").hover()
    page.locator("[data-panel='1'] [data-panel-menu]").click()
    with page.expect_popup() as single:
        page.get_by_role("menuitem", name="Open in Grafana").click()
    expect(single.value.locator("#panel")).to_have_text("panel-1 from now-24h")
    assert "viewPanel=panel-1" in single.value.url
    listed = one.open("/dashboards/").get_by_role("link", name=re.compile("Open .* in Grafana"))
    expect(listed.first).to_have_attribute("href", re.compile("^/grafana/d/"))


def test_a_frame_that_is_no_grafana_gives_way_to_the_engine(
    grafana: GrafanaDouble, visitor: Callable[..., Visitor]
) -> None:
    page = open_with_frames(visitor())
    expect(page.locator(f"{FRAME}[data-loaded=yes]").first).to_be_visible()
    page.route("**/grafana/d-solo/**", lambda route: route.fulfill(
        status=200, content_type="text/html", body="<meta name=vptmonitor-answer content=502><p>away</p>"
    ))  # fmt: skip
    page.keyboard.press("r")
    expect(page.locator(DRAWN).first).to_be_visible()
    expect(page.locator(FRAME)).to_have_count(0)
