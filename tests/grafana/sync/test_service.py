"""What people do from the admin: each call, its run, and what it leaves; the schedule and its pauses."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from apps.accounts.models import AuditEntry
from apps.dashboards import revisions
from apps.dashboards.author import Author
from apps.dashboards.models import Cause, Dashboard
from apps.grafana import schedule, service
from apps.grafana.answers import Grant
from apps.grafana.models import (
    FolderGrant,
    GrafanaInstance,
    LibraryPanel,
    LibraryPlacement,
    Placement,
    SyncPause,
    SyncRun,
)
from apps.grafana.schedule import AwayError
from apps.grafana.service import Deed
from apps.grafana.verdict import State
from apps.worker import jobs
from tests.grafana.double import Double
from tests.grafana.sync.site import AUTHOR, Site, dashboard_body, placement, sync
from tests.people import TEAM_A

pytestmark = pytest.mark.django_db


def rows(*dashboards: Dashboard) -> list[Placement]:
    return service.placements_of(dashboards)


def test_the_way_of_an_edit_from_drift_to_reject_and_adopt(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("edited", policy="observe")
    (done,) = service.push(rows(dashboard), AUTHOR)
    assert (done.cause, done.what, done.actor, done.reason, done.changed) == ("admin", "push", "tester", "a test", 1)
    site.edit("edited", title="First")
    service.check(rows(dashboard), AUTHOR)
    assert placement(instance, dashboard).state == State.DRIFTED
    (plan,) = service.preview(rows(dashboard), Deed.REJECT)
    assert [row.action for row in plan.changes] == ["restore"]
    service.reject(rows(dashboard), AUTHOR, follow={plan.instance: plan.fingerprint})
    assert site.live("edited").body["title"] == dashboard.title
    assert dashboard.revisions.filter(cause=Cause.FOUND).count() == 1
    site.edit("edited", title="Second")
    service.check(rows(dashboard), AUTHOR)
    service.adopt(rows(dashboard), AUTHOR)
    dashboard.refresh_from_db()
    assert dashboard.title == "Second"
    assert AuditEntry.objects.filter(action=AuditEntry.Action.COMMAND, actor="tester").count() == 5


def test_a_plan_that_was_shown_is_not_done_when_somebody_edits_meanwhile(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("shown")
    service.push(rows(dashboard), AUTHOR)
    site.edit("shown", title="First")
    (plan,) = service.preview(rows(dashboard), Deed.PUSH)
    site.edit("shown", title="Second")
    (done,) = service.push(rows(dashboard), AUTHOR, follow={plan.instance: plan.fingerprint})
    assert done.status == SyncRun.Status.STALE
    assert site.live("shown").body["title"] == "Second"


def test_a_conflict_ends_by_a_click(site: Site, instance: GrafanaInstance) -> None:
    for keep, wins in (("ours", "Ours"), ("theirs", "Theirs")):
        dashboard = site.register(keep)
        sync(instance)
        site.edit(keep, title="Theirs")
        site.register(keep, title="Ours")
        sync(instance)
        row = placement(instance, dashboard)
        service.reject([row], AUTHOR)
        assert placement(instance, dashboard).state == State.CONFLICT
        service.resolve([row], keep, AUTHOR)  # type: ignore[arg-type]
        dashboard.refresh_from_db()
        assert (site.live(keep).body["title"], dashboard.title) == (wins, wins)
        assert {revision.body["title"] for revision in dashboard.revisions.all()} >= {"Ours", "Theirs"}
        assert placement(instance, dashboard).state == State.IN_SYNC


def test_release_and_take_back(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("free")
    sync(instance)
    service.release(rows(dashboard), AUTHOR)
    site.edit("free", title="Edited")
    assert sync(instance).run.requests == 0
    assert placement(instance, dashboard).state == State.RELEASED
    service.take_back(rows(dashboard), AUTHOR)
    (plan,) = service.preview(rows(dashboard), Deed.PUSH)
    assert plan.counts == {"drifted": 1}


def test_take_over_keeps_what_is_there_and_the_next_push_writes_ours(site: Site, instance: GrafanaInstance) -> None:
    site.make("foreign", title="Theirs")
    dashboard = site.register("foreign")
    sync(instance)
    (done,) = service.take_over(rows(dashboard), AUTHOR)
    assert (done.status, site.versions("foreign")) == (SyncRun.Status.DONE, 1)
    assert placement(instance, dashboard).state == State.AHEAD
    assert dashboard.revisions.filter(cause=Cause.FOUND).count() == 1
    sync(instance)
    assert site.live("foreign").body["title"] == dashboard.title
    revisions.retire(dashboard, actor="tester", reason="")
    service.prune(rows(dashboard), AUTHOR)
    assert site.has("foreign")


def test_what_a_file_holds_is_not_taken_over(double: Double, site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("file")
    double.provision(site.uid("file"), dashboard_body(site.uid("file")), allow_edits=True)
    (done,) = service.take_over(rows(dashboard), AUTHOR)
    assert done.status == SyncRun.Status.PARTIAL
    step = done.steps.get()
    assert "file" in step.words
    assert placement(instance, dashboard).state == State.FOREIGN


def test_found_dashboards_are_registered_with_their_folders_and_library_panels(
    site: Site, instance: GrafanaInstance
) -> None:
    top, lab = site.uid("top"), site.uid("lab")
    site.somebody.create_folder(top, f"Top {site.mark}")
    site.somebody.create_folder(lab, f"Lab {site.mark}", parent_uid=top)
    site.folders += [top]
    panel = {"type": "stat", "title": "Shared", "targets": []}
    site.somebody.create_library_panel(site.uid("lib"), site.uid("lib"), panel, folder_uid=lab)
    shows = {
        "id": 1,
        "gridPos": {"x": 0, "y": 0, "w": 6, "h": 4},
        "libraryPanel": {"uid": site.uid("lib"), "name": "x"},
    }
    site.make("found", folder_uid=lab, panels=[shows])
    assert site.uid("found") in {hit.uid for hit in service.found(instance)}
    report = service.register(instance, [site.uid("found"), "not-there"], AUTHOR)
    assert report.run.status == SyncRun.Status.PARTIAL
    dashboard = Dashboard.objects.get(uid=site.uid("found"))
    assert dashboard.folder is not None
    assert dashboard.folder.parent is not None
    assert (dashboard.folder.uid, dashboard.folder.parent.uid) == (lab, top)
    assert LibraryPanel.objects.get().uid == site.uid("lib")
    assert not sync(instance).steps
    assert site.versions("found") == 1
    assert site.uid("found") not in {hit.uid for hit in service.found(instance)}


def test_library_panels_come_before_the_dashboards_that_show_them(site: Site, instance: GrafanaInstance) -> None:
    uid = site.uid("lib")
    shows = {"id": 1, "gridPos": {"x": 0, "y": 0, "w": 6, "h": 4}, "libraryPanel": {"uid": uid, "name": "Shared"}}
    dashboard = site.register("shows", panels=[shows])
    sync(instance)
    assert placement(instance, dashboard).state == State.BLOCKED
    panel = LibraryPanel.objects.create(uid=uid, name=uid, model={"type": "stat", "title": "Shared"})
    report = sync(instance)
    assert [step.row.kind for step in report.steps] == ["library", "dashboard"]
    assert not sync(instance).steps
    panel.model = {"type": "stat", "title": "Newer"}
    panel.save()
    sync(instance)
    live = site.somebody.library_panel(uid)
    assert live.model["title"] == "Newer"
    site.somebody.update_library_panel(
        uid, uid, {"type": "stat", "title": "Edited"}, folder_uid="", version=live.version
    )
    (step,) = sync(instance).steps
    assert (step.row.kind, step.row.state, step.outcome) == ("library", "drifted", "reported")
    assert LibraryPlacement.objects.get().state == State.DRIFTED
    site.somebody.delete_dashboard(site.uid("shows"))
    site.somebody.delete_library_panel(uid)


def test_permissions_that_are_declared_are_given_and_what_others_gave_stays(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    double.store.teams[7] = "QA"
    dashboard = site.register("inside", folders=("Lab",))
    folder = dashboard.folder
    assert folder is not None
    FolderGrant.objects.create(folder=folder, team="QA", level=2)
    FolderGrant.objects.create(folder=folder, team="Nobody", level=1)
    sync(instance)

    def levels() -> dict[str, int]:
        return {grant.name: grant.permission for grant in site.somebody.folder_permissions(folder.uid)}

    assert levels().items() >= {"Editor": 2, "Viewer": 1, "QA": 2}.items()
    site.somebody.set_folder_permissions(folder.uid, [Grant(1, role="Viewer")])
    (plan,) = service.preview(rows(dashboard), Deed.PUSH)
    (row,) = plan.changes
    assert (row.kind, row.action) == ("grants", "update")
    assert row.words == "QA may not edit it; Grafana has no team Nobody; not declared, and left: Viewer (view)"
    sync(instance)
    assert levels() == {"Viewer": 1, "QA": 2}


def test_permissions_survive_a_deletion_and_a_restore(double: Double, site: Site, instance: GrafanaInstance) -> None:
    double.store.teams[7] = "QA"
    dashboard = site.register("kept")
    sync(instance)
    site.somebody.set_dashboard_permissions(site.uid("kept"), [Grant(2, team_id=7)])
    revisions.retire(dashboard, actor="tester", reason="")
    service.prune(rows(dashboard), AUTHOR)
    assert not site.has("kept")
    service.restore(rows(dashboard), AUTHOR)
    assert [grant.name for grant in site.somebody.dashboard_permissions(site.uid("kept"))] == ["QA"]
    assert placement(instance, dashboard).state == State.IN_SYNC


def test_the_schedule_heeds_pauses_and_asks_nothing_then(double: Double, site: Site, instance: GrafanaInstance) -> None:
    row, team, free = (
        site.register("row", paused=True),
        site.register("team", team_id=TEAM_A, team_name="Team A"),
        site.register("free"),
    )
    pause = SyncPause.objects.create(team_id=TEAM_A, team_name="Team A", actor="tester")
    schedule.sync_all()
    assert [site.has(name) for name in ("row", "team", "free")] == [False, False, True]
    assert SyncRun.objects.get().cause == SyncRun.Cause.SCHEDULE
    pause.delete()
    everything = SyncPause.objects.create(actor="tester")
    before = len(double.log)
    schedule.sync_all()
    assert len(double.log) == before
    everything.delete()
    GrafanaInstance.objects.update(paused=True)
    schedule.sync_all()
    assert len(double.log) == before
    assert SyncRun.objects.count() == 1
    service.push(rows(row, team, free), AUTHOR)
    assert [site.has(name) for name in ("row", "team")] == [True, True]


def test_the_schedule_tries_again_soon_and_keeps_one_failed_run(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    site.register("here")
    double.close()
    for _ in range(2):
        with pytest.raises(AwayError, match="nothing listens"):
            schedule.sync_all()
    assert SyncRun.objects.get().status == SyncRun.Status.FAILED


def test_the_interval_is_a_setting(settings: Settings) -> None:
    settings.SYNC_INTERVAL = 120
    (job,) = [job for job in jobs.registered() if job.name == "sync dashboards"]
    assert (job.every_seconds, job.jitter) == (120, 0.1)
    assert {108 <= job.pause() <= 132 for _ in range(50)} == {True}
    settings.SYNC_INTERVAL = 0
    assert "sync dashboards" not in [job.name for job in jobs.registered()]


def test_who_asked_is_in_the_audit_trail(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("audited")
    service.push(rows(dashboard), Author("nina", "a reason"))
    entry = AuditEntry.objects.filter(action=AuditEntry.Action.COMMAND).latest("pk")
    assert (entry.actor, entry.reason, entry.object_id) == ("nina", "a reason", str(instance.pk))
