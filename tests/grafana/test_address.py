"""Which addresses are asked: by what they resolve to and what the socket is connected to, however they are written."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from apps.grafana import address
from apps.grafana.errors import AddressRefused, NotGrafana
from apps.grafana.transport import Limits, Patience, Transport
from tests.grafana.double import Double

QUICK = Patience(tries=1)


def transport(url: str, *, private: bool) -> Transport:
    limits = Limits(connect=2, read=2)
    return Transport(address.parse(url), None, org_id=1, private=private, limits=limits, patience=QUICK)


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path"),
    [
        ("https://g.example.org", "https", "g.example.org", 443, ""),
        ("http://g.example.org:3000/grafana/", "http", "g.example.org", 3000, "/grafana"),
        ("http://[::1]:3000", "http", "::1", 3000, ""),
    ],
)
def test_an_address_taken_apart(url: str, scheme: str, host: str, port: int, path: str) -> None:
    assert address.parse(url) == address.Place(scheme, host, port, path)


@pytest.mark.parametrize(
    "url",
    [
        "", "grafana", "ftp://g.example.org", "file:///etc/passwd", "https://", "https://u:p@g.example.org",
        "https://@g.example.org", "https://g.example.org?x=1", "https://g.example.org/#x", "https://g.example.org:0",
        "https://g.example.org:99999", "https://g.example .org", "https://g.example.org\\@127.0.0.1",
        "http://g\r\nHost: x", "javascript:alert(1)", "gopher://127.0.0.1:70/", "https://" + "a" * 600,
    ],
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"[.:]"):
        address.parse(url)


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fc00::1", "fd12::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1",
    ],
)  # fmt: skip
def test_private_addresses_need_a_word(ip: str) -> None:
    found = ipaddress.ip_address(ip)
    with pytest.raises(AddressRefused, match="private network"):
        address.check(found, private=False)
    address.check(found, private=True)


@pytest.mark.parametrize(
    "ip",
    ["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254"],  # noqa: S104
)
def test_some_addresses_are_never_asked(ip: str) -> None:
    with pytest.raises(AddressRefused, match="link-local"):
        address.check(ipaddress.ip_address(ip), private=True)


@pytest.mark.parametrize("ip", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_asked(ip: str) -> None:
    address.check(ipaddress.ip_address(ip), private=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost"])
def test_numbers_in_disguise_are_seen_through(host: str, double: Double) -> None:
    with pytest.raises(AddressRefused):
        transport(f"http://{host}:{double.port}", private=False).ask("GET", "/api/health", doing="Asking")
    assert double.log == []


def test_with_the_word_the_machine_itself_is_asked(double: Double) -> None:
    answer = transport(double.url, private=True).ask("GET", "/api/health", doing="Asking")
    assert answer["database"] == "ok"


def test_a_name_that_resolves_to_something_else_a_moment_later(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look-up says a public address; the connection then goes to this machine, and is dropped unused."""
    monkeypatch.setattr(address, "resolve", lambda host, port: [ipaddress.ip_address("1.1.1.1")])
    with pytest.raises(AddressRefused):
        transport(f"http://localhost:{double.port}", private=False).ask("GET", "/api/health", doing="Asking")
    assert double.log == []


def test_redirects_are_told_and_not_followed(double: Double) -> None:
    double.redirect = "http://169.254.169.254/latest/meta-data/?secret=1"
    with pytest.raises(NotGrafana, match=r"redirects to http://169\.254\.169\.254 \(302\)") as refused:
        transport(double.url, private=True).ask("GET", "/api/health", doing="Asking")
    assert "secret" not in str(refused.value)
    assert len(double.log) == 1


def test_the_resolver_is_the_systems() -> None:
    assert address.resolve("127.0.0.1", 80) == [ipaddress.ip_address("127.0.0.1")]
    with pytest.raises(OSError, match=r".+"):
        address.resolve("name.invalid", 80)
    assert socket.getdefaulttimeout() is None
