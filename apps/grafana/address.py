"""Which addresses a Grafana may have, so that the portal cannot be made to knock at doors for somebody.

The rule, in full:

* `http` or `https`, a host name or address, no user name or password, no query, no fragment.
* The instance that the environment names may be anywhere but at a link-local, multicast or unspecified address:
  whoever sets the environment owns the machine.
* One that was typed into the admin must be at public addresses only, unless its `private_network` is ticked.
* Redirects are never followed, whatever they name.

What counts is the addresses that a name resolves to, and then the address that the socket is really connected to: a
name that resolves to something else a moment later, `http://2130706433/`, `http://0x7f.1/` and IPv6 addresses that
carry an IPv4 one are all judged by the number behind them.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from apps.grafana.errors import AddressRefused

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST: Final = 500

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.ip_network("::/96")


@dataclass(frozen=True)
class Place:
    """An address taken apart. `path` has no slash at its end."""

    scheme: str
    host: str
    port: int
    path: str


def parse(address: str) -> Place:
    """Raises ValueError, a sentence with the fix, for what is no address of a Grafana."""
    if len(address) > LONGEST:
        raise ValueError(f"It is longer than {LONGEST} characters.")
    if any(ord(sign) <= 32 or ord(sign) == 127 or sign == "\\" for sign in address):
        raise ValueError("It holds white space or signs that no web address has.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ValueError("It is no web address: write it as https://grafana.example.org") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("It is no web address: write it as https://grafana.example.org")
    if "@" in parts.netloc:
        raise ValueError("Leave user name and password out: an environment variable holds them.")
    if parts.query or parts.fragment or "?" in address or "#" in address:
        raise ValueError("Leave out everything from '?' or '#' on.")
    if port == 0:
        raise ValueError("Port 0 is none.")
    return Place(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/"))


def resolve(host: str, port: int) -> list[IP]:
    """The addresses of a name, or of a number in whatever notation the system's resolver knows. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(_ip(str(entry[4][0])) for entry in found))


def peer(connected: socket.socket) -> IP:
    """The address at the other end."""
    return _ip(str(connected.getpeername()[0]))


def check(ip: IP, *, private: bool) -> None:
    """Raise AddressRefused unless a Grafana may be there; `private` says whether it may be in a private network."""
    for one in _meanings(ip):
        if one.is_link_local or one.is_multicast or one.is_unspecified:
            raise AddressRefused("The address is link-local, multicast or unspecified; no Grafana is asked there.")
        if not private and not one.is_global:
            raise AddressRefused(
                "The address lies in a private network. Tick 'private network' if that Grafana really is there."
            )


def _ip(text: str) -> IP:
    return ipaddress.ip_address(text.partition("%")[0])


def _meanings(ip: IP) -> list[IP]:
    """The address, or for one that carries an IPv4 address, that one: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(ip, ipaddress.IPv4Address):
        return [ip]
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 1):
        return [ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)]
    carried = [ip.sixtofour] if ip.sixtofour is not None else list(ip.teredo) if ip.teredo is not None else []
    return [ip, *carried]
