"""Grafana fails, is away, is edited while we write: nothing is lost, doubled or taken for a deletion."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from apps.dashboards.models import Cause
from apps.grafana import placing
from apps.grafana.models import FolderPlacement, GrafanaInstance, Placement, SyncRun
from apps.grafana.reading import AWAY_AFTER
from apps.grafana.run import preview
from apps.grafana.run_lock import AlreadyRunningError, alone
from apps.grafana.selection import Wishes
from apps.grafana.verdict import FUTILE_WRITES, Action, State
from tests.grafana.double import V9, Double, Fault
from tests.grafana.sync.site import Site, placement, sync
from vptmonitor.environment import Environment

pytestmark = pytest.mark.django_db
Status = SyncRun.Status


def states(instance: GrafanaInstance) -> set[str]:
    return set(Placement.objects.filter(instance=instance).values_list("state", flat=True))


def test_a_grafana_that_is_away_is_unknown_and_nothing_else(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    dashboard = site.register("here")
    sync(instance)
    double.close()
    report = sync(instance)
    assert report.run.status == Status.FAILED
    assert "nothing listens" in report.run.error
    row = placement(instance, dashboard)
    assert row.state == State.UNKNOWN
    assert "nothing listens" in row.error
    assert row.base is not None


def test_credentials_that_are_refused_say_so(
    double: Double, site: Site, instance: GrafanaInstance, settings: Settings
) -> None:
    site.register("here")
    settings.ENV = Environment({instance.variable: "wrong"})
    report = sync(instance)
    assert report.run.status == Status.REFUSED
    assert placement_status(instance) == {(State.UNKNOWN, 401)}
    assert double.writes == 1  # the data source, by the test


def placement_status(instance: GrafanaInstance) -> set[tuple[str, int | None]]:
    return set(Placement.objects.filter(instance=instance).values_list("state", "error_status"))


def test_one_bad_row_does_not_stop_the_others(double: Double, site: Site, instance: GrafanaInstance) -> None:
    bad = site.register("bad", panels=[{"id": 1, "type": "stat", "datasource": {"type": "loki", "uid": "not-there"}}])
    good = [site.register(f"good{number}") for number in range(5)]
    report = sync(instance)
    assert report.run.status == Status.PARTIAL
    assert placement(instance, bad).state == State.BLOCKED
    assert "not-there" in placement(instance, bad).error
    assert {placement(instance, dashboard).state for dashboard in good} == {State.IN_SYNC}
    instance.datasources = {"not-there": "virtualpytest-postgres"}
    instance.save()
    assert sync(instance).run.status == Status.DONE
    assert site.live("bad").body["panels"][0]["datasource"]["uid"] == "virtualpytest-postgres"
    before = double.writes
    assert not sync(instance).steps
    assert double.writes == before


def test_an_edit_that_is_adopted_comes_back_with_our_data_source(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    instance.datasources = {"virtualpytest-postgres": "theirs"}
    instance.save()
    site.add_source("theirs")
    dashboard = site.register("mapped", policy="adopt")
    sync(instance)
    assert site.live("mapped").body["panels"][0]["datasource"]["uid"] == "theirs"
    site.edit("mapped", title="Edited")
    sync(instance)
    dashboard.refresh_from_db()
    assert dashboard.body["panels"][0]["datasource"]["uid"] == "virtualpytest-postgres"
    assert not sync(instance).steps


def test_somebody_who_saves_while_we_write_wins_and_all_three_bodies_are_kept(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    dashboard = site.register("race")
    sync(instance)
    site.register("race", title="Ours")
    # Between our reading and our writing: the plan was made, and somebody saves before it is applied.
    draft_reads = double.counted("GET", "/api/dashboards/uid/")
    original = double.answer

    def answer(method: str, target: str, headers: dict[str, str], content: bytes) -> object:
        if method == "POST" and "dashboards/db" in target and b"vptmonitor" in content:
            double.answer = original  # type: ignore[method-assign]
            double.edit(site.uid("race"), title="Theirs")
        return original(method, target, headers, content)

    double.answer = answer  # type: ignore[method-assign, assignment]
    report = sync(instance)
    assert double.counted("GET", "/api/dashboards/uid/") > draft_reads
    assert report.run.status == Status.CONFLICT
    row = placement(instance, dashboard)
    assert (row.state, row.error_status, row.intent) == (State.CONFLICT, 412, "")
    assert row.base is not None
    assert row.live is not None
    titles = (row.base.document["title"], row.dashboard.body["title"], row.live.document["title"])
    assert titles == (f"Dashboard {site.uid('race')}", "Ours", "Theirs")
    assert site.live("race").body["title"] == "Theirs"


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
@pytest.mark.parametrize("new", [True, False])
def test_a_write_without_an_answer_is_looked_for_before_it_is_repeated(
    double: Double, site: Site, instance: GrafanaInstance, kind: str, new: bool
) -> None:
    dashboard = site.register("cut")
    if not new:
        sync(instance)
        site.register("cut", title="Newer")
    fault = double.order(Fault(kind, method="POST", path="/api/dashboards/db"))  # type: ignore[arg-type]
    sync(instance)
    assert fault.met == 1
    sync(instance)
    assert placement(instance, dashboard).state == State.IN_SYNC
    assert site.versions("cut") == (1 if new else 2)
    assert len(double.store.dashboards[site.uid("cut")].history) == (1 if new else 2)
    assert placement(instance, dashboard).created_by_us


def test_a_write_that_was_never_read_back_is_found_by_the_next_run(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    dashboard = site.register("lost")
    sync(instance)
    site.register("lost", title="Newer")
    row = placement(instance, dashboard)
    # As a kill between the answer and the note leaves it.
    body = placing.stored(dashboard.uid, row.dashboard.body)
    token = placing.intend(row, Action.UPDATE, body=body, version=1)
    double.edit(site.uid("lost"), by="admin", title="Newer")
    double.store.dashboards[site.uid("lost")].history[-1].message = f"vptmonitor {token}: x"
    report = sync(instance)
    assert not report.steps
    row = placement(instance, dashboard)
    assert (row.state, row.intent, row.base_version) == (State.IN_SYNC, "", 2)
    assert site.versions("lost") == 2


def test_an_edit_after_a_lost_write_is_still_an_edit(double: Double, site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("lost", policy="observe")
    sync(instance)
    row = placement(instance, dashboard)
    site.register("lost", title="Newer")
    row = placement(instance, dashboard)
    token = placing.intend(row, Action.UPDATE, body=placing.stored(dashboard.uid, row.dashboard.body), version=1)
    double.edit(site.uid("lost"), by="admin", title="Newer")
    double.store.dashboards[site.uid("lost")].history[-1].message = f"vptmonitor {token}: x"
    double.edit(site.uid("lost"), by="anna", title="Anna's")
    sync(instance)
    row = placement(instance, dashboard)
    assert (row.state, row.edited_by) == (State.DRIFTED, "anna")
    assert site.versions("lost") == 3


def test_what_changes_by_itself_again_and_again_is_left_alone(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    dashboard = site.register("loop")
    sync(instance)
    for _ in range(FUTILE_WRITES + 2):
        double.edit(site.uid("loop"), by="robot", refresh="10s")
        report = sync(instance)
    assert report.run.status == Status.PARTIAL
    assert placement(instance, dashboard).state == State.FLAPPING
    # The first version, and then an edit and a write each time, until only the edits went on.
    assert site.versions("loop") == 1 + 2 * FUTILE_WRITES + 1
    assert dashboard.revisions.filter(cause=Cause.FOUND).count() == 1
    assert sync(instance, force=True).run.status == Status.DONE


@pytest.mark.parametrize("allow_edits", [True, False])
def test_what_comes_from_a_file_is_never_written(
    double: Double, site: Site, instance: GrafanaInstance, allow_edits: bool
) -> None:
    dashboard = site.register("file")
    double.provision(site.uid("file"), {"title": "From a file", "panels": []}, allow_edits=allow_edits)
    before = double.writes
    for wishes in ({}, {"force": True}, {"pull": True}):
        sync(instance, **wishes)
    assert double.writes == before
    row = placement(instance, dashboard)
    assert (row.state, row.manager) == (State.FOREIGN, "a file of Grafana's")


def test_what_a_repository_took_over_or_schema_2_holds_is_never_written(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    synced, tabs = site.register("synced"), site.register("tabs")
    sync(instance)
    double.edit(site.uid("synced"), title="From Git")
    double.store.dashboards[site.uid("synced")].manager = {
        "grafana.app/managedBy": "repo", "grafana.app/managerId": "lab",
    }  # fmt: skip
    double.store.dashboards[site.uid("tabs")].schema = "v2beta1"
    double.edit(site.uid("tabs"), title="With tabs")
    before = double.writes
    sync(instance)
    sync(instance, pull=True)
    assert double.writes == before
    assert placement(instance, synced).state == State.FOREIGN
    assert "Git Sync" in placement(instance, synced).manager
    assert placement(instance, tabs).state == State.FOREIGN
    assert "schema 2" in placement(instance, tabs).manager
    assert tabs.revisions.count() == 1


def test_a_server_that_writes_it_in_another_way_since_its_upgrade_is_no_drift(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    dashboard = site.register("upgraded")
    sync(instance)
    kept = double.store.dashboards[site.uid("upgraded")]
    kept.body = {**kept.body, "schemaVersion": 42, "annotations": {"list": []}, "filled": {"default": True}}
    assert not sync(instance, full=True).steps
    assert placement(instance, dashboard).state == State.IN_SYNC
    assert site.versions("upgraded") == 1
    site.edit("upgraded", title="Edited")
    assert preview(instance, Wishes()).plan.counts == {"drifted": 1}


def test_a_check_that_finds_nothing_costs_what_was_promised(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    for number in range(30):
        site.register(f"many{number}", folders=("Lab",) if number % 2 else ())
    sync(instance)
    for full, most in ((False, 1 + 1 + 1), (True, 30 + 1 + 1 + 1), (False, 1 + 1 + 1)):
        before = len(double.log)
        report = sync(instance, full=full)
        assert not report.steps
        assert len(double.log) - before <= most
        assert report.run.requests == len(double.log) - before


def test_an_old_grafana_has_no_list_to_go_by(settings: Settings, db: None) -> None:
    old = Double(V9)
    site = Site(old)
    settings.ENV = Environment({"GRAFANA_PASSWORD_SYNC_TEST": site.password})
    instance = site.instance()
    dashboard = site.register("old", folders=("Lab",))
    try:
        assert sync(instance).run.status == Status.DONE
        before = len(old.log)
        assert not sync(instance).steps
        assert len(old.log) - before <= 1 + 1 + 1
        site.edit("old", title="Edited")
        sync(instance)
        assert site.live("old").body["title"] == dashboard.title
        other = site.register("other", folders=("Lab",), title=dashboard.title)
        report = sync(instance)
        assert report.run.status == Status.PARTIAL
        row = placement(instance, other)
        assert (row.state, row.error_status) == (State.BLOCKED, 412)
    finally:
        site.clean()
        old.close()


def test_only_one_run_at_a_time(site: Site, instance: GrafanaInstance) -> None:
    site.register("here")
    with alone(instance.pk), pytest.raises(AlreadyRunningError):
        sync(instance)
    assert sync(instance).run.status == Status.DONE


def test_a_run_that_was_killed_is_closed_by_the_next(site: Site, instance: GrafanaInstance) -> None:
    dead = SyncRun.objects.create(instance=instance, cause=SyncRun.Cause.COMMAND, actor="killed")
    sync(instance)
    dead.refresh_from_db()
    assert dead.status == Status.INTERRUPTED
    assert dead.ended_at is not None


def test_grafana_that_goes_while_we_read_is_not_asked_for_each(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    for number in range(20):
        site.register(f"many{number}")
    sync(instance)
    double.order(Fault("status", status=503, times=10_000, path="/api/dashboards/uid/"))
    report = sync(instance, full=True)
    assert states(instance) == {State.UNKNOWN}
    assert report.run.status == Status.FAILED
    assert AWAY_AFTER < 20


def test_a_folder_that_cannot_be_made_blocks_what_lies_in_it(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    inside, outside = site.register("inside", folders=("Lab",)), site.register("outside")
    double.order(Fault("status", status=400, method="POST", path="/api/folders"))
    report = sync(instance)
    assert report.run.status == Status.PARTIAL
    assert placement(instance, inside).state == State.BLOCKED
    assert placement(instance, outside).state == State.IN_SYNC
    assert sync(instance).run.status == Status.DONE
    assert placement(instance, inside).state == State.IN_SYNC
    assert FolderPlacement.objects.get().created_by_us
