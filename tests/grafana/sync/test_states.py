"""What a sync does in each state: what Grafana has afterwards, what the registry has, what is recorded."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from apps.dashboards import revisions
from apps.dashboards.models import Cause, Dashboard
from apps.grafana.models import GrafanaInstance, Placement, SyncRun
from apps.grafana.verdict import State
from tests.grafana.sync.site import Site, placement, sync

pytestmark = pytest.mark.django_db

Status = SyncRun.Status


def state(instance: GrafanaInstance, dashboard: Dashboard) -> str:
    return placement(instance, dashboard).state


def test_a_new_dashboard_is_made_and_a_second_run_writes_nothing(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("new", folders=("Lab", "Racks"))
    report = sync(instance)
    assert report.run.status == Status.DONE
    assert [step.row.kind for step in report.steps] == ["folder", "folder", "dashboard"]
    live = site.live("new")
    assert live.version == 1
    assert live.folder_uid == dashboard.folder.uid if dashboard.folder else ""
    assert site.somebody.folder(live.folder_uid).title == f"Racks {site.mark}"
    row = placement(instance, dashboard)
    assert (row.state, row.base_version, row.created_by_us, row.intent) == (State.IN_SYNC, 1, True, "")
    again = sync(instance)
    assert again.run.status == Status.DONE
    assert not again.steps
    # The newer API's list (asked where it is, and read) and the two folders.
    assert again.run.requests == 2 + 2
    assert site.live("new").version == 1
    assert dashboard.revisions.count() == 1


def test_a_new_revision_is_pushed_as_one_version_that_names_the_run(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("ahead")
    sync(instance)
    site.register("ahead", tags=["lab", "racks"])
    report = sync(instance)
    assert [(step.row.state, step.row.action) for step in report.steps] == [("ahead", "update")]
    assert site.live("ahead").body["tags"] == ["lab", "racks"]
    assert site.versions("ahead") == 2
    assert site.somebody.versions(site.uid("ahead"))[0].message.endswith(": a test")
    assert state(instance, dashboard) == State.IN_SYNC


def test_enforce_keeps_the_edit_as_a_revision_and_restores_ours(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("drift")
    sync(instance)
    site.edit("drift", title="Edited", refresh="5s")
    report = sync(instance)
    assert [(step.row.state, step.row.action) for step in report.steps] == [("drifted", "restore")]
    live = site.live("drift")
    assert "refresh" not in live.body
    assert live.body["title"] == dashboard.title
    kept = dashboard.revisions.first()
    assert kept is not None
    assert (kept.cause, kept.body["title"]) == (Cause.FOUND, "Edited")
    assert site.user in kept.actor
    dashboard.refresh_from_db()
    assert dashboard.current is not None
    assert dashboard.current.number == 1
    assert state(instance, dashboard) == State.IN_SYNC


def test_observe_reports_who_edited_and_keeps_what_is_there(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("observed", policy="observe")
    sync(instance)
    site.edit("observed", title="Edited")
    for _ in range(2):
        report = sync(instance)
        assert report.run.status == Status.DONE
        assert [step.outcome for step in report.steps] == ["reported"]
        assert site.user in report.steps[0].words
    row = placement(instance, dashboard)
    assert (row.state, row.edited_by) == (State.DRIFTED, site.user)
    assert row.live is not None
    assert row.live.document["title"] == "Edited"
    assert site.versions("observed") == 2
    assert dashboard.revisions.count() == 1


def test_adopt_takes_the_edit_as_the_new_revision_without_a_write(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("adopted", folders=("Lab",), policy="adopt")
    sync(instance)
    site.edit("adopted", title="Edited", folder_uid="")
    report = sync(instance)
    assert [(step.row.state, step.row.action) for step in report.steps] == [("drifted", "adopt")]
    dashboard.refresh_from_db()
    assert dashboard.title == "Edited"
    assert dashboard.folder is None
    assert dashboard.current is not None
    assert dashboard.current.cause == Cause.ADOPT
    assert site.versions("adopted") == 2
    again = sync(instance)
    assert not again.steps
    assert state(instance, dashboard) == State.IN_SYNC


def test_locked_changes_nothing_on_either_side(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("locked")
    sync(instance)
    dashboard.policy = "locked"
    dashboard.save()
    site.edit("locked", title="Edited")
    sync(instance, force=True)
    sync(instance, pull=True)
    assert site.versions("locked") == 2
    assert state(instance, dashboard) == State.DRIFTED
    assert dashboard.revisions.count() == 1


def test_an_edit_on_both_sides_waits_for_a_person_with_all_three_bodies(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("both")
    sync(instance)
    site.edit("both", title="Theirs")
    site.register("both", title="Ours")
    for _ in range(2):
        report = sync(instance)
        assert report.run.status == Status.CONFLICT
    row = placement(instance, dashboard)
    assert row.state == State.CONFLICT
    assert row.base is not None
    assert row.live is not None
    titles = [row.base.document["title"], row.dashboard.body["title"], row.live.document["title"]]
    assert titles == [f"Dashboard {site.uid('both')}", "Ours", "Theirs"]
    assert site.live("both").body["title"] == "Theirs"
    assert sync(instance, force=True).run.status == Status.DONE
    assert site.live("both").body["title"] == "Ours"
    assert Dashboard.objects.get(pk=dashboard.pk).revisions.filter(cause=Cause.FOUND).count() == 1


def test_a_conflict_can_end_with_theirs(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("theirs")
    sync(instance)
    site.edit("theirs", title="Theirs")
    site.register("theirs", title="Ours")
    sync(instance)
    assert sync(instance, pull=True).run.status == Status.DONE
    dashboard.refresh_from_db()
    assert dashboard.title == "Theirs"
    assert [revision.body["title"] for revision in dashboard.revisions.all()][:2] == ["Theirs", "Ours"]
    assert site.versions("theirs") == 2
    assert state(instance, dashboard) == State.IN_SYNC


def test_the_same_change_on_both_sides_is_no_conflict(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("same")
    sync(instance)
    site.edit("same", tags=["lab", "both"])
    site.register("same", tags=["lab", "both"])
    assert sync(instance).run.status == Status.DONE
    assert state(instance, dashboard) == State.IN_SYNC
    assert site.versions("same") == 2


def test_what_was_deleted_there_comes_back_with_its_uid(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("gone", folders=("Lab",))
    sync(instance)
    site.delete("gone")
    report = sync(instance)
    assert [(step.row.state, step.row.action) for step in report.steps] == [("missing", "create")]
    assert site.live("gone").folder_uid == (dashboard.folder.uid if dashboard.folder else None)
    assert state(instance, dashboard) == State.IN_SYNC


def test_what_somebody_else_made_is_never_written(site: Site, instance: GrafanaInstance) -> None:
    site.make("foreign", title="Somebody's")
    dashboard = site.register("foreign")
    for wishes in ({}, {"force": True}, {"pull": True}, {"prune": True}):
        assert sync(instance, **wishes).run.status == Status.DONE
    assert site.live("foreign").body["title"] == "Somebody's"
    assert site.versions("foreign") == 1
    assert state(instance, dashboard) == State.FOREIGN


def test_a_move_in_the_registry_is_a_move_in_place(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("moving", folders=("Lab",))
    sync(instance)
    site.register("moving", folders=("Lab", "Deeper"))
    sync(instance)
    dashboard.refresh_from_db()
    live = site.live("moving")
    assert live.folder_uid == (dashboard.folder.uid if dashboard.folder else None)
    assert live.version == 2
    assert state(instance, dashboard) == State.IN_SYNC


def test_a_folder_that_was_renamed_here_is_renamed_there_under_its_uid(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("inside", folders=("Lab",))
    sync(instance)
    folder = dashboard.folder
    assert folder is not None
    folder.title = f"Racks {site.mark}"
    folder.save()
    sync(instance)
    assert site.somebody.folder(folder.uid).title == folder.title
    assert site.versions("inside") == 1
    again = sync(instance)
    assert not again.steps


def test_release_leaves_it_to_grafana_and_can_be_undone(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("free")
    sync(instance)
    dashboard.policy = "released"
    dashboard.save()
    site.edit("free", title="Edited")
    assert sync(instance).run.total == 0
    assert site.live("free").body["title"] == "Edited"
    dashboard.policy = "observe"
    dashboard.save()
    sync(instance)
    assert state(instance, dashboard) == State.DRIFTED


def test_only_what_we_created_is_deleted_and_it_can_be_restored(site: Site, instance: GrafanaInstance) -> None:
    ours, theirs = site.register("ours", folders=("Lab",)), site.register("theirs")
    sync(instance)
    Placement.objects.filter(dashboard=theirs).update(created_by_us=False)
    site.edit("ours", title="Edited last")
    before = site.live("ours").body
    for dashboard in (ours, theirs):
        revisions.retire(dashboard, actor="tester", reason="")
    assert not sync(instance).run.changed
    assert site.has("ours")
    report = sync(instance, prune=True)
    assert [(step.row.action, step.outcome) for step in report.steps if step.row.writes] == [("prune", "done")]
    assert (site.has("ours"), site.has("theirs")) == (False, True)
    kept = ours.revisions.first()
    assert kept is not None
    assert kept.body["title"] == "Edited last"
    revisions.restore(ours, kept, actor="tester", reason="")
    assert sync(instance).run.status == Status.DONE
    after = site.live("ours").body
    numbers = ("id", "version")
    assert {**after, **dict.fromkeys(numbers)} == {**before, **dict.fromkeys(numbers)}


def test_more_deletions_than_allowed_stop_everything_before_anything(
    site: Site, instance: GrafanaInstance, settings: Settings
) -> None:
    settings.SYNC_PRUNE_LIMIT = 1
    gone = [site.register(f"gone{number}") for number in range(2)]
    sync(instance)
    for dashboard in gone:
        revisions.retire(dashboard, actor="tester", reason="")
    site.register("waiting")
    report = sync(instance, prune=True)
    assert report.run.status == Status.GUARD
    assert "SYNC_PRUNE_LIMIT" in report.run.error
    assert site.has("gone0")
    assert not site.has("waiting")


def test_the_value_that_a_viewer_saved_is_drift_only_where_all_is_enforced(
    site: Site, instance: GrafanaInstance
) -> None:
    dashboard = site.register("values", policy="observe")
    sync(instance)
    variable = {"name": "host", "type": "textbox", "query": "a", "current": {"text": "b", "value": "b"}}
    site.edit("values", templating={"list": [variable]})
    sync(instance)
    assert state(instance, dashboard) == State.IN_SYNC
    dashboard.policy = "locked"
    dashboard.save()
    sync(instance)
    assert state(instance, dashboard) == State.DRIFTED
