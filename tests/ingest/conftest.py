from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.accounts import throttling, tokens
from apps.accounts.models import User
from apps.mirror.models import Team
from tests.ingest.sending import Host


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    tokens.forget()
    throttling.forget()
    yield
    tokens.forget()


@pytest.fixture
def host(admin: User, team_a: Team, team_b: Team) -> Host:
    """Writes for everybody."""
    return Host(admin)


@pytest.fixture
def rack_a(alice: User, team_a: Team, team_b: Team) -> Host:
    """Writes for team A alone."""
    return Host(alice)
