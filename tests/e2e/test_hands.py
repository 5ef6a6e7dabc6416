"""What people do with their hands: keys, triage, theme, filters."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import Visitor
from tests.start.portal import Portal

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROW = """
INSERT INTO alerts (id, host_name, device_id, device_name, incident_type, status, start_time)
SELECT gen_random_uuid(), host_name, gen_random_uuid(), '{name}', 'freeze', 'active', now() FROM device_flags LIMIT 1
"""
SHOWS_ITS_FOCUS = """() => {
  const marked = (element) => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  };
  const element = document.activeElement;
  const label = element.closest("label");
  const around = [element, label, label?.querySelector("span"), element.parentElement];
  return element === document.body || around.some((one) => one && marked(one)) ? "" : element.outerHTML.slice(0, 120);
}"""


def focused(page: Page) -> str:
    """The element that has the focus, as the start of its tag."""
    return str(page.evaluate("() => document.activeElement.outerHTML.slice(0, 80)"))


def acknowledged(page: Page, name: str) -> None:
    """The alert has left the list of what waits, with a word about it, and tells who decided."""
    expect(page.locator("tr", has_text=name)).to_have_count(0)
    expect(page.locator(".message")).to_be_visible()
    page.goto(page.url.partition("?")[0] + "?state=acknowledged")
    expect(page.locator("tr", has_text=name).locator(".decided")).to_contain_text("admin acknowledged it")


def test_keys_search_help_go_and_move(visitor: Callable[..., Visitor]) -> None:
    page = visitor().open("/system/")
    page.keyboard.press("/")
    assert "data-search" in page.evaluate("() => document.activeElement.outerHTML")
    page.keyboard.press("Escape")
    assert focused(page).startswith("<body")
    page.keyboard.press("?")
    expect(page.locator("#dialog-keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog-keys")).not_to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    current = page.locator("tr.is-current")
    expect(current).to_have_count(1)
    address = current.get_attribute("data-href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")
    page.keyboard.press("g")
    page.keyboard.press(page.locator("nav a[href='/devices/'][data-go]").get_attribute("data-go") or "")
    page.wait_for_url("**/devices/")


def test_keys_that_are_switched_off_do_nothing(visitor: Callable[..., Visitor]) -> None:
    page = visitor().open("/devices/")
    page.keyboard.press("?")
    page.locator("[data-keys-switch]").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert "data-search" not in focused(page)
    page.keyboard.press("?")
    expect(page.locator("#dialog-keys")).not_to_be_visible()


def test_an_alert_is_triaged_in_two_clicks(started: Portal, visitor: Callable[..., Visitor]) -> None:
    started.ask(ROW.format(name="Two clicks"))
    page = visitor().open("/")
    page.get_by_role("link", name="Alerts", exact=True).first.click()
    page.wait_for_url("**/alerts/**")
    row = page.locator("tr", has_text="Two clicks")
    row.get_by_role("button", name="Acknowledge").click()
    acknowledged(page, "Two clicks")


def test_the_key_a_acknowledges_the_row(started: Portal, visitor: Callable[..., Visitor]) -> None:
    started.ask(ROW.format(name="By key"))
    page = visitor().open("/alerts/")
    page.keyboard.press("j")
    for _ in range(60):
        if "By key" in page.locator("tr.is-current").inner_text():
            break
        page.keyboard.press("j")
    page.keyboard.press("a")
    acknowledged(page, "By key")


def test_the_theme_is_chosen_and_kept(visitor: Callable[..., Visitor]) -> None:
    page = visitor().open("/devices/")

    def background() -> str:
        return str(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))

    light = background()
    page.locator("summary.user").click()
    page.locator("input[name=theme][value=dark]").check(force=True)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = background()
    assert dark != light
    page.reload()
    assert background() == dark


def test_the_focus_can_be_seen_on_the_way_through_a_page(visitor: Callable[..., Visitor]) -> None:
    page = visitor().open("/devices/")
    page.keyboard.press("Tab")
    assert "Skip" in page.evaluate("() => document.activeElement.textContent"), (
        "the first stop leads past the navigation"
    )
    unseen = []
    for _ in range(25):
        unseen += [tag for tag in [page.evaluate(SHOWS_ITS_FOCUS)] if tag]
        page.keyboard.press("Tab")
    assert unseen == []


def test_a_filter_becomes_an_address_that_can_be_sent(visitor: Callable[..., Visitor]) -> None:
    page = visitor().open("/alerts/")
    page.locator("select[name=state]").select_option("resolved")
    page.wait_for_url(re.compile(r"state=resolved"))
    expect(page.locator("select[name=state]")).to_have_value("resolved")


def test_the_portal_works_on_a_phone_by_its_bottom_bar(visitor: Callable[..., Visitor]) -> None:
    page = visitor(width=390, height=844, has_touch=True, is_mobile=True).open("/")
    page.get_by_role("link", name="Alerts", exact=True).locator("visible=true").last.tap()
    page.wait_for_url("**/alerts/**")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_pages_work_without_script(started: Portal, visitor: Callable[..., Visitor]) -> None:
    started.ask(ROW.format(name="No script"))
    page = visitor(java_script_enabled=False).open("/alerts/")
    row = page.locator("tr", has_text="No script")
    row.get_by_role("button", name="Acknowledge").click()
    acknowledged(page, "No script")
