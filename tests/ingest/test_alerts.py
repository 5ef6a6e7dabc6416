"""One active alert per host, device and type; the end of alerts."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.db import connections

from apps.ingest.kinds import KINDS
from apps.ingest.store import store
from apps.mirror.models import PlatformAlert, Team
from tests.ingest import rows
from tests.ingest.sending import Host, sure
from tests.people import HOST_A, HOST_B

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def active() -> list[str]:
    return [str(pk) for pk in PlatformAlert.objects.filter(status="active").values_list("pk", flat=True)]


def at(minutes: float) -> datetime:
    return rows.NOON + timedelta(minutes=minutes)


def test_a_new_alert_takes_the_place_of_the_open_one(host: Host) -> None:
    old, new = rows.alert(), rows.alert(start_time=rows.iso(5))
    host.send("alerts", old)
    assert host.send("alerts", new).statuses == ["stored"]
    assert active() == [new["id"]]
    ended = PlatformAlert.objects.get(pk=old["id"])
    assert (ended.status, ended.end_time) == ("resolved", at(5))
    assert sure(ended.updated_at) > ended.start_time
    # Once more, late: nothing opens again, and the new one stays.
    assert host.send("alerts", [old, new]).statuses == ["already there", "already there"]
    assert active() == [new["id"]]


def test_alerts_of_one_key_in_a_batch_follow_each_other(host: Host) -> None:
    batch = [rows.alert(start_time=rows.iso(minute)) for minute in (4, 0, 2)]
    assert host.send("alerts", batch).statuses == ["stored"] * 3
    assert active() == [batch[0]["id"]]
    ends = {str(pk): end for pk, end in PlatformAlert.objects.values_list("pk", "end_time")}
    assert ends == {batch[0]["id"]: None, batch[1]["id"]: at(2), batch[2]["id"]: at(4)}
    assert host.send("alerts", batch).statuses == ["already there"] * 3


def test_one_that_comes_late_does_not_end_a_later_one(host: Host) -> None:
    later, earlier = rows.alert(start_time=rows.iso(9)), rows.alert(start_time=rows.iso(3))
    host.send("alerts", later)
    assert host.send("alerts", earlier).statuses == ["stored"]
    assert active() == [later["id"]]
    assert PlatformAlert.objects.get(pk=earlier["id"]).end_time == at(9)


def test_a_report_without_an_id_updates_the_open_one(host: Host) -> None:
    first = rows.alert()
    host.send("alerts", first)
    bare = rows.alert(start_time=rows.iso(1), consecutive_count=7, metadata={"freeze_diffs": [0.5], "more": 1})
    del bare["id"]
    answer = host.send("alerts", bare)
    assert (answer.status, answer.statuses, answer.row["id"]) == (200, ["updated"], first["id"])
    found = PlatformAlert.objects.get()
    assert (found.consecutive_count, found.start_time) == (7, at(0))
    assert sure(found.metadata)["freeze_diffs"] == [0.5]
    assert sure(found.metadata)["capture_path"] == "capture1"
    fresh = host.send("alerts", bare | {"device_id": "device2"})
    assert fresh.statuses == ["stored"]
    assert host.send("alerts", bare | {"device_id": "device2"}).statuses == ["already there"]


def test_a_report_without_id_and_time_may_come_again(host: Host) -> None:
    bare = {"host_name": HOST_A, "device_id": "device1", "incident_type": "freeze"}
    assert host.send("alerts", bare).statuses == ["stored"]
    assert host.send("alerts", bare).statuses == ["updated"]
    host.change("alerts", None, [bare | {"status": "resolved"}])
    assert host.send("alerts", bare).statuses == ["stored"]
    assert PlatformAlert.objects.count() == 2


def test_other_devices_types_and_hosts_are_left_alone(host: Host) -> None:
    batch = [
        rows.alert(), rows.alert(device_id="device2"), rows.alert(incident_type="blackscreen"),
        rows.alert(host_name=HOST_B), rows.alert(status="resolved", end_time=rows.iso(1)),
    ]  # fmt: skip
    host.send("alerts", batch)
    assert sorted(active()) == sorted(row["id"] for row in batch[:4])


def test_an_alert_ends(host: Host) -> None:
    row = rows.alert()
    host.send("alerts", row)
    end = {"status": "resolved", "end_time": rows.iso(3), "metadata": {"r2_images": {"closure_url": "x"}}}
    assert host.change("alerts", row["id"], end).statuses == ["updated"]
    assert host.change("alerts", row["id"], end).statuses == ["already there"]
    found = PlatformAlert.objects.get()
    assert (found.status, found.end_time) == ("resolved", at(3))
    assert sure(found.metadata)["r2_images"] == {"closure_url": "x"}
    assert sure(found.metadata)["capture_path"] == "capture1"
    again = host.change("alerts", row["id"], {"status": "active"})
    assert (again.status, again.row["field"]) == (422, "status")


def test_an_end_that_is_not_told_is_now_and_never_before_the_start(host: Host) -> None:
    row, early = rows.alert(), rows.alert(device_id="device2")
    host.send("alerts", [row, early])
    assert host.change("alerts", row["id"], {"status": "resolved"}).statuses == ["updated"]
    assert host.change("alerts", row["id"], {"status": "resolved"}).statuses == ["already there"]
    assert host.change("alerts", early["id"], {"status": "resolved", "end_time": rows.iso(-9)}).statuses == ["updated"]
    assert PlatformAlert.objects.get(pk=early["id"]).end_time == at(1 / 60)
    assert sure(PlatformAlert.objects.get(pk=row["id"]).end_time) > at(60)


def test_an_alert_whose_id_is_not_known_ends_by_its_key(host: Host) -> None:
    row = rows.alert()
    host.send("alerts", row)
    key = {name: row[name] for name in ("host_name", "device_id", "incident_type")}
    answer = host.change("alerts", None, [key | {"status": "resolved"}, key | {"device_id": "x", "status": "resolved"}])
    assert (answer.statuses, answer.document["rows"][0]["id"]) == (["updated", "refused"], row["id"])
    assert active() == []


def test_thousands_of_keys_take_few_locks(host: Host) -> None:
    batch = [rows.alert(device_id=f"device{n}") for n in range(3000)]
    assert set(host.send("alerts", batch).statuses) == {"stored"}
    with connections["source"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone()[0] <= 256


@pytest.mark.django_db(databases=["default", "source"], transaction=True)
@pytest.mark.parametrize("others", [0, 3])
def test_somebody_who_writes_past_the_door_at_the_same_moment_gives_way(host: Host, others: int) -> None:
    """Its row is there when the batch's is inserted, and was not yet when the batch looked what is open."""
    parameters = connections["source"].get_connection_params()
    parameters.pop("cursor_factory", None)
    direct = psycopg2.connect(**parameters)
    row = rows.alert(start_time=rows.iso(5))
    key = [row[name] for name in ("host_name", "device_id", "incident_type")]
    with contextlib.closing(direct), direct.cursor() as cursor:
        cursor.execute(
            "INSERT INTO alerts (host_name, device_id, incident_type, start_time) VALUES (%s, %s, %s, %s)",
            [*key, rows.NOON],
        )
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
        commit = threading.Thread(target=_commit_when_waited_for, args=(direct, pid))
        commit.start()
        batch = [row, *(rows.alert(device_id=f"other{n}") for n in range(others))]
        answer = host.send("alerts", batch)
        commit.join()
    assert (answer.status, answer.statuses) == (201, ["stored"] * (1 + others))
    assert row["id"] in active()
    ended = PlatformAlert.objects.get(host_name=key[0], device_id=key[1], status="resolved")
    assert ended.end_time == at(5)


def _commit_when_waited_for(direct: Any, pid: int) -> None:
    """Commit as soon as another session waits for the one of number `pid`."""
    deadline = time.monotonic() + 20
    try:
        with connections["source"].cursor() as cursor:
            while time.monotonic() < deadline:
                cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE %s = ANY (pg_blocking_pids(pid)))", [pid])
                if cursor.fetchone()[0]:
                    break
    finally:
        direct.commit()
        connections.close_all()


@pytest.mark.django_db(databases=["default", "source"], transaction=True)
def test_many_at_once_leave_one_active(team_a: Team) -> None:
    """Also without the unique index: eight senders, each with its own ids, in opposite orders."""
    from msgspec import json

    from apps.ingest.body import split

    def send(turn: int) -> None:
        keys = [("freeze", n) for n in range(6)] + [("audio_loss", n) for n in range(6)]
        for _ in range(4):
            batch = [
                rows.alert(id=str(uuid4()), incident_type=kind, device_id=f"device{n}")
                for kind, n in (keys if turn % 2 else reversed(keys))
            ]
            sent = split(json.encode(batch), "application/json")
            try:
                statuses.extend(v.status for v in store(KINDS["alerts"], sent, may_write=lambda *_: True).verdicts)
            finally:
                connections.close_all()

    statuses: list[str] = []
    senders = [threading.Thread(target=send, args=(turn,)) for turn in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert statuses == ["stored"] * 8 * 4 * 12
    found = PlatformAlert.objects.filter(status="active", host_name=HOST_A)
    assert found.count() == 12 == found.values("device_id", "incident_type").distinct().count()
