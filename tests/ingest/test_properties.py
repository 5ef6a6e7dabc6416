"""Whatever is sent, in whatever pieces and however often: what is valid is stored once, the rest refused in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.problems import Problem
from apps.ingest.body import split
from apps.ingest.kinds import KINDS
from apps.ingest.store import store
from apps.ingest.verdicts import Answer
from apps.mirror.models import ScriptResult, Team
from tests.ingest import rows
from tests.people import TEAM_A

pytestmark = [
    pytest.mark.django_db(databases=["default", "source"]),
    pytest.mark.usefixtures("team_a"),
]
quick = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

SPOILED: tuple[dict[str, Any], ...] = (
    {"script_name": None}, {"success": "yes"}, {"started_at": "soon"}, {"team_id": str(UUID(int=99))},
    {"execution_time_ms": 2**31}, {"hots_name": "a"}, {"metadata": "\0"}, {"host_name": "x" * 300},
)  # fmt: skip


@contextmanager
def undone() -> Iterator[None]:
    """Nothing that happens within is kept."""
    with transaction.atomic(using="source"):
        yield
        transaction.set_rollback(True, using="source")


def sent(batch: list[Any], *, lines: bool = False) -> Answer:
    if lines:
        body = split("\n".join(map(json.dumps, batch)).encode(), "application/x-ndjson")
    else:
        body = split(json.dumps(batch).encode(), "application/json")
    return store(KINDS["script-results"], body, may_write=lambda *_: True)


def answered(kind: str, text: bytes) -> Answer | HTTPStatus:
    """The verdicts about a body, or the status where it was refused as such."""
    try:
        return store(KINDS[kind], split(text, ""), may_write=lambda *_: True)
    except Problem as problem:
        return problem.status


def pool() -> st.SearchStrategy[list[tuple[dict[str, Any], bool]]]:
    """Rows with ids of their own, and whether each is valid."""
    spoil = st.none() | st.sampled_from(SPOILED)
    return st.lists(st.tuples(st.uuids(), spoil), min_size=1, max_size=12, unique_by=lambda one: one[0]).map(
        lambda chosen: [(rows.script(id=str(key)) | (wrong or {}), wrong is None) for key, wrong in chosen]
    )


@quick
@given(chosen=pool(), data=st.data())
def test_any_batches_in_any_order_and_number_store_each_valid_row_once(
    team_a: Team, chosen: list[tuple[dict[str, Any], bool]], data: st.DataObject
) -> None:
    numbers = st.lists(st.integers(0, len(chosen) - 1), min_size=1, max_size=20)
    batches = data.draw(st.lists(numbers, min_size=1, max_size=4))
    with undone():
        seen: set[int] = set()
        for batch in batches:
            answer = sent([chosen[number][0] for number in batch], lines=data.draw(st.booleans()))
            assert [verdict.row for verdict in answer.verdicts] == list(range(len(batch)))
            for number, verdict in zip(batch, answer.verdicts, strict=True):
                expected = "already there" if number in seen else "stored"
                assert verdict.status == (expected if chosen[number][1] else "refused")
                seen.add(number)
        there = sorted(str(key) for key in ScriptResult.objects.values_list("pk", flat=True))
        assert there == sorted(chosen[number][0]["id"] for number in seen if chosen[number][1])


ANYTHING = st.recursive(
    # Larger fractions come back rounded: jsonb keeps decimals, not binary fractions.
    st.none() | st.booleans() | st.integers() | st.floats(-1e6, 1e6) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@quick
@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_any_json_gets_a_verdict(team_a: Team, kind: str, data: st.DataObject) -> None:
    """Real field names with values of any kind: never an error that is not told."""
    names = [field.column for field in KINDS[kind].model._meta.local_concrete_fields]
    batch = data.draw(
        st.lists(st.dictionaries(st.sampled_from(names) | st.text(max_size=8), ANYTHING, max_size=6), max_size=5)
    )
    with undone():
        answer = answered(kind, json.dumps(batch).encode())
        if not isinstance(answer, Answer):
            assert (answer, batch) == (HTTPStatus.BAD_REQUEST, [])
            return
        assert len(answer.verdicts) == len(batch)
        assert all(verdict.problem and verdict.fix for verdict in answer.verdicts if verdict.status == "refused")


@quick
@given(text=st.binary(max_size=200) | ANYTHING.map(lambda value: json.dumps([value]).encode()))
def test_any_bytes_get_an_answer(team_a: Team, text: bytes) -> None:
    with undone():
        answer = answered("alerts", text)
        if isinstance(answer, Answer):
            assert {verdict.status for verdict in answer.verdicts} == {"refused"}
        else:
            assert 400 <= answer < 500


@quick
@given(metadata=ANYTHING)
def test_json_comes_back_as_it_was_sent(team_a: Team, metadata: Any) -> None:
    with undone():
        answer = sent([rows.script(metadata=metadata, team_id=str(TEAM_A))])
        if "\\u0000" in json.dumps(metadata):
            assert answer.verdicts[0].status == "refused"
            return
        try:
            json.dumps(metadata).encode().decode("utf-8")
            json.dumps(metadata, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            assert answer.verdicts[0].status == "refused"
            return
        if answer.verdicts[0].status == "stored":
            assert ScriptResult.objects.values_list("metadata", flat=True).get() == metadata
        else:
            assert answer.verdicts[0].field == "metadata"
