"""By which role a panel's SQL runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812
from pytest_django import Settings

from apps.panels.errors import PanelError
from apps.panels.run import Result
from vptmonitor.database_url import Address

pytestmark = pytest.mark.django_db(databases=["default", "source"])

WHO = "SELECT session_user::text, current_setting('transaction_read_only')"
ROLE, PASSWORD = "panel_given", "c4nary-password"


@pytest.fixture
def given(guarded: Connection, settings: Settings) -> Iterator[Address]:
    """`SOURCE_READER_URL` names a role that may read `panel_rows`."""
    info = guarded.info
    with guarded.cursor() as cursor:
        cursor.execute(f"DROP ROLE IF EXISTS {ROLE}")
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD %s", [PASSWORD])
        cursor.execute(f"GRANT SELECT ON panel_rows TO {ROLE}")
    address = Address(info.host, info.port, info.dbname, ROLE, PASSWORD)
    settings.SOURCE_READER_ADDRESS = address
    yield address
    with guarded.cursor() as cursor:
        cursor.execute(f"REVOKE ALL ON panel_rows FROM {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


def test_the_role_that_the_configuration_names_is_taken(given: Address, ask: Callable[..., Result]) -> None:
    assert ask(WHO).rows == [(ROLE, "on")]
    assert len(ask("SELECT n FROM panel_rows").rows) == 1000
    with pytest.raises(PanelError, match="permission denied") as caught:
        ask("SELECT word FROM panel_guarded")
    assert caught.value.fix == "Panels may only read the platform's tables."


@pytest.mark.parametrize("change", [{"port": 1}, {"password": "wr0ng-c4nary"}, {"name": "nowhere"}])
def test_a_role_that_gets_no_connection_is_told_without_its_password(
    given: Address, settings: Settings, ask: Callable[..., Result], change: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    settings.SOURCE_READER_ADDRESS = replace(given, **change)  # type: ignore[arg-type]
    with pytest.raises(PanelError) as caught:
        ask(WHO)
    assert caught.value.kind == "unavailable"
    assert "c4nary" not in f"{caught.value.text} {caught.value.fix} {caplog.text}"
    settings.SOURCE_READER_ADDRESS = given
    assert ask(WHO).rows == [(ROLE, "on")]


def test_on_a_database_of_others_panels_run_by_the_sources_own_role(
    guarded: Connection, settings: Settings, ask: Callable[..., Result]
) -> None:
    settings.SOURCE_ACCESS = "read"
    assert ask(WHO).rows == [(guarded.info.user, "on")]
    for sql in ("SELECT * FROM vptmonitor.accounts_user", "SELECT query FROM pg_stat_activity"):
        with pytest.raises(PanelError) as caught:
            ask(sql)
        assert caught.value.kind == "refused"
