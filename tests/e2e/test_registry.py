"""The editor in a browser: findings and preview follow what is typed, and a save is in the history."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
BODY = {
    "uid": "edited-here", "title": "Edited here", "schemaVersion": 41, "panels": [{
        "id": 1, "type": "stat", "title": "Answer", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 6},
        "targets": [{"refId": "A", "rawSql": "SELECT 42 AS answer", "format": "table"}],
    }],
}  # fmt: skip


def test_what_is_typed_is_judged_and_drawn_before_it_is_saved(visitor: Callable[..., Visitor]) -> None:
    one = visitor()
    page = one.open("/dashboards/add/")
    page.fill("[name=text]", json.dumps(BODY))
    page.click("[value=add]")
    expect(page.locator(".answer")).to_have_text("1 added, 0 changed, 0 refused.")
    one.open("/dashboards/edited-here/edit/")
    text, findings = page.locator("[name=text]"), page.locator("[data-findings]")
    drawn = page.frame_locator("[data-preview] iframe").locator("[data-panel-body]")
    expect(drawn).to_contain_text("42")
    text.fill(text.input_value().replace("SELECT 42", "SELECT 43, no_such"))
    expect(findings).to_contain_text("query A changed")
    expect(drawn).to_contain_text('column "no_such" does not exist')
    text.fill("{")
    expect(findings).to_contain_text("It cannot be saved as it is.")
    expect(page.locator("[data-preview-state]")).to_have_text("of what was last a dashboard")
    text.fill(json.dumps(BODY).replace("42", "44"))
    expect(drawn).to_contain_text("44")
    page.fill("[name=reason]", "a better answer")
    page.click("[value=save]")
    expect(page.locator(".answer")).to_have_text("Revision 2 is current, by admin, edited here.")
    page.get_by_role("button", name="Compare the two that are chosen").click()
    expect(page.locator(".words")).to_have_text("panel 1 'Answer': query A changed")
    one.open("/dashboards/edited-here/retire/")
    page.get_by_role("button", name="Retire").click()
    expect(page.locator(".messages")).to_contain_text("Edited here is retired.")
