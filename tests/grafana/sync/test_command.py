"""`manage.py sync_dashboards`: each option, each exit code, and what it prints."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.dashboards import revisions
from apps.dashboards.models import Dashboard
from apps.grafana.models import GrafanaInstance, Placement, SyncRun
from apps.grafana.telling import Progress
from apps.grafana.verdict import State
from tests.grafana.double import Double
from tests.grafana.sync.site import Site, placement
from tests.people import TEAM_A
from vptmonitor.environment import Environment

pytestmark = pytest.mark.django_db


def command(*arguments: str, **options: Any) -> tuple[int, str]:
    """The exit code and what was printed."""
    out = io.StringIO()
    try:
        call_command("sync_dashboards", *arguments, stdout=out, stderr=io.StringIO(), **options)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def test_0_done_and_then_in_sync(site: Site, instance: GrafanaInstance) -> None:
    site.register("one")
    code, said = command()
    assert code == 0
    assert f"{instance.name}: made: Dashboard" in said
    assert "1 dashboards: 1 in sync; 1 changed, 0 failed" in said
    code, said = command()
    assert code == 0
    assert len(said.splitlines()) == 1


def test_1_a_grafana_that_is_away(double: Double, site: Site, instance: GrafanaInstance) -> None:
    site.register("one")
    double.close()
    code, said = command()
    assert code == 1
    assert "nothing listens" in said
    assert command("--dry-run")[0] == 1


def test_1_no_grafana_at_all(db: None) -> None:
    code, said = command()
    assert code == 1
    assert "GRAFANA_URL" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--uid", "nobody"], "nobody"),
        (["--folder", "nowhere"], "nowhere"),
        (["--team", "none"], "none"),
        (["--instance", "none"], "none"),
        (["--concurrency", "0"], "1 to 64"),
        (["--restore"], "--uid"),
        (["--restore", "--uid", "nobody"], "nobody"),
        (["--apply", "/nowhere/plan.json"], "cannot be read"),
        (["--plan", "/nowhere/plan.json"], "cannot be written"),
        (["--apply", "x.json", "--force"], "leave out"),
    ],
)
def test_2_usage(site: Site, instance: GrafanaInstance, arguments: list[str], words: str) -> None:
    code, said = command(*arguments)
    assert (code, words in said) == (2, True), said
    assert Placement.objects.count() == 0


@pytest.mark.parametrize("pair", [("--dry-run", "--check"), ("--force", "--pull"), ("--diff", "--apply=x")])
def test_2_options_that_exclude_each_other(pair: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("sync_dashboards", *pair)


def test_3_check_tells_what_is_pending_and_writes_nothing_there(site: Site, instance: GrafanaInstance) -> None:
    dashboard = site.register("one")
    assert command("--check")[0] == 3
    assert not site.has("one")
    assert placement(instance, dashboard).state == State.AHEAD
    command()
    assert command("--check")[0] == 0
    dashboard.policy = "observe"
    dashboard.save()
    site.edit("one", title="Edited")
    code, said = command("--check")
    assert code == 3
    assert site.user in said
    assert SyncRun.objects.filter(what="check").count() == 3


def test_4_done_in_part(site: Site, instance: GrafanaInstance) -> None:
    site.register("bad", panels=[{"id": 1, "type": "stat", "datasource": {"type": "loki", "uid": "not-there"}}])
    site.register("good")
    code, said = command()
    assert code == 4
    assert "not-there" in said
    assert site.has("good")


def test_5_a_conflict(site: Site, instance: GrafanaInstance) -> None:
    site.register("both")
    command()
    site.edit("both", title="Theirs")
    site.register("both", title="Ours")
    assert command()[0] == 5
    assert command("--check")[0] == 5
    assert command("--force", "--reason", "ours is right")[0] == 0
    assert site.live("both").body["title"] == "Ours"
    assert site.somebody.versions(site.uid("both"))[0].message.endswith(": ours is right")


def test_5_a_plan_is_applied_only_while_nothing_moved(site: Site, instance: GrafanaInstance, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    site.register("one")
    site.register("two")
    command("--uid", site.uid("one"))
    site.register("one", title="Newer")
    assert command("--plan", str(plan))[0] == 0
    assert not site.has("two")
    site.edit("one", title="Edited meanwhile")
    code, said = command("--apply", str(plan))
    assert code == 5
    assert "out of date" in said
    assert not site.has("two")
    assert site.live("one").body["title"] == "Edited meanwhile"
    assert command("--force", "--plan", str(plan))[0] == 0
    assert command("--apply", str(plan))[0] == 0
    assert site.live("one").body["title"] == "Newer"
    assert site.has("two")
    assert command("--apply", str(plan))[0] == 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": "vptmonitor-sync-plan", "version": 99}',
        '{"format": "x"}',
        '{"format": "vptmonitor-sync-plan", "version": 1, "plans": [1], "options": {}}',
        '{"format": "vptmonitor-sync-plan", "version": 1, "plans": [], "options": {"x": 1}}',
    ],
)
def test_2_a_file_that_is_no_plan(site: Site, instance: GrafanaInstance, tmp_path: Path, text: str) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(text)
    assert command("--apply", str(plan))[0] == 2


def test_6_a_guard(site: Site, instance: GrafanaInstance, settings: Settings) -> None:
    settings.SYNC_PRUNE_LIMIT = 0
    dashboard = site.register("gone")
    command()
    revisions.retire(dashboard, actor="tester", reason="")
    assert command("--prune")[0] == 6
    assert command("--prune", "--dry-run")[0] == 6
    assert site.has("gone")
    settings.SYNC_PRUNE_LIMIT = 1
    assert command("--prune")[0] == 0
    assert not site.has("gone")
    assert command("--restore", "--uid", site.uid("gone"))[0] == 0
    assert site.has("gone")
    assert placement(instance, dashboard).state == State.IN_SYNC


def test_7_credentials(site: Site, instance: GrafanaInstance, settings: Settings) -> None:
    site.register("one")
    settings.ENV = Environment({instance.variable: "wrong"})
    code, said = command()
    assert code == 7
    assert "401" in said
    assert "wrong" not in said
    assert command("--dry-run")[0] == 7


def test_dry_run_and_diff_say_what_the_run_does_and_note_nothing(
    double: Double, site: Site, instance: GrafanaInstance
) -> None:
    site.register("one")
    command()
    site.register("one", tags=["lab", "racks"])
    site.register("two", folders=("Lab",))
    before, runs = double.writes, SyncRun.objects.count()
    code, said = command("--dry-run")
    assert code == 0
    assert "push: Dashboard one" in said
    assert "make: folder Lab" in said
    assert "3 to change; nothing was written" in said
    code, said = command("--diff")
    assert "changed in the registry" in said
    assert "tags (1 entry) → (2 entries)" in said
    assert double.writes == before
    assert SyncRun.objects.count() == runs
    code, told = command("--format", "json")
    done = [(step["kind"], step["action"]) for step in json.loads(told)["instances"][0]["steps"]]
    assert done == [("folder", "create"), ("dashboard", "update"), ("dashboard", "create")]


def test_selections(site: Site, instance: GrafanaInstance) -> None:
    site.register("top")
    site.register("deep", folders=("Lab", "Racks"))
    site.register("team", team_id=TEAM_A, team_name="Team A")
    command("--folder", f"Lab {site.mark}")
    assert [site.has(name) for name in ("top", "deep", "team")] == [False, True, False]
    command("--team", "team a")
    assert [site.has(name) for name in ("top", "deep", "team")] == [False, True, True]
    command("--uid", site.uid("top"), "--instance", instance.name, "--concurrency", "1")
    assert site.has("top")


def test_pull_takes_edits_and_registers_what_nobody_registered(site: Site, instance: GrafanaInstance) -> None:
    ours = site.register("ours", policy="observe", folders=("Lab",))
    command()
    site.edit("ours", title="Edited")
    folder = ours.folder.uid if ours.folder else ""
    site.make("theirs", title="Theirs", folder_uid=folder)
    site.make("elsewhere", title="Elsewhere")
    assert command("--pull", "--folder", folder)[0] == 0
    found = Dashboard.objects.get(uid=site.uid("theirs"))
    assert (found.title, found.folder_id) == ("Theirs", ours.folder_id)
    ours.refresh_from_db()
    assert ours.title == "Edited"
    assert not Dashboard.objects.filter(uid=site.uid("elsewhere")).exists()
    assert site.versions("theirs") == 1
    assert not placement(instance, found).created_by_us
    assert command("--check")[0] == 0
    assert command("--pull", "--uid", site.uid("elsewhere"))[0] == 0
    assert Dashboard.objects.filter(uid=site.uid("elsewhere")).exists()


def test_json_has_its_version_and_no_other_line(site: Site, instance: GrafanaInstance) -> None:
    site.register("one")
    code, said = command("--format", "json", "--check")
    told = json.loads(said)
    assert (told["format"], told["version"], told["exit_code"], code) == ("vptmonitor-sync", 1, 3, 3)
    (one,) = told["instances"]
    assert one["instance"] == instance.name
    assert one["plan"]["rows"][0]["state"] == "ahead"
    assert one["requests"] > 0


def test_progress_is_written_over_and_failures_stay() -> None:
    said: list[str] = []
    progress = Progress("lab", said.append)
    progress.reading(1, 2)
    progress.reading(2, 2)
    progress.clear()
    assert all(text.startswith("\r") for text in said)
    assert "read 2 of 2" in said[1]


def test_a_summary_fits_a_screen(site: Site, instance: GrafanaInstance) -> None:
    for number in range(30):
        site.register(f"many{number}")
    said = command("--dry-run")[1]
    assert len(said.splitlines()) < 20
    assert "18 more" in said
    assert len(command("--dry-run", verbosity=2)[1].splitlines()) > 30
    assert "made" not in command(verbosity=0)[1]
