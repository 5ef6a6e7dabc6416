"""Rows as frames, by the cases of Grafana's own PostgreSQL data source, and frames as JSON."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from apps.panels import frames
from apps.panels.frames import Column, Field, Fill, Frame, FrameError, from_rows, to_json

TIME = Column("time", frames.OID_TIMESTAMPTZ)
VALUE = Column("value", frames.OID_FLOAT8)
TEXT = Column("metric", frames.OID_TEXT)
T0 = dt.datetime(2018, 4, 12, 18, tzinfo=dt.UTC)
MS0 = 1_523_556_000_000


def at(minutes: float) -> dt.datetime:
    return T0 + dt.timedelta(minutes=minutes)


def shape(frame: Frame) -> list[tuple[str, dict[str, str], list[Any]]]:
    return [(field.name, dict(field.labels), field.values) for field in frame.fields]


# Types


@pytest.mark.parametrize(
    ("oid", "value", "kind", "go_type", "expected"),
    [
        (frames.OID_INT2, 1, "number", "int16", 1),
        (frames.OID_INT4, 1, "number", "int32", 1),
        (frames.OID_INT8, 2**60, "number", "int64", 2**60),
        (frames.OID_FLOAT4, 1.5, "number", "float64", 1.5),
        (frames.OID_FLOAT8, 1.5, "number", "float64", 1.5),
        (frames.OID_NUMERIC, Decimal("1.25"), "number", "float64", 1.25),
        (frames.OID_NUMERIC, Decimal("NaN"), "number", "float64", math.nan),
        (frames.OID_BOOL, True, "boolean", "bool", True),
        (frames.OID_TIMESTAMPTZ, T0, "time", "time.Time", MS0),
        (frames.OID_TIMESTAMP, T0.replace(tzinfo=None), "time", "time.Time", MS0),
        (frames.OID_DATE, dt.date(1970, 1, 2), "time", "time.Time", 86_400_000),
        (frames.OID_JSONB, {"a": [1]}, "other", "json.RawMessage", {"a": [1]}),
        (frames.OID_TEXT, "x", "string", "string", "x"),
        (1083, dt.time(12, 30), "string", "string", "12:30:00"),
        (1186, dt.timedelta(days=1, hours=2, seconds=3), "string", "string", "1 day 02:00:03"),
        (1186, dt.timedelta(0), "string", "string", "00:00:00"),
        (1186, -dt.timedelta(hours=1, microseconds=500), "string", "string", "-01:00:00.0005"),
        (17, memoryview(b"\xff\x00"), "string", "string", "\\xff00"),
        (17, b"abc", "string", "string", "abc"),
        (2950, UUID(int=1), "string", "string", "00000000-0000-0000-0000-000000000001"),
        (1009, ["a", 'b "c"', None, "null", ["d"]], "string", "string", '{a,"b \\"c\\"",NULL,"null",{d}}'),
        (999_999, "up", "string", "string", "up"),
    ],
)
def test_types(oid: int, value: Any, kind: str, go_type: str, expected: Any) -> None:
    (field,) = from_rows([Column("x", oid)], [(value,), (None,)]).fields
    assert (field.type, field.go_type) == (kind, go_type)
    assert field.values == pytest.approx([expected, None], nan_ok=True) if kind == "number" else [expected, None]
    assert field.values[1] is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_523_556_000, MS0),
        (1_523_556_000.5, MS0 + 500),
        (MS0, MS0),
        (1_523_556_000_000_000_000, MS0),
        (900_000_000, 900_000_000),
        (None, None),
        (math.nan, None),
    ],
)
@pytest.mark.parametrize("name", ["time", "timeend", "timeEnd"])
def test_numbers_as_times(name: str, value: float | None, expected: float | None) -> None:
    (field,) = from_rows([Column(name, frames.OID_FLOAT8)], [(value,)]).fields
    assert (field.type, field.values) == ("time", [expected])


def test_other_names_stay_numbers_and_texts_stay_texts() -> None:
    columns = [Column("Time", frames.OID_INT8), Column("time", frames.OID_TEXT)]
    assert [field.type for field in from_rows(columns, [(1_523_556_000, "noon")]).fields] == ["number", "string"]


def test_finer_times_keep_their_microseconds() -> None:
    (field,) = from_rows([TIME], [(T0.replace(microsecond=123_456),)]).fields
    assert field.values == [MS0 + 123.456]


def test_no_rows_keep_their_columns() -> None:
    frame = from_rows([TIME, VALUE], [])
    assert [(field.name, field.values) for field in frame.fields] == [("time", []), ("value", [])]
    assert frame.length == 0


# Time series


def series(
    *rows: tuple[Any, ...], columns: tuple[Column, ...] = (TIME, TEXT, VALUE), fill: Fill | None = None
) -> Frame:
    return from_rows(columns, rows, format="time_series", fill=fill)


def test_three_columns_name_series_by_their_metric() -> None:
    frame = series((at(0), "b", 1), (at(0), "a", 2), (at(1), "a", 3))
    assert shape(frame) == [
        ("Time", {}, [MS0, MS0 + 60_000]),
        ("a", {}, [2, 3]),
        ("b", {}, [1, None]),
    ]
    assert frame.meta["type"] == "timeseries-wide"


def test_other_texts_are_labels() -> None:
    columns = (TIME, Column("host", frames.OID_VARCHAR), VALUE)
    assert shape(series((at(0), "b", 1), (at(1), None, 2), columns=columns))[1:] == [
        ("value", {"host": ""}, [None, 2]),
        ("value", {"host": "b"}, [1, None]),
    ]


def test_several_texts_and_values() -> None:
    columns = (TIME, TEXT, Column("host", frames.OID_TEXT), VALUE, Column("ok", frames.OID_BOOL))
    frame = series((at(0), "a", "y", 1, True), (at(0), "a", "x", 2, False), columns=columns)
    assert shape(frame)[1:] == [
        ("ok", {"metric": "a", "host": "x"}, [0]),
        ("ok", {"metric": "a", "host": "y"}, [1]),
        ("value", {"metric": "a", "host": "x"}, [2]),
        ("value", {"metric": "a", "host": "y"}, [1]),
    ]


def test_a_metric_may_be_true_or_false() -> None:
    columns = (TIME, Column("metric", frames.OID_BOOL), VALUE)
    assert [name for name, _, _ in shape(series((at(0), True, 1), (at(0), False, 2), columns=columns))] == [
        *("Time", "false", "true")
    ]


def test_without_texts_columns_are_series() -> None:
    columns = (TIME, VALUE, Column("n", frames.OID_INT8))
    frame = series((at(0), 1.5, 2), (at(1), None, 3), columns=columns)
    assert shape(frame)[1:] == [("value", {}, [1.5, None]), ("n", {}, [2, 3])]
    assert {field.go_type for field in frame.fields[1:]} == {"float64"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(at(1), "a", 1), (at(0), "a", 2)], "ORDER BY"),
        ([(at(0), "a", 1), (None, "a", 2)], "empty times"),
    ],
)
def test_long_series_must_be_in_order(rows: list[tuple[Any, ...]], said: str) -> None:
    with pytest.raises(FrameError, match=said):
        series(*rows)


def test_wide_series_need_no_order() -> None:
    assert shape(series((at(1), 1), (at(0), 2), columns=(TIME, VALUE)))[1] == ("value", {}, [1, 2])


def test_a_time_series_needs_a_time() -> None:
    columns = [Column("when", frames.OID_TIMESTAMPTZ), VALUE]
    with pytest.raises(FrameError, match='column named "time"'):
        from_rows(columns, [(T0, 1)], format="time_series")
    assert from_rows(columns, [], format="time_series").length == 0


START, END = at(15.366), at(45.217)
GROUPS = [(at(20), 15.0), (at(35), 50.0)]
GRID = [MS0 + minutes * 60_000 for minutes in range(15, 50, 5)]


@pytest.mark.parametrize(
    ("mode", "values"),
    [
        ("null", [None, 15, None, None, 50, None, None]),
        ("previous", [None, 15, 15, 15, 50, 50, 50]),
        ("value", [27, 15, 27, 27, 50, 27, 27]),
    ],
)
def test_gaps_are_filled(mode: frames.FillMode, values: list[float | None]) -> None:
    fill = Fill(mode, 300_000, START.timestamp() * 1000, END.timestamp() * 1000, 27)
    frame = series(*GROUPS, columns=(TIME, VALUE), fill=fill)
    assert shape(frame) == [("Time", {}, GRID), ("value", {}, values)]


def test_gaps_between_labelled_series_are_filled_too() -> None:
    fill = Fill("value", 300_000, at(15).timestamp() * 1000, at(25).timestamp() * 1000, 0)
    frame = series((at(15), "a", 1), (at(20), "b", 2), fill=fill)
    assert [values for _, _, values in shape(frame)][1:] == [[1, 0, 0], [0, 2, 0]]


def test_too_many_gaps_stay_and_a_notice_says_so() -> None:
    fill = Fill("null", 1, 0, END.timestamp() * 1000)
    frame = series(*GROUPS, columns=(TIME, VALUE), fill=fill)
    assert frame.length == 2
    assert "not filled" in frame.meta["notices"][0]["text"]


# JSON


def read_back(answer: dict[str, Any]) -> list[tuple[str, str, list[Any]]]:
    """What a client of Grafana's query API makes of a frame."""
    data = answer["data"]
    columns = []
    for number, schema in enumerate(answer["schema"]["fields"]):
        values = list(data["values"][number])
        for row, nanos in enumerate((data.get("nanos") or [None] * 99)[number] or ()):
            values[row] = None if values[row] is None else values[row] + nanos / 1_000_000
        for name, rows in ((data.get("entities") or [None] * 99)[number] or {}).items():
            for row in rows:
                values[row] = {"NaN": math.nan, "Inf": math.inf, "NegInf": -math.inf}[name]
        columns.append((schema["name"], schema["type"], values))
    return columns


def test_a_frame_survives_its_journey() -> None:
    frame = Frame(
        (
            Field("Time", "time", [MS0 + 0.123, None, MS0]),
            Field("x", "number", [1.5, math.inf, -math.inf]),
            Field("n", "number", [2**53 + 1, None, 0], frame_type="int64"),
            Field("s", "string", ["ä", "", None]),
            Field("b", "boolean", [True, False, None]),
            Field("j", "other", [{"a": 1}, [1], None]),
        ),
        ref_id="B",
    )
    answer = json.loads(json.dumps(to_json(frame), allow_nan=False))
    back = read_back(answer)
    assert [(name, kind) for name, kind, _ in back] == [(field.name, field.type) for field in frame.fields]
    assert back[0][2] == pytest.approx(frame.fields[0].values)
    assert [values for _, _, values in back[1:]] == [field.values for field in frame.fields[1:]]
    assert answer["schema"]["refId"] == "B"


def test_the_parts_of_a_frame_as_json() -> None:
    columns = [TIME, Column("n", frames.OID_INT8), VALUE]
    frame = from_rows(columns, [(T0.replace(microsecond=123_456), 1, math.nan), (T0, 2, 1.5)], ref_id="C")
    answer = to_json(frame)
    assert answer["schema"]["fields"][:2] == [
        {"name": "time", "type": "time", "typeInfo": {"frame": "time.Time", "nullable": True}},
        {"name": "n", "type": "number", "typeInfo": {"frame": "int64", "nullable": True}},
    ]
    assert answer["data"] == {
        "values": [[MS0 + 123, MS0], [1, 2], [None, 1.5]],
        "nanos": [[456_000, 0], None, None],
        "entities": [None, None, {"NaN": [0]}],
    }


def test_labels_configuration_and_meta_travel_along() -> None:
    field = Field("x", "number", [1], {"host": "a"}, {"unit": "s"})
    schema = to_json(Frame((field,), "A", "mine", {"type": "timeseries-wide"}))["schema"]
    assert (schema["name"], schema["meta"]) == ("mine", {"type": "timeseries-wide"})
    assert schema["fields"][0]["labels"] == {"host": "a"}
    assert schema["fields"][0]["config"] == {"unit": "s"}


def test_a_time_without_end_does_not_break_the_answer() -> None:
    assert to_json(Frame((Field("t", "time", [math.inf, 1]),)))["data"] == {"values": [[None, 1]]}
