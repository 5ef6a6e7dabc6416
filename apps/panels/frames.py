"""Data frames: what a query's rows become, as Grafana's PostgreSQL data source makes them.

A frame is a list of typed columns of equal length. Every later stage (transformations, field configuration, drawing,
the data endpoint) works on frames alone.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

FieldType = Literal["time", "number", "string", "boolean", "other"]
Format = Literal["table", "time_series"]
FillMode = Literal["null", "previous", "value"]

DEFAULT_FRAME_TYPES: Mapping[FieldType, str] = {
    "time": "time.Time",
    "number": "float64",
    "string": "string",
    "boolean": "bool",
    "other": "json.RawMessage",
}

# Object identifiers of PostgreSQL's built-in types (pg_type.dat); they never change.
OID_BOOL = 16
OID_CHAR = 18
OID_INT8 = 20
OID_INT2 = 21
OID_INT4 = 23
OID_TEXT = 25
OID_JSON = 114
OID_FLOAT4 = 700
OID_FLOAT8 = 701
OID_UNKNOWN = 705
OID_BPCHAR = 1042
OID_VARCHAR = 1043
OID_DATE = 1082
OID_TIMESTAMP = 1114
OID_TIMESTAMPTZ = 1184
OID_NUMERIC = 1700
OID_JSONB = 3802

_TYPES: Mapping[int, tuple[FieldType, str]] = {
    OID_BOOL: ("boolean", "bool"),
    OID_INT2: ("number", "int16"),
    OID_INT4: ("number", "int32"),
    OID_INT8: ("number", "int64"),
    OID_FLOAT4: ("number", "float64"),
    OID_FLOAT8: ("number", "float64"),
    OID_NUMERIC: ("number", "float64"),
    OID_DATE: ("time", "time.Time"),
    OID_TIMESTAMP: ("time", "time.Time"),
    OID_TIMESTAMPTZ: ("time", "time.Time"),
    OID_JSON: ("other", "json.RawMessage"),
    OID_JSONB: ("other", "json.RawMessage"),
}

MAX_FILL_CELLS = 1_000_000
"""More cells than this are not filled; the frame carries a notice instead (Grafana: its row limit)."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY = _EPOCH.date()
_MS_PER_DAY = 86_400_000


class FrameError(Exception):
    """The rows cannot become the frame that the panel asks for; the text is for the panel's viewer."""


@dataclass(frozen=True)
class Column:
    """A column of a result: its name and the OID of its PostgreSQL type."""

    name: str
    type_oid: int


@dataclass(frozen=True)
class Fill:
    """How `$__timeGroup(…, fill)` closes gaps: rows every `interval_ms` from `start_ms` (rounded down) to `end_ms`."""

    mode: FillMode
    interval_ms: float
    start_ms: float
    end_ms: float
    value: float | None = None


@dataclass(frozen=True)
class Field:
    """A typed column: every value is of its type, or None when it is missing; `other` is anything that JSON holds.

    Times are epoch milliseconds (int, or float when finer).

    `display_name`, `series_index` and `span` (the smallest and the largest number that gauges and gradients go by) are
    set with the field configuration.
    """

    name: str
    type: FieldType
    values: list[Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    frame_type: str = ""
    display_name: str = ""
    series_index: int = 0
    span: tuple[float, float] | None = None

    @property
    def go_type(self) -> str:
        """Grafana's `typeInfo.frame`."""
        return self.frame_type or DEFAULT_FRAME_TYPES[self.type]

    def with_values(self, values: list[Any]) -> Field:
        return replace(self, values=values)

    def renamed(self, name: str) -> Field:
        return replace(self, name=name)


@dataclass(frozen=True)
class Frame:
    """Columns of equal length, and where they come from."""

    fields: tuple[Field, ...] = ()
    ref_id: str = ""
    name: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Number of rows."""
        return len(self.fields[0].values) if self.fields else 0

    def with_fields(self, fields: Iterable[Field]) -> Frame:
        return replace(self, fields=tuple(fields))

    def take(self, rows: Sequence[int]) -> Frame:
        """The same columns with the given rows, in the given order."""
        return self.with_fields(f.with_values([f.values[row] for row in rows]) for f in self.fields)

    def first_of_type(self, *types: FieldType) -> int | None:
        """The index of the first field of one of the types."""
        return next((index for index, f in enumerate(self.fields) if f.type in types), None)


def from_rows(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    *,
    format: Format = "table",
    fill: Fill | None = None,
    ref_id: str = "A",
) -> Frame:
    """The frame of a result.

    Types as Grafana's PostgreSQL data source maps them; a numeric column called `time` (or, in a table, `timeend` in
    any case) becomes a time. `format="time_series"` needs a column `time`, turns values into floats and string columns
    into labels (long to wide). `fill` only matters for time series.

    Raises FrameError when a time series has no time column, or is long and not ascending in time.
    """
    series = format == "time_series"
    values = _columns_of(rows, len(columns))
    fields = tuple(_field(column, data) for column, data in zip(columns, values, strict=True))
    for index, column in enumerate(columns):
        if column.name == "time" or (not series and column.name.casefold() == "timeend"):
            fields = _replace_at(fields, index, _as_time(fields[index]))
    frame = Frame(fields=fields, ref_id=ref_id)
    return _to_series(frame, fill) if series else frame


def to_json(frame: Frame) -> dict[str, Any]:
    """The frame as Grafana's query API sends it: schema, values column by column, nanoseconds and entities apart."""
    schema: dict[str, Any] = {"name": frame.name, "refId": frame.ref_id}
    if frame.meta:
        schema["meta"] = dict(frame.meta)
    schema["fields"] = [_field_schema(f) for f in frame.fields]
    values: list[list[Any]] = []
    nanos: list[list[int] | None] = []
    entities: list[dict[str, list[int]] | None] = []
    for f in frame.fields:
        column, rest, special = _field_data(f)
        values.append(column)
        nanos.append(rest)
        entities.append(special)
    data: dict[str, Any] = {"values": values}
    if any(nanos):
        data["nanos"] = nanos
    if any(entities):
        data["entities"] = entities
    return {"schema": schema, "data": data}


def epoch_ms(value: object) -> int | float | None:
    """Epoch milliseconds of a date or a time; a time without a zone is UTC, as the connection's time zone is."""
    if isinstance(value, dt.datetime):
        delta = (value if value.tzinfo else value.replace(tzinfo=dt.UTC)) - _EPOCH
        micros = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
        return micros // 1000 if micros % 1000 == 0 else micros / 1000
    if isinstance(value, dt.date):
        return (value - _EPOCH_DAY).days * _MS_PER_DAY
    return None


def _columns_of(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _field(column: Column, values: list[Any]) -> Field:
    kind, frame_type = _TYPES.get(column.type_oid, ("string", "string"))
    convert = _CONVERTERS.get(column.type_oid, _texts)
    return Field(name=column.name, type=kind, values=convert(values), frame_type=frame_type)


def _unchanged(values: list[Any]) -> list[Any]:
    return values


def _floats(values: list[Any]) -> list[Any]:
    return [None if value is None else float(value) for value in values]


def _times(values: list[Any]) -> list[Any]:
    return [epoch_ms(value) for value in values]


def _texts(values: list[Any]) -> list[Any]:
    return [value if value is None or type(value) is str else _text(value) for value in values]


_CONVERTERS: Mapping[int, Callable[[list[Any]], list[Any]]] = {
    OID_BOOL: _unchanged,
    OID_INT2: _unchanged,
    OID_INT4: _unchanged,
    OID_INT8: _unchanged,
    OID_FLOAT4: _floats,
    OID_FLOAT8: _floats,
    OID_NUMERIC: _floats,
    OID_DATE: _times,
    OID_TIMESTAMP: _times,
    OID_TIMESTAMPTZ: _times,
    OID_JSON: _unchanged,
    OID_JSONB: _unchanged,
}


def _text(value: object) -> str:
    """What PostgreSQL itself would print for a value that the driver has turned into an object."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, dt.timedelta):
        return _interval_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return "\\x" + raw.hex()
    if isinstance(value, list):
        return "{" + ",".join(_array_item(item) for item in value) + "}"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _interval_text(value: dt.timedelta) -> str:
    # PostgreSQL's intervalstyle "postgres": days keep their own sign, the time of day has one sign for all its parts.
    days, micros = divmod(abs(value) // dt.timedelta(microseconds=1), 86_400_000_000)
    seconds, micros = divmod(micros, 1_000_000)
    sign = "-" if value < dt.timedelta(0) else ""
    parts = []
    if days:
        parts.append(f"{sign}{days} {'day' if days == 1 and not sign else 'days'}")
    if seconds or micros or not days:
        clock = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        parts.append(clock + (f".{micros:06d}".rstrip("0") if micros else ""))
    return " ".join(parts)


def _array_item(item: object) -> str:
    if item is None:
        return "NULL"
    text = _text(item)
    if isinstance(item, list):
        return text
    if not text or text.upper() == "NULL" or any(char in '{}",\\' or char.isspace() for char in text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text


def _as_time(origin: Field) -> Field:
    if origin.type != "number":
        return origin
    values = [None if value is None else _scaled_epoch(value) for value in origin.values]
    return replace(origin, type="time", values=values, frame_type="time.Time")


def _scaled_epoch(value: float) -> float | None:
    """Seconds, milliseconds or nanoseconds, told apart by the number's magnitude (Grafana: `epochPrecisionToMS`)."""
    if not math.isfinite(value):
        return None
    if 1e9 <= abs(value) < 1e10:
        value = value * 1000
    elif 1e18 <= abs(value) < 1e19:
        value = value / 1e6
    return int(value)


def _replace_at(fields: tuple[Field, ...], index: int, new: Field) -> tuple[Field, ...]:
    return (*fields[:index], new, *fields[index + 1 :])


def _to_series(frame: Frame, fill: Fill | None) -> Frame:
    time = next((index for index, f in enumerate(frame.fields) if f.name == "time" and f.type == "time"), None)
    if time is None:
        if frame.length == 0:
            return frame
        raise FrameError(
            'A time series needs a column named "time" that holds times. Name it so, or set the format to table.'
        )
    fields = [
        f.renamed("Time") if index == time else _as_value(f, is_metric=f.name == "metric")
        for index, f in enumerate(frame.fields)
    ]
    factors = [index for index, f in enumerate(fields) if f.type in ("string", "boolean")]
    measures = [index for index, f in enumerate(fields) if index != time and index not in factors]
    frame = replace(frame, fields=tuple(fields), meta={**frame.meta, "type": "timeseries-wide", "typeVersion": [0, 1]})
    if frame.length == 0 or (factors and not measures):
        return frame
    if factors:
        frame = _long_to_wide(frame, time, factors, measures, fill)
    return _resample(frame, fill) if fill else frame


def _as_value(f: Field, *, is_metric: bool) -> Field:
    if f.type == "string" or (is_metric and f.type == "boolean"):
        return f
    if f.type == "other":
        return replace(f, values=[None] * len(f.values), type="number", frame_type="float64")
    return replace(f, values=_floats(f.values), type="number", frame_type="float64")


def _long_to_wide(frame: Frame, time: int, factors: list[int], measures: list[int], fill: Fill | None) -> Frame:
    """One column for each value and each set of labels, one row for each time.

    Columns are sorted by name, then by label values in the order of the query's columns.
    """
    columns = frame.fields
    rows_of = _wide_rows(columns[time].values)
    keys = list(zip(*(_labels_of(columns[index]) for index in factors), strict=True))
    height = rows_of[-1] + 1
    times: list[Any] = [None] * height
    for row, value in zip(rows_of, columns[time].values, strict=True):
        times[row] = value
    names = [columns[index].name for index in factors]
    short = len(columns) == 3 and names == ["metric"]
    wide: list[tuple[str, tuple[str, ...], Field]] = []
    for index in measures:
        source = columns[index]
        series: dict[tuple[str, ...], dict[int, Any]] = {}
        for key, row, value in zip(keys, rows_of, source.values, strict=True):
            series.setdefault(key, {})[row] = value
        for key, cells in series.items():
            values = _filled(cells, height, fill)
            # Grafana before 8 named a series by its "metric" column; it still does so for three columns.
            named = Field(
                key[0] if short else source.name, "number", values, {} if short else dict(zip(names, key, strict=True))
            )
            wide.append((source.name, key, named))
    wide.sort(key=lambda item: (item[0], item[1]))
    return frame.with_fields([replace(columns[time], values=times), *(item[2] for item in wide)])


def _wide_rows(times: list[Any]) -> list[int]:
    rows = []
    row, last = -1, None
    for value in times:
        if value is None:
            raise FrameError("A time series with a text column may not have empty times: leave such rows out.")
        if last is None or value > last:
            row, last = row + 1, value
        elif value < last:
            raise FrameError(
                "A time series with a text column must be sorted by time, oldest first: add ORDER BY to the query."
            )
        rows.append(row)
    return rows


def _labels_of(f: Field) -> list[str]:
    if f.type == "boolean":
        return ["" if value is None else str(value).lower() for value in f.values]
    return ["" if value is None else value for value in f.values]


def _filled(cells: Mapping[int, Any], height: int, fill: Fill | None) -> list[Any]:
    if fill is None or fill.mode == "null":
        return [cells.get(row) for row in range(height)]
    if fill.mode == "value":
        return [cells.get(row, fill.value) for row in range(height)]
    values: list[Any] = []
    for row in range(height):
        values.append(cells[row] if row in cells else (values[-1] if values else None))
    return values


def _resample(frame: Frame, fill: Fill) -> Frame:
    """A row for every step of the range: the last row in the step that ends there, or the fill."""
    time = cast(int, frame.first_of_type("time"))
    step = fill.interval_ms
    start = math.floor(fill.start_ms / step) * step
    count = max(0, math.floor((fill.end_ms - start) / step) + 1)
    if count * len(frame.fields) > MAX_FILL_CELLS:
        return with_notice(frame, "The gaps are not filled: the range has too many intervals.", severity="warning")
    known = sorted(
        (value, row)
        for row, value in enumerate(frame.fields[time].values)
        if value is not None and value > start - step
    )
    times = [_whole(start + number * step) for number in range(count)]
    picks: list[int | None] = []
    position = 0
    for moment in times:
        pick = None
        while position < len(known) and known[position][0] <= moment:
            pick = known[position][1]
            position += 1
        picks.append(pick)
    return frame.with_fields(
        f.with_values(times) if index == time else f.with_values(_picked(f.values, picks, fill))
        for index, f in enumerate(frame.fields)
    )


def _whole(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _picked(values: list[Any], picks: list[int | None], fill: Fill) -> list[Any]:
    result: list[Any] = []
    for pick in picks:
        if pick is not None:
            result.append(values[pick])
        elif fill.mode == "previous":
            result.append(result[-1] if result else None)
        else:
            result.append(fill.value if fill.mode == "value" else None)
    return result


def with_notice(frame: Frame, text: str, *, severity: Literal["info", "warning", "error"] = "info") -> Frame:
    """The frame with one more notice for its viewer in `meta.notices`."""
    notices = [*frame.meta.get("notices", ()), {"severity": severity, "text": text}]
    return replace(frame, meta={**frame.meta, "notices": notices})


def _field_schema(f: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "name": f.name,
        "type": f.type,
        "typeInfo": {"frame": f.go_type, "nullable": True},
    }
    if f.labels:
        schema["labels"] = dict(f.labels)
    if f.config:
        schema["config"] = dict(f.config)
    return schema


def _field_data(f: Field) -> tuple[list[Any], list[int] | None, dict[str, list[int]] | None]:
    if f.type == "time":
        whole = [None if value is None or not math.isfinite(value) else math.floor(value) for value in f.values]
        nanos = [
            0 if low is None else round((value - low) * 1000) * 1000 for value, low in zip(f.values, whole, strict=True)
        ]
        return whole, nanos if any(nanos) else None, None
    if f.type == "number":
        special: dict[str, list[int]] = {}
        values: list[Any] = []
        for row, value in enumerate(f.values):
            if isinstance(value, float) and not math.isfinite(value):
                special.setdefault("NaN" if math.isnan(value) else "Inf" if value > 0 else "NegInf", []).append(row)
                values.append(None)
            else:
                values.append(value)
        return values, None, special or None
    return f.values, None, None
