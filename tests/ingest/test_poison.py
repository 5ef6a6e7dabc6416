"""Bodies that break others: each is refused in words, its neighbours are stored, and nothing takes long."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from typing import Any
from uuid import uuid4

import pytest

from apps.ingest import body
from apps.mirror.models import PlatformAlert, ScriptResult, SystemMetric
from tests.ingest import rows
from tests.ingest.sending import Host

pytestmark = pytest.mark.django_db(databases=["default", "source"])

DEEP = 100_000
LONGEST = 3.0
"""Seconds that a poisoned request may take on a busy machine."""


def script(**text: str) -> bytes:
    """A script's row in which some fields are JSON as it stands here."""
    given = {name: json.dumps(value) for name, value in rows.script(device_name=f"poison {uuid4().hex}").items()}
    return ("{" + ",".join(f'"{name}":{value}' for name, value in (given | text).items()) + "}").encode()


POISON: dict[str, bytes] = {
    # what PostgreSQL's jsonb and text have no room for
    "NUL in a text": script(script_name='"a\\u0000b"'),
    "NUL in JSON": script(metadata='{"a":"\\u0000"}'),
    "NUL in a key of JSON": script(metadata='{"a\\u0000":1}'),
    "NUL deep in JSON": script(metadata='{"a":[{"b":["\\u0000"]}]}'),
    "a NUL byte": script(script_name='"a\0b"'),
    "a lone surrogate in a text": script(script_name='"\\ud800"'),
    "a lone surrogate in JSON": script(metadata='{"a":"\\udfff"}'),
    "a surrogate before a letter": script(metadata='{"a":"\\ud83dx"}'),
    "bytes that are no UTF-8": script(script_name='"x"').replace(b'"x"', b'"\xff\xfe"'),
    "bytes in JSON that are no UTF-8": script(metadata='{"a":"x"}').replace(b'"x"}', b'"\xc3("}'),
    # depth and size
    "arrays in arrays": script(metadata="[" * DEEP + "]" * DEEP),
    "objects in objects": script(metadata='{"a":' * DEEP + "1" + "}" * DEEP),
    "deeper than readers like": script(metadata="[" * 500 + "]" * 500),
    "a row of arrays": b"[" * 5000 + b"]" * 5000,
    "a huge key": script(**{"k" * 900_000: "1"}),
    "a huge name": script(script_name=json.dumps("x" * 100_000)),
    "a huge row": script(error_msg=json.dumps("x" * 2_000_000)),
    # numbers
    "a number of 400 digits": script(execution_time_ms="9" * 400),
    "a number of 5,000 digits in JSON": script(metadata='{"a":' + "9" * 5000 + "}"),
    "a huge exponent": script(metadata='{"a":1e999999}'),
    "one more than an integer holds": script(execution_time_ms="2147483648"),
    "a fraction for an integer": script(execution_time_ms="1.5"),
    "NaN": script(execution_time_ms="NaN"),
    "infinity in JSON": script(metadata='{"a":Infinity}'),
    # types
    "a text for a number": script(execution_time_ms='"12"'),
    "a number for a text": script(script_name="12"),
    "true for a time": script(started_at="true"),
    "a list for a text": script(host_name='["a"]'),
    "an object for a UUID": script(id="{}"),
    "nearly a UUID": script(id='"00000000-0000-0000-0000-00000000000g"'),
    "a time that is none": script(started_at='"2026-02-30T12:00:00+00:00"'),
    "the year 9999": script(started_at='"9999-12-31T23:59:59-12:00"'),
    "the year 1": script(started_at='"0001-01-01T00:00:00+14:00"'),
    # structure
    "a key twice": script(execution_time_ms='1,"execution_time_ms":2'),
    "an unknown field": script(hots_name='"a"'),
    "no row": b"null",
    "a text": b'"row"',
    "half an object": b'{"id": ',
    "a comment": script(success="/* no */ false"),
    "a missing field": b'{"id":"' + str(uuid4()).encode() + b'"}',
    # what only the database knows
    "an unknown team": script(team_id=f'"{uuid4()}"'),
}


@pytest.mark.parametrize("name", POISON)
def test_neighbours_are_stored(host: Host, name: str) -> None:
    neighbours = [json.dumps(rows.script()).encode() for _ in range(4)]
    began = time.monotonic()
    as_lines = host.lines("script-results", [neighbours[0], POISON[name].replace(b"\n", b" "), neighbours[1]])
    assert as_lines.statuses == ["stored", "refused", "stored"], as_lines.document
    as_array = host.send("script-results", b"[" + b",".join([neighbours[2], POISON[name], neighbours[3]]) + b"]")
    if name == "half an object":  # what follows belongs to it
        assert as_array.status == 400
    else:
        assert as_array.statuses == ["stored", "refused", "stored"], as_array.document
        assert as_array.status == 207
    assert time.monotonic() - began < LONGEST
    refused = as_lines.document["rows"][1]
    assert refused["problem"]
    assert refused["fix"]
    assert len(refused["problem"] + refused["fix"]) < 700
    assert ScriptResult.objects.count() == (2 if name == "half an object" else 4)


@pytest.mark.parametrize("name", POISON)
def test_alone_it_is_refused(host: Host, name: str) -> None:
    answer = host.send("script-results", POISON[name])
    assert 400 <= answer.status < 500
    assert ScriptResult.objects.count() == 0


def test_all_of_them_at_once(host: Host) -> None:
    assert len(POISON) >= 35
    batch = [part for poison in POISON.values() for part in (json.dumps(rows.script()).encode(), poison)]
    answer = host.lines("script-results", [part.replace(b"\n", b" ") for part in batch])
    assert answer.statuses == ["stored", "refused"] * len(POISON)
    assert ScriptResult.objects.count() == len(POISON)


BODIES: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "nothing": (400, b"", {}),
    "only white space": (400, b" \n ", {}),
    "an empty list": (400, b"[]", {}),
    "a list without end": (400, b"[{}", {}),
    "a list with an end too many": (400, b"[{}]]", {}),
    "brackets without end": (413, b"[" * 1_000_000, {}),
    "quotes without end": (400, b'["' + b"x" * 1_000_000, {}),
    "millions of numbers": (413, b"[" + b"0," * 2_000_000 + b"0]", {}),
    "millions of lines": (413, b"0\n" * 1_000_000, {"content_type": "application/x-ndjson"}),
    "too many rows": (413, b"[" + b"{}," * 10_000 + b"{}]", {}),
    "too large": (413, b" " * (body.LARGEST_BODY + 1), {}),
    "no gzip": (400, b"{}", {"encoding": "gzip"}),
    "half of a gzip": (400, gzip.compress(b"[{}]" * 100)[:-9], {"encoding": "gzip"}),
    "a bomb": (413, gzip.compress(b" " * 100 * body.MEGABYTE), {"encoding": "gzip"}),
    "a bomb in pieces": (413, gzip.compress(b" " * body.MEGABYTE) * 40, {"encoding": "gzip"}),
    "another encoding": (415, zlib.compress(b"{}"), {"encoding": "deflate"}),
    "a form": (415, b"a=1", {"content_type": "application/x-www-form-urlencoded"}),
    "UTF-16": (422, '{"a":1}'.encode("utf-16"), {}),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_holds_no_rows(host: Host, name: str) -> None:
    status, content, given = BODIES[name]
    headers = {"Content-Encoding": given["encoding"]} if "encoding" in given else {}
    began = time.monotonic()
    answer = host.send("script-results", content, type_=given.get("content_type", "application/json"), headers=headers)
    assert answer.status == status, answer.document
    assert time.monotonic() - began < LONGEST


def test_the_same_id_twice_in_a_batch(host: Host) -> None:
    row = rows.script()
    answer = host.send("script-results", [row, row, row | {"script_name": "other.py"}, rows.script()])
    assert (answer.status, answer.statuses) == (207, ["stored", "already there", "refused", "stored"])
    assert "row 0" in answer.document["rows"][2]["problem"]
    assert ScriptResult.objects.count() == 2


def test_a_value_that_the_table_does_not_allow(host: Host) -> None:
    answer = host.send(
        "alerts", [rows.alert(), rows.alert(incident_type="fire", device_id="2"), rows.alert(consecutive_count=0)]
    )
    assert answer.statuses == ["stored", "refused", "refused"], answer.document
    assert answer.fields[1:] == ["incident_type", "consecutive_count"]
    assert "blackscreen" in answer.document["rows"][1]["fix"]
    assert PlatformAlert.objects.count() == 1


def test_a_measurement_that_its_column_cannot_hold(host: Host) -> None:
    edge = [999.99, 999.994, 999.995, 1000, -1e6]
    answer = host.send(
        "system-metrics", [rows.host_ping(load_average_1m=value, timestamp=rows.iso(value / 99)) for value in edge]
    )
    assert answer.statuses == ["stored", "stored", "refused", "refused", "refused"], answer.document
    assert SystemMetric.objects.count() == 2


def test_what_only_a_trigger_refuses(host: Host) -> None:
    from django.db import connections

    with connections["source"].cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.no_monday() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF NEW.script_name = 'monday.py' THEN RAISE EXCEPTION 'not on mondays'; END IF; RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER no_monday BEFORE INSERT ON script_results FOR EACH ROW EXECUTE FUNCTION pg_temp.no_monday()"
        )
    batch: list[Any] = [rows.script() for _ in range(30)]
    batch[7] = rows.script(script_name="monday.py")
    batch[22] = rows.script(script_name="monday.py")
    answer = host.send("script-results", batch)
    assert [n for n, status in enumerate(answer.statuses) if status == "refused"] == [7, 22]
    assert "not on mondays" in answer.document["rows"][7]["problem"]
    assert ScriptResult.objects.count() == 28
