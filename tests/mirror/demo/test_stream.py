"""Rows survive COPY as they were."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connections

from apps.mirror.demo.stream import copy_rows

pytestmark = pytest.mark.django_db(databases=["source"])

NASTY = ["", "\\N", "a\tb", "two\nlines\r", 'back\\slash and "quotes"', "→ {curly}, comma", "\\."]


def test_every_kind_of_value_arrives_as_it_was() -> None:
    rows = [
        {
            "a": text,
            "b": {"text": text, "list": [1, None, True]},
            "c": (text, "x"),
            "d": None,
            "e": number % 2 == 0,
            "f": number / 3,
            "g": UUID(int=number),
            "h": datetime(2026, 3, 1, number, 30, 0, 123456, tzinfo=UTC),
            "i": (UUID(int=5),),
        }
        for number, text in enumerate(NASTY)
    ]
    with connections["source"].cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE stream_test"
            " (a text, b jsonb, c text[], d int, e bool, f float8, g uuid, h timestamptz, i uuid[])"
        )
        assert copy_rows(cursor, "stream_test", iter(rows)) == len(NASTY)
        cursor.execute("SELECT a, b::text, c, d, e, f, g, h, i::text[] FROM stream_test ORDER BY g")
        found = cursor.fetchall()
        cursor.execute("SELECT count(*) FROM stream_test WHERE b ->> 'text' = a AND c[1] = a")
        assert cursor.fetchone() == (len(NASTY),)
        cursor.execute("DROP TABLE stream_test")
    assert [row[0] for row in found] == NASTY
    assert [(list(row["c"]), *(row[name] for name in "defgh")) for row in rows] == [row[2:8] for row in found]  # type: ignore[arg-type]
    assert found[0][8] == [str(UUID(int=5))]


def test_no_rows_are_no_statement() -> None:
    assert copy_rows(None, "nowhere", []) == 0


def test_a_row_with_other_columns_is_refused() -> None:
    with connections["source"].cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE stream_test (a int)")
        with pytest.raises(Exception, match="first one had 1"):
            copy_rows(cursor, "stream_test", [{"a": 1}, {"a": 2, "b": 3}])
