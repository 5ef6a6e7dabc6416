"""Pages by cursor: each row exactly once, there and back, whatever ties and NULLs the key holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.mirror.keyset import BadCursorError, slice_of
from apps.mirror.models import Device, Team
from tests.people import TEAM_A

pytestmark = pytest.mark.django_db(databases=["default", "source"])
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = ("updated_at", "pk")

moments = st.lists(st.one_of(st.none(), st.integers(min_value=0, max_value=3)), max_size=14)


def fill(offsets: Sequence[int | None]) -> None:
    """Devices whose time of change is NULL or one of few moments, so that many tie."""
    Device.objects.all().delete()
    Device.objects.bulk_create(
        Device(
            team_id=TEAM_A,
            name=f"device {number}",
            updated_at=None if offset is None else NOON + timedelta(microseconds=offset),
        )
        for number, offset in enumerate(offsets)
    )


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offsets=moments, size=st.integers(min_value=1, max_value=5))
def test_a_walk_there_and_back_sees_each_row_once_and_in_order(
    team_a: Team, offsets: list[int | None], size: int
) -> None:
    fill(offsets)
    rows = Device.objects.all()
    expected = list(rows.order_by("-updated_at", "-pk"))
    there: list[Device] = []
    pages: list[list[Device]] = []
    cursor = ""
    while True:
        page = slice_of(rows, KEY, size, cursor)
        there += page.rows
        pages.append(list(page.rows))
        if not page.older:
            break
        cursor = page.older
    assert there == expected

    # Back from the last page: the pages before it, each in the list's own order.
    back = []
    while page.newer:
        page = slice_of(rows, KEY, size, page.newer)
        back.append(list(page.rows))
    assert [row for found in reversed(back) for row in found] + pages[-1] == expected


def test_the_first_page_has_nothing_newer_and_the_last_nothing_older(team_a: Team) -> None:
    fill([0, 1, 2])
    first = slice_of(Device.objects.all(), KEY, 2)
    assert first.newer == ""
    last = slice_of(Device.objects.all(), KEY, 2, first.older)
    assert (len(last.rows), last.older) == (1, "")


def test_a_row_that_arrives_meanwhile_neither_repeats_nor_hides_another(team_a: Team) -> None:
    fill([0, 1, 2, 3])
    first = slice_of(Device.objects.all(), KEY, 2)
    Device.objects.create(team_id=TEAM_A, name="newcomer", updated_at=NOON + timedelta(hours=1))
    second = slice_of(Device.objects.all(), KEY, 2, first.older)
    assert [row.name for row in (*first.rows, *second.rows)] == ["device 3", "device 2", "device 1", "device 0"]


@pytest.mark.parametrize(
    "plain",
    [
        "{}",
        "[]",
        '["sideways", "updated_at,pk", "2026-03-01T12:00:00+00:00", "x"]',
        '["older", "updated_at,pk", "2026-03-01T12:00:00+00:00"]',
        '["older", "created_at,pk", "2026-03-01T12:00:00+00:00", "00000000-0000-0000-0000-000000000001"]',
        '["older", "updated_at,pk", "yesterday", "00000000-0000-0000-0000-000000000001"]',
        '["older", "updated_at,pk", "2026-03-01T12:00:00+00:00", "1; DROP TABLE device"]',
        '["older", "updated_at,pk", {"a": 1}, [2]]',
    ],
)
def test_a_cursor_that_does_not_fit_is_refused_before_the_database_sees_it(plain: str) -> None:
    cursor = base64.urlsafe_b64encode(plain.encode()).decode()
    with pytest.raises(BadCursorError):
        slice_of(Device.objects.all(), KEY, 2, cursor)


@pytest.mark.parametrize(
    "cursor", ["%", "é", "a", base64.urlsafe_b64encode(b"\xff\xfe").decode(), json.dumps(["older"])]
)
def test_what_is_no_cursor_at_all_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursorError):
        slice_of(Device.objects.all(), KEY, 2, cursor)
