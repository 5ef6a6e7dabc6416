"""Who gets through: signed out, limited to teams, signed out meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.grafana.proxy.lab import Lab, lab


def test_signed_out_visitors_get_the_portals_sign_in() -> None:
    async def run() -> None:
        async with lab() as it:
            page = await it.ask("/grafana/d/abc?orgId=1&var-x=a%26b", "", headers={"Accept": "text/html"})
            assert page.status == 302
            where = "/account/login/?next=/grafana/d/abc%3ForgId%3D1%26var-x%3Da%2526b"
            assert page.headers["Location"] == where
            for who in ("", "stranger", "../../etc/passwd", "a" * 500):
                program = await it.ask("/grafana/api/search", who)
                assert program.status == 401
                assert program.json()["title"] == "Not signed in"
                assert (await it.ask("/grafana/public/build/app.js", who)).status == 401
            assert it.seen == []

    asyncio.run(run())


def test_the_public_address_is_the_portals_own_where_a_proxy_in_front_changes_the_host(settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://portal.example.org"]

    async def status(it: Lab, origin: str) -> int:
        given = {"Origin": origin}
        return (await it.ask("/grafana/api/dashboards/db", "admin", "POST", headers=given, data=b"{}")).status

    async def run() -> None:
        async with lab() as it:
            assert await status(it, "https://portal.example.org") == 200
            for other in ("http://portal.example.org", "https://portal.example.org:444", "https://example.org"):
                assert await status(it, other) == 403

    asyncio.run(run())


def test_people_limited_to_teams_never_get_through() -> None:
    async def run() -> None:
        async with lab() as it:
            for path in ("/grafana/", "/grafana/d-solo/abc", "/grafana/api/health", "/grafana/public/build/app.js"):
                answer = await it.ask(path, "limited", headers={"Accept": "text/html"})
                assert answer.status == 403
                assert b"Your teams&#x27; rows only." in answer.body or b"Your teams' rows only." in answer.body
            assert it.seen == []

    asyncio.run(run())


def test_signing_out_ends_it_at_once_within_a_second() -> None:
    async def run() -> None:
        async with lab() as it:
            assert (await it.ask("/grafana/d/abc")).status == 200
            del it.people["viewer"]
            async with asyncio.timeout(3):
                while (await it.ask("/grafana/api/health")).status != 401:
                    await asyncio.sleep(0.05)

    asyncio.run(run())


def test_a_session_is_looked_up_once_a_second_however_many_ask() -> None:
    looked: list[str] = []

    async def run() -> None:
        async with lab() as it:
            it.proxy._visitors._look = lambda key: looked.append(key) or it.people.get(key)  # type: ignore[func-returns-value]
            await asyncio.gather(*(it.ask("/grafana/d/abc") for _ in range(100)))

    asyncio.run(run())
    assert 1 <= len(looked) <= 3
