"""A real browser and what it complained about."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--font-render-hinting=none",
]  # fmt: skip
PICTURES = Path(__file__).with_name("pictures")


def program() -> str:
    """The browser's path. Without one the test is skipped, or fails where REQUIRE_BROWSER=1 says that one must be."""
    for name in PROGRAMS:
        if found := shutil.which(name):
            return found
    sentence = f"no browser found: install one of {', '.join(PROGRAMS)}"
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


@contextlib.contextmanager
def browser(path: str) -> Iterator[Browser]:
    """A running browser. While it runs, the ORM cannot be used in this thread: Playwright's loop stands in its way."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield launched
        finally:
            launched.close()


class Visitor:
    """A page in a browser, with everything that was wrong on it in `complaints`."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("response", self._on_response)
        self.page.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"
        )

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.url}: {response.status}")

    def open(self, path: str) -> Page:
        """Go to a path of the portal."""
        self.page.goto(f"{self.url}{path}", wait_until="load")
        return self.page

    def sign_in(self, password: str, name: str = "admin") -> None:
        """By the form, as a person does."""
        self.open("/account/login/")
        self.page.get_by_label("Name").fill(name)
        self.page.locator("input[type=password]").fill(password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.url}/")
