"""A database of our own has one active alert per host, device and type, whoever writes it."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connections, transaction

from apps.accounts.models import User
from apps.mirror.models import PlatformAlert
from apps.mirror.shape import SOURCE
from tests.mirror.reduced import platform_without_rule
from tests.mirror.rows import NOON
from tests.people import signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def alert(minutes: float = 0, **given: Any) -> PlatformAlert:
    values = {"host_name": "h", "device_id": "d", "incident_type": "freeze", "start_time": NOON}
    values["start_time"] = NOON + timedelta(minutes=minutes)
    return PlatformAlert.objects.create(**values | given)


def insert() -> None:
    with transaction.atomic(using=SOURCE), connections[SOURCE].cursor() as cursor:
        cursor.execute("INSERT INTO alerts (host_name, device_id, incident_type) VALUES ('h', 'd', 'freeze')")


def test_a_second_one_is_refused_whoever_writes_it_until_the_first_is_over() -> None:
    insert()
    with pytest.raises(IntegrityError, match="vpt_alerts_one_active"):
        insert()
    alert(device_id="other")
    alert(host_name="other")
    alert(incident_type="blackscreen")
    alert(status="resolved")
    PlatformAlert.objects.update(status="resolved")
    insert()


def test_of_several_that_stood_open_the_migration_leaves_the_newest() -> None:
    platform_without_rule()
    middle, newest, oldest, same = alert(5), alert(9), alert(0), alert(9, device_id="e")
    twins = [alert(minutes, host_name="twin") for minutes in (3, 3)]
    over = alert(20, status="resolved", end_time=NOON + timedelta(hours=1))
    migration = import_module("apps.mirror.migrations.0003_one_active_alert")
    with transaction.atomic(using=SOURCE), connections[SOURCE].cursor() as cursor:
        cursor.execute(migration.END_THE_OLDER)
        # In one transaction with the step before it, as the migration does it.
        with connections[SOURCE].schema_editor(atomic=False) as editor:
            (rule,) = [one for one in PlatformAlert._meta.constraints if one.name == "vpt_alerts_one_active"]
            editor.add_constraint(PlatformAlert, rule)
    stands = {row.pk: (row.status, row.end_time) for row in PlatformAlert.objects.all()}
    assert stands[newest.pk] == stands[same.pk] == ("active", None)
    assert stands[oldest.pk] == ("resolved", middle.start_time)
    assert stands[middle.pk] == ("resolved", newest.start_time)
    assert stands[over.pk] == ("resolved", over.end_time)
    assert sorted(stands[twin.pk][0] for twin in twins) == ["active", "resolved"]
    assert ("resolved", NOON + timedelta(minutes=3, seconds=1)) in {stands[twin.pk] for twin in twins}
    with pytest.raises(IntegrityError):
        insert()


def test_a_platform_without_the_rule_is_no_different_database() -> None:
    platform_without_rule()
    output = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_source", stdout=output)
    assert (ended.value.code, output.getvalue()) == (0, "Nothing differs.\n")


def test_the_form_tells_in_words_that_the_database_refuses(admin: User) -> None:
    alert()
    other = alert(device_id="e")
    browser, url = signed_in(admin), f"/admin/mirror/platformalert/{other.pk}/change/"
    form = browser.get(url).context["adminform"].form
    values = {name: "" if value is None else value for name, value in form.initial.items() if name in form.fields}
    values |= {"device_id": "d", "metadata": "", "start_time_0": "2026-03-01", "start_time_1": "12:00:00"}
    page = browser.post(url, values, follow=True)
    assert page.status_code == 200
    assert "The database refused: duplicate key value" in page.content.decode()
    other.refresh_from_db()
    assert other.device_id == "e"
