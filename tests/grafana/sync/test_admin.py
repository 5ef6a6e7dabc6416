"""The sync in the admin: states, orders that ask first with their plan, conflicts, runs, and who may."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import AuditEntry, User
from apps.dashboards import revisions
from apps.dashboards.models import Dashboard
from apps.grafana.models import GrafanaInstance, Placement, SyncPause, SyncRun
from apps.grafana.verdict import State
from tests.grafana.sync.site import Site, placement, sync
from tests.people import signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])

LIST = "/admin/grafana/placement/"


@pytest.fixture
def browser(admin: User) -> Client:
    return signed_in(admin)


def order(browser: Client, name: str, *rows: Placement, **given: str) -> Any:
    """The page that asks."""
    return browser.post(LIST, {"action": name, "_selected_action": [row.pk for row in rows], **given})


def confirm(browser: Client, asked: Any, **given: str) -> Any:
    """Send the form of the page that asked, as it is."""
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", asked.content.decode()):
        found = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))
        if found.get("type") == "hidden" and found["name"] != "csrfmiddlewaretoken":
            fields.setdefault(found["name"], []).append(found["value"])
    return browser.post(LIST, {**fields, **given}, follow=True)


def drifted(site: Site, instance: GrafanaInstance, **fields: Any) -> tuple[Dashboard, Placement]:
    """A dashboard that somebody edited in Grafana, as a check found it."""
    dashboard = site.register("edited", policy="observe", **fields)
    sync(instance)
    site.edit("edited", title="Edited there")
    sync(instance, only_check=True)
    return dashboard, placement(instance, dashboard)


def test_the_list_of_dashboards_says_how_each_stands_in_grafana(
    site: Site, instance: GrafanaInstance, browser: Client
) -> None:
    _, row = drifted(site, instance)
    site.register("never")
    page = browser.get(reverse("admin:dashboards_dashboard_changelist")).content.decode()
    assert "never checked" in page
    assert re.search(rf'href="/admin/grafana/placement/{row.pk}/change/"[^>]*>.*?drifted', page, re.DOTALL)
    listed = browser.get(LIST).content.decode()
    assert "drifted" in listed
    assert site.user in listed
    assert row.link in listed


def test_people_see_in_the_portals_list_what_is_not_as_registered(
    site: Site, instance: GrafanaInstance, browser: Client, bob: User
) -> None:
    _, row = drifted(site, instance)
    listed = browser.get("/dashboards/").content.decode()
    assert "1 dashboard, 1 of them not as registered in Grafana." in listed
    assert f"/admin/grafana/placement/{row.pk}/change/" in listed
    theirs = signed_in(bob).get("/dashboards/").content.decode()
    assert "drifted" in theirs
    assert "/admin/grafana/" not in theirs


def test_prometheus_is_told_how_many_are_in_which_state(site: Site, instance: GrafanaInstance, browser: Client) -> None:
    drifted(site, instance)
    told = browser.get("/metrics").content.decode()
    assert f'vptmonitor_dashboards{{grafana="{instance}",state="drifted"}} 1' in told
    assert f'vptmonitor_sync_last_run_timestamp_seconds{{grafana="{instance}"}}' in told


def test_a_push_asks_with_its_plan_and_leads_to_the_run(site: Site, instance: GrafanaInstance, browser: Client) -> None:
    dashboard = site.register("pushed")
    asked = browser.post(
        reverse("admin:dashboards_dashboard_changelist"),
        {"action": "grafana_push", "_selected_action": [dashboard.pk]},
    )
    assert "Sync now: 1 dashboard?" in asked.content.decode()
    assert "create" in asked.content.decode()
    assert not site.has("pushed")
    done = confirm(browser, asked, reason="first time")
    run = SyncRun.objects.get()
    assert done.redirect_chain[-1][0] == f"/admin/grafana/syncrun/{run.pk}/change/"
    assert (run.status, run.actor, run.reason, run.cause) == ("done", "admin", "first time", "admin")
    assert site.live("pushed").version == 1
    shown = done.content.decode()
    assert dashboard.title in shown
    assert "first time" in shown
    assert AuditEntry.objects.filter(action="command", actor="admin", reason="first time").exists()


def test_nothing_is_done_when_something_moved_after_the_plan_was_shown(
    site: Site, instance: GrafanaInstance, browser: Client
) -> None:
    dashboard = site.register("moved")
    sync(instance)
    site.register("moved", tags=["new"])
    asked = order(browser, "push", placement(instance, dashboard))
    site.edit("moved", title="Edited meanwhile")
    done = confirm(browser, asked)
    assert "the plan is out of date" in done.content.decode()
    assert site.live("moved").body["title"] == "Edited meanwhile"


def test_an_edit_is_adopted(site: Site, instance: GrafanaInstance, browser: Client) -> None:
    dashboard, row = drifted(site, instance)
    confirm(browser, order(browser, "adopt", row))
    dashboard.refresh_from_db()
    assert dashboard.title == "Edited there"
    assert placement(instance, dashboard).state == State.IN_SYNC


def test_an_edit_is_rejected_and_kept(site: Site, instance: GrafanaInstance, browser: Client) -> None:
    dashboard, row = drifted(site, instance)
    confirm(browser, order(browser, "reject", row))
    assert site.live("edited").body["title"] == dashboard.title
    assert "Edited there" in [one.body["title"] for one in dashboard.revisions.all()]


@pytest.mark.parametrize(("keep", "title"), [("ours", "Changed here"), ("theirs", "Edited there")])
def test_a_conflict_shows_both_sides_by_panel_and_ends_by_a_word(
    site: Site, instance: GrafanaInstance, browser: Client, keep: str, title: str
) -> None:
    dashboard, _ = drifted(site, instance)
    site.register("edited", title="Changed here", policy="observe")
    sync(instance, only_check=True)
    row = placement(instance, dashboard)
    assert row.state == State.CONFLICT
    page = browser.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "Changed here in 1 place, in Grafana in 1 place; 1 place by both." in page
    assert "→ &#x27;Changed here&#x27;" in page
    assert "→ &#x27;Edited there&#x27;" in page
    confirm(browser, order(browser, keep, row))
    dashboard.refresh_from_db()
    assert dashboard.title == title
    assert site.live("edited").body["title"] == title
    assert {"Changed here", "Edited there"} <= {one.body["title"] for one in dashboard.revisions.all()}


def test_what_is_released_is_left_alone_until_it_is_taken_back(
    site: Site, instance: GrafanaInstance, browser: Client
) -> None:
    dashboard, row = drifted(site, instance)
    confirm(browser, order(browser, "release", row))
    row = placement(instance, dashboard)
    assert (row.released, row.state) == (True, State.RELEASED)
    confirm(browser, order(browser, "take_back", row))
    assert not placement(instance, dashboard).released


def test_pruning_deletes_ours_alone_and_restoring_brings_it_back(
    site: Site, instance: GrafanaInstance, browser: Client
) -> None:
    dashboard = site.register("pruned")
    sync(instance)
    revisions.retire(dashboard, actor="tester", reason="")
    sync(instance, only_check=True)
    row = placement(instance, dashboard)
    confirm(browser, order(browser, "prune", row))
    assert not site.has("pruned")
    confirm(browser, order(browser, "restore", placement(instance, dashboard)))
    assert site.has("pruned")
    dashboard.refresh_from_db()
    assert dashboard.retired_at is None


def test_what_nobody_registered_is_found_and_registered(site: Site, instance: GrafanaInstance, browser: Client) -> None:
    site.make("foreign", title="Made there")
    address = reverse("admin:grafana_placement_found", args=[instance.pk])
    assert "Made there" in browser.get(address).content.decode()
    browser.post(address, {"uid": [site.uid("foreign")], "reason": "wanted"})
    assert Dashboard.objects.get(uid=site.uid("foreign")).title == "Made there"
    assert site.live("foreign").version == 1


def test_a_grafana_that_is_away_is_said_and_nothing_is_concluded(
    site: Site, instance: GrafanaInstance, browser: Client
) -> None:
    dashboard, row = drifted(site, instance)
    GrafanaInstance.objects.filter(pk=instance.pk).update(address="http://127.0.0.1:1")
    row = placement(instance, dashboard)
    asked = order(browser, "push", row).content.decode()
    assert 'value="yes"' in asked
    assert "Change nothing" in asked
    assert ">Sync now</button>" not in asked
    assert "nothing listens" in asked
    browser.post(LIST, {"action": "check_now", "_selected_action": [row.pk]})
    assert placement(instance, dashboard).state == State.UNKNOWN
    assert browser.get(reverse("admin:grafana_placement_found", args=[instance.pk])).status_code == 200


def test_a_pause_says_who_made_it(browser: Client, admin: User) -> None:
    browser.post("/admin/grafana/syncpause/add/", {"team_id": "", "reason": "migration"})
    pause = SyncPause.objects.get()
    assert (pause.team_id, pause.actor, pause.reason) == (None, "admin", "migration")


def test_people_without_the_permission_look_at_most(site: Site, instance: GrafanaInstance, alice: User) -> None:
    _, row = drifted(site, instance)
    browser = signed_in(alice)
    assert browser.get(LIST).status_code == 403
    assert browser.get(f"{LIST}{row.pk}/change/").status_code == 403
    assert order(browser, "push", row).status_code == 403
    assert browser.get(reverse("admin:grafana_placement_found", args=[instance.pk])).status_code == 403
    assert site.live("edited").body["title"] == "Edited there"
