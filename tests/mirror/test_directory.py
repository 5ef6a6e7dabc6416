"""The teams and hosts that the admin's forms of accounts offer."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from apps.accounts.teams import directory, known_hosts, known_teams
from apps.mirror.models import DeviceFlag, Team
from tests.people import TEAM_A, TEAM_B

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def test_teams_by_name_and_hosts_once(team_b: Team, team_a: Team) -> None:
    for number in range(2):
        DeviceFlag.objects.create(host_name="rack-z", device_id=f"device{number}", device_name="x")
    DeviceFlag.objects.create(host_name="rack-a", device_id="device1", device_name="x")
    assert list(known_teams().items()) == [(TEAM_A, "Team A"), (TEAM_B, "Team B")]
    assert known_hosts() == ["rack-a", "rack-z"]


def test_a_platform_that_cannot_be_asked_offers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[str]:
        raise OperationalError("the server is away")

    monkeypatch.setattr(directory, "hosts", away)
    assert known_hosts() == []
