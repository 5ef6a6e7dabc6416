"""A page without a portal: the drawing scripts, the portal's styles and its policy, and boxes to draw into."""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Route

from apps.panels.view.model import View, encode
from tests.e2e.browser import Visitor

STATIC = Path(__file__).resolve().parents[2] / "apps" / "portal" / "static" / "portal"
HOST = "http://drawing.test"
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Drawing</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/tokens.css"><link rel="stylesheet" href="/portal.css">
<link rel="stylesheet" href="/panels.css"><script type="module" src="/stage.js"></script></head><body></body></html>"""
STAGE = """import { createCrosshair, draw } from "/panels/draw.js";
import { picture } from "/panels/picture.js";
const crosshair = createCrosshair();
Object.assign(document.body.style, {display: "flex", flexWrap: "wrap", gap: "8px", padding: "8px"});
window.zooms = [];
window.picture = picture;
window.show = (box, view, options) => {
  draw(box, view, { label: "Panel", zone: "utc", crosshair, zoom: (...range) => window.zooms.push(range), ...options });
};
document.body.dataset.ready = "yes";"""
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"


class Stage:
    """A page with boxes of given sizes. What the browser complains about is in `visitor.complaints`."""

    def __init__(self, browser: Browser, *, scheme: Any = "light", width: int = 1280, height: int = 800) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        self.visitor = Visitor(self.context, HOST)
        self.page = self.visitor.page
        self.page.route(f"{HOST}/**", self._serve)
        self.page.goto(f"{HOST}/")
        self.page.locator("body[data-ready]").wait_for()

    def _serve(self, route: Route) -> None:
        path = route.request.url.removeprefix(HOST).partition("?")[0]
        if path == "/":
            route.fulfill(body=PAGE, content_type="text/html", headers={"Content-Security-Policy": POLICY})
        elif path == "/stage.js":
            route.fulfill(body=STAGE, content_type="text/javascript")
        elif (file := STATIC / path.removeprefix("/")).is_file():
            route.fulfill(path=file, content_type=mimetypes.guess_type(file.name)[0] or "text/plain")
        else:
            route.fulfill(status=404, body="")

    def draw(self, view: View, width: int = 480, height: int = 260, **options: Any) -> Locator:
        """Draw into a new box of this size; answers the box once it is painted."""
        number = self.page.locator(".box").count()
        self.page.evaluate(
            """([view, width, height, options]) => {
              const box = document.body.appendChild(document.createElement("div"));
              box.className = "box";
              Object.assign(box.style, {width: `${width}px`, height: `${height}px`, background: "var(--surface)"});
              window.show(box, view, options);
            }""",
            [plain(view), width, height, options],
        )
        box = self.page.locator(".box").nth(number)
        box.locator("[data-painted]").wait_for()
        return box

    def redraw(self, box: Locator, view: View, **options: Any) -> None:
        """Draw another view into the same box, as a refresh does."""
        box.evaluate("(box, [view, options]) => window.show(box, view, options)", [plain(view), options])
        box.locator("[data-painted]").wait_for()

    def close(self) -> None:
        self.context.close()


def plain(view: View) -> Any:
    """The view as the browser gets it."""
    return json.loads(json.dumps(view, default=encode))
