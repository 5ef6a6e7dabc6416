"""Addresses of the portal's pages with their filters."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from django.urls import NoReverseMatch, reverse
from django.utils.http import url_has_allowed_host_and_scheme


def page(name: str, *args: object, query: Mapping[str, str] | None = None) -> str:
    """The address of the portal's page `name`, empty where there is none; parameters without a value are left out."""
    given = {key: value for key, value in (query or {}).items() if value}
    try:
        return reverse(f"portal:{name}", args=args) + (f"?{urlencode(given)}" if given else "")
    except NoReverseMatch:
        return ""


def web_address(value: object) -> str:
    """`value` when a browser can safely follow it (http or https), else empty: another program has written it."""
    text = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in {"http", "https"} and parts.netloc else ""


def own_path(value: str) -> str:
    """`value` when it is a path of this portal, else empty: what names a host might lead elsewhere."""
    return value if value.startswith("/") and url_has_allowed_host_and_scheme(value, allowed_hosts=None) else ""


def followable(value: str) -> str:
    """`value` when it is a path of this portal or a web address, else empty."""
    return own_path(value) or web_address(value)
