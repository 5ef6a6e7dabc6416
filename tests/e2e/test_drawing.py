"""What panels draw in a real browser: marks stand where their values are, and say what they stand for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import views
from tests.e2e.browser import PICTURES
from tests.e2e.drawing import Stage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SIZES = ((220, 120), (390, 240), (800, 380))


@pytest.fixture
def stage(chromium: Browser) -> Iterator[Callable[..., Stage]]:
    """Makes pages to draw on; a complaint of the browser fails the test."""
    made: list[Stage] = []

    def make(scheme: str = "light", width: int = 1280, height: int = 800) -> Stage:
        made.append(Stage(chromium, scheme=scheme, width=width, height=height))
        return made[-1]

    yield make
    complaints = [complaint for one in made for complaint in one.visitor.complaints]
    for one in made:
        one.close()
    assert complaints == []


@pytest.mark.skipif(os.environ.get("PICTURES") != "1", reason="PICTURES=1 takes pictures of every kind in every size")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_every_kind(stage: Callable[..., Stage], scheme: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    for width, height in SIZES:
        one = stage(scheme, width=1640)
        for view in views.VIEWS.values():
            one.draw(view, width, height)
        one.page.screenshot(path=PICTURES / f"panels-{width}-{scheme}.png", full_page=True)


def test_bars_carry_their_values(stage: Callable[..., Stage]) -> None:
    box = stage().draw(views.UPRIGHT)
    bars = box.locator(".view-bar")
    expect(bars).to_have_count(9)
    assert bars.evaluate_all("bars => bars.slice(0, 3).map(bar => [bar.dataset.label, bar.dataset.value])") == [
        ["login", "12"], ["zapping", "30"], ["playback", "7"]
    ]  # fmt: skip
