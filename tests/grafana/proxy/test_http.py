"""HTTP through the proxy: what arrives, what comes back, and what happens when Grafana is slow, broken or gone."""

from __future__ import annotations

import asyncio
import gzip
import socket

import jwt
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.grafana import identity
from apps.grafana.proxy import application, forward
from tests.grafana.proxy.lab import lab


def test_a_page_comes_through_with_the_visitor_signed_in_and_nothing_else_of_theirs() -> None:
    async def run() -> None:
        async with lab() as it:
            answer = await it.ask(
                "/grafana/d/abc/name?orgId=1&from=now-6h&var-host=a%20b&auth_token=stolen",
                headers={
                    "X-WEBAUTH-USER": "admin", "X-JWT-Assertion": "forged", "Authorization": "Basic YWRtaW46YWRtaW4=",
                    "X_WEBAUTH_USER": "admin", "X-Grafana-Org-Id": "2", "X-Forwarded-For": "127.0.0.1",
                    "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1", "Referer": f"{it.url}/secret",
                    "Accept-Language": "de", "Connection": "keep-alive, X-Panel-Id", "X-Panel-Id": "1",
                },
            )  # fmt: skip
            assert answer.status == 200
            (seen,) = it.seen
            assert seen.path == "/grafana/d/abc/name?orgId=1&from=now-6h&var-host=a%20b"
            assert {name.lower() for name in seen.headers} == {
                "host", "origin", "accept", "accept-encoding", "accept-language", "user-agent", "x-jwt-assertion",
                "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for",
            }  # fmt: skip
            assert seen.headers["Host"] == it.url.removeprefix("http://") == seen.headers["X-Forwarded-Host"]
            assert seen.headers["Origin"] == it.url
            (key,) = identity.public_keys()["keys"]
            claims = jwt.decode(
                seen.headers["X-JWT-Assertion"], jwt.PyJWK(key), algorithms=["ES256"], audience=identity.AUDIENCE
            )
            assert (claims["login"], claims["role"]) == ("viewer@portal", "Viewer")

    asyncio.run(run())


def test_grafanas_headers_stay_but_for_those_that_are_the_portals_business() -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        answer = web.Response(text="page")
        answer.headers.update(
            {
                "Set-Cookie": "vptmonitor_session=evil; Path=/", "Clear-Site-Data": '"cookies"', "ETag": '"1"',
                "Content-Security-Policy": "script-src 'self'", "X-Frame-Options": "deny", "X-Grafana-Id": "1",
                "Access-Control-Allow-Origin": "*", "Service-Worker-Allowed": "/", "Keep-Alive": "timeout=5",
                "Cache-Control": "no-store",
            }
        )  # fmt: skip
        answer.headers.add("Set-Cookie", "grafana_session=x")
        return answer

    async def run() -> None:
        async with lab(page) as it:
            answer = await it.ask("/grafana/")
            got = answer.headers
            assert (got["ETag"], got["Cache-Control"], got["X-Grafana-Id"]) == ('"1"', "no-store", "1")
            assert got.getall("Content-Security-Policy")[0] == "script-src 'self'"
            assert "frame-ancestors 'self'" in got.getall("Content-Security-Policy")[1]
            assert got.getall("X-Frame-Options") == ["SAMEORIGIN"]
            assert got.getall("X-Content-Type-Options") == ["nosniff"]
            gone = {"Set-Cookie", "Clear-Site-Data", "Access-Control-Allow-Origin", "Service-Worker-Allowed"}
            assert not gone & set(got)
            assert len(got.getall("Date")) == 1

    asyncio.run(run())


def test_compressed_bytes_arrive_as_they_are() -> None:
    packed = gzip.compress(b"x" * 100_000)

    async def page(request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "gzip, br"
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async def run() -> None:
        async with lab(page) as it:
            answer = await it.ask("/grafana/public/build/app.js", headers={"Accept-Encoding": "gzip, br"})
            assert answer.body == packed
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Content-Length"] == str(len(packed))

    asyncio.run(run())


@given(
    sizes=st.lists(st.integers(0, 300_000), min_size=1, max_size=5),
    status=st.sampled_from([200, 201, 400, 404, 412, 500, 503]),
    chunked=st.booleans(),
)
@settings(max_examples=15)
def test_bodies_of_any_size_pass_both_ways(sizes: list[int], status: int, chunked: bool) -> None:
    parts = [bytes([index % 250]) * size for index, size in enumerate(sizes)]

    async def echo(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(status=status)
        if not chunked:
            answer.content_length = sum(sizes)
        await answer.prepare(request)
        async for part in request.content.iter_any():
            await answer.write(part)
        await answer.write_eof()
        return answer

    async def run() -> None:
        async with lab(echo) as it:

            async def body() -> object:
                for part in parts:
                    yield part

            whole = b"".join(parts)
            data = body() if chunked else whole
            answer = await it.ask("/grafana/api/dashboards/db", "admin", "POST", data=data)
            assert (answer.status, answer.body) == (status, whole)
            if not chunked:
                assert it.seen[0].headers["Content-Length"] == str(len(whole))

    asyncio.run(run())


def test_what_streams_comes_as_it_is_sent() -> None:
    async def run() -> None:
        more = asyncio.Event()

        async def slowly(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse()
            await answer.prepare(request)
            await answer.write(b"first")
            await more.wait()
            await answer.write(b"second")
            return answer

        async with (
            lab(slowly) as it,
            it.client.get(f"{it.url}/grafana/d/abc", headers=it.headers("viewer")) as answer,
        ):
            assert await answer.content.readany() == b"first"
            more.set()
            assert await answer.content.read() == b"second"

    asyncio.run(run())


def test_a_head_request_and_an_answer_without_body() -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(status=304 if "If-None-Match" in request.headers else 200, text="page")

    async def run() -> None:
        async with lab(page) as it:
            head = await it.ask("/grafana/d/abc", method="HEAD")
            assert (head.status, head.headers["Content-Length"], head.body) == (200, "4", b"")
            assert (await it.ask("/grafana/d/abc", headers={"If-None-Match": '"1"'})).status == 304

    asyncio.run(run())


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("/grafana/d/abc/other?orgId=1", "/grafana/d/abc/other?orgId=1"),
        ("{upstream}/grafana/d/abc", "/grafana/d/abc"),
        ("{url}/grafana/d/abc", "/grafana/d/abc"),
        ("/grafana/login", 502),
        ("{url}/grafana/login?redirectTo=%2F", 502),
        ("https://elsewhere.example/grafana/", 502),
        ("//elsewhere.example/grafana/", 502),
        ("/\\elsewhere.example", 502),
        ("/account/logout/", 502),
        ("javascript:alert(1)", 502),
    ],
)
def test_redirects_stay_below_grafana(sent: str, expected: str | int) -> None:
    async def run() -> None:
        async def page(request: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": sent.format(upstream=it.upstream, url=it.url)})

        async with lab(page) as it:
            answer = await it.ask("/grafana/d/abc", headers={"Accept": "text/html"})
            if isinstance(expected, int):
                assert answer.status == expected
                assert "Location" not in answer.headers
            else:
                assert (answer.status, answer.headers["Location"]) == (302, expected)

    asyncio.run(run())


def test_without_a_grafana_people_get_a_page_and_programs_a_problem() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"

        async def run() -> None:
            async with lab(upstream=address) as it:
                page = await it.ask("/grafana/d/abc", headers={"Accept": "text/html"})
                assert page.status == 502
                assert b"Grafana does not answer" in page.body
                assert b"vptmonitor-answer" in page.body
                assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
                document = await it.ask("/grafana/api/health")
                assert document.status == 502
                assert document.headers["Content-Type"] == "application/problem+json"
                assert document.json()["title"] == "Grafana does not answer"
                assert document.headers["Retry-After"] == "5"

        asyncio.run(run())


def test_a_grafana_that_says_nothing_is_given_up() -> None:
    async def run() -> None:
        async def silent(request: web.Request) -> web.StreamResponse:
            await asyncio.sleep(30)
            raise AssertionError

        async with lab(silent, read_seconds=0.2) as it:
            answer = await it.ask("/grafana/api/health")
            assert answer.status == 504
            assert answer.json()["title"] == "Grafana takes too long"

    asyncio.run(run())


@pytest.mark.parametrize(
    "wire",
    [b"", b"HTTP/1.1 200", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", b"\0" * 50_000],
)
def test_what_is_no_answer_becomes_a_bad_gateway(wire: bytes) -> None:
    async def run() -> None:
        async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(wire)
            writer.close()

        server = await asyncio.start_server(broken, "127.0.0.1", 0)
        async with server:
            address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with lab(upstream=address) as it:
                assert (await it.ask("/grafana/api/health")).status == 502

    asyncio.run(run())


@pytest.mark.parametrize("head", [b"Content-Length: 100\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_an_answer_that_breaks_off_breaks_off(head: bytes) -> None:
    async def run() -> None:
        async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n5\r\nhello\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(broken, "127.0.0.1", 0)
        async with server:
            address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with lab(upstream=address) as it:
                with pytest.raises(Exception, match=r"not enough data|Not enough data|payload|disconnected|closed"):
                    await it.ask("/grafana/d/abc")

    asyncio.run(run())


def test_who_leaves_ends_the_request_to_grafana() -> None:
    async def run() -> None:
        begun, left = asyncio.Event(), asyncio.Event()

        async def endless(request: web.Request) -> web.StreamResponse:
            begun.set()
            answer = web.StreamResponse()
            await answer.prepare(request)
            try:
                while request.transport is not None and not request.transport.is_closing():
                    await answer.write(b"tick")
                    await asyncio.sleep(0.01)
            finally:
                left.set()
            return answer

        async with lab(endless) as it:
            answer = await it.client.get(f"{it.url}/grafana/d/abc", headers=it.headers("viewer"))
            await begun.wait()
            answer.close()
            async with asyncio.timeout(5):
                await left.wait()

    asyncio.run(run())


def test_too_large_a_body_is_refused_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward.Incoming.__init__, "__defaults__", (1000,))

    async def run() -> None:
        async with lab() as it:

            async def body() -> object:
                for _ in range(50):
                    yield b"x" * 100

            answer = await it.ask("/grafana/api/dashboards/db", "admin", "POST", data=body())
            assert answer.status == 413

    asyncio.run(run())


def test_a_thousand_requests_at_once_are_all_answered() -> None:
    async def run() -> None:
        async with lab(connections=50) as it:
            answers = await asyncio.gather(*(it.ask(f"/grafana/d/abc/{number}") for number in range(1000)))
            assert {answer.status for answer in answers} == {200}
            assert sorted(answer.json()["path"] for answer in answers) == sorted(
                f"/grafana/d/abc/{number}" for number in range(1000)
            )

    asyncio.run(run())


def test_more_than_there_is_room_for_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "MOST_WAITING", 3)

    async def run() -> None:
        release = asyncio.Event()

        async def held(request: web.Request) -> web.StreamResponse:
            await release.wait()
            return web.Response(text="done")

        async with lab(held) as it:
            waiting = [asyncio.ensure_future(it.ask("/grafana/d/abc")) for _ in range(3)]
            while len(it.seen) < 3:
                await asyncio.sleep(0.01)
            assert (await it.ask("/grafana/api/health")).status == 503
            release.set()
            assert {answer.status for answer in await asyncio.gather(*waiting)} == {200}

    asyncio.run(run())
