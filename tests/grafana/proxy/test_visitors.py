"""Who a session belongs to, asked of the real database."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.grafana.proxy.threads import DatabaseThreads
from apps.grafana.proxy.visitors import Visitor, Visitors, look, session_key_of
from tests.people import TEAM_A, make_person, signed_in


def key_of(client: Client) -> str:
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.mark.django_db
def test_the_four_people() -> None:
    viewer = signed_in(make_person("vera", Role.VIEWER, all_teams=True))
    admin = signed_in(make_person("ada", Role.ADMIN, all_teams=True))
    limited = signed_in(make_person("tom", Role.OPERATOR, TEAM_A))
    found = look(key_of(viewer))
    assert found is not None
    assert found.identity is not None
    assert (found.name, found.role, found.identity.role) == ("vera", Role.VIEWER, "Viewer")
    seen = look(key_of(admin))
    assert seen is not None
    assert seen.identity is not None
    assert seen.identity.role == "Admin"
    kept_out = look(key_of(limited))
    assert kept_out is not None
    assert kept_out.identity is None
    assert "teams" in kept_out.reason
    assert look("a" * 32) is None


@pytest.mark.django_db
def test_a_session_that_was_ended_belongs_to_nobody() -> None:
    client = signed_in(make_person("vera", Role.VIEWER, all_teams=True))
    key = key_of(client)
    client.post("/account/logout/")
    assert look(key) is None


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["deactivated", "password"])
def test_nor_does_that_of_somebody_who_is_out(change: str) -> None:
    user = make_person("vera", Role.VIEWER, all_teams=True)
    key = key_of(signed_in(user))
    if change == "password":
        user.set_password("another long password")
    else:
        user.is_active = False
    user.save()
    assert look(key) is None


@pytest.mark.django_db(transaction=True)
def test_ending_a_session_is_told_to_who_waits_on_it() -> None:
    client = signed_in(User.objects.create_user("vera", all_teams=True))
    key = key_of(client)
    looked: list[str] = []

    def count(session_key: str) -> Visitor | None:
        looked.append(session_key)
        return None

    async def run() -> None:
        threads = DatabaseThreads(1)
        visitors = Visitors(threads, count, keep=60)
        await visitors.find(key)
        await visitors.find(key)
        assert looked == [key]
        with visitors.watching(key) as ended:
            out = threading.Thread(target=_sign_out, args=(client,))
            out.start()
            async with asyncio.timeout(10):
                await ended.wait()
            out.join()
        await visitors.find(key)
        assert looked == [key, key]
        threads.end()

    asyncio.run(run())


def _sign_out(client: Client) -> None:
    from django.db import connections

    client.post("/account/logout/")
    connections.close_all()


@pytest.mark.parametrize(
    ("cookies", "expected"),
    [
        ("", ""),
        ("other=1", ""),
        ("a=b; {name}=abc123; c=d", "abc123"),
        ('{name}="abc"', "abc"),
        ("{name}=../../x", ""),
        ("{name}=" + "a" * 100, ""),
        ("{name}=\u00e9", ""),
    ],
)
def test_the_session_in_a_cookie_header(cookies: str, expected: str) -> None:
    text: Any = cookies.format(name=settings.SESSION_COOKIE_NAME)
    assert session_key_of(text.encode("latin-1")) == expected
