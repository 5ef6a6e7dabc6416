"""No page that stands at a fixed address asks the database more often for many rows than for a few."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import AuditEntry, HostTeam, SignInAttempt, TeamMembership, User
from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Folder
from apps.mirror.models import PlatformAlert
from apps.triage.models import AlertTriage
from tests.mirror.rows import Lab
from tests.pages import fixed_addresses, is_html, name_of
from tests.people import signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])

MOST = 10
MOST_OVERVIEW = 19
"""The overview draws together what other pages show."""
LISTS = {"/devices/", "/system/", "/alerts/", "/campaigns/", "/runs/", "/heatmaps/", "/navigation/", "/dashboards/"}


def furnish(number: int) -> None:
    """One more of everything, in the mirror and in the portal's own tables."""
    lab = Lab(f"Lab {number}", f"host-{number}", datetime.now(UTC) - timedelta(minutes=3))
    HostTeam.objects.create(host_name=lab.host, team_id=lab.team_id, team_name=lab.name)
    user = User.objects.create(username=f"user {number}")
    TeamMembership.objects.create(user=user, team_id=lab.team_id, team_name=lab.name)
    AuditEntry.objects.create(actor=user.username, action=AuditEntry.Action.COMMAND)
    SignInAttempt.objects.create(key=f"name|{number}", window_start=timezone.now(), attempts=2)
    alert = lab.of(PlatformAlert)
    AlertTriage.objects.create(alert_id=alert.pk, state="acknowledged", actor="somebody", at=timezone.now())
    folder = Folder.objects.create(uid=f"folder-{number}", title=f"Folder {number}")
    import_dashboard({"uid": f"board-{number}", "title": f"Board {number}", "panels": []}, folders=(folder.title,))


def queries(client: Client, address: str) -> list[str]:
    """The statements that a page runs on both databases."""
    with CaptureQueriesContext(connections["default"]) as own, CaptureQueriesContext(connections["source"]) as source:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in (*own.captured_queries, *source.captured_queries)]


def test_no_page_asks_more_for_more_rows() -> None:
    furnish(1)
    client = signed_in(User.objects.create_superuser("root", password="made for a test", all_teams=True))
    asked = {address: client.get(address) for address in fixed_addresses() if not name_of(address).endswith("_add")}
    pages = [address for address, answer in asked.items() if answer.status_code == 200 and is_html(answer)]
    assert set(pages) >= LISTS
    few = {address: queries(client, address) for address in pages}
    for number in range(2, 6):
        furnish(number)
    for address in pages:
        many = queries(client, address)
        assert len(many) == len(few[address]), (address, few[address], many)
        assert len(many) <= (MOST_OVERVIEW if address == "/" else MOST), (address, many)
