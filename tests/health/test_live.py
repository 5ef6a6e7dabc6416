"""What the health page says of pages that move."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from apps.health.checks import live
from apps.health.findings import State
from apps.live.stream import APPLICATION_NAME
from apps.live.watch import LOCK
from apps.mirror.models import PlatformAlert

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def test_who_listens_and_how_old_the_last_event_is() -> None:
    with connections["source"].cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, true)", [APPLICATION_NAME])
    PlatformAlert.objects.create(host_name="h", device_id="d", incident_type="freeze")
    found = live.check()
    assert found.state is State.OK
    assert found.text == "1 process listens; the last event is 0 s old."
    assert found.details["source_listeners"] == 1


def test_a_table_that_tells_nothing_is_named() -> None:
    with connections["source"].cursor() as cursor:
        cursor.execute("DROP TRIGGER vptmonitor_live_insert ON alerts")
    found = live.check()
    assert (found.state, found.details["tables"]) == (State.WARNING, "alerts")
    assert "migrate" in found.fix


def test_a_source_that_nobody_looks_at(settings: Any) -> None:
    settings.SOURCE_ACCESS = "read"
    assert live.check().state is State.WARNING
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            assert live.check().state is State.OK
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
