"""The pages of heatmap reports."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.mirror.models import Heatmap, Team
from tests.mirror.reduced import without_column, without_table
from tests.people import signed_in
from tests.portal.test_runs import text

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def new_report(team: Team, hours: float = 1, **given: Any) -> Heatmap:
    values: dict[str, Any] = {
        "timestamp": "202603011200", "job_id": uuid4(), "hosts_included": 3, "hosts_total": 3, "incidents_count": 0,
        "html_r2_url": "https://reports.example/1.html", "mosaic_r2_url": "javascript:alert(1)",
        "generated_at": timezone.now() - timedelta(hours=hours),
    }  # fmt: skip
    row: Heatmap = Heatmap.objects.create(team=team, **values | given)
    return row


def test_the_newest_report_is_said_first_and_words_tell_the_state(alice: User, team_a: Team) -> None:
    new_report(team_a, 3)
    new_report(team_a, 2, hosts_included=2)
    new_report(team_a, 1, incidents_count=4)
    page = text(signed_in(alice).get("/heatmaps/"))
    assert "The newest report here saw 3 of 3 hosts, 4 incidents." in page
    states = [page.index(f"badge is-{state}") for state in ("warning", "silent", "ok")]
    assert states == sorted(states)
    assert "https://reports.example/1.html" in page
    assert "javascript:alert" not in page


def test_filters_narrow(alice: User, team_a: Team) -> None:
    rows = [new_report(team_a, 1, incidents_count=4), new_report(team_a, 2, hosts_included=2), new_report(team_a, 900)]
    client = signed_in(alice)
    for query, expected in (
        ("", rows[:2]), ("range=all", rows), ("incidents=1", rows[:1]), ("incomplete=1", rows[1:2]),
        (f"team={team_a.pk}", rows[:2]),
    ):  # fmt: skip
        page = text(client.get(f"/heatmaps/?{query}"))
        assert [row for row in rows if str(row.pk) in page] == expected, query


def test_a_report_leads_to_those_beside_it(alice: User, team_a: Team) -> None:
    newer, row, older = (new_report(team_a, hours) for hours in (1, 2, 3))
    page = text(signed_in(alice).get(f"/heatmaps/{row.pk}/"))
    assert f"/heatmaps/{newer.pk}/" in page
    assert f"/heatmaps/{older.pk}/" in page
    assert "3 of 3 hosts, no incidents." in page


def test_a_stranger_finds_nothing(charlie: User, team_a: Team) -> None:
    row = new_report(team_a)
    client = signed_in(charlie)
    assert str(row.pk) not in text(client.get("/heatmaps/"))
    assert client.get(f"/heatmaps/{row.pk}/").status_code == 404


def test_query_counts_are_the_same_for_few_and_many_rows(
    alice: User, team_a: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(alice)
    for wanted in (2, 30):
        for number in range(wanted):
            new_report(team_a, number)
        # The page with its teams, and the teams to choose from.
        with django_assert_num_queries(2, using="source"):
            client.get("/heatmaps/")


def test_without_a_column_or_the_table_the_pages_still_open(admin: User, team_a: Team) -> None:
    row = new_report(team_a)
    client = signed_in(admin)
    for field in Heatmap._meta.concrete_fields:
        with without_column("heatmaps", str(field.column)):
            assert client.get("/heatmaps/?range=all").status_code == 200, field.column
            assert client.get(f"/heatmaps/{row.pk}/").status_code in {200, 404}, field.column
    with without_table("heatmaps"):
        assert "no table “heatmaps”" in text(client.get("/heatmaps/"))
