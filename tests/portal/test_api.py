"""The API's front door: its schema as it is kept, its addresses, its documentation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS

from apps.accounts import throttling
from apps.accounts.models import User
from apps.portal.selectors import api_schema
from tests.people import program, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])
KEPT = Path(settings.ROOT) / "docs" / "openapi.yaml"


@pytest.fixture(autouse=True)
def _no_limit() -> Iterator[None]:
    throttling.forget()
    yield
    throttling.forget()


def test_nothing_changes_its_shape_silently() -> None:
    """The schema of the code is the one that is kept: `make openapi` writes it, and the difference is reviewed."""
    assert api_schema.as_yaml() == KEPT.read_text(), "run make openapi, and look at what changed"


def test_the_schema_is_made_without_a_guess() -> None:
    with GENERATOR_STATS.silence():
        api_schema.schema.__wrapped__()
        assert not GENERATOR_STATS
    document = yaml.safe_load(KEPT.read_text())
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        assert path.startswith(api_schema.PREFIX)
        for operation in methods.values():
            assert {"401", "403", "429", "500", "503"} <= set(operation["responses"]), path
            assert operation["security"], path
            assert operation["description"], path


def test_every_address_of_the_root_answers(admin: User) -> None:
    client = program(admin)
    addresses = client.get("/api/v1/").json()
    assert {"script-results", "alerts", "system-metrics"} <= set(addresses)
    for name, address in addresses.items():
        assert address == f"http://testserver/api/v1/{name}"
        assert client.get(address).status_code in {200, 400}, name


def test_the_documentation_shows_each_operation(bob: User) -> None:
    page = signed_in(bob).get("/api-docs/").content.decode()
    for group in api_schema.groups():
        for operation in group.operations:
            assert f"{operation.method} {operation.path}" in page
    assert "Authorization: Bearer" in page


def test_the_schema_can_be_fetched(nobody: User) -> None:
    answer = program(nobody).get("/api/v1/openapi.yaml")
    assert answer.headers["Content-Type"].startswith("application/yaml")
    assert answer.content.decode() == api_schema.as_yaml()
    assert Client().get("/api/v1/openapi.yaml").status_code == 401
