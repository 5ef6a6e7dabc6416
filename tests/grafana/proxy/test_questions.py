"""Viewers' questions to data sources: those of registered dashboards, written anew."""

from __future__ import annotations

import asyncio
import gzip
import io
import json

import pytest

from tests.grafana.proxy.lab import Lab, lab

QUESTION = {
    "from": "1700000000000", "to": "1700003600000",
    "queries": [
        {
            "refId": "A", "datasource": {"type": "grafana-postgresql-datasource", "uid": "virtualpytest-postgres"},
            "rawSql": "SELECT * FROM t WHERE host = 'a'", "format": "time_series", "intervalMs": 60000,
            "maxDataPoints": 500, "datasourceId": 7,
        }
    ],
}  # fmt: skip


async def question(it: Lab, body: bytes, who: str = "viewer", **headers: str) -> tuple[int, bytes]:
    given = {"Content-Type": "application/json", **headers}
    where = "/grafana/api/ds/query?ds_type=postgres"
    answer = await it.ask(where, who, "POST", data=io.BytesIO(body), headers=given)
    return answer.status, it.seen[-1].body if it.seen else b""


def test_a_registered_query_goes_through_and_nothing_that_came_with_it() -> None:
    async def run() -> None:
        async with lab() as it:
            status, sent = await question(it, json.dumps(QUESTION).encode())
            assert status == 200
            document = json.loads(sent)
            (query,) = document["queries"]
            assert query["rawSql"] == QUESTION["queries"][0]["rawSql"]  # type: ignore[index]
            assert (query["format"], query["intervalMs"], query["maxDataPoints"]) == ("time_series", 60000, 500)
            assert "datasourceId" not in query
            assert set(document) == {"from", "to", "queries"}
            assert it.seen[-1].headers["Content-Length"] == str(len(sent))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("host = 'a'", "host = 'b' OR 1=1"),
        ('"rawSql": "SELECT', '"rawSQL": "SELECT'),
        ('"virtualpytest-postgres"', '"other"'),
        ('"grafana-postgresql-datasource"', '"__expr__"'),
        ('"uid": "virtualpytest-postgres"', '"uid": "__expr__"'),
        ('"uid": "virtualpytest-postgres"', '"uid": "-- Grafana --"'),
        ('"format": "time_series"', '"format": "logs"'),
        ('"format": "time_series"', '"format": {}'),
        ('"refId": "A"', '"refId": 1'),
        ('"queries": [', '"queries": [1, '),
        ('"queries"', '"Queries"'),
        ('"from"', '"since"'),
        ('"from": "1700000000000"', '"from": "now\\u0000"'),
    ],
)
def test_a_question_that_is_not_just_that_is_refused(old: str, new: str) -> None:
    async def run() -> None:
        async with lab() as it:
            body = json.dumps(QUESTION)
            assert old in body
            status, sent = await question(it, body.replace(old, new, 1).encode())
            assert (status, sent) == (403, b"")

    asyncio.run(run())


def test_names_in_other_letters_and_names_twice_do_not_reach_grafana() -> None:
    """Go's decoder takes `RAWSQL` for `rawSql`, and the last of two."""
    evil = '"rawSql": "SELECT * FROM t WHERE host = \'a\'", "RAWSQL": "SELECT 1", "RawSql": "SELECT 2"'

    async def run() -> None:
        async with lab() as it:
            body = json.dumps(QUESTION).replace('"rawSql": "SELECT * FROM t WHERE host = \'a\'"', evil, 1)
            status, sent = await question(it, body.encode())
            assert status == 200
            assert b"SELECT 1" not in sent
            assert b"SELECT 2" not in sent
            twice = body.replace('"RAWSQL"', '"rawSql"')
            assert (await question(it, twice.encode()))[0] == 403

    asyncio.run(run())


def test_a_question_that_is_packed_too_large_or_no_json_is_refused() -> None:
    async def run() -> None:
        async with lab() as it:
            packed = gzip.compress(json.dumps(QUESTION).encode())
            assert (await question(it, packed, **{"Content-Encoding": "gzip"}))[0] == 415
            assert (await question(it, b"[" * 200_000))[0] == 403
            assert (await question(it, b" " * 1_100_000))[0] == 413
            assert (await question(it, b"null"))[0] == 403
            assert it.seen == []

    asyncio.run(run())


def test_administrators_ask_what_they_like() -> None:
    async def run() -> None:
        async with lab() as it:
            body = json.dumps({"queries": [{"rawSql": "SELECT 2"}]}).encode()
            assert await question(it, body, "admin") == (200, body)

    asyncio.run(run())
