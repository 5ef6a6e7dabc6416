"""The list of dashboards and the page of one: who sees which, what the address chooses, and what the page holds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.template import RequestContext, Template
from django.test import Client, RequestFactory

from apps.accounts.models import User
from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Dashboard, Favourite
from tests.people import TEAM_A, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def panel(id: int = 1, title: str = "Runs", **values: Any) -> dict[str, Any]:
    sql = {"refId": "A", "rawSql": "SELECT 1 AS one", "format": "table"}
    return {
        "id": id, "type": "stat", "title": title, "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8}, "targets": [sql],
    } | values  # fmt: skip


def variable(name: str = "kind", **values: Any) -> dict[str, Any]:
    return {"name": name, "type": "custom", "query": "red,green,blue", "label": name.capitalize()} | values


def register(uid: str = "one", *panels: dict[str, Any], folders: tuple[str, ...] = (), **values: Any) -> Dashboard:
    """A dashboard in the registry; fields of the document as they are given, variables as `variables`."""
    body = {
        "uid": uid, "title": f"Dashboard {uid}", "schemaVersion": 41, "panels": list(panels) or [panel()],
        "templating": {"list": values.pop("variables", [])},
    } | values  # fmt: skip
    return import_dashboard(body, folders=folders).dashboard


def page(user: User, path: str) -> str:
    answer = signed_in(user).get(path)
    assert answer.status_code == 200
    return str(answer.text)


def test_the_list_has_folders_tags_and_a_search(admin: User) -> None:
    register("runs", tags=["nightly"])
    register("hosts", folders=("Lab", "Racks"))
    everything = page(admin, "/dashboards/")
    for text in ("2 dashboards in 1 folder.", "Lab / Racks", "Dashboard runs", "nightly", 'href="/d/hosts/"'):
        assert text in everything
    for query, found in (("q=racks", "hosts"), ("tag=nightly", "runs"), ("folder=Lab / Racks", "hosts")):
        shown = page(admin, f"/dashboards/?{query}")
        assert f'href="/d/{found}/"' in shown
        assert shown.count('class="dashboard-name"') == 1


def test_favourites_are_each_viewers_own_and_come_first(admin: User, bob: User) -> None:
    register("runs")
    client = signed_in(admin)
    answer = client.post("/dashboards/runs/favourite/", {"on": "1", "next": "/d/runs/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/d/runs/")
    assert "1 of them your favourite" in client.get("/dashboards/").text
    assert "favourite" not in page(bob, "/dashboards/").split("<main")[1].split("</p>")[0]
    client.post("/dashboards/runs/favourite/", {"on": "0", "next": "//elsewhere.example/"})
    assert not Favourite.objects.exists()


def test_strangers_find_no_dashboard_of_another_team(alice: User, bob: User, charlie: User) -> None:
    register("ours")
    Dashboard.objects.update(team_id=TEAM_A, team_name="Team A")
    for person in (alice, bob):
        assert "/d/ours/" in page(person, "/dashboards/")
        assert "Dashboard ours" in page(person, "/d/ours/")
    assert "/d/ours/" not in page(charlie, "/dashboards/")
    client = signed_in(charlie)
    assert [client.get(path).status_code for path in ("/d/ours/", "/d-solo/ours/1/")] == [404, 404]
    assert client.post("/dashboards/ours/favourite/", {"on": "1"}).status_code == 404


def test_the_page_has_a_frame_for_each_panel_in_its_place(admin: User) -> None:
    register("one", panel(1), panel(2, "Hosts of $kind", gridPos={"x": 12, "y": 0, "w": 6, "h": 4}),
             variables=[variable(current={"text": "green", "value": "green"})])  # fmt: skip
    text = page(admin, "/d/one/")
    assert text.count("data-panel=") == 2
    assert 'data-x="12"' in text
    assert "Hosts of green" in text
    assert "Hosts of blue" in page(admin, "/d/one/?var-kind=blue")


def test_grafanas_own_addresses_lead_to_the_page(admin: User) -> None:
    register("one")
    answer = signed_in(admin).get("/d/one/a-name?from=now-1h&to=now", follow=True)
    assert answer.status_code == 200
    assert 'data-query="from=now-1h&amp;to=now"' in answer.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "is no time"),
        ("from=now&to=now-1h", "starts after it ends"),
        ("tz=Mars/Olympus", "is no time zone"),
        ("var-kind=purple", "is not among the values"),
        ("var-kind=red&var-kind=blue", "holds one value"),
    ],
)
def test_what_the_address_asks_wrongly_is_said_and_the_default_shown(admin: User, query: str, said: str) -> None:
    register("one", variables=[variable()], time={"from": "now-2h", "to": "now"})
    text = page(admin, f"/d/one/?{query}")
    assert said in text
    assert "var-kind=red" in text


def test_the_range_is_called_by_its_name(admin: User) -> None:
    register("one")
    assert "Last 6 hours" in page(admin, "/d/one/").split("data-range-label")[1].split("</span>")[0]
    named = page(admin, "/d/one/?from=now-90m&to=now").split("data-range-label")[1].split("</span>")[0]
    assert "now-90m to now" in named
    fixed = page(admin, "/d/one/?from=1760000000000&to=1760003600000").split("data-range-label")[1]
    assert "<time" in fixed.split("</span>")[0]


def test_a_row_opens_and_closes_by_its_address(admin: User) -> None:
    row = {"id": 7, "type": "row", "title": "More", "collapsed": True, "gridPos": {"x": 0, "y": 9, "w": 24, "h": 1},
           "panels": [panel(8, "Hidden")]}  # fmt: skip
    register("one", panel(1), row)
    closed = page(admin, "/d/one/")
    assert "Hidden" not in closed
    assert 'href="?row=7"' in closed
    assert "Hidden" in page(admin, "/d/one/?row=7")


def test_a_panel_is_repeated_for_each_value(admin: User) -> None:
    register("one", panel(1, "Only $kind", repeat="kind"),
             variables=[variable(multi=True, includeAll=True, current={"text": "All", "value": "$__all"})])  # fmt: skip
    text = page(admin, "/d/one/")
    for colour in ("red", "green", "blue"):
        assert f"Only {colour}" in text
        assert f"scope-kind={colour}" in text
    assert "Only blue" not in page(admin, "/d/one/?var-kind=red&var-kind=green")


def test_one_panel_alone(admin: User) -> None:
    register("one", panel(1, "First"), panel(2, "Second"))
    full = page(admin, "/d/one/?viewPanel=2")
    assert "Second" in full
    assert "First" not in full
    solo = page(admin, "/d-solo/one/2/?from=now-1h&to=now")
    assert "Second" in solo
    assert 'class="side"' not in solo
    assert signed_in(admin).get("/d-solo/one/3/").status_code == 404


def test_only_links_that_a_browser_can_follow_stand_above_the_panels(admin: User) -> None:
    register("one", links=[
        {"title": "Wiki", "type": "link", "url": "https://wiki.example/x?a=1", "keepTime": True},
        {"title": "Trap", "type": "link", "url": "javascript:alert(1)"},
    ])  # fmt: skip
    text = page(admin, "/d/one/")
    assert "https://wiki.example/x?a=1&amp;from=now-6h&amp;to=now" in text
    assert "javascript:" not in text.replace('href="javascript', "")
    assert "Trap" not in text


def test_the_page_needs_few_queries(admin: User, django_assert_max_num_queries: Any) -> None:
    for number in range(3):
        register(f"d{number}", *(panel(id) for id in range(1, 9)))
    client = signed_in(admin)
    client.get("/dashboards/")
    # Session, user, groups, folders, favourites, dashboards.
    with django_assert_max_num_queries(7, using="default"):
        client.get("/dashboards/")
    # Session, user, groups, the dashboard, whether it is a favourite.
    with django_assert_max_num_queries(6, using="default"):
        client.get("/d/d1/")


def test_favourites_are_changed_by_post_alone(admin: User) -> None:
    register("one")
    client: Client = signed_in(admin)
    assert client.get("/dashboards/one/favourite/").status_code == 405


def test_the_page_names_the_modules_that_it_needs_at_once(admin: User) -> None:
    register("one")
    named = re.findall(r'rel="modulepreload" href="/static/([^"]+)"', page(admin, "/d/one/"))
    assert "portal/panels/draw.js" in named
    assert all(finders.find(path) for path in named)


def embedded(user: User, tag: str) -> str:
    request = RequestFactory().get("/")
    request.user = user
    return Template("{% load panels %}" + tag).render(RequestContext(request, {"name": "A & B"}))


def test_a_panel_stands_on_another_page_with_its_variables(admin: User, charlie: User) -> None:
    register("one", panel(3, "Runs"), variables=[variable()])
    shown = embedded(admin, '{% panel "one" 3 since="now-7d" kind=name empty="" %}')
    for text in ('data-panel="3"', "from=now-7d&amp;to=now&amp;var-kind=A+%26+B", 'data-dashboard="/d/one/"', "Runs"):
        assert text in shown
    assert "var-empty" not in shown


def test_a_page_does_not_hang_on_a_dashboard(admin: User, charlie: User) -> None:
    register("one", panel(3))
    assert embedded(admin, '{% panel "none" 3 %}{% panel "one" 4 %}') == ""
    Dashboard.objects.update(team_id=TEAM_A)
    assert embedded(charlie, '{% panel "one" 3 %}') == ""


def test_a_link_by_tags_leads_to_every_dashboard_that_has_them(admin: User) -> None:
    register("one", links=[{"type": "dashboards", "tags": ["lab"], "keepTime": True}])
    register("two", tags=["lab", "more"])
    register("three", tags=["more"])
    text = page(admin, "/d/one/?from=now-1h&to=now")
    assert 'href="/d/two/?from=now-1h&amp;to=now"' in text
    assert "/d/three/" not in text


def test_a_copy_of_a_repeated_panel_stands_alone_with_its_value(admin: User) -> None:
    register("one", panel(1, "Only $kind", repeat="kind"),
             variables=[variable(multi=True, includeAll=True, current={"text": "All", "value": "$__all"})])  # fmt: skip
    solo = page(admin, "/d-solo/one/1/?scope-kind=blue")
    assert "Only blue" in solo
    assert 'data-query="scope-kind=blue"' in solo


def test_a_wall_display_goes_round_the_favourites(admin: User) -> None:
    for uid in ("a", "b", "c"):
        row = register(uid)
        if uid != "b":
            Favourite.objects.create(user_id=admin.pk, dashboard=row)
    assert "/d/a/?kiosk=1&amp;cycle=1m" in page(admin, "/dashboards/")
    assert 'data-next="/d/c/?kiosk=1&amp;cycle=30s"' in page(admin, "/d/a/?kiosk=1&cycle=30s")
    assert 'data-next="/d/a/?kiosk=1&amp;cycle=30s"' in page(admin, "/d/c/?kiosk=1&cycle=30s")
    assert "data-next" not in page(admin, "/d/a/?kiosk=1&cycle=soon")
    assert "data-next" not in page(admin, "/d/a/?kiosk=1")


def test_the_search_finds_dashboards(admin: User, charlie: User) -> None:
    register("one", title="Zapping times")
    Dashboard.objects.update(team_id=TEAM_A)
    assert 'href="/d/one/"' in page(admin, "/search/?q=zapping")
    assert 'href="/d/one/"' not in page(charlie, "/search/?q=zapping")


def test_a_panel_has_its_authors_links_and_says_its_own_times(admin: User) -> None:
    register(
        "one",
        panel(1, links=[{"title": "Of $kind", "url": "/runs/?q=$kind"}, {"title": "Trap", "url": "javascript:x"}]),
        panel(2, timeFrom="2h"), panel(3, timeShift="1d"), panel(4, timeFrom="1d", hideTimeOverride=True),
        variables=[variable()],
    )  # fmt: skip
    text = page(admin, "/d/one/")
    assert '<a href="/runs/?q=red">Of red</a>' in text
    assert "Trap" not in text
    assert "last 2h" in text
    assert "1d earlier" in text
    assert "last 1d" not in text.split('data-part="grid"')[1]
    assert "last 2h" not in page(admin, "/d/one/?from=1760000000000&to=1760003600000")


def test_of_very_many_values_the_first_are_listed_and_any_can_be_typed(admin: User) -> None:
    names = [f"v{number}" for number in range(1500)]
    register("one", variables=[variable(query=",".join(names))])
    text = page(admin, "/d/one/?var-kind=v1400")
    assert text.count('class="menu-check"') == 1001
    assert "500 more are not listed" in text
    assert 'data-typed="var-kind"' in text
    assert 'value="v1400" checked' in text


@pytest.mark.parametrize(
    ("own", "query", "chosen"),
    [
        ("1m", "", "1m"), ("45s", "", "45s"), ("1m", "refresh=30s", "30s"), ("1m", "refresh=", ""), ("1s", "", ""),
        (False, "", ""), ("", "refresh=often", ""), ("", "refresh=0m", ""),
    ],
)  # fmt: skip
def test_the_page_refreshes_as_the_address_says_or_the_dashboard(
    admin: User, own: Any, query: str, chosen: str
) -> None:
    register("one", refresh=own)
    listed = page(admin, f"/d/one/?{query}").split("data-refresh")[1].split("</select>")[0]
    assert re.findall(r'value="(\w+)"\s+selected', listed) == ([chosen] if chosen else [])
