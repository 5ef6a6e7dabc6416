"""What every test has: no network but loopback, people to sign in as, an audit table that can be emptied."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker
from pytest_socket import socket_allow_hosts

# A slow machine is no finding: properties are about values, not about time.
hypothesis.settings.register_profile(
    "vptmonitor", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("vptmonitor")

pytest_plugins = ["tests.people", "tests.start.portal"]


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """What a process of the suite runs as one piece: a file, or all that share the portal that was really started.

    The latter come first, since they take longest; else the order is pytest-django's.
    """
    for item in items:
        group = "started" if _wants_portal(item) else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))
    yield
    items.sort(key=lambda item: not _wants_portal(item))


def _wants_portal(item: pytest.Item) -> bool:
    return "started" in getattr(item, "fixturenames", ())


def pytest_runtest_setup() -> None:
    """Loopback and local sockets only: a test that reaches for another machine fails."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VPTMONITOR_PROCESS", raising=False)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests that commit clean up by TRUNCATE, which the audit table refuses; its own test turns that on again.

    Whatever asked a panel or a metric left a connection in the pool, and nobody may be in a database that is dropped.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER audit_keeps_table")
    yield
    from apps.panels.run import pool  # here, since it wants Django set up

    pool.close()
