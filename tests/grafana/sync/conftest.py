"""A Grafana to sync with, and the portal's row of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.grafana.models import GrafanaInstance
from tests.grafana.sync.site import REAL, VARIABLE, Site
from vptmonitor.environment import Environment


@pytest.fixture
def site(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Site]:
    """The double, or the real one of GRAFANA_TEST_URL; tests that need the double's insides ask for `double` too."""
    own_double = "double" in request.fixturenames or not REAL
    made = Site(request.getfixturevalue("double") if own_double else None)
    settings.ENV = Environment({VARIABLE: made.password})
    yield made
    made.clean()


@pytest.fixture
def instance(site: Site, db: None) -> GrafanaInstance:
    return site.instance()
