"""Search: what is found by a piece of its name, and what a stranger finds."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import User
from apps.mirror.models import Campaign, CampaignExecution, NavigationTree, Team, UserInterface
from tests.mirror.reduced import like_an_installation, without_table
from tests.people import HOST_A, TEAM_A, signed_in
from tests.portal.lab import ago, alert, device, ping_of_device, ping_of_host, script

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def make_living_room(team_id: Any = TEAM_A) -> None:
    """One of everything that can be found, with "living" in its name."""
    device("Living room box", team_id)
    ping_of_device(name="Living room box")
    ping_of_host(HOST_A)
    script(name="living_zap")
    Campaign.objects.create(team_id=team_id, name="Living defined")
    CampaignExecution.objects.create(
        team_id=team_id, campaign_name="Living ran", campaign_execution_id="1", host_name=HOST_A, device_name="Box",
        status="completed", started_at=ago(hours=1),
    )  # fmt: skip
    interface = UserInterface.objects.create(team_id=team_id, name="Horizon")
    NavigationTree.objects.create(team_id=team_id, name="living tree", userinterface=interface)
    alert(device_name="Living room box", kind="audio_loss")


def test_everything_with_the_text_in_its_name_is_found(team_a: Team, alice: User) -> None:
    make_living_room()
    page = signed_in(alice).get("/search/", {"q": "LIVING"}).text
    for text in ("Living room box", "living_zap", "Living defined", "Living ran", "living tree", "audio loss"):
        assert text in page
    assert "“LIVING” is in 6 names." in page
    assert HOST_A in signed_in(alice).get("/search/", {"q": "rack"}).text


def test_words_of_an_alert_s_type_find_it(team_a: Team, alice: User) -> None:
    make_living_room()
    assert "audio loss" in signed_in(alice).get("/search/", {"q": "audio loss"}).text


def test_a_stranger_finds_nothing(team_a: Team, charlie: User) -> None:
    make_living_room()
    for text in ("living", "rack-a", "audio"):
        assert f"Nothing is called “{text}”." in signed_in(charlie).get("/search/", {"q": text}).text


@pytest.mark.parametrize("text", ["", "   ", "\x00"])
def test_without_a_text_the_page_asks_for_one(alice: User, text: str, django_assert_num_queries: Any) -> None:
    client = signed_in(alice)
    with django_assert_num_queries(0, using="source"):
        page = client.get("/search/", {"q": text}).text
    assert "What are you looking for?" in page
    assert "Searched: " in page


@pytest.mark.parametrize("text", ["%", "_", "'", "<script>alert(1)</script>", "x" * 500])
def test_any_text_is_a_text(team_a: Team, alice: User, text: str) -> None:
    make_living_room()
    page = signed_in(alice).get("/search/", {"q": text}).text
    assert "<script>alert(1)" not in page
    assert "Nothing found" in page or text == "_"


def test_more_finds_than_are_shown_are_announced_with_a_way_to_all(team_a: Team, alice: User) -> None:
    for number in range(12):
        device(f"Box {number}")
    page = signed_in(alice).get("/search/", {"q": "box"}).text
    assert "is in more than 8 names." in page
    assert 'href="/devices/?q=box"' in page


def test_the_number_of_queries_does_not_grow_with_the_finds(
    team_a: Team, admin: User, django_assert_num_queries: Any
) -> None:
    client = signed_in(admin)
    make_living_room()
    for number in range(20):
        # Devices, teams, metrics, flags, alerts; hosts; scripts; campaigns defined and run; trees; alerts.
        if number in {0, 19}:
            with django_assert_num_queries(11, using="source"):
                client.get("/search/", {"q": "living"})
        device(f"Living {number}")
        script(name=f"living {number}")
        alert(device_id=f"device{number}", device_name=f"Living {number}")


@pytest.mark.parametrize("table", ["device", "campaigns", "navigation_trees", "userinterfaces", "alerts"])
def test_the_search_lives_without_a_table(team_a: Team, admin: User, table: str) -> None:
    make_living_room()
    with without_table(table):
        assert signed_in(admin).get("/search/", {"q": "living"}).status_code == 200


def test_the_search_lives_on_a_real_installation(team_a: Team, admin: User) -> None:
    make_living_room()
    with like_an_installation():
        assert "living_zap" in signed_in(admin).get("/search/", {"q": "living"}).text
