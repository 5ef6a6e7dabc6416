"""Guessing a password: how many guesses reach the hasher, and who is locked out by them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import patch

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate, authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.db.models import F
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from apps.accounts import sign_in
from apps.accounts.models import AuditEntry, SignInAttempt, User
from tests.people import PASSWORD, signed_in

Action = AuditEntry.Action


class Hasher:
    """Counts how often a password is really hashed."""

    def __init__(self) -> None:
        self.calls = 0
        self._lock = threading.Lock()
        self._real: Callable[..., str] = MD5PasswordHasher.encode

    def encode(self, password: str, salt: str) -> str:
        with self._lock:
            self.calls += 1
        return self._real(MD5PasswordHasher(), password, salt)


@pytest.fixture
def hasher() -> Hasher:
    return Hasher()


def request_from(peer: str, forwarded: str = "") -> HttpRequest:
    return RequestFactory().post("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)


def post(peer: str, name: str, password: str) -> tuple[int, str]:
    """Status and text of the sign-in page's answer."""
    answer = Client(REMOTE_ADDR=peer).post(reverse("login"), {"username": name, "password": password})
    return answer.status_code, answer.content.decode()


def guess_until_refused(peer: str, name: str) -> int:
    """How many wrong guesses got through."""
    for number in itertools.count():
        if post(peer, name, "wrong")[0] == 429:
            return number
    raise AssertionError


@pytest.mark.django_db(transaction=True)
def test_of_a_thousand_guesses_at_once_five_reach_the_hasher(alice: User, hasher: Hasher, settings: Settings) -> None:
    everybody_ready = threading.Barrier(20)

    def guess_fifty(first: int) -> None:
        try:
            everybody_ready.wait(timeout=30)
            for number in range(first, first + 50):
                assert authenticate(request_from("192.0.2.1"), username="alice", password=f"guess {number}") is None
        finally:
            connection.close()

    with (
        patch.object(MD5PasswordHasher, "encode", lambda _self, *given: hasher.encode(*given)),
        ThreadPoolExecutor(20) as pool,
    ):
        list(pool.map(guess_fifty, range(0, 1000, 50)))
    assert hasher.calls == settings.SIGN_IN_LIMIT["name_and_address"] == 5
    assert AuditEntry.objects.filter(action=Action.SIGN_IN_FAILED).count() == 5
    assert AuditEntry.objects.filter(action=Action.REFUSED).count() == 1, "a flood must not fill the audit trail"


@pytest.mark.django_db
def test_a_made_up_forwarding_header_gains_nothing(alice: User, hasher: Hasher, settings: Settings) -> None:
    with patch.object(MD5PasswordHasher, "encode", lambda _self, *given: hasher.encode(*given)):
        for proxies, header in ((0, "10.1.{}.1"), (1, "10.1.{}.1, 198.51.100.7")):
            settings.TRUSTED_PROXY_COUNT = proxies
            hasher.calls = 0
            for number in range(50):
                authenticate(request_from("192.0.2.1", header.format(number)), username="alice", password="wrong")
            assert hasher.calls == 5


@pytest.mark.django_db
def test_the_page_says_when_to_try_again_and_the_owner_elsewhere_signs_in(alice: User) -> None:
    assert guess_until_refused("192.0.2.1", "alice") == 5
    answer = Client(REMOTE_ADDR="192.0.2.1").post(reverse("login"), {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Too many attempts. Try again in 15 minutes." in answer.content.decode()
    assert 0 < int(answer["Retry-After"]) <= 900
    assert post("198.51.100.20", "alice", PASSWORD)[0] == 302


@pytest.mark.django_db
def test_hammering_from_one_address_uses_up_neither_the_name_nor_the_address(alice: User, bob: User) -> None:
    for _ in range(200):
        sign_in.count("alice", "192.0.2.1")
    assert sign_in.count("alice", "198.51.100.20") is None
    assert sign_in.count("bob", "192.0.2.1") is None


@pytest.mark.django_db
def test_an_address_and_a_name_have_limits_of_their_own() -> None:
    by_address = [sign_in.count(f"name {number}", "192.0.2.1") for number in range(40)]
    assert [refusal for refusal in by_address if refusal is None] == [None] * 30
    refused = [refusal for refusal in by_address if refusal]
    assert {refusal.counter for refusal in refused} == {"address"}
    assert SignInAttempt.objects.count() < 70, "made-up names from a used-up address must not fill the table"

    by_name = [sign_in.count("alice", f"10.0.0.{number}") for number in range(60)]
    assert by_name.count(None) == 50
    assert {refusal.counter for refusal in by_name if refusal} == {"name"}


@pytest.mark.django_db
def test_a_window_passes(alice: User) -> None:
    assert guess_until_refused("192.0.2.1", "alice") == 5
    SignInAttempt.objects.update(window_start=F("window_start") - timedelta(seconds=901))
    assert post("192.0.2.1", "alice", "wrong")[0] == 200
    assert SignInAttempt.objects.get(key="both|192.0.2.1|alice").attempts == 1
    SignInAttempt.objects.update(window_start=F("window_start") - timedelta(seconds=901))
    assert sign_in.prune() == 3


@pytest.mark.django_db
def test_a_good_password_gives_its_attempt_back(alice: User) -> None:
    for _ in range(4):
        post("192.0.2.1", "alice", "wrong")
    assert post("192.0.2.1", "alice", PASSWORD)[0] == 302
    assert not SignInAttempt.objects.filter(key="both|192.0.2.1|alice").exists()
    assert SignInAttempt.objects.get(key="address|192.0.2.1").attempts == 4
    for _ in range(60):
        assert post("192.0.2.1", "alice", PASSWORD)[0] == 302, "signing in rightly is never limited"


@pytest.mark.django_db
def test_spellings_of_a_name_share_their_counter() -> None:
    refused = [sign_in.count(name, "192.0.2.1") for name in ("alice", "ALICE", "Alice", "ａｌｉｃｅ", "aLice", "alicE")]
    assert refused[:5] == [None] * 5
    assert refused[5] is not None


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "x" * 5000, "nul\0byte", "quote'\"; --", "|both|"])
def test_odd_names_are_wrong_names(name: str) -> None:
    assert authenticate(request_from("192.0.2.1"), username=name, password="wrong") is None


@pytest.mark.django_db
def test_an_unknown_name_costs_as_much_as_a_known_one(alice: User, hasher: Hasher) -> None:
    with patch.object(MD5PasswordHasher, "encode", lambda _self, *given: hasher.encode(*given)):
        authenticate(request_from("192.0.2.1"), username="alice", password="wrong")
        known = hasher.calls
        authenticate(request_from("192.0.2.1"), username="who", password="wrong")
    assert (known, hasher.calls - known) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_signing_in_asynchronously_is_limited_too(alice: User) -> None:
    async def six() -> list[object]:
        return [
            await aauthenticate(request_from("192.0.2.1"), username="alice", password=text)
            for text in ["x"] * 5 + [PASSWORD]
        ]

    assert async_to_sync(six)() == [None] * 6


@pytest.mark.django_db
def test_guessing_the_old_password_is_limited_too(alice: User) -> None:
    browser = signed_in(alice)
    form = {"old_password": "wrong", "new_password1": "another long one", "new_password2": "another long one"}
    for _ in range(5):
        assert "Too many attempts" not in browser.post(reverse("password_change"), form).content.decode()
    form["old_password"] = PASSWORD
    assert "Too many attempts" in browser.post(reverse("password_change"), form).content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.django_db
def test_a_new_password_ends_the_other_sessions(alice: User) -> None:
    here, elsewhere = signed_in(alice), signed_in(alice)
    form = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}
    assert here.post(reverse("password_change"), form).url == reverse("password_change_done")  # type: ignore[attr-defined]
    assert here.get(reverse("password_change_done")).status_code == 200
    assert elsewhere.get(reverse("password_change_done")).status_code == 302
    entry = AuditEntry.objects.get(action=Action.CHANGE)
    assert (entry.actor, entry.after) == ("alice", {"password": "(hidden)"})


@pytest.mark.django_db
def test_signing_in_changes_the_session_and_goes_only_to_our_own_pages(alice: User) -> None:
    browser = Client()
    browser.get(reverse("login"))
    for wanted, target in (("/devices/?x=1", "/devices/?x=1"), ("https://evil.example/", "/"), ("//evil.example", "/")):
        answer = Client().post(f"{reverse('login')}?next={wanted}", {"username": "alice", "password": PASSWORD})
        assert answer.url == target  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_signing_out_takes_a_post(alice: User) -> None:
    browser = signed_in(alice)
    assert browser.get(reverse("logout")).status_code == 405
    assert browser.post(reverse("logout")).url == reverse("login")  # type: ignore[attr-defined]
    assert browser.get(reverse("password_change")).status_code == 302


@pytest.mark.django_db
def test_sign_ins_are_in_the_audit_trail_and_unknown_names_are_not_kept(alice: User) -> None:
    post("192.0.2.1", "alice", PASSWORD)
    post("192.0.2.1", "alice", "wrong")
    post("192.0.2.1", "my secret typed into the wrong field", "wrong")
    told = list(AuditEntry.objects.order_by("id").values_list("action", "actor", "label", "address"))
    assert told == [
        (Action.SIGN_IN, "alice", "alice", "192.0.2.1"),
        (Action.SIGN_IN_FAILED, "a visitor", "alice", "192.0.2.1"),
        (Action.SIGN_IN_FAILED, "a visitor", "a name that nobody has", "192.0.2.1"),
    ]
