"""What is asked again and what is not, how long is waited, what is too much, and where secrets never appear."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from apps.grafana import address, transport
from apps.grafana.client import Client
from apps.grafana.errors import (
    Forbidden,
    GrafanaError,
    Invalid,
    NameExists,
    NotFound,
    NotGrafana,
    Provisioned,
    RateLimited,
    ServerFault,
    Unauthorised,
    Unreachable,
    VersionMismatch,
    failure,
)
from apps.grafana.transport import Credentials, Limits, Patience, Transport
from tests.grafana.conftest import client_of
from tests.grafana.double import Double, Fault
from tests.grafana.double.server import PASSWORD, TOKEN, USER

BODY = {"uid": "a", "title": "A", "panels": []}


def save(client: Client) -> Any:
    return client.save_dashboard(BODY, folder_uid="", version=None)


def waiting(double: Double, patience: Patience) -> tuple[Transport, list[float]]:
    """A transport that notes how long it would have waited."""
    waits: list[float] = []
    made = Transport(
        address.parse(double.url), Credentials(TOKEN), org_id=1, private=True, patience=patience, rest=waits.append
    )
    return made, waits


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_read_that_broke_off_is_asked_again(kind: Any, client: Client, double: Double) -> None:
    double.order(Fault(kind, path="/api/org"))
    assert client.organisation().name == "Main Org."
    assert (client.tally.requests, client.tally.repeats, double.counted("GET")) == (2, 1, 2)


@pytest.mark.parametrize(("kind", "there"), [("drop_before", False), ("drop_after", True)])
def test_a_write_that_broke_off_is_left_to_the_caller(kind: Any, there: bool, client: Client, double: Double) -> None:
    double.order(Fault(kind, method="POST"))
    with pytest.raises(Unreachable) as broken:
        save(client)
    assert broken.value.uncertain
    assert double.counted("POST") == 1
    assert (BODY["uid"] in double.store.dashboards) is there


def test_a_write_that_nobody_answers_in_time_is_uncertain(double: Double) -> None:
    stalled = double.order(Fault("stall", method="POST"))
    with client_of(double.url, limits=Limits(connect=2, read=0.1)) as client:
        with pytest.raises(Unreachable, match=r"no answer within 0\.1 s") as slow:
            save(client)
        stalled.released.set()
        assert slow.value.uncertain
        assert client.dashboard("a").version == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_burst_of_failures_passes(status: int, client: Client, double: Double) -> None:
    double.order(Fault("status", status, times=2))
    assert client.organisation().id == 1
    double.order(Fault("status", status, times=9))
    with pytest.raises(ServerFault) as failed:
        client.organisation()
    assert (failed.value.status, failed.value.transient, failed.value.uncertain) == (status, True, False)
    assert failed.value.sentence == "ordered by the test"


def test_a_write_that_failed_there_is_not_sent_again(client: Client, double: Double) -> None:
    double.order(Fault("status", 503, method="POST"))
    with pytest.raises(ServerFault) as failed:
        save(client)
    assert failed.value.uncertain
    assert double.counted("POST") == 1


def test_a_write_that_was_turned_away_is_sent_again(client: Client, double: Double) -> None:
    """429: nothing was done, so that it is safe."""
    double.order(Fault("status", 429, times=2, method="POST", headers={"Retry-After": "0"}))
    assert save(client).version == 1
    assert double.counted("POST") == 3


def test_a_write_to_where_nobody_listens_is_sent_again_and_surely_not_done() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        client = client_of(f"http://127.0.0.1:{closed.getsockname()[1]}")
    with pytest.raises(Unreachable, match="nothing listens at http://127") as refused:
        save(client)
    assert not refused.value.uncertain
    assert client.tally.requests == 3


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of("http://grafana.invalid")

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match="is not known"):
        client.health()


def test_retry_after_is_kept_and_bounded(double: Double) -> None:
    ask, waits = waiting(double, Patience(tries=4, base=0.5, most=1, longest=10))
    in_three_seconds = formatdate(time.time() + 3, usegmt=True)
    double.order(Fault("status", 429, headers={"Retry-After": "7"}))
    double.order(Fault("status", 429, headers={"Retry-After": in_three_seconds}))
    double.order(Fault("status", 429))
    ask.ask("GET", "/api/org", doing="Asking")
    assert 7 <= waits[0] <= 7.5
    assert 1 <= waits[1] <= 4
    assert waits[2] <= 1
    double.order(Fault("status", 503, headers={"Retry-After": "2"}))
    ask.ask("GET", "/api/org", doing="Asking")
    assert 2 <= waits[3] <= 2.5
    double.order(Fault("status", 429, headers={"Retry-After": "11"}))
    with pytest.raises(RateLimited) as limited:
        ask.ask("GET", "/api/org", doing="Asking")
    assert limited.value.retry_after == 11


def test_waits_are_drawn_below_a_bound_that_doubles(double: Double) -> None:
    ask, waits = waiting(double, Patience(tries=6, base=1, most=4))
    double.order(Fault("status", 503, times=5))
    ask.ask("GET", "/api/org", doing="Asking")
    assert len(waits) == 5
    assert all(0 <= wait <= bound for wait, bound in zip(waits, (1, 2, 4, 4, 4), strict=True))
    assert len(set(waits)) == 5


def test_an_answer_without_end_is_cut_off(double: Double) -> None:
    double.store.put("big", {"uid": "big", "title": "x" * 3_000_000}, "", "", "anna")
    with (
        client_of(double.url, limits=Limits(size=transport.MEBIBYTE)) as client,
        pytest.raises(NotGrafana, match="longer than 1 MiB"),
    ):
        client.dashboard("big")


def test_a_page_is_no_grafana(client: Client, double: Double) -> None:
    double.order(Fault("garbage"))
    with pytest.raises(NotGrafana, match="no Grafana"):
        client.health()
    double.order(Fault("garbage", method="POST"))
    with pytest.raises(NotGrafana) as strange:
        save(client)
    assert strange.value.uncertain


def test_json_too_deep_to_read_is_no_grafana(client: Client, monkeypatch: pytest.MonkeyPatch, double: Double) -> None:
    monkeypatch.setattr("tests.grafana.double.server.json.dumps", lambda _: "[" * 200_000)
    with pytest.raises(NotGrafana):
        client.health()


@pytest.mark.parametrize("answer", [[], None, 5, "x", {"dashboard": []}, {"meta": {}}, {"meta": None, "dashboard": {}}])
def test_answers_of_another_shape_are_errors_and_no_crashes(
    answer: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transport, "ask", lambda *_, **__: answer)
    calls: list[Callable[[], object]] = [
        client.health, client.organisation, client.permissions, client.folders, client.search,
        lambda: client.versions("x"),
    ]  # fmt: skip
    for call in calls:
        with contextlib.suppress(NotGrafana):
            call()
    with pytest.raises(NotGrafana):
        client.dashboard("x")


@pytest.mark.parametrize(
    ("status", "code", "sentence", "kind"),
    [
        (401, "", "Invalid API key", Unauthorised),
        (403, "", "Access denied", Forbidden),
        (404, "not-found", "Dashboard not found", NotFound),
        (412, "version-mismatch", "The dashboard has been changed by someone else", VersionMismatch),
        (409, "Conflict", "the object has been modified", VersionMismatch),
        (412, "name-exists", "A dashboard with the same name in the folder already exists", NameExists),
        (409, "", "a folder/dashboard with the same uid already exists", NameExists),
        (409, "AlreadyExists", 'dashboards "x" already exists', NameExists),
        (412, "plugin-dashboard", "The dashboard belongs to plugin X.", Provisioned),
        (400, "", "Cannot save provisioned dashboard", Provisioned),
        (400, "", "provisioned dashboard cannot be deleted", Provisioned),
        (400, "empty-name", "Dashboard title cannot be empty", Invalid),
        (413, "", "Dashboard is too large", Invalid),
        (422, "", "Limit is above maximum allowed", Invalid),
        (429, "", "", RateLimited),
        (500, "", "Failed to save", ServerFault),
        (500, "", "this would create a circular reference", Invalid),
    ],
)
def test_each_answer_is_one_kind_of_error(status: int, code: str, sentence: str, kind: type[GrafanaError]) -> None:
    error = failure(status, code, sentence, doing="Saving", write=True, retry_after=None)
    assert type(error) is kind
    assert (error.status, error.sentence) == (status, sentence)
    assert error.transient is (status == 429 or kind is ServerFault)
    assert sentence.rstrip(".") in str(error)


def test_both_kinds_of_account(double: Double) -> None:
    assert client_of(double.url, Credentials(PASSWORD, USER)).organisation().id == 1
    for wrong in (Credentials("wrong", USER), Credentials("wrong"), Credentials("pässword", USER)):
        with pytest.raises(Unauthorised, match="credentials were refused"):
            client_of(double.url, wrong).organisation()


def test_secrets_appear_in_no_text(double: Double, caplog: pytest.LogCaptureFixture) -> None:
    """Not in errors, even when the server says them, nor in the log of what is asked again, nor in any repr."""
    double.forbidden["/api/org"] = f"orgs:read for {TOKEN}"
    client = client_of(double.url)
    with caplog.at_level(logging.DEBUG), pytest.raises(Forbidden) as denied:
        client.organisation()
    double.order(Fault("status", 503))
    client.search()
    told = f"{denied.value} {denied.value.sentence} {denied.value!r} {caplog.text} {Credentials(TOKEN)!r} {client!r}"
    assert "orgs:read for ********" in told
    assert TOKEN not in told


def test_nothing_of_the_environment_steers_a_request(
    double: Double, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert client_of(double.url).organisation().id == 1


def test_threads_share_connections_that_are_kept(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    accept = double._server.process_request

    def counting(*given: Any) -> None:
        opened.append(given)
        accept(*given)

    monkeypatch.setattr(double._server, "process_request", counting)
    with client_of(double.url) as client:
        threads = [threading.Thread(target=lambda: [client.organisation() for _ in range(10)]) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert client.tally.requests == 40
        assert client.tally.received > 0
    assert 1 <= len(opened) <= 4


def test_a_segment_of_a_path_stays_one(client: Client, double: Double) -> None:
    with pytest.raises(NotFound):
        client.dashboard("../../org?x=1#y")
    assert double.log[-1].path == "/api/dashboards/uid/../../org?x=1#y"
