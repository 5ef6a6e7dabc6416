"""Many who write at once: a cursor of ids loses events, a snapshot none."""

from __future__ import annotations

import random
import threading
from typing import Any

import psycopg2
import pytest
from django.db import connections

from apps.accounts.scope import EVERYTHING
from apps.live import events
from apps.live.install import schema_of
from apps.live.reading import missed

pytestmark = [
    pytest.mark.django_db(databases=["default", "source"], transaction=True),
    pytest.mark.usefixtures("committed"),
]

WRITERS, ROWS = 6, 60
TOPICS = frozenset({"alerts"})


def writer(parameters: dict[str, Any], seed: int, written: set[str]) -> None:
    """Transactions that write first and commit some time later, as long as others take."""
    chance = random.Random(seed)
    connection = psycopg2.connect(**parameters)
    try:
        for _ in range(ROWS):
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO alerts (host_name, device_id, incident_type) VALUES ('h', gen_random_uuid(), 'freeze')"
                    " RETURNING id::text"
                )
                key = cursor.fetchone()[0]
                cursor.execute("SELECT pg_sleep(%s)", [chance.random() * 0.004])
            if chance.random() < 0.1:
                connection.rollback()
            else:
                connection.commit()
                written.add(key)
    finally:
        connection.close()


def test_a_snapshot_loses_none_where_a_cursor_of_ids_does(monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy machine looks seldom: no look may find more than it names.
    monkeypatch.setattr(events, "MOST_IDS", WRITERS * ROWS)
    parameters = connections["source"].get_connection_params()
    parameters.pop("cursor_factory", None)
    written: list[set[str]] = [set() for _ in range(WRITERS)]
    token = missed(None, EVERYTHING, TOPICS).token
    threads = [threading.Thread(target=writer, args=(parameters, seed, keys)) for seed, keys in enumerate(written)]
    by_snapshot: list[str] = []
    by_id: set[str] = set()
    last = 0
    for thread in threads:
        thread.start()
    try:
        ended = False
        while not ended:
            ended = not any(thread.is_alive() for thread in threads)
            with connections["source"].cursor() as cursor:
                cursor.execute(
                    f"SELECT id, ids FROM {schema_of('source')}.live_event WHERE id > %s ORDER BY id", [last]
                )
                for number, ids in cursor.fetchall():
                    last = number
                    by_id.update(ids)
            found = missed(token, EVERYTHING, TOPICS)
            assert found.complete
            token = found.token
            for change in found.changes.values():
                by_snapshot += change.as_json()["added"]
                assert not change.more
    finally:
        for thread in threads:
            thread.join()
    everything = set().union(*written)
    assert len(everything) > WRITERS * ROWS * 0.8
    assert sorted(by_snapshot) == sorted(everything), "each once"
    assert by_id < everything, "the control: where no id is lost, this test proves nothing"
