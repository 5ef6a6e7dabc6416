"""Who falls silent is noticed once, and its silence ends with the first ping that comes again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.accounts.scope import EVERYTHING, TeamScope
from apps.mirror.models import SystemIncident, SystemMetric
from apps.triage.models import HostSilence
from apps.triage.silences import silences_of, watch
from tests.mirror.reduced import without_column, without_table
from tests.people import HOST_A, HOST_B, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])

NOW = timezone.now()


def ping(name: str, minutes: float, *, server: bool = False) -> None:
    SystemMetric.objects.create(
        host_name="server" if server else name,
        server_name=name if server else None,
        timestamp=NOW - timedelta(minutes=minutes),
    )


def silent() -> dict[str, datetime]:
    return dict(HostSilence.objects.filter(ended_at=None).values_list("host_name", "since"))


def test_hosts_after_eleven_minutes_servers_after_three() -> None:
    for name, minutes in (("quick", 4), ("late", 10.9), ("silent", 11.1), ("gone", 60 * 25)):
        ping(name, minutes)
    for name, minutes in (("server-1", 2.9), ("server-2", 3.1)):
        ping(name, minutes, server=True)
    watch(NOW)
    assert silent() == {"silent": NOW - timedelta(minutes=11.1), "server-2": NOW - timedelta(minutes=3.1)}


def test_noticed_once_and_over_with_the_first_ping() -> None:
    ping(HOST_A, 20)
    for minute in range(3):
        watch(NOW + timedelta(minutes=minute))
    assert HostSilence.objects.count() == 1
    ping(HOST_A, 5)
    ping(HOST_A, 1)
    watch(NOW + timedelta(minutes=3))
    (found,) = HostSilence.objects.all()
    assert found.ended_at == NOW - timedelta(minutes=5)
    watch(NOW + timedelta(minutes=20))
    assert HostSilence.objects.count() == 2
    assert silent() == {HOST_A: NOW - timedelta(minutes=1)}


def test_a_host_that_stays_away_stays_silent() -> None:
    ping(HOST_A, 20)
    watch(NOW)
    watch(NOW + timedelta(days=3))
    assert list(silent()) == [HOST_A]


def test_a_host_named_like_a_server_is_another() -> None:
    ping("one", 20)
    ping("one", 20, server=True)
    watch(NOW)
    assert HostSilence.objects.filter(ended_at=None).count() == 2


def test_one_open_silence_of_each() -> None:
    values = {"host_name": HOST_A, "is_server": False, "since": NOW, "noticed_at": NOW}
    HostSilence.objects.create(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        HostSilence.objects.create(**values)
    HostSilence.objects.update(ended_at=NOW)
    HostSilence.objects.create(**values)


def test_old_ones_are_forgotten() -> None:
    HostSilence.objects.create(
        host_name="x", since=NOW - timedelta(days=99), noticed_at=NOW, ended_at=NOW - timedelta(days=91)
    )
    watch(NOW)
    assert HostSilence.objects.count() == 0


def test_nothing_is_written_to_the_platform(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ping(HOST_A, 20)
    with override_settings(SOURCE_ACCESS="read"), django_assert_num_queries(1, using="source"):
        watch(NOW)
    assert list(silent()) == [HOST_A]
    assert SystemIncident.objects.count() == 0


@contextmanager
def lacking(what: str) -> Iterator[None]:
    with without_table("system_metrics") if what == "" else without_column("system_metrics", what):
        yield


@pytest.mark.parametrize("what", ["", "host_name", "timestamp", "server_name"])
def test_a_database_that_lacks_what_is_needed(what: str) -> None:
    ping(HOST_A, 20)
    with lacking(what):
        watch(NOW)
    assert list(silent()) == ([HOST_A] if what == "server_name" else [])


def test_the_host_s_page_tells_of_its_silences(alice: User, charlie: User) -> None:
    ping(HOST_A, 20)
    ping(HOST_B, 1)
    watch(NOW)
    page = signed_in(alice).get(reverse("portal:host", args=[HOST_A])).content.decode()
    assert "Silent since" in page
    assert "still silent" in page
    assert signed_in(charlie).get(reverse("portal:host", args=[HOST_A])).status_code == 404
    assert "Silent since" not in signed_in(charlie).get(reverse("portal:host", args=[HOST_B])).content.decode()
    assert silences_of(HOST_A, server=False, scope=TeamScope(host_names=frozenset({HOST_B}))) == []
    assert len(silences_of(HOST_A, server=False, scope=EVERYTHING)) == 1
