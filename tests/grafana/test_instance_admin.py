"""Grafana instances in the admin: who may, what the environment keeps for itself, and what a test of one says."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import AuditEntry, User
from apps.grafana import connection_test, from_environment
from apps.grafana.connection_test import Needs, Report, examine, needs
from apps.grafana.models import GrafanaInstance
from tests.grafana.double import V9, Double, Fault
from tests.grafana.double.server import TOKEN
from tests.people import signed_in
from vptmonitor.environment import Environment

pytestmark = pytest.mark.django_db(databases=["default", "source"])
NOTHING = Needs({}, {})
LIST = "admin:grafana_grafanainstance_changelist"


@pytest.fixture
def instance(double: Double, settings: Settings) -> GrafanaInstance:
    settings.ENV = Environment({"GRAFANA_TOKEN_DOUBLE": TOKEN})
    double.flavour = dataclasses.replace(double.flavour, version="12.4.9")
    return GrafanaInstance.objects.create(
        name="double", address=double.url, variable="GRAFANA_TOKEN_DOUBLE", private_network=True
    )


def said(report: Report) -> dict[str, tuple[str, str]]:
    return {finding.title: (finding.state, finding.text) for finding in report.findings}


def form(**changes: Any) -> dict[str, Any]:
    given = {
        "name": "staging", "address": "https://grafana.example.org", "public_address": "", "verify_tls": "on",
        "org_id": "1", "account": "token", "user_name": "", "variable": "GRAFANA_TOKEN_STAGING", "datasources": "{}",
        "policy": "observe", "enabled": "on",
    }  # fmt: skip
    return given | changes


def test_for_administrators_alone(admin: User, alice: User, instance: GrafanaInstance) -> None:
    test = reverse("admin:grafana_grafanainstance_test", args=[instance.pk])
    assert signed_in(admin).get(reverse(LIST)).status_code == 200
    for path in (reverse(LIST), reverse("admin:grafana_grafanainstance_change", args=[instance.pk])):
        assert signed_in(alice).get(path).status_code in {302, 403}
    assert signed_in(alice).post(test).status_code in {302, 403}
    assert Browser().post(test).status_code in {302, 401, 403}


def test_an_instance_is_made_with_its_entry_in_the_audit_trail(admin: User) -> None:
    done = signed_in(admin).post(reverse("admin:grafana_grafanainstance_add"), form())
    assert done.status_code == 302
    row = GrafanaInstance.objects.get()
    entry = AuditEntry.objects.get(kind="grafana.grafanainstance")
    assert entry.after is not None
    assert (entry.action, entry.object_id) == ("add", str(row.pk))
    assert entry.after["variable"] == "GRAFANA_TOKEN_STAGING"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variable": "SECRET_KEY"}, "GRAFANA_TOKEN_"),
        ({"address": "https://user:password@grafana.example.org"}, "user name and password"),
        ({"address": "gopher://127.0.0.1"}, "no web address"),
        ({"datasources": "[1]"}, "Write an object"),
        ({"datasources": "{"}, "JSON"),
    ],
)
def test_a_form_that_cannot_be_says_why(changes: dict[str, str], words: str, admin: User) -> None:
    shown = signed_in(admin).post(reverse("admin:grafana_grafanainstance_add"), form(**changes))
    assert words in shown.content.decode()
    assert not GrafanaInstance.objects.exists()


def test_the_form_shows_where_the_secret_comes_from_and_never_the_secret(
    admin: User, instance: GrafanaInstance
) -> None:
    browser = signed_in(admin)
    page = browser.get(reverse("admin:grafana_grafanainstance_change", args=[instance.pk])).content.decode()
    assert "from GRAFANA_TOKEN_DOUBLE (set)" in page
    tested = browser.post(reverse("admin:grafana_grafanainstance_test", args=[instance.pk])).content.decode()
    assert "Everything that a sync needs is there" in tested
    assert TOKEN not in page + tested + browser.get(reverse(LIST)).content.decode()


def test_what_the_environment_says_no_form_changes(admin: User) -> None:
    row = from_environment.register()
    path = reverse("admin:grafana_grafanainstance_change", args=[row.pk])
    signed_in(admin).post(
        path, form(name="ours", policy="adopt", address="https://evil.example.org", variable="GRAFANA_TOKEN_X")
    )
    row.refresh_from_db()
    assert (row.name, row.policy) == ("ours", "adopt")
    assert row.address.startswith("http://127.0.0.1")
    assert row.variable == "GRAFANA_ADMIN_PASSWORD"
    assert "The environment describes this one" in signed_in(admin).get(path).content.decode()
    delete = reverse("admin:grafana_grafanainstance_delete", args=[row.pk])
    assert signed_in(admin).post(delete, {"post": "yes"}).status_code == 403


def test_a_test_is_no_link(admin: User, instance: GrafanaInstance, double: Double) -> None:
    assert signed_in(admin).get(reverse("admin:grafana_grafanainstance_test", args=[instance.pk])).status_code == 405
    assert signed_in(admin).post("/admin/grafana/grafanainstance/4711/test/").status_code == 404
    assert double.log == []


def test_several_are_tested_from_the_list(admin: User, instance: GrafanaInstance) -> None:
    GrafanaInstance.objects.create(name="gone", address="https://g.example.org", variable="GRAFANA_TOKEN_NONE")
    keys = list(GrafanaInstance.objects.values_list("pk", flat=True))
    chosen = {"action": "test_connections", "_selected_action": keys}
    page = signed_in(admin).post(reverse(LIST), chosen).content.decode()
    assert "Test of 2 instances" in page
    assert "GRAFANA_TOKEN_NONE is not set" in page


# What a test says -----------------------------------------------------------------------------------------------------


def test_all_is_well(instance: GrafanaInstance, double: Double) -> None:
    double.store.data_sources.append({"uid": "vpt", "name": "VPT", "type": "postgres"})
    report = examine(instance, Needs({"vpt": 2}, {"stat": 2, "postgres": 1}))
    assert (report.state, report.sentence) == ("ok", "Everything that a sync needs is there.")
    assert said(report)["Organisation"] == ("ok", "Main Org. (number 1)")
    instance.refresh_from_db()
    assert (instance.version, instance.problem) == ("12.4.9", "")
    assert instance.answered_at is not None
    assert double.writes == 0


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [
        ("9.3.16", "warning", "CVE-"),
        ("8.5.0", "failing", "older than 9.3.0"),
        ("12.4.9", "ok", "judged by a real one"),
        ("13.1.0", "ok", "judged by 12.4 and 9.3"),
        ("", "unknown", "does not tell"),
    ],
)
def test_versions_are_judged(version: str, state: str, words: str, instance: GrafanaInstance, double: Double) -> None:
    double.flavour = dataclasses.replace(double.flavour, version=version)
    told = said(examine(instance, NOTHING))["Version"]
    assert told[0] == state
    assert words in told[1]


def test_an_older_grafana_without_the_newer_api(settings: Settings) -> None:
    settings.ENV = Environment({"GRAFANA_TOKEN_DOUBLE": TOKEN})
    with contextlib.closing(Double(V9)) as old:
        row = GrafanaInstance.objects.create(
            name="old", address=old.url, variable="GRAFANA_TOKEN_DOUBLE", private_network=True
        )
        assert said(examine(row, NOTHING))["Newer API"] == ("ok", "It has none; the older one is enough.")


def test_missing_data_sources_and_plugins_are_named_with_the_fix(instance: GrafanaInstance, double: Double) -> None:
    double.store.data_sources.append({"uid": "theirs", "name": "Theirs", "type": "postgres"})
    instance.datasources = {"mapped": "theirs"}
    report = examine(instance, Needs({"mapped": 1, "lost": 3}, {"stat": 1, "fancy-panel": 2}))
    told = said(report)
    assert report.state == "warning"
    assert told["Data sources"] == ("ok", "Found: mapped → theirs (Theirs).")
    assert told["Missing data sources"][1] == "Not there: lost (3 dashboards). These dashboards are not pushed."
    assert told["Plugins"] == ("warning", "Not installed: fancy-panel (2 dashboards).")


def test_what_fails_first_is_what_is_told(instance: GrafanaInstance, double: Double, settings: Settings) -> None:
    double.order(Fault("drop_before"))
    report = examine(instance, NOTHING)
    assert [(one.title, one.state) for one in report.findings] == [("Reachable", "failing")]
    instance.refresh_from_db()
    assert "broke off" in instance.problem
    settings.ENV = Environment({"GRAFANA_TOKEN_DOUBLE": "wrong"})
    told = said(examine(instance, NOTHING))
    assert told["Reachable"][0] == "ok"
    assert told["Account"][0] == "failing"
    settings.ENV = Environment({})
    assert "not set" in said(examine(instance, NOTHING))["Account"][1]
    settings.ENV = Environment({"GRAFANA_TOKEN_DOUBLE": TOKEN})
    double.database = "failing"
    assert "Grafana failed (503)" in said(examine(instance, NOTHING))["Reachable"][1]


def test_a_private_address_needs_the_word(instance: GrafanaInstance, double: Double) -> None:
    instance.private_network = False
    report = examine(instance, NOTHING)
    assert "private network" in report.sentence
    assert double.log == []


def test_an_organisation_that_is_closed(instance: GrafanaInstance) -> None:
    instance.org_id = 9
    assert said(examine(instance, NOTHING))["Account"][0] == "failing"


def test_permissions_that_are_missing(instance: GrafanaInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.grafana.double.others.ACTIONS", connection_test.NEEDED)
    told = said(examine(instance, Needs({"vpt": 1}, {})))
    assert told["Permissions"][0] == "warning"
    assert told["Data sources"] == ("unknown", "The account may not see them.")
    monkeypatch.setattr("tests.grafana.double.others.ACTIONS", ("dashboards:read",))
    report = examine(instance, NOTHING)
    assert "may not: dashboards:create" in report.sentence


def test_what_bodies_need() -> None:
    source = {"type": "postgres", "uid": "vpt"}
    body = {
        "panels": [
            {"type": "row", "panels": [{"type": "stat", "datasource": source, "targets": [{"datasource": source}]}]},
            {"type": "table", "datasource": {"type": "datasource", "uid": "grafana"}},
            "no panel",
        ],
        "templating": {"list": [{"type": "query", "datasource": {"type": "$kind", "uid": "$source"}}]},
    }
    found = needs([body, body, {}])
    assert found.sources == {"vpt": 2}
    assert found.plugins == {"stat": 2, "table": 2, "postgres": 2}
