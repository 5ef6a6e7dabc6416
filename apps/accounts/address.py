"""The address that a request came from, which a visitor must not be able to choose."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

_IPV6_SITE = 64


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address in its plain form, or None when the server knows none (a local socket).

    Without trusted proxies it is the peer of the connection. With n of them (`TRUSTED_PROXY_COUNT`) each has appended
    to `X-Forwarded-For` the peer that it saw, so the client is the n-th entry from the right; entries further left
    were written by whoever sent the request and are never believed. Fewer entries than proxies, or an entry that is no
    address, mean that the header did not come from our proxies: then it is the peer again.
    """
    peer = _parse(request.META.get("REMOTE_ADDR", ""))
    address = peer
    if settings.TRUSTED_PROXY_COUNT:
        entries = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(entries) >= settings.TRUSTED_PROXY_COUNT:
            address = _parse(entries[-settings.TRUSTED_PROXY_COUNT]) or peer
    return str(address) if address else None


def counted_address(request: HttpRequest) -> str:
    """What attempts are counted by: an IPv4 address, or the /64 network of an IPv6 one, since a site gets one whole."""
    text = client_address(request)
    if text is None:
        return "local"
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_SITE), strict=False))
    return text


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    # Some proxies add the port: 192.0.2.1:4711 or [2001:db8::1]:4711.
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
