"""Whatever the connected database lacks, every ORM operation still answers."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL

from apps.mirror.models import (
    Campaign,
    DeploymentExecution,
    Device,
    MirrorModel,
    PlatformAlert,
    ScriptResult,
    Team,
    TestExecution,
    TestResult,
    ZapResult,
)
from apps.mirror.shape import (
    SOURCE,
    TableMissingError,
    forget,
    has_field,
    has_table,
    mirrored_models,
    missing_columns,
    missing_tables,
    shape_of,
)
from tests.mirror.reduced import like_an_installation, without_column, without_table
from tests.mirror.rows import Lab

pytestmark = pytest.mark.django_db(databases=["default", "source"])

MODELS = mirrored_models()


def read_in_every_way(model: type[MirrorModel], field: Any) -> list[Any]:
    """Run each kind of read that involves `field`; the rows that a plain list holds."""
    rows = model.objects.all()
    name = field.attname
    rows.filter(**{f"{name}__isnull": False}).exists()
    list(rows.order_by(F(name).desc(nulls_last=True), "-pk")[:1])
    list(rows.values(name).annotate(number=Count("*")).order_by())
    list(rows.annotate(number=Count(name)))
    list(rows.select_for_update().only(name))
    list(rows.filter(Q(pk__in=rows.filter(**{f"{name}__isnull": True}).values("pk")) | Q(pk__isnull=True)))
    list(rows.filter(Exists(model.objects.filter(**{name: OuterRef(name)}))))
    list(rows.union(rows.filter(pk__isnull=True)).values_list(name))
    for deferred in rows.defer(name):
        getattr(deferred, name)
    if field.is_relation:
        list(rows.select_related(field.name))
        rows.filter(**{f"{field.name}__pk__isnull": False}).count()
    if hasattr(rows, "with_state"):
        list(rows.with_state())
    listed = list(rows.latest_first())
    assert all(str(row) for row in listed)
    return listed


@pytest.mark.parametrize("model", MODELS, ids=[m._meta.db_table for m in MODELS])
def test_a_missing_column_reads_as_unknown_and_is_left_out_of_writes(model: type[MirrorModel]) -> None:
    row = Lab().of(model)
    if model is not DeploymentExecution:
        DeploymentExecution.objects.all().delete()  # they hold on to script results, in the platform's tables too
    for field in model._meta.concrete_fields:
        try:
            with without_column(model._meta.db_table, str(field.column)):
                assert missing_columns(model) == {field.column}
                listed = read_in_every_way(model, field)
                assert [getattr(found, field.attname) for found in listed] == [None]
                write_in_every_way(model, field, row)
        except Exception as error:
            error.add_note(f"while {model._meta.db_table}.{field.column} was missing")
            raise
    assert missing_columns(model) == frozenset()


def write_in_every_way(model: type[MirrorModel], field: Any, row: Any) -> None:
    """Change, delete and add `row`, the only one of `model`, with and without touching `field`."""
    rows = model.objects.all()
    name = field.attname
    other = next(f.attname for f in model._meta.concrete_fields if f is not field and not f.primary_key)
    unknown = rows.filter(**{f"{name}__isnull": True})
    assert rows.update(**{other: getattr(row, other)}) == 1
    assert unknown.update(**{other: F(other)}) == 1
    assert rows.update(**{name: getattr(row, name)}) == 0
    assert rows.filter(**{f"{name}__isnull": False}).delete()[0] == 0
    if not field.primary_key:
        row.save()
        copy = rows.get(pk=row.pk)
        rows.filter(pk=copy.pk).delete()
        copy.save(force_insert=True)
        rows.filter(pk=copy.pk).delete()
        rows.bulk_create([copy])
        assert rows.filter(pk=copy.pk).count() == 1
    assert unknown.delete()[0] == 1


@pytest.mark.parametrize("model", MODELS, ids=[m._meta.db_table for m in MODELS])
def test_a_missing_table_is_empty_and_refuses_new_rows(model: type[MirrorModel]) -> None:
    row = Lab().of(model)
    with without_table(model._meta.db_table):
        assert missing_tables() == [model]
        assert not has_table(model)
        for field in model._meta.concrete_fields:
            if field.primary_key or field.is_relation or field.name == model.time_field:
                assert read_in_every_way(model, field) == []
        assert model.objects.aggregate(number=Count("pk")) == {"number": 0}
        assert model.objects.filter(pk=row.pk).update(**{model._meta.concrete_fields[1].attname: None}) == 0
        assert model.objects.filter(pk=row.pk).delete()[0] == 0
        with pytest.raises(TableMissingError, match=model._meta.db_table):
            row.save(force_insert=True)


@pytest.mark.parametrize("model", MODELS, ids=[m._meta.db_table for m in MODELS])
def test_rows_stay_visible_when_what_they_refer_to_is_missing(model: type[MirrorModel]) -> None:
    Lab()
    for field in model._meta.concrete_fields:
        if field.related_model is None:
            continue
        target = field.related_model._meta
        if target.db_table != model._meta.db_table:
            with without_table(target.db_table):
                [row] = model.objects.select_related(field.name)
                assert getattr(row, field.name) is None
        with without_column(model._meta.db_table, str(field.column)):
            [row] = model.objects.select_related(field.name)
            assert getattr(row, field.name) is None


def test_rows_two_references_away_from_a_missing_table_stay_visible() -> None:
    Lab()
    with without_table("test_executions"):
        [result] = TestResult.objects.select_related("execution__team")
        assert result.execution is None
    with without_table("test_cases"):
        [run] = TestExecution.objects.select_related("test__team")
        assert run.test is None
        assert not TestExecution.objects.filter(test__team__name="Lab One").exists()


def test_filters_go_through_a_complete_table_beside_a_gap() -> None:
    Lab()
    with without_column("device", "status"):
        assert TestExecution.objects.filter(device__name="Box", device__team__name="Lab One").count() == 1
        assert TestExecution.objects.filter(device__status="online").count() == 0
        assert Device.objects.annotate(runs=Count("test_executions")).get().runs == 1


def test_a_real_installation_lists_everything_it_has() -> None:
    Lab()
    with like_an_installation():
        assert missing_tables() == [m for m in MODELS if m._meta.db_table in {"campaigns", "controllers"}]
        assert not has_field(Device, "status")
        assert has_field(Device, "name")
        device = Device.objects.get()
        assert (device.name, device.status) == ("Box", None)
        assert list(Campaign.objects.annotate(runs=Count("test_executions"))) == []
        run = TestExecution.objects.select_related("campaign", "device").get()
        assert run.campaign is None
        assert run.device == device
        created = Device.objects.create(team_id=device.team_id, name="Other", status="online")
        created.refresh_from_db()
        assert (created.status, created.created_at is not None) == (None, True)


def test_sql_that_names_a_missing_column_itself_reads_it_as_unknown_too() -> None:
    Lab()
    with without_column("device", "status"):
        device = Device.objects.annotate(shown=RawSQL("coalesce(device.status, 'unknown')", [])).get()
        assert device.shown == "unknown"


def test_a_gap_leaves_plan_and_index_as_they_are() -> None:
    newest = "SELECT id, execution_date FROM zap_results ORDER BY execution_date DESC, id DESC LIMIT 20"
    with connections[SOURCE].cursor() as cursor:
        # The index or nothing: what a small table's plan would be depends on what its statistics say by chance.
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN (COSTS OFF) {newest}")
        plain = [line for (line,) in cursor.fetchall()]
    with without_column("zap_results", "action_params"):
        rows = ZapResult.objects.order_by("-execution_date", "-id").values_list("id", "execution_date", "action_params")
        assert "NULL::jsonb" in str(rows.query.get_compiler(SOURCE).as_sql()[0])
        assert rows[:20].explain(costs=False).splitlines() == plain
    assert any("vpt_zap_results_latest" in line for line in plain)


def test_a_complete_database_gets_djangos_own_sql() -> None:
    assert shape_of().gaps == {}
    rows = ScriptResult.objects.select_related("team").filter(team__name="x")
    sql, _ = rows.query.get_compiler(SOURCE).as_sql()
    assert "(SELECT" not in sql
    assert "INNER JOIN" in sql


@pytest.mark.django_db(databases=["default", "source"], transaction=True)
def test_a_column_that_vanishes_while_the_portal_runs_is_noticed_by_the_failing_query() -> None:
    with connections[SOURCE].cursor() as cursor:
        shape_of()
        cursor.execute("ALTER TABLE device RENAME COLUMN status TO state")
        try:
            assert list(Device.objects.filter(status="online")) == []
            assert missing_columns(Device) == {"status"}
        finally:
            cursor.execute("ALTER TABLE device RENAME COLUMN state TO status")
            forget()


def test_a_column_that_comes_back_is_found_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("apps.mirror.shape.time.monotonic", lambda: clock[0])
    with without_column("device", "status"):
        assert missing_columns(Device) == {"status"}
        with connections[SOURCE].cursor() as cursor:
            cursor.execute("ALTER TABLE device ADD COLUMN status text")
        clock[0] += 59
        assert missing_columns(Device) == {"status"}
        clock[0] += 2
        assert missing_columns(Device) == frozenset()


def test_a_table_that_the_role_may_not_read_counts_as_missing() -> None:
    Lab()
    with connections[SOURCE].cursor() as cursor:
        cursor.execute("CREATE ROLE narrow_reader")
        cursor.execute("GRANT narrow_reader TO CURRENT_USER")
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO narrow_reader")
        cursor.execute("REVOKE SELECT ON alerts, device FROM narrow_reader")
        cursor.execute("GRANT SELECT (id, name, team_id) ON device TO narrow_reader")
        cursor.execute("SET LOCAL ROLE narrow_reader")
        forget()
        try:
            assert list(PlatformAlert.objects.all()) == []
            device = Device.objects.get()
            assert (device.name, device.model) == ("Box", None)
        finally:
            cursor.execute("RESET ROLE")
            forget()


def test_looking_at_the_shape_costs_a_page_no_query(django_assert_num_queries: Any) -> None:
    with without_column("device", "status"), django_assert_num_queries(1, using=SOURCE):
        list(Device.objects.all())


def test_an_upsert_works_beside_a_gap() -> None:
    team = Lab().of(Team)
    with without_column("device", "status"):
        device = Device.objects.get()
        device.name = "Renamed"
        Device.objects.bulk_create(
            [device, Device(team=team, name="New", status="online")],
            update_conflicts=True, unique_fields=["id"], update_fields=["name", "status"],
        )  # fmt: skip
        assert sorted(Device.objects.values_list("name", flat=True)) == ["New", "Renamed"]
