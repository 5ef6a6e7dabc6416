"""Addresses that mean one thing only."""

from __future__ import annotations

import posixpath
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.grafana.proxy.headers import TO_GRAFANA, to_grafana
from apps.grafana.proxy.paths import BadAddressError, clean_path, clean_query

PIECES = [
    "..",
    ".",
    "/",
    "\\",
    "%2e",
    "%2f",
    "%5c",
    "%25",
    "%00",
    ";",
    "%3b",
    "a",
    "api",
    "%61",
    "~",
    "%c0%af",
    "\u00e9",
    "?",
]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"/grafana/", "/"),
        (b"/grafana/d/abc/a-name", "/d/abc/a-name"),
        (b"/grafana/%64/abc", "/d/abc"),
        (b"/grafana/public/build/app.3f~1.js", "/public/build/app.3f~1.js"),
        (b"/grafana/apis/dashboard.grafana.app/v1beta1/", "/apis/dashboard.grafana.app/v1beta1/"),
    ],
)
def test_plain_addresses_are_decoded_once(raw: bytes, expected: str) -> None:
    assert clean_path(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"/grafana", b"/grafanas/d", b"/%67rafana/d/abc", b"/grafana//d/abc", b"/grafana/d//abc", b"//grafana/d",
        b"/grafana/../admin/", b"/grafana/d/../api/admin", b"/grafana/d/./abc", b"/grafana/%2e%2e/admin",
        b"/grafana/d/%2E%2e/api", b"/grafana/d%2fabc", b"/grafana/d%2Fabc", b"/grafana/d/..%5cabc", b"/grafana/d\\abc",
        b"/grafana/d/%255c..", b"/grafana/d/%252e%252e/api", b"/grafana/d/%25252f", b"/grafana/d/a;b",
        b"/grafana/d/a%3bb",
        b"/grafana/d/a%00", b"/grafana/d/a%0d%0aX: y", b"/grafana/d/%", b"/grafana/d/%zz", b"/grafana/d/%c0%ae%c0%ae",
        "/grafana/d/\uff0e\uff0e/x".encode(), b"/grafana/d/%ef%bc%8f", b"/grafana/d/a%3fb", b"/grafana/d/a%23b",
        b"/grafana/d/a b", b"/grafana/d/%20", b"/grafana/" + b"a" * 3000,
    ],
)  # fmt: skip
def test_addresses_that_could_mean_something_else_are_refused(raw: bytes) -> None:
    with pytest.raises(BadAddressError):
        clean_path(raw)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_passes_reads_the_same_however_it_is_read(text: str) -> None:
    try:
        path = clean_path(f"/grafana/{text}".encode())
    except BadAddressError:
        return
    assert unquote(path) == path
    assert posixpath.normpath(path).rstrip("/") == path.rstrip("/")
    assert "\\" not in path
    assert quote(path, safe="/~:@!$&'()*+,=") == path


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", ""),
        (b"orgId=1&var-a=%26b&x", "orgId=1&var-a=%26b&x"),
        (b"auth_token=x&a=1", "a=1"),
        (b"a=1&AUTH_TOKEN=x&%61uth%5ftoken=y&auth%255ftoken=z&token=q&jwt=r", "a=1"),
        (b"var-token=1&tokens=2", "var-token=1&tokens=2"),
    ],
)
def test_no_token_stays_in_a_query(raw: bytes, expected: str) -> None:
    assert clean_query(raw) == expected


@pytest.mark.parametrize("raw", [b"a=\x00", b"a b", b"a=\xff", b"a=1\r\nX: y", b"a" * 20_000])
def test_a_query_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(BadAddressError):
        clean_query(raw)


NAMES = st.sampled_from(
    [
        "cookie", "Cookie", "authorization", "X-JWT-Assertion", "x_jwt_assertion", "X-WEBAUTH-USER", "x-webauth-role",
        "X-Grafana-Id", "X-Grafana-Org-Id", "X-Grafana-Device-Id", "X-Access-Token", "X-API-Key", "X-Forwarded-For",
        "Forwarded", "Via", "Host", "Connection", "Upgrade", "TE", "Transfer-Encoding", "Proxy-Authorization", "Expect",
        "accept", "User-Agent", "Content-Type", "X-Panel-Id", "X-Original-URL", "X-Rewrite-URL",
        "X-HTTP-Method-Override",
    ]
) | st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)  # fmt: skip


@given(st.lists(st.tuples(NAMES.map(str.encode), st.binary(max_size=20)), max_size=20))
def test_only_named_headers_reach_grafana(rows: list[tuple[bytes, bytes]]) -> None:
    sent = to_grafana(rows)
    assert {name for name, _ in sent} <= TO_GRAFANA
    assert not {name for name, _ in sent} & {b"cookie", b"authorization", b"x-jwt-assertion", b"host", b"connection"}
    for name, value in sent:
        assert (name, value) in [(given.lower(), each) for given, each in rows]
