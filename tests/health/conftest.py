"""Databases that are away, or that are given with a role of our choice."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from django.core.cache import cache
from django.db import connections
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from pytest_django import Settings

from apps.health import findings, metrics
from apps.health.checks import configuration
from apps.mirror import shape
from vptmonitor.database import base
from vptmonitor.database.superuser import superuser_parameters
from vptmonitor.database_url import Address

Away = Callable[[str], None]
Given = Callable[..., Address]


@pytest.fixture(autouse=True)
def _look_anew() -> Iterator[None]:
    def forget() -> None:
        findings.forget()
        metrics.forget()
        shape.forget()
        cache.clear()

    forget()
    yield
    forget()


@pytest.fixture(autouse=True)
def _the_test_client_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "LOCAL_HOSTS", configuration.LOCAL_HOSTS | {"testserver"})


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A loopback port that refuses: it is bound, so that nobody else takes it, and nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A loopback port that accepts connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield listening.getsockname()[1]


def lead_to(monkeypatch: pytest.MonkeyPatch, alias: str, **entry: str) -> None:
    """Let the connections that other threads open from now on lead elsewhere; this thread's stays."""
    for name, value in {"PLACE": "given", "USER": "somebody", "PASSWORD": "cl0sed-c4nary", **entry}.items():
        monkeypatch.setitem(connections.settings[alias], name, value)
    monkeypatch.setitem(base._placements, alias, "given")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, closed_port: int) -> Away:
    """Call it with an alias, and nothing listens at its address any more."""
    return lambda alias: lead_to(monkeypatch, alias, HOST="127.0.0.1", PORT=str(closed_port))


@pytest.fixture
def mute(monkeypatch: pytest.MonkeyPatch, silent_port: int) -> Away:
    """Call it with an alias, and what listens at its address says nothing."""
    return lambda alias: lead_to(monkeypatch, alias, HOST="127.0.0.1", PORT=str(silent_port))


@pytest.fixture
def owner(db: None) -> Iterator[Connection]:
    """A connection of the owner to the test's source, each statement committed at once."""
    connections["source"].ensure_connection()
    entry = connections["source"].settings_dict
    connection = psycopg2.connect(
        host=entry["HOST"], port=entry["PORT"], dbname=entry["NAME"], user=entry["USER"], password=entry["PASSWORD"]
    )
    connection.autocommit = True
    yield connection
    connection.close()


@pytest.fixture
def superuser(db: None) -> Iterator[Cursor]:
    """A cursor of the server's superuser on the test's source, each statement committed at once."""
    connection = psycopg2.connect(**(superuser_parameters("source") or {}))
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, settings: Settings, owner: Connection, superuser: Cursor) -> Iterator[Given]:
    """Call it with GRANTs to a new role, in which `{role}` is its name: the source is then somebody else's, and the
    portal comes to it as that role."""
    made: list[str] = []
    # What a database of our own has more than theirs, when a panel was drawn before: policies on the rows of teams.
    superuser.execute("SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity")
    limited = [name for (name,) in superuser.fetchall()]
    for name in limited:
        superuser.execute(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")

    def give(*grants: str, access: str = "read", attributes: str = "") -> Address:
        role, password = f"role_{secrets.token_hex(4)}", secrets.token_hex(8)
        made.append(role)
        entry = connections["source"].settings_dict
        with owner.cursor() as cursor:
            cursor.execute(f"CREATE ROLE {role} LOGIN {attributes} PASSWORD %s", [password])
            # Only who is a member may drop what was granted.
            cursor.execute(f"GRANT {role} TO CURRENT_USER")
            for grant in grants:
                cursor.execute(grant.format(role=role))
        # A database of our own closes this function to others (`apps.panels.reader_role`); theirs leaves it open.
        superuser.execute(f"GRANT EXECUTE ON FUNCTION set_config(text, text, boolean) TO {role}")
        address = Address(entry["HOST"], int(entry["PORT"]), entry["NAME"], role, password)
        lead_to(
            monkeypatch, "source", HOST=address.host, PORT=str(address.port), NAME=address.name, USER=role,
            PASSWORD=password,
        )  # fmt: skip
        settings.SOURCE_ACCESS, settings.SOURCE_ADDRESS = access, address
        return address

    yield give
    for role in made:
        superuser.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    for name in limited:
        superuser.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
