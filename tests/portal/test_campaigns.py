"""The pages of campaigns: definitions and runs under one name, compared with the month before."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.accounts.scope import EVERYTHING
from apps.mirror.models import Campaign, CampaignExecution, Team
from apps.portal.selectors import campaigns
from tests.mirror.reduced import like_an_installation, without_column, without_table
from tests.people import signed_in
from tests.portal.test_runs import new_campaign, new_script, new_test, text

pytestmark = pytest.mark.django_db(databases=["default", "source"])

DAY = 24 * 60


def failed(team: Team, minutes: float, **given: Any) -> CampaignExecution:
    return new_campaign(team, minutes, status="failed", success=False, **given)


def test_success_is_of_the_runs_that_ended_and_compared_with_the_month_before(team_a: Team) -> None:
    for minutes in (10, DAY, 2 * DAY):
        new_campaign(team_a, minutes)
    failed(team_a, 3 * DAY)
    new_campaign(team_a, 5, status="cancelled", success=False)
    new_campaign(team_a, 4, status="pending", success=False)
    new_campaign(team_a, 1, status="running", success=False, completed_at=None, execution_time_ms=None)
    for minutes in (31 * DAY, 32 * DAY):
        failed(team_a, minutes)
    new_campaign(team_a, 61 * DAY, campaign_name="Long ago")
    [row] = campaigns.campaigns(scope=EVERYTHING, now=timezone.now())
    assert (row.name, row.now.rate, row.before.rate, row.last_state) == ("Nightly", 0.75, 0, "running")
    assert (row.median_ms, row.p95_ms) == (300_000, 300_000)
    assert [rate for rate in row.rates if rate is not None] == [0, 1, 1, 1]


def test_definitions_and_runs_are_one_list(alice: User, team_a: Team) -> None:
    Campaign.objects.create(team=team_a, name="Nightly", description="Every night", status="paused")
    Campaign.objects.create(team=team_a, name="Never run")
    of_tests = Campaign.objects.create(team=team_a, name="By tests")
    new_test(team_a, campaign=of_tests)
    new_test(team_a, campaign=of_tests, status="failed")
    new_campaign(team_a)
    failed(team_a, 5, campaign_name="Undefined / with slash")
    client = signed_in(alice)
    page = text(client.get("/campaigns/"))
    order = [page.index(name) for name in ("Undefined / with slash", "Nightly", "By tests", "Never run")]
    assert order == sorted(order)
    for shown in ("Every night", "never seen", "50\u202f%", "paused"):
        assert shown in page
    rows = list(csv.DictReader(io.StringIO(b"".join(client.get("/campaigns/?format=csv")).decode())))
    assert {row["name"]: row["counted"] for row in rows}["By tests"] == "test executions"
    assert "1 of 2 test executions in 30 days went well." in text(client.get(f"/campaigns/{of_tests.pk}/", follow=True))
    assert "Failed" in text(client.get("/campaigns/by-name/Undefined%20/%20with%20slash/"))


def test_filters_narrow(alice: User, team_a: Team) -> None:
    new_campaign(team_a)
    failed(team_a, 5, campaign_name="Smoke")
    client = signed_in(alice)
    for query, shown in (("q=night", ["Nightly"]), ("last=failing", ["Smoke"]), ("status=paused", [])):
        page = text(client.get(f"/campaigns/?{query}"))
        assert [name for name in ("Nightly", "Smoke") if f"/by-name/{name}/" in page] == shown


def test_the_detail_tells_its_runs_and_scripts(alice: User, team_a: Team) -> None:
    scripts = [new_script(team_a), new_script(team_a, success=False, script_name="dns.py")]
    run = new_campaign(team_a, script_result_ids=[script.pk for script in scripts])
    page = text(signed_in(alice).get("/campaigns/by-name/Nightly/"))
    assert "1 of 1 campaign runs in 30 days went well." in page
    assert f"/runs/campaign/{run.pk}/" in page
    assert page.index("q=dns.py") < page.index("q=zap.py")
    assert "completed with success" in page


def test_a_stranger_finds_nothing(charlie: User, team_a: Team) -> None:
    definition = Campaign.objects.create(team=team_a, name="Nightly")
    new_campaign(team_a)
    client = signed_in(charlie)
    assert "Nightly" not in text(client.get("/campaigns/"))
    for address in (f"/campaigns/{definition.pk}/", f"/campaigns/{uuid4()}/", "/campaigns/by-name/Nightly/"):
        assert client.get(address).status_code == 404


def test_an_empty_list_says_what_fills_it(alice: User) -> None:
    page = text(signed_in(alice).get("/campaigns/"))
    assert "No campaign is known yet." in page
    assert "when a host runs one" in page


def test_query_counts_are_the_same_for_few_and_many_rows(
    alice: User, team_a: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(alice)
    for wanted in (3, 20):
        for number in range(wanted):
            name = f"c{wanted}-{number}"
            new_campaign(team_a, number, campaign_name=name, script_result_ids=[new_script(team_a).pk])
            new_test(team_a, campaign=Campaign.objects.create(team=team_a, name=f"t{name}"))
        # Counts, rates, the last of each, definitions, executions of tests.
        with django_assert_num_queries(5, using="source"):
            client.get("/campaigns/")
        # Definition, runs, counts, scripts, days.
        with django_assert_num_queries(5, using="source"):
            client.get(f"/campaigns/by-name/c{wanted}-0/")


def test_without_a_column_or_the_table_the_pages_still_open(admin: User, team_a: Team) -> None:
    Campaign.objects.create(team=team_a, name="Nightly")
    new_campaign(team_a)
    client = signed_in(admin)
    for model in (CampaignExecution, Campaign):
        for field in model._meta.concrete_fields:
            with without_column(model._meta.db_table, str(field.column)):
                assert client.get("/campaigns/").status_code == 200, field.column
                assert client.get("/campaigns/by-name/Nightly/").status_code in {200, 404}, field.column
        with without_table(model._meta.db_table):
            assert "Nightly" in text(client.get("/campaigns/"))
    with without_table("campaigns"), without_table("campaign_executions"):
        assert "no table “campaign_executions”" in text(client.get("/campaigns/"))
    with like_an_installation():
        assert "Nightly" in text(client.get("/campaigns/"))


def test_a_day_is_one_of_the_servers_zone(team_a: Team) -> None:
    at = timezone.localtime().replace(hour=0, minute=0, second=1, microsecond=0)
    new_campaign(team_a, at=at)
    new_campaign(team_a, at=at - timedelta(seconds=2))
    found = campaigns.details(scope=EVERYTHING, now=timezone.now(), name="Nightly")
    assert found is not None
    assert [tally.ok for _, tally, _ in found.days][-2:] == [1, 1]
