"""`make run` after the installation: it starts, says how to get in, keeps what it has, and stops completely."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter

import pytest
import requests

from tests.embedded.helpers import wait_for
from tests.start.portal import HTTP_THREADS, Portal

pytestmark = pytest.mark.timeout(300)

LOAD_SECONDS = 5.0
CLIENTS = 40


def test_it_says_where_it_is_and_how_to_sign_in_without_the_password_itself(started: Portal) -> None:
    said = started.text()
    assert f"The portal is ready: http://localhost:{started.port}" in said
    assert "sign in as admin" in said
    assert str(started.data / "secrets.env") in said
    assert started.password not in said
    assert (started.data / "secrets.env").stat().st_mode & 0o077 == 0
    assert len(started.password) >= 20


def test_the_made_password_opens_it_and_no_other_does(started: Portal) -> None:
    with started.session() as client:
        page = client.get(f"{started.url}/", timeout=20)
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "<h1" in page.text
    with requests.Session() as client:
        client.get(f"{started.url}/account/login/", timeout=20)
        wrong = {"username": "admin", "password": "admin123", "csrfmiddlewaretoken": started.token(client)}
        answer = client.post(f"{started.url}/account/login/", wrong, timeout=20, allow_redirects=False)
        assert answer.status_code == 200
        assert "vptmonitor_session" not in client.cookies


BESIDE = 3
"""Connections that no page uses: two of the way to Grafana and one of the live pages, for who somebody is."""


def test_connections_stay_as_few_as_threads_under_load(started: Portal) -> None:
    statuses: Counter[int] = Counter()
    most: Counter[str] = Counter()
    until = time.monotonic() + LOAD_SECONDS
    with started.session() as signed_in:
        cookies = signed_in.cookies.get_dict()

    def visit() -> None:
        with requests.Session() as client:
            client.cookies.update(cookies)
            while time.monotonic() < until:
                statuses[client.get(f"{started.url}/devices/", timeout=30).status_code] += 1

    visitors = [threading.Thread(target=visit) for _ in range(CLIENTS)]
    for visitor in visitors:
        visitor.start()
    with contextlib.closing(started.connect()) as connection, connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(
                "SELECT datname, count(*) FROM pg_stat_activity WHERE application_name = 'vptmonitor web' GROUP BY 1"
            )
            for database, count in cursor.fetchall():
                most[database] = max(most[database], count)
            time.sleep(0.05)
    for visitor in visitors:
        visitor.join()
    assert set(statuses) == {200}
    assert statuses[200] > CLIENTS
    assert set(most) == {"vptmonitor", "virtualpytest"}
    assert most["virtualpytest"] <= HTTP_THREADS
    assert most["vptmonitor"] <= HTTP_THREADS + BESIDE


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT], ids=["killed", "told to stop at once"])
def test_a_restart_of_the_database_ends_no_process_and_gives_no_broken_page(
    started: Portal, number: signal.Signals
) -> None:
    children, before = started.children(), started.postmaster()
    statuses: Counter[int] = Counter()
    with started.session() as client:
        os.kill(before, number)

        def is_back() -> bool:
            answer = client.get(f"{started.url}/devices/", timeout=30)
            statuses[answer.status_code] += 1
            if answer.status_code == 503:
                assert "Retry-After" in answer.headers
                assert "<h1" in answer.text
            return answer.status_code == 200 and started.postmaster() not in {0, before}

        wait_for(is_back, "a page after the restart", 30)
        assert set(statuses) <= {200, 503}
        pages = [client.get(f"{started.url}/devices/", timeout=30).status_code for _ in range(2 * HTTP_THREADS)]
        assert set(pages) == {200}, "no thread keeps a dead connection"
    assert started.children() == children
    # The worker connects again too.
    wait_for(
        lambda: requests.get(f"{started.url}/readyz", timeout=20).status_code == 200, "a portal that calls itself ready"
    )


def test_it_stops_within_ten_seconds_the_database_last_and_comes_back_with_all_it_had(started: Portal) -> None:
    count = "SELECT count(*) FROM execution_results"
    rows, password = started.ask(count), started.password
    with started.session() as client:
        assert started.process is not None
        supervised = set(started.processes()) - {started.process.pid}
        assert len(supervised) >= 6
        servers = set(started.servers())
        assert servers
        began = time.monotonic()
        started.process.send_signal(signal.SIGTERM)
        database_outlived_all = False
        while (left := started.processes()) or started.servers():
            assert time.monotonic() < began + 10, (left, started.servers())
            database_outlived_all = (not left and servers <= set(started.servers())) or database_outlived_all
            time.sleep(0.02)
        assert database_outlived_all
        assert started.process.wait(1) != 0
        started.process = None

        before = len(started.text())
        started.start()
        again = started.text()[before:]
        assert "filling" not in again, "what takes long is done once"
        assert "collecting" not in again
        assert (started.ask(count), started.password) == (rows, password)
        assert client.get(f"{started.url}/devices/", timeout=20).status_code == 200, "people stay signed in"
