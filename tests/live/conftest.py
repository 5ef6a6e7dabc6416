"""Events of a real database: the tests that see them commit."""

from __future__ import annotations

import pytest
from django.db import connections

from apps.live.install import schema_of


def forget_events() -> None:
    """Begin without events."""
    for alias in ("default", "source"):
        with connections[alias].cursor() as cursor:
            cursor.execute(f'DELETE FROM "{schema_of(alias)}".live_event')


@pytest.fixture
def committed(transactional_db: None) -> None:
    """A test whose writes are committed, and that begins without events."""
    forget_events()
