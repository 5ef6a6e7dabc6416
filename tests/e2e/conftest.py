"""One browser and one sign-in for all browser tests of a module, ended before tests that use the ORM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import Visitor, browser, program
from tests.start.portal import Portal


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser(program()) as launched:
        yield launched


@pytest.fixture(scope="module")
def _kept() -> dict[str, Any]:
    return {}


@pytest.fixture
def visitor(started: Portal, chromium: Browser, _kept: dict[str, Any]) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors who are signed in: `visitor(width=390, scheme="dark")`. Their complaints fail the test."""
    made: list[Visitor] = []

    def make(width: int = 1280, height: int = 800, scheme: Any = "light", **options: Any) -> Visitor:
        if "state" not in _kept:
            with chromium.new_context() as context:
                Visitor(context, started.url).sign_in(started.password)
                _kept["state"] = context.storage_state()
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, storage_state=_kept["state"],
            reduced_motion="reduce", timezone_id="Europe/Paris", **options,
        )  # fmt: skip
        made.append(Visitor(context, started.url))
        return made[-1]

    yield make
    complaints = [complaint for visitor in made for complaint in visitor.complaints]
    for one in made:
        one.page.context.close()
    assert complaints == []
