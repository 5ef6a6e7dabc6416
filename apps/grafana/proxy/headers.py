"""Which headers go through, both ways. To Grafana only those that are named here; from it all but those named here.

No cookie goes either way: Grafana learns who somebody is from the portal's token alone, so it needs none of its own,
and a script in Grafana must not get at the portal's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from apps.grafana.proxy.paths import PREFIX

Header = tuple[bytes, bytes]

TO_GRAFANA: Final = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"content-encoding",
        b"content-type",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"origin",
        b"pragma",
        b"range",
        b"user-agent",
        b"x-dashboard-uid",
        b"x-datasource-uid",
        b"x-panel-id",
        b"x-plugin-id",
        b"x-query-group-id",
        b"x-requested-with",
    }
)
"""Everything else stays here: cookies, `Authorization`, `X-WEBAUTH-*`, `X-JWT-Assertion`, `X-Grafana-*`, forwarding
headers, `Referer` (addresses of the portal are not Grafana's business)."""

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""RFC 9110, 7.6.1: what concerns one connection only."""
KEPT_BACK: Final = HOP_BY_HOP | {
    b"access-control-allow-credentials",
    b"access-control-allow-headers",
    b"access-control-allow-methods",
    b"access-control-allow-origin",
    b"access-control-expose-headers",
    b"alt-svc",
    b"clear-site-data",  # would sign people out of the portal
    b"cross-origin-opener-policy",
    b"date",  # the server writes its own
    b"location",  # judged by itself
    b"nel",
    b"public-key-pins",
    b"referrer-policy",
    b"refresh",
    b"report-to",
    b"reporting-endpoints",
    b"server",
    b"service-worker-allowed",  # would let a script of Grafana's answer for the portal
    b"set-cookie",
    b"set-cookie2",
    b"strict-transport-security",
    b"x-content-type-options",
    b"x-frame-options",
    b"x-powered-by",
}
POLICY: Final = (
    b"frame-ancestors 'self'; base-uri 'self'; form-action 'self'; object-src 'none'; connect-src 'self'; "
    b"worker-src 'self' blob:"
)
"""Stands beside Grafana's own policy; a browser obeys both. `connect-src` keeps an injected script from reporting
elsewhere (CVE-2025-4123)."""


class StrayRedirectError(ValueError):
    """Grafana sends the visitor to somewhere that is not below `/grafana/`."""


def to_grafana(given: Iterable[Header]) -> list[Header]:
    """What goes to Grafana of a visitor's headers, names in small letters."""
    rows = [(name.lower(), value) for name, value in given]
    named = _named_by_connection(rows)
    return [(name, value) for name, value in rows if name in TO_GRAFANA and name not in named]


def from_grafana(given: Iterable[Header], *, hsts: int = 0) -> list[Header]:
    """What the visitor gets: Grafana's headers, and the portal's security headers over them. `hsts` is in seconds."""
    rows = [(name.lower(), value) for name, value in given]
    named = _named_by_connection(rows)
    kept = [(name, value) for name, value in rows if name not in KEPT_BACK and name not in named]
    kept += [
        (b"content-security-policy", POLICY),
        (b"x-frame-options", b"SAMEORIGIN"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    if hsts:
        kept.append((b"strict-transport-security", f"max-age={hsts}".encode()))
    return kept


def location(text: str, known_hosts: Iterable[str]) -> str:
    """The path and query of a redirect that stays below `/grafana/`. `known_hosts` are `host:port` or `host`, those by
    which Grafana may call the portal or itself.

    Raises StrayRedirectError for any other.
    """
    if any(ord(sign) <= 32 or ord(sign) >= 127 or sign == "\\" for sign in text):
        raise StrayRedirectError("the address holds signs that no address has")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise StrayRedirectError("it is no address") from None
    elsewhere = parts.netloc or parts.scheme or text.startswith("//")
    if elsewhere and (parts.scheme not in {"http", "https"} or parts.netloc.casefold() not in set(known_hosts)):
        raise StrayRedirectError("it leads to another host")
    path = parts.path
    if path != PREFIX and not path.startswith(f"{PREFIX}/"):
        raise StrayRedirectError("it leads out of Grafana")
    return path + (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")


def value_of(name: bytes, given: Iterable[Header]) -> str:
    """The value of a header that comes once; empty when it is missing or comes several times."""
    found = [value for each, value in given if each.lower() == name]
    return found[0].decode("latin-1").strip() if len(found) == 1 else ""


def _named_by_connection(rows: list[Header]) -> set[bytes]:
    """The headers that `Connection` declares to concern this connection only."""
    values = b",".join(value for name, value in rows if name == b"connection")
    return {part.strip().lower() for part in values.split(b",")}
