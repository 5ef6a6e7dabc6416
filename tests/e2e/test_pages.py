"""Every page in a real browser: no error, no complaint of the policy, usable on a phone and by everybody."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import PICTURES, Visitor
from tests.pages import PROBES, name_of
from tests.start.portal import Portal

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FAULTS = """() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (element) => element.getClientRects().length > 0;
  const start = (element) => element.outerHTML.slice(0, 120);
  const label = (element) => ["aria-label", "aria-labelledby", "title"].some((name) => element.getAttribute(name));
  if (all("h1").length !== 1) faults.push(`${all("h1").length} h1`);
  if (all("main").length !== 1) faults.push("not one main");
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title.trim()) faults.push("no title");
  for (const image of all("img:not([alt])")) faults.push(`no alt: ${image.src}`);
  for (const field of all("input:not([type=hidden], [type=submit], [type=button]), select, textarea")) {
    if (seen(field) && !field.labels?.length && !label(field)) faults.push(`no label: ${start(field)}`);
  }
  for (const control of all("a[href], button, summary").filter(seen)) {
    const named = control.textContent.trim() || label(control) || control.querySelector("img[alt], svg[aria-label]");
    if (!named) faults.push(`no name: ${start(control)}`);
  }
  const ids = all("[id]").map((element) => element.id);
  for (const id of new Set(ids)) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`twice the id ${id}`);
  const levels = all("h1, h2, h3, h4").filter(seen).map((heading) => Number(heading.tagName[1]));
  levels.forEach((level, index) => {
    if (index && level > levels[index - 1] + 1) faults.push(`h${level} after h${levels[index - 1]}`);
  });
  return faults;
}"""
SCROLLS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
LINKS = """() => [...document.querySelectorAll("a[href], tr[data-href]")].map(
  (link) => new URL(link.getAttribute("href") ?? link.dataset.href, location.href).href)"""


def walk(visitor: Visitor) -> Iterator[str]:
    """Open one page of each route that links lead to; yield its path while it is open."""
    waiting, seen = ["/", "/admin/"], set(PROBES)
    while waiting:
        path = waiting.pop(0)
        route = name_of(path)
        if not route or route in seen or "export" in route:
            continue
        seen.add(route)
        page = visitor.open(path)
        if urlsplit(page.url).path != urlsplit(path).path:
            continue
        yield path
        for link in page.evaluate(LINKS):
            parts = urlsplit(link)
            if parts.netloc in {"", urlsplit(visitor.url).netloc} and "csv" not in parts.query:
                waiting.append(parts._replace(scheme="", netloc="", fragment="").geturl())


def file_name(path: str) -> str:
    return name_of(path).replace(":", "-") or "page"


def test_every_page_opens_without_a_complaint_and_is_built_for_everybody(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    faults: dict[str, list[str]] = {}
    paths = []
    PICTURES.mkdir(exist_ok=True)
    for path in walk(one):
        paths.append(path)
        if found := one.page.evaluate(FAULTS):
            faults[path] = found
        own = "/admin/" not in path
        if own:
            one.page.screenshot(path=PICTURES / f"{file_name(path)}-1280-light.png", full_page=True)
        one.page.set_viewport_size({"width": 390, "height": 844})
        if (beyond := one.page.evaluate(SCROLLS)) > 0:
            faults.setdefault(path, []).append(f"scrolls sideways by {beyond} px on a phone")
        if own:
            one.page.emulate_media(color_scheme="dark")
            one.page.screenshot(path=PICTURES / f"{file_name(path)}-390-dark.png", full_page=True)
            one.page.emulate_media(color_scheme="light")
        one.page.set_viewport_size({"width": 1280, "height": 800})
    assert len(paths) > 20
    assert {"/", "/devices/", "/alerts/", "/system/", "/health/", "/admin/"} <= set(paths)
    assert faults == {}


@pytest.mark.skipif(os.environ.get("PICTURES") != "1", reason="PICTURES=1 takes pictures of every page in every size")
def test_pictures_of_every_page(visitor: Callable[..., Visitor]) -> None:
    for scheme in ("light", "dark"):
        one = visitor(scheme=scheme)
        for path in walk(one):
            for width, height in ((390, 844), (1280, 800), (1920, 1080)):
                one.page.set_viewport_size({"width": width, "height": height})
                one.page.screenshot(path=PICTURES / f"{file_name(path)}-{width}-{scheme}.png", full_page=True)


def test_signing_in_by_hand_and_out_again(started: Portal, chromium: Browser) -> None:
    with chromium.new_context() as context:
        one = Visitor(context, started.url)
        one.open("/alerts/")
        assert urlsplit(one.page.url).path == "/account/login/"
        assert one.page.evaluate(FAULTS) == []
        one.sign_in(started.password)
        one.page.locator("summary.user").click()
        one.page.get_by_role("button", name="Sign out").click()
        one.page.wait_for_url("**/account/login/**")
        assert one.open("/devices/").url != f"{started.url}/devices/"
        assert one.complaints == []
