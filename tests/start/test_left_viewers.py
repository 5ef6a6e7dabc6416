"""What the database does for viewers of the started portal: once for all of them, and nothing when they have left."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.embedded.helpers import wait_for
from tests.start.portal import Portal

pytestmark = pytest.mark.timeout(180)

FORGET = """
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE dashboards_revision DISABLE TRIGGER history_keeps_revisions;
    UPDATE dashboards_dashboard SET current_id = NULL WHERE uid = 'left-viewers';
    DELETE FROM dashboards_revision r USING dashboards_dashboard d
     WHERE d.id = r.dashboard_id AND d.uid = 'left-viewers';
    DELETE FROM dashboards_dashboard WHERE uid = 'left-viewers';
    ALTER TABLE dashboards_revision ENABLE TRIGGER history_keeps_revisions
"""
READING = (
    "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
    " WHERE c.relname = 'environment_profiles' AND l.pid <> pg_backend_pid()"
)
"""Who reads the table of the slow panel; what another role runs could not be seen otherwise."""


@pytest.fixture
def path(started: Portal, tmp_path: Path) -> Iterator[str]:
    """The address of the data of the first panel of a dashboard, which takes a minute; the second takes half
    a second."""
    queries = (
        "SELECT pg_sleep(60) FROM (SELECT count(*) FROM environment_profiles) q",
        "SELECT random() AS drawn, pg_sleep(0.5)",
    )
    document = {
        "uid": "left-viewers", "title": "Left viewers", "schemaVersion": 41, "time": {"from": "now-1d", "to": "now"},
        "panels": [
            {"id": number, "type": "table", "targets": [{"refId": "A", "format": "table", "rawSql": sql}]}
            for number, sql in enumerate(queries, 1)
        ],
    }  # fmt: skip
    file = tmp_path / "left-viewers.json"
    file.write_text(json.dumps(document))
    started.manage("import_dashboards", str(file))
    yield "/api/v1/dashboards/left-viewers/panels/1/data"
    # Its history is for ever by the tables' own rules; here it goes with it, so that no other test meets it.
    started.ask(FORGET, "vptmonitor")


def test_a_query_ends_soon_after_its_viewer_left(started: Portal, path: str) -> None:
    with started.session() as client:
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    with contextlib.closing(socket.create_connection(("127.0.0.1", started.port), timeout=20)) as viewer:
        viewer.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{started.port}\r\nCookie: {cookies}\r\n\r\n".encode())
        wait_for(lambda: started.ask(READING) == [(1,)], "the viewer's query", 20)
    wait_for(lambda: started.ask(READING) == [(0,)], "the end of the query", 5)


def test_viewers_of_one_panel_share_one_query(started: Portal, path: str) -> None:
    seen: list[str] = []
    with started.session() as client:
        cookies = client.cookies.get_dict()

    def look() -> None:
        answer = requests.get(started.url + path.replace("/1/", "/2/"), cookies=cookies, timeout=30)
        seen.append(json.dumps(answer.json()["frames"][0]["data"]["values"]))

    viewers = [threading.Thread(target=look) for _ in range(12)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    assert len(seen) == 12
    assert len(set(seen)) == 1
