"""From a panel of the dashboards that ship to the rows that it counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.accounts.models import User
from apps.panels.document import Dashboard, read_dashboard
from apps.panels.variables import Option, Selection
from apps.portal.selectors.panel_rows import BEHIND, rows_behind
from tests.people import signed_in

SHIPPED = Path(__file__).resolve().parents[2] / "grafana_config" / "dashboards"
NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
DAY = NOW - timedelta(days=1)


def shipped() -> dict[str, Dashboard]:
    found = [read_dashboard(json.loads(file.read_text())) for file in SHIPPED.rglob("*.json")]
    return {one.uid: one for one in found}


def asked(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def test_every_panel_that_counts_rows_leads_to_them() -> None:
    dashboards = shipped()
    assert BEHIND.keys() == dashboards.keys()
    for uid, panels in BEHIND.items():
        there = {panel.id for panel in dashboards[uid].all_panels()}
        # Whether the database answers is no row.
        assert there - panels.keys() <= {1}, uid
        assert panels.keys() <= there, uid


@pytest.mark.django_db(databases=["default", "source"])
def test_the_rows_have_a_page(admin: User) -> None:
    client = signed_in(admin)
    addresses = {rows_behind(uid, panel, {}, DAY, NOW) for uid, panels in BEHIND.items() for panel in panels}
    assert len(addresses) > 6
    for address in addresses:
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize(
    ("hours", "span"),
    [(0.9, "1h"), (1, "1h"), (1.005, "1h"), (2, "6h"), (24, "24h"), (48, "7d"), (720, "30d"), (2000, "all")],
)
def test_the_list_covers_the_range(hours: float, span: str) -> None:
    address = rows_behind("virtualpytest-overview", 1, {}, NOW - timedelta(hours=hours), NOW)
    assert asked(address) == {"kind": ["script"], "range": [span]}


def test_what_is_chosen_alone_narrows_the_list() -> None:
    chosen = {
        "host": Selection.of("host", "rack-1"),
        "device": Selection.of("device", "a", "b"),
        "team": Selection("team", (Option("A", "1"),), is_all=True),
    }
    address = rows_behind("virtualpytest-overview", 3, chosen, DAY, NOW)
    assert asked(address) == {"kind": ["script"], "state": ["running"], "range": ["24h"], "host": ["rack-1"]}


def test_other_panels_lead_nowhere() -> None:
    assert rows_behind("virtualpytest-overview", 99, {}, DAY, NOW) == ""
    assert rows_behind("of-somebody", 1, {}, DAY, NOW) == ""
