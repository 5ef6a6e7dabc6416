"""What every page carries, and what no page ever shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import DataError, IntegrityError, models, transaction
from django.test import Client, override_settings
from django.urls import reverse

from apps.accounts.models import HostTeam, User
from apps.accounts.roles import Role
from apps.mirror.models import MirrorModel
from apps.mirror.shape import mirrored_models
from tests.mirror.rows import Lab
from tests.pages import content_of, is_html, visit
from tests.people import PASSWORD, TEAM_A, make_person, signed_in

pytestmark = [pytest.mark.django_db(databases=["default", "source"]), pytest.mark.timeout(300)]

PAYLOAD = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
RAW = ("<script>alert(1)", "<img src=x", "'><script", "\"'><")
ADDRESS = "javascript:alert(1)"
SHORT = "'><i x>"
"""For columns that are too narrow for the payload."""
KEPT = {"id", "host_name", "status", "incident_type", "device_id", "start_time"}
"""Columns that lead from row to row or hold one of few words: with a payload, pages would not show the row at all."""


def person() -> User:
    return User.objects.create_superuser("root", password=PASSWORD, all_teams=True)


def furnished() -> Lab:
    """One row of everything, in sight."""
    lab = Lab(at=datetime.now(UTC) - timedelta(minutes=3))
    HostTeam.objects.create(host_name=lab.host, team_id=lab.team_id, team_name=lab.name)
    return lab


def check_headers(path: str, answer: Any) -> None:
    """The policy has no holes, and the other headers are there."""
    if is_html(answer):
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe-" not in policy, path
        assert "default-src 'none'" in policy or "default-src 'self'" in policy, path
        for directive in ("frame-ancestors 'self'", "base-uri 'none'", "form-action 'self'"):
            assert directive in policy, (path, directive)
        assert not re.search(r"script-src[^;]*(\*|https?:|data:)", policy), path
    assert answer.headers["X-Content-Type-Options"] == "nosniff", path
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN", path
    assert answer.headers["Referrer-Policy"] == "same-origin", path


def check_tags(path: str, text: str) -> None:
    """No code in the page itself, and no page of others that could steer this one."""
    for tag in re.findall(r"<[a-zA-Z][^>]*>", text):
        assert not re.search(r"\s(style|on[a-z]+)\s*=", re.sub(r'"[^"]*"', '""', tag)), (path, tag)
        assert not re.search(r"(href|src|action)\s*=\s*[\"']?\s*javascript:", tag, re.IGNORECASE), (path, tag)
        if re.match(r"<script\b", tag):
            assert "src=" in tag or "application/json" in tag or "nonce=" in tag, (path, tag)
        if 'target="_blank"' in tag:
            assert "noopener" in tag, (path, tag)


@pytest.mark.parametrize("path", ["/account/login/", "/nowhere/", "/devices/", "/livez", "/server/health"])
def test_strangers_get_the_same_headers(path: str) -> None:
    answer = Client(headers={"accept": "text/html"}).get(path)
    check_headers(path, answer)
    check_tags(path, content_of(answer))


def poisoned(model: type[MirrorModel]) -> dict[str, Any]:
    """A payload for each text and JSON column of the model: an address that is code, where an address belongs."""
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.name in KEPT or field.choices or field.primary_key:
            continue
        if isinstance(field, models.JSONField):
            values[field.name] = {PAYLOAD: [PAYLOAD, {"name": PAYLOAD}]}
        elif isinstance(field, (models.TextField, models.CharField)):
            text = f"{ADDRESS}//{PAYLOAD}" if "url" in field.name or "path" in field.name else PAYLOAD
            values[field.name] = text if not field.max_length or field.max_length >= len(text) else SHORT
    return values


def poison(model: type[MirrorModel]) -> int:
    """Write a payload into each column that takes one; how many columns did."""
    taken = 0
    for name, value in poisoned(model).items():
        for attempt in (value, [value]):
            try:
                with transaction.atomic(using="source"):
                    taken += model.objects.update(**{name: attempt})
                break
            except (DataError, IntegrityError):  # the platform's own rule for the column
                continue
    return taken


def check_escaped(path: str, text: str) -> None:
    """What others wrote is shown as text, and never followed as an address."""
    for raw in (*RAW, SHORT):
        assert raw not in text, (path, text[max(0, text.find(raw) - 200) : text.find(raw) + 80])
    assert not re.search(r"(href|src|action)\s*=\s*[\"']?javascript:", text), path


def test_every_page_holds_no_code_of_its_own_or_of_others_and_has_a_policy_without_holes() -> None:
    furnished()
    HostTeam.objects.update(team_name=PAYLOAD)
    assert sum(poison(model) for model in mirrored_models()) > 120
    someone = person()
    someone.first_name = PAYLOAD
    someone.save()
    client = signed_in(someone)
    asked = [
        f"/search/?q={quote(PAYLOAD)}",
        f"/alerts/?q={quote(PAYLOAD)}&device={quote(PAYLOAD)}&state={quote(PAYLOAD)}",
    ]
    pages = with_payload = with_address = 0
    for path, answer in chain(visit(client), ((path, client.get(path)) for path in asked)):
        text = content_of(answer)
        check_headers(path, answer)
        check_tags(path, text)
        check_escaped(path, text)
        pages += 1
        with_payload += "&lt;script&gt;alert(1)" in text
        with_address += ADDRESS in text
    assert pages > 100
    assert with_payload > 20, "payloads reach the pages"
    assert with_address > 2, "and so do addresses"


def test_cookies_are_for_this_site_and_not_for_scripts() -> None:
    make_person("alice", Role.OPERATOR, TEAM_A)
    client = Client()
    client.get(reverse("login"))
    client.post(reverse("login"), {"username": "alice", "password": PASSWORD})
    assert {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME} <= set(client.cookies)
    for cookie in client.cookies.values():
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key


def test_nothing_is_changed_by_a_forged_form(alice: User) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept": "text/html"})
    client.force_login(alice)
    for path in (reverse("portal:decide-alerts"), reverse("logout"), reverse("password_change"), reverse("login")):
        answer = client.post(path, {"decision": "resolve"})
        assert answer.status_code == 403, path
        assert "Content-Security-Policy" in answer.headers
    assert client.get("/devices/").status_code == 200, "still signed in"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:evil.example"],
)
def test_signing_in_never_leads_to_another_site(alice: User, target: str) -> None:
    client = Client()
    answer = client.post(reverse("login"), {"username": "alice", "password": PASSWORD, "next": target})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    posted = client.post(reverse("portal:decide-alerts"), {"decision": "resolve", "next": target})
    assert posted.headers["Location"] == reverse("portal:alerts")


def test_a_forged_host_name_is_refused() -> None:
    for host in ("evil.example", "localhost.evil.example", "localhost:80@evil.example"):
        assert Client(headers={"host": host}).get("/account/login/").status_code == 400


@override_settings(TRUSTED_PROXY_COUNT=0)
def test_a_forwarded_host_name_is_not_believed() -> None:
    answer = Client(headers={"x-forwarded-host": "evil.example"}).get("/devices/")
    assert "evil.example" not in answer.headers["Location"]
