"""A data directory for each test, and the end of every server that a test left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.helpers import stop_quietly
from vptmonitor.embedded import EmbeddedCluster


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Path]:
    """A data directory that does not exist yet."""
    place = tmp_path.resolve() / ".data" / "postgres"
    yield place
    stop_quietly(place)


@pytest.fixture
def data(fresh: Path) -> Path:
    """The data directory of a test that does not say more."""
    return fresh


@pytest.fixture
def cluster(data: Path) -> EmbeddedCluster:
    """A cluster that is not started yet."""
    return EmbeddedCluster(data, durable=False, start_seconds=30)


@pytest.fixture(scope="session")
def _used_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("used").resolve() / ".data" / "postgres"
    yield place
    stop_quietly(place)


@pytest.fixture
def used(_used_place: Path) -> Iterator[Path]:
    """A data directory that earlier tests used and did their harm to; its server is stopped."""
    cluster = EmbeddedCluster(_used_place, durable=False)
    cluster.ensure_running()
    cluster.stop()
    yield _used_place
    stop_quietly(_used_place)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """One running cluster for the tests of a module that do it no harm."""
    place = tmp_path_factory.mktemp("running").resolve() / ".data" / "postgres"
    cluster = EmbeddedCluster(place, durable=False, start_seconds=30)
    cluster.ensure_running()
    yield cluster
    stop_quietly(place)
