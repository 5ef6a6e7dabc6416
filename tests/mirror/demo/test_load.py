"""What `load_demo` puts into the tables, and when it refuses to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import DjangoAssertNumQueries, Settings

from apps.mirror.demo import plan
from apps.mirror.demo.clear import clear
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.load import BULK_FROM, Loaded, load
from apps.mirror.demo.plan import CampaignRun, Run
from apps.mirror.demo.presence import demo_rows_present, loaded_lab
from apps.mirror.demo.rhythm import story_of
from apps.mirror.models import (
    ExecutionResult,
    PlatformAlert,
    ScriptResult,
    SystemMetric,
    Team,
)
from tests.mirror.demo.conftest import UNTIL

pytestmark = pytest.mark.django_db(databases=["default", "source"])


@pytest.fixture
def loaded(small_lab: Lab) -> list[Loaded]:
    """A day of it, for this test alone."""
    return load(small_lab, days=1, until=UNTIL)


def tables() -> list[str]:
    return [model._meta.db_table for model in apps.get_app_config("mirror").get_models()]


def contents(table: str) -> list[str]:
    """All rows as text, without the serial number of incidents, which goes on counting."""
    with connections["source"].cursor() as cursor:
        cursor.execute(f"SELECT (to_jsonb(t) - 'incident_id')::text FROM \"{table}\" t ORDER BY 1")
        return [text for (text,) in cursor.fetchall()]


def test_every_mirrored_table_gets_rows(loaded: list[Loaded]) -> None:
    assert {table: len(contents(table)) for table in tables()} == {done.table: done.rows for done in loaded}
    assert [done.table for done in loaded if done.rows == 0] == []


def test_the_same_seed_and_end_give_the_same_rows(small_lab: Lab, loaded: list[Loaded]) -> None:
    first = {table: contents(table) for table in tables()}
    load(Lab(**small_lab.record), days=1, until=UNTIL, replace=True)
    assert {table: contents(table) for table in tables()} == first


def test_another_seed_gives_other_runs(small_lab: Lab, loaded: list[Loaded]) -> None:
    first = contents("script_results")
    load(Lab(2, 4, small_lab.seed + 1), days=1, until=UNTIL, replace=True)
    assert not set(contents("script_results")) & set(first)


def test_the_number_of_executions_is_met_exactly(small_lab: Lab) -> None:
    load(small_lab, days=1, until=UNTIL, executions=1234)
    assert ExecutionResult.objects.count() == 1234


def test_filling_in_bulk_leaves_indexes_and_foreign_keys_as_they_were(
    small_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rules() -> list[Any]:
        with connections["source"].cursor() as cursor:
            cursor.execute(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL"
                " SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) || convalidated FROM pg_constraint"
                " ORDER BY 1"
            )
            return list(cursor.fetchall())

    before = rules()
    monkeypatch.setattr("apps.mirror.demo.load.BULK_FROM", 1)
    load(small_lab, days=1, until=UNTIL)
    in_bulk = {table: contents(table) for table in tables()}
    assert rules() == before
    monkeypatch.setattr("apps.mirror.demo.load.BULK_FROM", BULK_FROM)
    load(small_lab, days=1, until=UNTIL, replace=True)
    assert {table: contents(table) for table in tables()} == in_bulk


def test_offices_are_busier_than_nights_and_weekends() -> None:
    lab = Lab()
    work = plan.make(lab, story_of(lab, UNTIL - timedelta(days=14), UNTIL))
    alone = [run.started for run in work.runs if run.campaign is None]
    day = sum(at.weekday() < 5 and 8 <= at.hour < 18 for at in alone)
    night = sum(at.weekday() < 5 and at.hour < 6 for at in alone)
    saturday = sum(at.weekday() == 5 and 8 <= at.hour < 18 for at in alone) / 2
    assert day / 10 / 10 > 1.3 * night / 10 / 6
    assert day / 10 > 1.3 * saturday


def test_the_story_is_told() -> None:
    """A campaign improves, one device goes bad at the end, flaky tests fail at random everywhere."""
    lab = Lab()
    story = story_of(lab, UNTIL - timedelta(days=20), UNTIL)
    work = plan.make(lab, story)
    nightly = [run for run in work.campaigns if run.campaign.improving and run.ended is not None]
    third = len(nightly) // 3
    assert _share(nightly[-third:]) > _share(nightly[:third]) + 0.15
    late = [run for run in work.runs if run.started > UNTIL - timedelta(days=2) and run.ended is not None]
    bad = _share([run for run in late if run.device.index == story.bad_device])
    assert bad < _share([run for run in late if run.device.index != story.bad_device]) - 0.3
    flaky = [run for run in work.runs if run.script.name == "vod_resume" and run.ended is not None]
    assert 0.6 < _share(flaky) < 0.9


def _share(runs: Sequence[Run | CampaignRun]) -> float:
    return sum(run.ok for run in runs) / len(runs)


def test_rows_of_others_stay_and_make_it_refuse(small_lab: Lab) -> None:
    Team.objects.create(name="Real people", tenant_id=UUID(int=1))
    with pytest.raises(CommandError, match="--replace"):
        call_command("load_demo", days=1, devices=4, stdout=StringIO())
    load(small_lab, days=1, until=UNTIL, replace=True)
    assert Team.objects.filter(name="Real people").exists()


@pytest.mark.parametrize("access", ["read", "write"])
def test_a_database_of_somebody_else_gets_no_demo_rows(settings: Settings, access: str) -> None:
    settings.SOURCE_ACCESS = access
    for command in ("load_demo", "simulate"):
        with pytest.raises(CommandError, match="SOURCE_ACCESS"):
            call_command(command, stdout=StringIO())
    with pytest.raises(CommandError, match="SOURCE_ACCESS"):
        call_command("clear_demo", "--yes", stdout=StringIO())
    assert not Team.objects.exists()


@pytest.mark.parametrize(
    "wrong", [{"teams": 0}, {"teams": 9}, {"devices": 0}, {"days": 0}, {"teams": 4, "devices": 3}, {"executions": -1}]
)
def test_a_wrong_number_is_a_plain_error(wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match=str(next(iter(wrong.values())))):
        call_command("load_demo", stdout=StringIO(), **wrong)
    assert not Team.objects.exists()


def test_a_failure_leaves_nothing_behind(small_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise OSError("no space left")

    monkeypatch.setattr("apps.mirror.demo.rows.pings.device_flags", fail)
    with pytest.raises(OSError, match="no space left"):
        load(small_lab, days=1, until=UNTIL)
    assert not Team.objects.exists()
    assert not demo_rows_present()


def test_the_command_says_one_line_when_nobody_watches() -> None:
    output = StringIO()
    call_command("load_demo", days=1, devices=4, until=UNTIL, stdout=output)
    (line,) = output.getvalue().splitlines()
    assert line.startswith("Demo lab loaded: ")


def test_the_command_tells_each_table_when_asked() -> None:
    output = StringIO()
    call_command("load_demo", days=1, devices=4, until=UNTIL, stdout=output, verbosity=2)
    assert len(output.getvalue().splitlines()) == len(tables()) + 1


def test_presence_and_the_lab_are_known_from_the_rows(small_lab: Lab) -> None:
    assert not demo_rows_present()
    assert loaded_lab() is None
    load(small_lab, days=1, until=UNTIL)
    assert demo_rows_present()
    assert loaded_lab() == small_lab


def test_presence_costs_no_query_when_known(
    loaded: list[Loaded], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    demo_rows_present()
    with django_assert_num_queries(0, connection=connections["source"]):
        assert demo_rows_present()


def test_clear_takes_the_demo_rows_and_nothing_else(loaded: list[Loaded]) -> None:
    team = Team.objects.create(name="Real people", tenant_id=UUID(int=1))
    script = ScriptResult.objects.create(
        team=team, script_name="goto", script_type="goto", host_name="rack-a1", device_name="Humax STB 1",
        success=True, started_at=UNTIL, completed_at=UNTIL,
    )  # fmt: skip
    PlatformAlert.objects.create(host_name="rack-a1", device_id="device99", incident_type="freeze")
    SystemMetric.objects.create(host_name="server", server_name="office")
    output = StringIO()
    call_command("clear_demo", "--yes", stdout=output)
    rows = sum(done.rows for done in loaded)
    assert output.getvalue().startswith(f"{rows:,} demo rows deleted")
    assert {table: len(contents(table)) for table in tables() if contents(table)} == {
        "teams": 1, "script_results": 1, "alerts": 1, "system_metrics": 1,
    }  # fmt: skip
    assert ScriptResult.objects.get() == script
    assert not demo_rows_present()
    assert clear() == {}


def test_clear_asks_first(loaded: list[Loaded], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "n")
    with pytest.raises(CommandError, match="Nothing was deleted"):
        call_command("clear_demo", stdout=StringIO())
    assert demo_rows_present()
