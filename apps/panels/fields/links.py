"""Data links: addresses that a value leads to, filled from its row. Only harmless kinds of addresses come out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.panels.fields.scope import Show, fill_scope
from apps.panels.frames import Field, Frame

_SCHEMES = frozenset(("http", "https", "mailto", "tel"))
# Browsers drop these inside an address, so "java\tscript:" would be one.
_IGNORED = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True)
class Link:
    """An address with its title; `new_tab` as the dashboard asks."""

    title: str
    url: str
    new_tab: bool = False
    one_click: bool = False


def links_for(
    field: Field,
    frame: Frame,
    row: int,
    *,
    interpolate: Callable[[str], str] = str,
    address: Callable[[str], str] | None = None,
    show: Show | None = None,
) -> tuple[Link, ...]:
    """The links of one value, those with an empty or a dangerous address left out.

    `interpolate` puts the dashboard's own variables in and runs first, so that data is never read as a template;
    `address` does so for addresses. Values in an address are percent-encoded, but not one that it begins with.
    """
    links = []
    for raw in field.config.get("links") or ():
        if not isinstance(raw, Mapping):
            continue
        wanted, named = str(raw.get("url") or ""), str(raw.get("title") or "")
        url = fill_scope((address or interpolate)(wanted), field, frame, row, show=show, address=True).strip()
        if is_safe_url(url):
            title = fill_scope(interpolate(named), field, frame, row, show=show).strip()
            links.append(Link(title or url, url, bool(raw.get("targetBlank")), bool(raw.get("oneClick"))))
    return tuple(links)


def is_safe_url(url: str) -> bool:
    """An http, https, mailto or tel address, or a path on this site."""
    bare = _IGNORED.sub("", url)
    if not bare:
        return False
    try:
        scheme = urlsplit(bare).scheme.lower()
    except ValueError:
        return False
    return scheme in _SCHEMES or (not scheme and bare[0] in "/?#" and not bare.startswith(("//", "/\\")))
