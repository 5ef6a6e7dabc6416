"""A small demo lab in the source database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pytest_django import DjangoDbBlocker

from apps.mirror.demo import presence
from apps.mirror.demo.clear import clear
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.load import Loaded, load

UNTIL = datetime(2026, 3, 11, 14, 30, tzinfo=UTC)
"""A Wednesday, in office hours."""


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    presence.forget()


@pytest.fixture(scope="module")
def small_lab() -> Lab:
    """Four devices at two hosts, one team each; not loaded."""
    return Lab(team_count=2, device_count=4, seed=7)


@pytest.fixture(scope="module")
def loaded(small_lab: Lab, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[Loaded]]:
    """A day of `small_lab` in the tables, loaded once for all tests of the module that want it."""
    with django_db_blocker.unblock():
        done = load(small_lab, days=1, until=UNTIL)
    yield done
    with django_db_blocker.unblock():
        clear()
