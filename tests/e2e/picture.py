"""The picture in README, taken anew by `make picture`: the overview of a portal as `make run` starts it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.e2e.browser import Visitor, browser, program
from tests.start.portal import ROOT, portal_in

PICTURE = ROOT / "docs" / "pictures" / "overview.png"


def main() -> None:
    """Start a portal with its demo lab, sign in, take the picture."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, portal_in(Path(folder), DEMO="true") as portal:
        portal.start(seconds=180)
        with browser(program()) as chromium:
            context = chromium.new_context(
                viewport={"width": 1280, "height": 860}, color_scheme="light", reduced_motion="reduce"
            )
            visitor = Visitor(context, portal.url)
            visitor.sign_in(portal.password)
            visitor.page.wait_for_load_state("networkidle")
            visitor.page.screenshot(path=PICTURE)
            context.close()


if __name__ == "__main__":
    main()
