"""Every page of the portal and the admin, found as a person finds them: by following links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from django.urls.resolvers import RoutePattern

PROBES = frozenset({"livez", "readyz", "server_health", "metrics", "portal:api-schema"})
"""Addresses for programs: no pages."""
TRIES = 3
"""How many addresses of one route are tried when they lead to no page."""
FORMS = ("_add", "_change", "_delete", "_history", "_password_change")
"""How the names of the admin's pages about one row end."""


class Links(HTMLParser):
    """The addresses that a page's links and forms of method GET lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.found.append(given["href"] or "")
        elif tag == "tr" and given.get("data-href"):
            self.found.append(given["data-href"] or "")


def links_of(answer: HttpResponseBase) -> list[str]:
    """All links of an HTML answer."""
    parser = Links()
    parser.feed(content_of(answer))
    return parser.found


def content_of(answer: HttpResponseBase) -> str:
    """The whole answer as text, streamed or not."""
    parts: Iterator[bytes] | list[bytes]
    parts = answer.streaming_content if answer.streaming else [answer.content]  # type: ignore[attr-defined]
    return b"".join(parts).decode(errors="replace")


def is_html(answer: HttpResponseBase) -> bool:
    """Whether the answer is a page."""
    return answer.headers.get("Content-Type", "").startswith("text/html")


def fixed_addresses() -> list[str]:
    """Every address without arguments, of pages alone."""

    def walk(resolver: URLResolver, before: str) -> Iterator[str]:
        for entry in resolver.url_patterns:
            if not isinstance(entry.pattern, RoutePattern) or entry.pattern.converters:
                continue
            text = before + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, text)
            elif isinstance(entry, URLPattern) and entry.name not in PROBES:
                yield text

    return list(dict.fromkeys(walk(get_resolver(), "/")))


def name_of(address: str) -> str:
    """The route that an address belongs to, such as `portal:device`; empty where there is none."""
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return ""
    return match.view_name


def visit(client: Client, *, forms: bool = True) -> Iterator[tuple[str, HttpResponseBase]]:
    """The address and answer of one page of each route, and of each tab of a page: what links lead this client to.

    Without `forms`, the admin's pages about one row (add, change, delete, history) are left out, as are redirects,
    refusals and addresses that take POST alone. Server errors are not: they raise.
    """
    waiting = fixed_addresses()
    seen: set[tuple[str, ...]] = set()
    refused: Counter[tuple[str, ...]] = Counter()
    while waiting:
        address = waiting.pop(0)
        parts = urlsplit(address)
        mark = (name_of(address), *(word for word in parts.query.split("&") if word.startswith("tab=")))
        if not mark[0] or mark[0] in PROBES or mark in seen or refused[mark] == TRIES:
            continue
        if not forms and mark[0].endswith(FORMS):
            continue
        answer = client.get(parts._replace(fragment="").geturl())
        if answer.status_code != 200 or not is_html(answer):
            refused[mark] += 1
            continue
        seen.add(mark)
        yield address, answer
        waiting += [urljoin(parts.path, link) for link in links_of(answer) if not urlsplit(link).netloc]


def crawl(client: Client, *, forms: bool = True) -> dict[str, str]:
    """Address -> route of the pages that `visit` finds."""
    return {address: name_of(address) for address, _ in visit(client, forms=forms)}
