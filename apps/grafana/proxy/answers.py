"""The proxy's own answers: a page for people, a problem document for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string

from apps.accounts.problems import CONTENT_TYPE

Headers = list[tuple[bytes, bytes]]

TRY_AGAIN: Final = 5
"""Seconds after which a page asks again for what may come back by itself."""


@dataclass(eq=False)
class Answer(Exception):  # noqa: N818 -- it ends a request, and is what the visitor gets
    """What the visitor gets in place of Grafana's answer. `again`: it is worth asking again soon."""

    status: HTTPStatus
    title: str
    detail: str
    again: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    def page(self) -> tuple[Headers, bytes]:
        """Headers and body of a page."""
        context = {
            "status": int(self.status),
            "title": self.title,
            "detail": self.detail,
            "again": TRY_AGAIN if self.again else 0,
        }
        body = render_to_string("grafana/answer.html", context).encode()
        head = [(b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", _policy().encode())]
        return self._headers(head, body), body

    def document(self) -> tuple[Headers, bytes]:
        """Headers and body of a problem document. `message` is where Grafana's pages look for what went wrong."""
        document = {
            "type": "about:blank",
            "title": self.title,
            "status": int(self.status),
            "detail": self.detail,
            "message": f"{self.title}: {self.detail}",
            **self.more,
        }
        body = json.dumps(document).encode()
        return self._headers([(b"content-type", CONTENT_TYPE.encode())], body), body

    def _headers(self, head: Headers, body: bytes) -> Headers:
        rows = [
            *head,
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-frame-options", b"SAMEORIGIN"),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
        ]
        if self.again:
            rows.append((b"retry-after", str(TRY_AGAIN).encode()))
        if self.status == HTTPStatus.UNAUTHORIZED:
            rows.append((b"www-authenticate", b"Session"))
        return rows


def _policy() -> str:
    """The portal's content-security policy without nonces: these pages have no script."""
    directives: dict[str, list[object]] = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]  # type: ignore[assignment]
    nonce_less = {name: [one for one in sources if isinstance(one, str)] for name, sources in directives.items()}
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in nonce_less.items())


def away(detail: str) -> Answer:
    """Grafana cannot be reached."""
    return Answer(HTTPStatus.BAD_GATEWAY, "Grafana does not answer", detail, again=True)


def late(detail: str) -> Answer:
    """Grafana takes too long."""
    return Answer(HTTPStatus.GATEWAY_TIMEOUT, "Grafana takes too long", detail, again=True)


def refused(detail: str, title: str = "Not open to you", **more: Any) -> Answer:
    """The visitor may not do this."""
    return Answer(HTTPStatus.FORBIDDEN, title, detail, more=more)


def bad(detail: str) -> Answer:
    """The request is none that could be sent on."""
    return Answer(HTTPStatus.BAD_REQUEST, "Not a request that can be sent on", detail)


def busy(detail: str) -> Answer:
    """There is no room just now."""
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "Busy", detail, again=True)


def not_believed() -> Answer:
    """Grafana asks somebody to sign in whom the portal has vouched for."""
    detail = (
        "It did not accept the portal's sign-in: its configuration, its key or its clock differs. "
        "docs/embedding.md says what to look at."
    )
    return Answer(HTTPStatus.BAD_GATEWAY, "Grafana does not know the portal", detail)
