"""The rows of Grafanas: what they may hold, whose secrets they may use, and the one that the environment describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from pytest_django import Settings

from apps.grafana import from_environment
from apps.grafana.connect import client_for
from apps.grafana.credentials import credentials_of, described
from apps.grafana.errors import AddressRefused, CredentialMissing
from apps.grafana.models import GrafanaInstance
from apps.health.masking import HIDDEN, mask
from vptmonitor.environment import Environment

SECRET = "glsa_0123456789abcdef"


def instance(**values: Any) -> GrafanaInstance:
    given = {"name": "staging", "address": "https://grafana.example.org", "variable": "GRAFANA_TOKEN_STAGING"}
    return GrafanaInstance(**given | values)


def set_environment(settings: Settings, **values: str) -> None:
    settings.ENV = Environment(values)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("address", {"address": "grafana.example.org"}),
        ("address", {"address": "https://user:password@grafana.example.org"}),
        ("public_address", {"public_address": "//evil.example.org"}),
        ("public_address", {"public_address": "javascript:alert(1)"}),
        ("variable", {"variable": "SECRET_KEY"}),
        ("variable", {"variable": "GRAFANA_SECRET_KEY"}),
        ("variable", {"variable": "GRAFANA_TOKEN"}),
        ("variable", {"variable": "GRAFANA_ADMIN_PASSWORD"}),
        ("variable", {"variable": "GRAFANA_TOKEN_A\n"}),
        ("user_name", {"account": "basic"}),
        ("user_name", {"account": "basic", "user_name": "a:b"}),
        ("org_id", {"org_id": 0}),
        ("datasources", {"datasources": ["vpt"]}),
        ("datasources", {"datasources": {"vpt": "no uid!"}}),
        ("datasources", {"datasources": {"vpt": 5}}),
        ("datasources", {"datasources": {"": "vpt"}}),
        ("policy", {"policy": "released"}),
    ],
)
def test_a_row_that_cannot_work_is_refused_with_the_field(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        instance(**values).full_clean(validate_unique=False, validate_constraints=False)
    assert field in refused.value.message_dict


@pytest.mark.django_db
def test_a_row_that_works() -> None:
    row = instance(address="https://grafana.example.org/grafana/", datasources={"DS_VPT": "vpt-pg"})
    row.full_clean()
    row.save()
    assert row.link("/d/abc") == "https://grafana.example.org/grafana/d/abc"
    row.public_address = "/grafana"
    assert row.link("/d/abc") == "/grafana/d/abc"
    assert row.policy == GrafanaInstance.Policy.OBSERVE


@pytest.mark.django_db
def test_one_row_for_each_organisation_of_a_grafana() -> None:
    instance().save()
    with pytest.raises(IntegrityError), transaction.atomic():
        instance(name="other").save()
    instance(name="other", org_id=2).save()


def test_a_secret_comes_from_the_environment_and_appears_nowhere(settings: Settings) -> None:
    set_environment(settings, GRAFANA_TOKEN_STAGING=SECRET)
    found = credentials_of(instance())
    assert found.secret == SECRET
    assert SECRET not in f"{found!r} {found} {instance()!r} {described(instance())}"
    assert described(instance()) == "from GRAFANA_TOKEN_STAGING (set)"
    assert mask(f"said {SECRET}") == f"said {HIDDEN}"


def test_a_secret_comes_from_a_file_and_follows_it(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    set_environment(settings, GRAFANA_TOKEN_STAGING_FILE=str(path))
    assert credentials_of(instance()).secret == SECRET
    path.write_text("rotated")
    assert credentials_of(instance()).secret == "rotated"
    path.unlink()
    assert described(instance()) == "from GRAFANA_TOKEN_STAGING (not set)"


@pytest.mark.parametrize("variable", ["SECRET_KEY", "GRAFANA_SECRET_KEY", "GRAFANA_TOKEN", "GRAFANA_ADMIN_PASSWORD"])
def test_a_row_that_names_another_variable_gets_nothing(variable: str, settings: Settings) -> None:
    """Even one that went round the form."""
    set_environment(settings, **{variable: SECRET})
    with pytest.raises(CredentialMissing, match="no variable that an instance may name"):
        credentials_of(instance(variable=variable))


def test_an_address_that_went_round_the_form_is_refused(settings: Settings) -> None:
    set_environment(settings, GRAFANA_TOKEN_STAGING=SECRET)
    with pytest.raises(AddressRefused):
        client_for(instance(address="file:///etc/passwd"))


@pytest.mark.django_db
def test_without_anything_the_portals_own_grafana_is_meant(settings: Settings) -> None:
    settings.GRAFANA_PORT = 3456
    settings.PUBLIC_URL = "https://portal.example.org"
    row = from_environment.register()
    assert (row.address, row.link("/d/x")) == (
        "http://127.0.0.1:3456/grafana", "https://portal.example.org/grafana/d/x",
    )  # fmt: skip
    assert (row.account, row.user_name, row.variable) == ("basic", "admin", "GRAFANA_ADMIN_PASSWORD")
    assert credentials_of(row).secret == settings.GRAFANA_ADMIN_PASSWORD
    row.full_clean()


@pytest.mark.django_db
def test_what_the_environment_says_is_renewed_and_what_people_chose_stays(settings: Settings) -> None:
    first = from_environment.register()
    GrafanaInstance.objects.filter(pk=first.pk).update(policy="adopt", paused=True, name="ours")
    settings.GRAFANA_URL, settings.GRAFANA_TOKEN, settings.GRAFANA_ORG_ID = "https://g.example.org", SECRET, 3
    set_environment(settings, GRAFANA_TOKEN=SECRET)
    row = from_environment.register()
    assert (row.pk, row.name, row.policy, row.paused) == (first.pk, "ours", "adopt", True)
    assert (row.address, row.org_id, row.account, row.variable) == (
        "https://g.example.org", 3, "token", "GRAFANA_TOKEN",
    )  # fmt: skip
    assert credentials_of(row).secret == SECRET
    assert from_environment.register() == row
    assert GrafanaInstance.objects.count() == 1


@pytest.mark.django_db
def test_the_password_that_the_portal_made_is_sent_to_no_other_grafana(settings: Settings) -> None:
    settings.GRAFANA_URL = "https://g.example.org"
    set_environment(settings)
    row = from_environment.register()
    assert row.variable == "GRAFANA_TOKEN"
    with pytest.raises(CredentialMissing):
        credentials_of(row)
    set_environment(settings, GRAFANA_ADMIN_PASSWORD="given by somebody")
    assert from_environment.register().variable == "GRAFANA_ADMIN_PASSWORD"


@pytest.mark.django_db
def test_a_name_that_is_taken_is_left_to_whoever_has_it() -> None:
    instance(name=from_environment.NAME).save()
    assert from_environment.register().name == "default 2"
