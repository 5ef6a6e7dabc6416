"""The admin's lists: bounded, never counting, scoped, filtered, exported."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin as django_admin
from django.db import connections, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import HostTeam, TeamMembership, User
from apps.accounts.roles import Role
from apps.mirror import admin_base, export
from apps.mirror.models import Device, MirrorModel, ScriptResult, SystemMetric
from apps.mirror.shape import mirrored_models
from tests.mirror.rows import Lab
from tests.pages import links_of
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])
MODELS = mirrored_models()


def address(model: type[MirrorModel], end: str = "") -> str:
    return f"/admin/mirror/{model._meta.model_name}/{end}"


def copies(row: Any, number: int) -> None:
    """Add `number` rows like `row`, differing in their key and in what must be unique."""
    model = type(row)
    unique = {
        name
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and constraint.condition is None
        for name in constraint.fields
    }
    made = []
    for _ in range(number):
        copy = model.objects.get(pk=row.pk)
        copy.pk = None if isinstance(model._meta.pk, models.AutoField) else uuid4()
        for name in unique:
            field = model._meta.get_field(name)
            if isinstance(field, models.UUIDField):
                setattr(copy, name, uuid4())
            elif isinstance(field, models.CharField | models.TextField):
                setattr(copy, name, f"{getattr(row, name)}-{uuid4()}")
        if hasattr(copy, "device_id") and "incident_type" in {field.name for field in model._meta.fields}:
            copy.device_id = f"device-{uuid4()}"
        made.append(copy)
    model.objects.bulk_create(made)


def queries_of(browser: Client, model: type[MirrorModel]) -> tuple[list[str], Any]:
    with (
        CaptureQueriesContext(connections["default"]) as portal,
        CaptureQueriesContext(connections["source"]) as source,
    ):
        answer = browser.get(address(model))
    assert answer.status_code == 200
    return [query["sql"] for query in (*portal.captured_queries, *source.captured_queries)], answer


@pytest.mark.parametrize("model", MODELS, ids=[m._meta.db_table for m in MODELS])
def test_a_list_asks_as_much_for_sixty_rows_as_for_ten_and_never_counts(model: type[MirrorModel], admin: User) -> None:
    browser = signed_in(admin)
    copies(Lab().of(model), 9)
    queries_of(browser, model)
    few, answer = queries_of(browser, model)
    assert len(answer.context["cl"].result_list) == 10
    copies(model.objects.latest_first()[0], 50)
    many, answer = queries_of(browser, model)
    assert len(answer.context["cl"].result_list) == 50
    assert answer.context["cl"].older_url
    assert len(few) == len(many)
    # Session, user, role, two of permissions; rows and estimate; teams or hosts, and up to two filters of small tables.
    assert len(few) <= 11, few
    assert not [sql for sql in many if "COUNT(" in sql.upper()]


def test_pages_are_read_one_row_ahead_and_end_where_filters_lead_further(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies(Lab().of(ScriptResult), 101)
    browser = signed_in(admin)
    first = browser.get(address(ScriptResult)).context["cl"]
    assert (first.newer_url, first.older_url) == ("", "?p=2")
    last = browser.get(address(ScriptResult), {"p": "3"}).context["cl"]
    assert (len(last.result_list), last.older_url, last.newer_url) == (2, "", "?p=2")
    beyond = browser.get(address(ScriptResult), {"p": "9"})
    assert "The list ends before this page" in beyond.content.decode()
    monkeypatch.setattr(admin_base, "MOST_PAGES", 2)
    deep = browser.get(address(ScriptResult), {"p": "700"})
    assert deep.context["cl"].page_num == 2
    assert "Older ones are reached by the filters" in deep.content.decode()


def test_history_is_sorted_by_time_alone_and_small_tables_by_any_column(admin: User) -> None:
    Lab()
    page = signed_in(admin).get(address(ScriptResult)).context["cl"]
    assert [column.__name__ for column in page.sortable_by] == ["started_at"]
    rows = str(signed_in(admin).get(address(ScriptResult), {"o": "3"}).context["cl"].queryset.query)
    assert rows.endswith('ORDER BY "script_results"."started_at" ASC, "script_results"."id" DESC')
    page = signed_in(admin).get(address(Device)).content.decode()
    assert "?o=2" in page


def test_history_is_searched_by_whole_values_and_definitions_by_parts(admin: User) -> None:
    lab = Lab()
    browser = signed_in(admin)

    def found(model: type[MirrorModel], term: str) -> int:
        return len(browser.get(address(model), {"q": term}).context["cl"].result_list)

    script = lab.of(ScriptResult)
    assert [found(ScriptResult, term) for term in ("zap.py", "host-1", str(script.pk), "zap", "%", "\x00")] == [
        1, 1, 1, 0, 0, 1,
    ]  # fmt: skip
    assert [found(Device, term) for term in ("bo", "BOX", "x y")] == [1, 1, 0]
    sql = str(browser.get(address(ScriptResult), {"q": "zap.py"}).context["cl"].queryset.query)
    assert "LIKE" not in sql.upper()
    assert "the whole script name or host" in browser.get(address(ScriptResult)).content.decode()


def test_time_filters(admin: User) -> None:
    now = timezone.now()
    Lab(at=now - timedelta(minutes=30))
    Lab("Old", host="host-2", at=now - timedelta(days=20))
    browser = signed_in(admin)

    def found(**query: str) -> int:
        return len(browser.get(address(ScriptResult), query).context["cl"].result_list)

    assert [found(since=span) for span in ("1h", "24h", "7d", "30d", "nonsense")] == [1, 1, 1, 2, 2]
    day = (now - timedelta(days=1)).isoformat()
    assert (found(**{"from": day}), found(to=day), found(**{"from": day, "to": day})) == (1, 1, 0)
    assert found(since="30d", state="ok", host_name="nowhere") == 0
    assert found(state="ok") == 2
    assert found(state="failing") == 0
    bad = browser.get(address(ScriptResult), {"from": "yesterday"})
    assert (bad.status_code, bad.url) == (302, f"{address(ScriptResult)}?e=1")  # type: ignore[attr-defined]


def test_people_see_and_choose_from_the_rows_of_their_teams_alone(db: None) -> None:
    mine, other = Lab("Mine", host="host-mine"), Lab("Other", host="host-other")
    user = make_person("limited", Role.ADMIN, mine.team_id)
    HostTeam.objects.create(host_name="host-mine", team_id=mine.team_id)
    browser = signed_in(user)
    for model in MODELS:
        page = browser.get(address(model))
        assert [row.pk for row in page.context["cl"].result_list] == [mine.of(model).pk], model
        text = page.content.decode()
        assert "host-other" not in text, model
        assert ">Other<" not in text, model
        assert page.context["cl"].about is None
        stranger = browser.get(address(model, f"{other.of(model).pk}/change/"))
        assert stranger.status_code == 302, "as if it were not there"
        exported = csv.DictReader(StringIO(b"".join(browser.get(address(model, "export/csv/"))).decode()))
        assert [row[model._meta.pk.name] for row in exported] == [str(mine.of(model).pk)]
    metric = mine.of(SystemMetric)
    form = browser.get(address(SystemMetric, f"{metric.pk}/change/")).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None}
    answer = browser.post(
        address(SystemMetric, f"{metric.pk}/change/"),
        {**data, "host_name": "host-other", "ffmpeg_status": "{}", "monitor_status": "{}"},
    )
    assert "belongs to none of your teams" in answer.content.decode()
    assert not TeamMembership.objects.filter(team_id=other.team_id).exists()


def test_exports_hold_what_is_filtered_and_say_when_they_were_cut(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab()
    copies(lab.of(ScriptResult), 4)
    ScriptResult.objects.create(
        team_id=lab.team_id, script_name="=cmd()", script_type="x", host_name="host-9", device_name="Box",
        success=False, started_at=lab.at, completed_at=lab.at, metadata={"a": [1, "é"]},
    )  # fmt: skip
    browser = signed_in(admin)

    def text(end: str) -> str:
        answer = browser.get(address(ScriptResult, end))
        assert "attachment; filename=" in answer["Content-Disposition"]
        return b"".join(answer).decode()

    rows = list(csv.DictReader(StringIO(text("export/csv/?q=host-9"))))
    assert [(row["script_name"], row["metadata"]) for row in rows] == [("'=cmd()", '{"a": [1, "é"]}')]
    found = json.loads(text("export/json/"))
    assert (len(found["rows"]), found["complete"], found["table"]) == (6, True, "script_results")
    assert {"a": [1, "é"]} in [row["metadata"] for row in found["rows"]]
    monkeypatch.setattr(export, "MOST_ROWS", 2)
    found = json.loads(text("export/json/"))
    assert (len(found["rows"]), found["complete"], found["limit"]) == (2, False, 2)
    assert text("export/csv/").splitlines()[-1].startswith("cut after 2 rows")
    assert browser.get(address(ScriptResult, "export/xml/")).status_code == 404


def test_chosen_rows_are_exported_and_never_all_that_match(admin: User) -> None:
    lab = Lab()
    copies(lab.of(ScriptResult), 60)
    key = str(lab.of(ScriptResult).pk)
    chosen = {"action": "export_json", "_selected_action": [key], "index": "0", "select_across": "1"}
    answer = signed_in(admin).post(address(ScriptResult), chosen)
    assert [row["id"] for row in json.loads(b"".join(answer))["rows"]] == [key]


def test_viewers_stay_outside_and_operators_look(alice: User, bob: User) -> None:
    Lab()
    assert signed_in(bob).get(address(Device)).status_code == 403
    assert signed_in(bob).get(address(Device, "export/csv/")).status_code == 403
    browser = signed_in(alice)
    page = browser.get(address(Device))
    assert page.status_code == 200
    assert not page.context["has_add_permission"]
    assert browser.get(address(Device, "add/")).status_code == 403


def test_a_row_leads_to_its_page_in_the_portal(admin: User) -> None:
    lab = Lab()
    browser = signed_in(admin)
    key = lab.of(Device).pk
    assert f'href="/devices/{key}/"' in browser.get(address(Device)).content.decode()
    assert "Open in the portal" in browser.get(address(Device, f"{key}/change/")).content.decode()
    model_admin = django_admin.site._registry[Device]
    assert isinstance(model_admin, admin_base.MirrorAdmin)
    model_admin_without_page = type("Other", (type(model_admin),), {"portal_page": ("portal:nowhere",)})(
        Device, django_admin.site
    )
    assert model_admin_without_page.page_of(lab.of(Device)) == ""


def test_a_servers_ping_leads_to_the_page_of_the_server(admin: User) -> None:
    ping = SystemMetric.objects.create(host_name="server", server_name="cloud", timestamp=timezone.now())
    browser = signed_in(admin)
    [link] = [link for link in links_of(browser.get(address(SystemMetric))) if link.startswith("/system/cloud")]
    assert browser.get(link).status_code == 200
    SystemMetric.objects.filter(pk=ping.pk).update(server_name=None)
    assert not [link for link in links_of(browser.get(address(SystemMetric))) if link.startswith("/system/server")]


def test_the_first_page_is_grouped_by_domain_and_tells_what_each_table_is(
    admin: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    browser = signed_in(admin)
    with django_assert_max_num_queries(6):  # session, user, role, two of permissions, the viewer's own changes
        page = browser.get("/admin/")
    names = [group["name"] for group in page.context["app_list"]]
    assert names == ["Fleet", "Execution", "Navigation", "Monitoring", "Dashboards", "Access", "Audit"]
    listed = {entry["model"] for group in page.context["app_list"] for entry in group["models"]}
    assert set(MODELS) <= listed
    text = page.content.decode()
    assert "A physical device: a set-top box, phone, TV or browser." in text
    assert signed_in(admin).get("/admin/mirror/").url == "/admin/"  # type: ignore[attr-defined]
