"""What a visitor gets while a database is away, or when the portal itself failed."""

from __future__ import annotations

from typing import Any

import psycopg2
import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.test import Client

from apps.accounts.models import User
from tests.people import signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])

LAYERS = (
    "apps.portal.views.styleguide.render",
    "apps.accounts.middleware.role_of",
    "django.contrib.sessions.backends.db.SessionStore.load",
    "django.contrib.sessions.middleware.SessionMiddleware.process_response",
)
"""A view, the gate before it, the session that the gate asks for, and what is done after the view."""


def failing(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("error", [OperationalError("refused"), InterfaceError("closed")], ids=["refused", "closed"])
def test_a_lost_database_is_a_page_that_tries_again_wherever_it_is_noticed(
    admin: User, monkeypatch: pytest.MonkeyPatch, layer: str, error: Exception
) -> None:
    client = signed_in(admin)
    client.raise_request_exception = False
    error.__cause__ = psycopg2.OperationalError()
    monkeypatch.setattr(layer, failing(error))
    answer = client.get("/styleguide/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert 'http-equiv="refresh"' in answer.content.decode()
    assert "Content-Security-Policy" in answer.headers
    as_data = client.get("/styleguide/", headers={"accept": "application/json"})
    assert (as_data.status_code, as_data.json()["status"]) == (503, 503)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_fault_of_the_portal_is_told_with_the_number_of_its_log_lines_and_nothing_else(
    admin: User, monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    client: Client = signed_in(admin)
    client.raise_request_exception = False
    monkeypatch.setattr(layer, failing(ProgrammingError("column secret_thing does not exist")))
    answer = client.get("/styleguide/", headers={"X-Request-ID": "visit-17"})
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "visit-17" in text
    assert "secret_thing" not in text
