"""The kept schema against the portal: generated requests meet no fault, and no status that the schema does not name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import pytest
import schemathesis
import yaml
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from pytest_django import Settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.accounts import throttling, tokens
from apps.accounts.models import ApiToken, HostTeam, User
from apps.accounts.tokens import issue
from tests.mirror.rows import Lab

pytestmark = [pytest.mark.django_db(databases=["default", "source"]), pytest.mark.timeout(600)]

DOCUMENT = yaml.safe_load((settings.ROOT / "docs" / "openapi.yaml").read_text())
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def headers(settings: Settings) -> Iterator[dict[str, str]]:
    """A lab with one of everything, and a token that may do everything."""
    settings.API_REQUESTS_PER_MINUTE = 0
    throttling.forget()
    tokens.forget()
    lab = Lab(at=datetime.now(UTC) - timedelta(minutes=3))
    HostTeam.objects.create(host_name=lab.host, team_id=lab.team_id)
    root = User.objects.create_superuser("root")
    _, text = issue(owner=root, name="fuzz", scopes=list(ApiToken.Scope))
    for signal in (request_started, request_finished):
        # As in Django's own client: the test's transaction lives longer than a request.
        signal.disconnect(close_old_connections)
    yield {"Authorization": f"Bearer {text}", "Host": "localhost", "Accept-Encoding": "identity"}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    throttling.forget()


def fuzz(headers: dict[str, str], examples: int) -> int:
    """Ask each operation that many times, with values that fit the schema and values that do not; how many answers."""
    schema: Any = schemathesis.openapi.from_dict(DOCUMENT)
    schema.app = get_wsgi_application()
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
        for mode in modes:

            @hypothesis.settings(
                max_examples=examples,
                derandomize=True,
                database=None,
                deadline=None,
                suppress_health_check=list(hypothesis.HealthCheck),
                phases=[hypothesis.Phase.generate],
            )
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                nonlocal asked
                answer = case.call(headers=headers)
                case.validate_response(answer, checks=CHECKS)
                asked += 1

            ask()
    return asked


def test_generated_requests_find_no_fault(headers: dict[str, str]) -> None:
    assert fuzz(headers, 2) > 100


@pytest.mark.soak
def test_many_generated_requests_find_no_fault(headers: dict[str, str]) -> None:
    assert fuzz(headers, 60) > 5000
