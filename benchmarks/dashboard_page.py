"""What a dashboard of fourteen panels costs a browser: bytes, requests, and the time until its last panel is painted.

    make bench            or: .venv/bin/python benchmarks/dashboard_page.py

A portal is started with a demo lab, and Chromium opens the dashboard in a window that shows all panels: cold (a browser
that has kept nothing, a server that has shown it to nobody), then warm, some rounds. Times count from the click to the
last mark; bytes are those that came over the wire. Exit code 1 over a limit, 0 without a browser.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "grafana_config" / "dashboards" / "virtualpytest-overview.json"
ADDRESS = "/d/virtualpytest-overview/"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ROUNDS = 7
MOST_BYTES = 300_000
MOST_WARM_MS = 700

WATCH = """
addEventListener("DOMContentLoaded", () => {
  window.paintedAt = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) if (target.dataset?.painted) paintedAt.push(performance.now());
  }).observe(document.body, { attributes: true, subtree: true, attributeFilter: ["data-painted"] });
});
"""
ALL_PAINTED = """() => {
  const panels = document.querySelectorAll("[data-panel]").length;
  return panels > 0 && document.querySelectorAll("[data-painted]").length === panels;
}"""


@dataclass
class Visit:
    """One opening of the page; milliseconds from its start to the last panel."""

    ms: float
    bytes: int
    requests: int
    panels: int


def main() -> int:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        print("no browser found: nothing measured")
        return 0
    sys.path.insert(0, str(ROOT))
    from tests.start.portal import portal_in

    folder = Path(tempfile.mkdtemp(prefix="vptmonitor-bench-"))
    try:
        with portal_in(folder) as portal:
            portal.start()
            portal.manage("load_demo", "--days", "7", "--devices", "12")
            portal.manage("import_dashboards", str(DASHBOARD))
            return _measured(program, portal)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(program: str, portal: Any) -> int:
    from playwright.sync_api import sync_playwright

    from tests.e2e.browser import ARGUMENTS, Visitor

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        with browser.new_context() as context:
            Visitor(context, portal.url).sign_in(portal.password)
            state = context.storage_state()
        with browser.new_context(viewport={"width": 1280, "height": 2400}, storage_state=state) as context:
            page = context.new_page()
            cold = _visit(page, context, portal.url)
            warm = [_visit(page, context, portal.url) for _ in range(ROUNDS)]
        browser.close()
    best = min(warm, key=lambda one: one.ms)
    print(f"A dashboard of {cold.panels} panels in Chromium\n")
    print(f"{'':<6}{'ms to the last panel':>22}{'kB':>8}{'requests':>10}")
    for name, one in (("cold", cold), ("warm", best)):
        print(f"{name:<6}{one.ms:>22.0f}{one.bytes / 1000:>8.0f}{one.requests:>10}")
    over = [
        text
        for text, is_over in (
            (f"more than {MOST_BYTES // 1000} kB cold", cold.bytes > MOST_BYTES),
            (f"more than {MOST_WARM_MS} ms warm", best.ms > MOST_WARM_MS),
        )
        if is_over
    ]
    print("\n" + ("over the limit: " + ", ".join(over) if over else "within the limits"))
    return int(bool(over))


def _visit(page: Any, context: Any, url: str) -> Visit:
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.add_init_script(WATCH)
    page.goto(f"{url}{ADDRESS}")
    page.wait_for_function(ALL_PAINTED)
    last = float(page.evaluate("() => Math.max(...paintedAt)"))
    panels = int(page.evaluate("() => document.querySelectorAll('[data-panel]').length"))
    wire.detach()
    return Visit(last, int(sum(sizes)), len([size for size in sizes if size]), panels)


if __name__ == "__main__":
    raise SystemExit(main())
