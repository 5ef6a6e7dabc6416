"""A double of Grafana for each test, clients of it, and the health checks' databases that are somebody else's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.grafana import address
from apps.grafana.client import Client
from apps.grafana.transport import Credentials, Limits, Patience, Transport
from tests.grafana.double import Double
from tests.grafana.double.server import TOKEN
from tests.health.conftest import given, owner, superuser  # noqa: F401 -- fixtures

QUICK = Patience(tries=3, base=0.001, most=0.002, longest=5)


@pytest.fixture
def double() -> Iterator[Double]:
    started = Double()
    yield started
    started.close()


@pytest.fixture
def client(double: Double) -> Iterator[Client]:
    with client_of(double.url) as made:
        yield made


def client_of(
    url: str, credentials: Credentials | None = None, *, patience: Patience = QUICK, limits: Limits | None = None,
    org_id: int = 1,
) -> Client:  # fmt: skip
    """A client that waits for nothing for long."""
    transport = Transport(
        address.parse(url), credentials or Credentials(TOKEN), org_id=org_id, private=True, patience=patience,
        limits=limits or Limits(connect=2, read=10),
    )  # fmt: skip
    return Client(transport, org_id=org_id)
