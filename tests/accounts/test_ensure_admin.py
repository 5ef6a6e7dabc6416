"""`manage.py ensure_admin`: the first administrator, once."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.accounts.models import AuditEntry, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _named(settings: Settings) -> None:
    settings.GRAFANA_ADMIN_USER = "chief"
    settings.GRAFANA_ADMIN_PASSWORD = "made up for this one"


def run() -> str:
    out = StringIO()
    call_command("ensure_admin", stdout=out)
    return out.getvalue()


def test_it_makes_one_who_sees_everything_and_never_says_the_password() -> None:
    said = run()
    chief = User.objects.get()
    assert chief.check_password("made up for this one")
    assert (chief.username, chief.is_superuser, chief.all_teams) == ("chief", True, True)
    assert "Created the administrator chief" in said
    assert "made up for this one" not in said
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.label) == (AuditEntry.Action.COMMAND, "process manage", "chief")


def test_a_second_run_changes_nothing(settings: Settings) -> None:
    run()
    settings.GRAFANA_ADMIN_PASSWORD = "another one"
    settings.GRAFANA_ADMIN_USER = "other"
    assert "There is an administrator already: chief" in run()
    assert User.objects.get().check_password("made up for this one")


def test_a_name_that_somebody_else_has_is_not_taken_over() -> None:
    User.objects.create_user("chief", password="mine")
    with pytest.raises(CommandError, match="taken by somebody else"):
        run()
    assert User.objects.get().check_password("mine")
    assert not User.objects.get().is_superuser


def test_a_deactivated_administrator_is_not_revived() -> None:
    run()
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="createsuperuser"):
        run()
    assert not User.objects.get().is_active


def test_an_empty_password_is_refused(settings: Settings) -> None:
    settings.GRAFANA_ADMIN_PASSWORD = ""
    with pytest.raises(CommandError, match="GRAFANA_ADMIN_PASSWORD is empty"):
        run()
