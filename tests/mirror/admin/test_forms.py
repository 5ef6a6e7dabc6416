"""The admin's forms: exact values, readable and checked JSON, rights by the access to the source, the audit trail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from apps.accounts.models import AuditEntry, User
from apps.mirror.models import (
    Device,
    DeviceFlag,
    ExecutionResult,
    MirrorModel,
    ScriptResult,
    Team,
    TestCase,
)
from apps.mirror.shape import mirrored_models
from tests.mirror.rows import Lab
from tests.people import signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def address(row: Any, end: str = "change/") -> str:
    return f"/admin/mirror/{row._meta.model_name}/{row.pk}/{end}"


def shown_values(browser: Client, row: Any) -> dict[str, str]:
    """What a browser would post when nothing is touched."""
    form = browser.get(address(row)).context["adminform"].form
    values = {}
    for bound in form:
        context = bound.field.widget.get_context(bound.html_name, bound.value(), {})["widget"]
        value = context["value"]
        if isinstance(value, list):
            value = value[0] if value else ""
        if context.get("type") == "checkbox":
            if context["attrs"].get("checked"):
                values[bound.html_name] = "on"
        elif value is not None:
            values[bound.html_name] = str(value).replace("\n", "\r\n")
    return values


@pytest.mark.parametrize("model", mirrored_models(), ids=[m._meta.db_table for m in mirrored_models()])
def test_saving_an_untouched_form_changes_nothing(model: type[MirrorModel], admin: User) -> None:
    row = Lab().of(model)
    texts: dict[str, Any] = {
        "description": " two\nlines, with spaces ", "error_msg": "a\nb", "steps": [], "flags": ["one, two", ""],
        "started_at": datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC), "metadata": {"é": [1.5, None]},
    }  # fmt: skip
    fields = {field.name for field in model._meta.concrete_fields}
    model.objects.filter(pk=row.pk).update(**{name: value for name, value in texts.items() if name in fields})
    browser = signed_in(admin)
    before: dict[str, Any] = dict(model.objects.filter(pk=row.pk).values().get())
    answer = browser.post(address(row), shown_values(browser, row))
    assert answer.status_code == 302, answer.context["errors"]
    after: dict[str, Any] = dict(model.objects.filter(pk=row.pk).values().get())
    before.pop("updated_at", None)
    after.pop("updated_at", None)
    assert after == before


def test_json_is_shown_in_lines_and_errors_name_line_and_column(admin: User) -> None:
    case = Lab().of(TestCase)
    TestCase.objects.filter(pk=case.pk).update(steps=[{"do": "<script>"}])
    browser = signed_in(admin)
    page = browser.get(address(case)).content.decode()
    assert "&quot;do&quot;: &quot;&lt;script&gt;&quot;" in page
    assert "&quot;do&quot;: &quot;<script" not in page
    values = shown_values(browser, case)
    assert values["steps"].splitlines()[1] == "  {"

    def refused(**changes: str) -> str:
        answer = browser.post(address(case), values | changes)
        assert answer.status_code == 200
        return " ".join(str(error) for error in answer.context["errors"])

    assert "Line 2, column 3: Expecting value" in refused(steps="[1,\n  x]")
    assert "NaN is no JSON value" in refused(steps="[NaN]")
    assert "NUL" in refused(steps='["\\u0000"]')
    assert "must not be empty" in refused(steps="")
    assert "Element 2 is no text" in refused(tags='["a", 2]')
    assert "Write a list" in refused(tags='{"a": 1}')
    assert "[1,\n  x]" in browser.post(address(case), values | {"steps": "[1,\n  x]"}).content.decode()
    assert browser.post(address(case), values | {"steps": "{}", "tags": '["a, b"]'}).status_code == 302
    case.refresh_from_db()
    assert (case.steps, case.tags) == ({}, ["a, b"])


def test_json_is_readable_where_it_cannot_be_edited(alice: User, admin: User, settings: Settings) -> None:
    lab = Lab()
    script = lab.of(ScriptResult)
    ScriptResult.objects.filter(pk=script.pk).update(
        metadata={"deep": {"<b>": "x"}}, error_msg="line\nline", html_report_r2_url="https://reports.example.org/1"
    )
    settings.SOURCE_ACCESS = "read"
    page = signed_in(admin).get(address(script)).content.decode()
    assert "<details" in page
    assert "&lt;b&gt;" in page
    assert "<textarea" not in page
    assert '<pre class="long-text" tabindex="0">line\nline</pre>' in page
    assert 'href="https://reports.example.org/1"' in page


def test_a_read_only_source_is_read_only_and_says_why(admin: User, settings: Settings) -> None:
    lab = Lab()
    settings.SOURCE_ACCESS = "read"
    browser = signed_in(admin)
    for model in mirrored_models():
        row = lab.of(model)
        page = browser.get(f"/admin/mirror/{model._meta.model_name}/")
        assert "SOURCE_ACCESS is “read”" in page.content.decode()
        assert not page.context["has_add_permission"]
        assert "delete_selected" not in page.content.decode()
        assert browser.get(f"/admin/mirror/{model._meta.model_name}/add/").status_code == 403
        assert browser.post(address(row), {"name": "x"}).status_code == 403
        assert browser.post(address(row, "delete/"), {"post": "yes"}).status_code == 403
    settings.SOURCE_ACCESS = "write"
    assert "SOURCE_ACCESS" not in browser.get("/admin/mirror/device/").content.decode()
    assert browser.get("/admin/mirror/device/add/").status_code == 200


def test_history_is_never_added_by_hand(admin: User) -> None:
    assert signed_in(admin).get("/admin/mirror/executionresult/add/").status_code == 403
    assert signed_in(admin).get("/admin/mirror/systemmetric/add/").status_code == 403


def test_an_operator_may_look_and_not_change(alice: User) -> None:
    device = Lab().of(Device)
    Device.objects.filter(pk=device.pk).update(
        team=Team.objects.create(id=alice.memberships.get().team_id, name="A", tenant_id=device.pk)
    )
    browser = signed_in(alice)
    assert browser.get(address(device)).status_code == 200
    assert browser.post(address(device), {"name": "x"}).status_code == 403


def test_changes_are_audited_with_before_and_after_and_shown_as_history(
    admin: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    device = Lab().of(Device)
    browser = signed_in(admin)
    values = shown_values(browser, device)
    with django_capture_on_commit_callbacks(using="source", execute=True):
        browser.post(address(device), values | {"name": "Renamed <i>", "controller_configs": '{"token": "hush"}'})
    entry = AuditEntry.objects.get(action="change")
    assert (entry.kind, entry.object_id, entry.actor) == ("mirror.device", str(device.pk), "admin")
    assert ((entry.before or {})["name"], (entry.after or {})["name"]) == ("Box", "Renamed <i>")
    page = browser.get(address(device, "history/")).content.decode()
    assert "Renamed &lt;i&gt;" in page
    assert "hush" not in page
    assert "admin" in page
    assert "Renamed" in browser.get("/admin/").content.decode()


def test_what_the_database_refuses_is_told_and_changes_nothing(
    admin: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    lab = Lab()
    script = lab.of(ScriptResult)
    browser = signed_in(admin)
    page = browser.get(address(script, "delete/"))
    assert "own database rules say" in page.content.decode()
    with django_capture_on_commit_callbacks(using="source", execute=True):
        answer = browser.post(address(script, "delete/"), {"post": "yes"}, follow=True)
    if ScriptResult.objects.filter(pk=script.pk).exists():
        assert "The database refused" in answer.content.decode()
    flag = lab.of(DeviceFlag)
    DeviceFlag.objects.create(host_name="host-1", device_id="device2", device_name="Two", flags=[])
    values = shown_values(browser, flag)
    answer = browser.post(address(flag), values | {"device_id": "device2"})
    assert "already exists" in " ".join(map(str, answer.context["errors"]))


def test_references_are_typed_and_stay_within_what_may_be_seen(admin: User) -> None:
    step = Lab().of(ExecutionResult)
    page = signed_in(admin).get(address(step)).content.decode()
    assert 'name="script_result" value="' in page
    assert '<select name="script_result"' not in page
    assert '<select name="team"' in page
