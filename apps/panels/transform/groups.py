"""Many rows into few: reduce, group, matrix, partition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.panels.fields.javascript import text_of
from apps.panels.fields.matchers import field_matcher
from apps.panels.fields.names import display_name
from apps.panels.fields.reducers import NUMERIC_RESULT, reduce_field, reduce_values, reducer_id, reducer_name
from apps.panels.frames import Field, FieldType, Frame
from apps.panels.transform.base import Frames, Options, TransformError, find_field, mapping, row_key, texts, type_of

_EMPTY: Mapping[str, Any] = {"empty": "", "null": None, "true": True, "false": False, "zero": 0}


def reduce(options: Options, frames: Frames) -> Frames:
    """Each column to one value per calculation: a row for each column, or one row with the same columns."""
    reducers = texts(options.get("reducers")) or ["lastNotNull"]
    by_fields = options.get("mode") == "reduceFields"
    matches = _reduced_fields(options, frames, with_time=by_fields and bool(options.get("includeTimeField")))
    if by_fields:
        return [_one_row(frame, reducers, matches) for frame in frames]
    return _row_for_each_field(frames, reducers, matches, labels_apart=bool(options.get("labelsToFields")))


def group_by(options: Options, frames: Frames) -> Frames:
    """A row for each combination of values of the grouping columns, and calculations over the others.

    Frames without a grouping column are left out, as Grafana does.
    """
    settings = {str(name): mapping(value) for name, value in mapping(options.get("fields")).items()}
    if not any(value.get("operation") == "groupby" for value in settings.values()):
        return frames
    grouped = [_grouped(frame, frames, settings) for frame in frames]
    return [frame for frame in grouped if frame is not None]


def grouping_to_matrix(options: Options, frames: Frames) -> Frames:
    """Rows and columns from the values of two columns, cells from a third.

    A cell without a row is empty, or what `emptyValue` says where it is of the cells' type.
    """
    column_name = str(options.get("columnField") or "Time")
    row_name = str(options.get("rowField") or "Time")
    value_name = str(options.get("valueField") or "Value")
    if len(frames) != 1:
        raise TransformError("A matrix is made of one frame only.")
    frame = frames[0]
    column, row, value = (find_field(frame, name) for name in (column_name, row_name, value_name))
    if column is None or row is None or value is None:
        return frames
    empty = _EMPTY.get(str(options.get("emptyValue") or "empty"))
    if empty is not None and type_of([empty]) != value.type:
        empty = None
    rows = {row_key(item): item for item in row.values}
    columns = {row_key(item): item for item in column.values}
    cells = {(row_key(r), row_key(c)): v for r, c, v in zip(row.values, column.values, value.values, strict=True)}
    first = Field(f"{row_name}\\{column_name}", row.type, list(rows.values()), config=row.config)
    rest = [
        Field(
            text_of(columns[key]),
            value.type,
            [cells.get((other, key), empty) for other in rows],
            config=value.config,
        )
        for key in columns
    ]
    return [frame.with_fields([first, *rest])]


def partition_by_values(options: Options, frames: Frames) -> Frames:
    """A frame for each combination of values of some columns, named after it."""
    names = texts(options.get("fields"))
    if not names:
        return frames
    keep = bool(options.get("keepFields"))
    with_names = bool(mapping(options.get("naming")).get("withNames"))
    result: list[Frame] = []
    for frame in frames:
        found = [find_field(frame, name, frames) for name in names]
        keys = [field for field in found if field is not None]
        if len(keys) < len(names):
            result.append(frame)
            continue
        for rows in _rows_by_key(keys, frame.length).values():
            part = frame.take(rows)
            values = [text_of(field.values[rows[0]]) for field in keys]
            title = " ".join(
                f"{field.name}={value}" if with_names else value for field, value in zip(keys, values, strict=True)
            )
            left = [
                field
                for field, origin in zip(part.fields, frame.fields, strict=True)
                if keep or not any(origin is key for key in keys)
            ]
            result.append(replace(part, fields=tuple(left), name=title))
    return result


def _reduced_fields(options: Options, frames: Frames, *, with_time: bool) -> Callable[[Field, Frame], bool]:
    if isinstance(options.get("fields"), Mapping):
        match = field_matcher(options["fields"])
        return lambda field, frame: match(field, frame, frames)
    return lambda field, frame: with_time or field.type != "time"


def _result_type(reducer: str, field: Field) -> FieldType:
    name = reducer_id(reducer)
    if name in ("allIsZero", "allIsNull"):
        return "boolean"
    if name in ("allValues", "uniqueValues"):
        return "other"
    if name in NUMERIC_RESULT and not (field.type == "time" and name in ("min", "max", "mean", "median")):
        return "number"
    return field.type


def _one_row(frame: Frame, reducers: Sequence[str], matches: Callable[[Field, Frame], bool]) -> Frame:
    fields = []
    for field in frame.fields:
        if not matches(field, frame):
            continue
        values = reduce_field(field, reducers)
        for reducer in reducers:
            labels = {**field.labels, "reducer": reducer_name(reducer)} if len(reducers) > 1 else field.labels
            fields.append(
                replace(
                    field, type=_result_type(reducer, field), values=[values[reducer]], labels=labels, frame_type=""
                )
            )
    return frame.with_fields(fields)


def _row_for_each_field(
    frames: Frames, reducers: Sequence[str], matches: Callable[[Field, Frame], bool], *, labels_apart: bool
) -> Frames:
    picked = [(field, frame) for frame in frames for field in frame.fields if matches(field, frame)]
    if not picked:
        return []
    names = [field.name if labels_apart else display_name(field, frame, frames) for field, frame in picked]
    columns = [Field("Field", "string", names)]
    if labels_apart:
        keys = sorted({key for field, _ in picked for key in field.labels})
        columns += [Field(key, "string", [field.labels.get(key) for field, _ in picked]) for key in keys]
    results = [reduce_field(field, reducers) for field, _ in picked]
    for reducer in reducers:
        types = {_result_type(reducer, field) for field, _ in picked}
        values = [result[reducer] for result in results]
        kind: FieldType = next(iter(types)) if len(types) == 1 else "other"
        columns.append(Field(reducer_name(reducer), kind, values))
    return [Frame(tuple(columns), ref_id=frames[0].ref_id)]


def _rows_by_key(keys: Sequence[Field], length: int) -> dict[Any, list[int]]:
    groups: dict[Any, list[int]] = {}
    for row in range(length):
        groups.setdefault(tuple(row_key(field.values[row]) for field in keys), []).append(row)
    return groups


def _grouped(frame: Frame, frames: Frames, settings: Mapping[str, Mapping[str, Any]]) -> Frame | None:
    named = [(field, display_name(field, frame, frames)) for field in frame.fields]
    keys = [field for field, name in named if _setting(settings, field, name).get("operation") == "groupby"]
    if not keys:
        return None
    groups = _rows_by_key(keys, frame.length)
    columns = [field.with_values([field.values[rows[0]] for rows in groups.values()]) for field in keys]
    for field, name in named:
        setting = _setting(settings, field, name)
        if setting.get("operation") != "aggregate":
            continue
        for reducer in texts(setting.get("aggregations")):
            values = [reduce_values([field.values[row] for row in rows], reducer) for rows in groups.values()]
            kind = _result_type(reducer, field)
            config = {key: value for key, value in field.config.items() if key != "displayName"}
            columns.append(
                Field(f"{name} ({reducer})", type_of(values, kind) if kind == "other" else kind, values, config=config)
            )
    return frame.with_fields(columns)


def _setting(settings: Mapping[str, Mapping[str, Any]], field: Field, name: str) -> Mapping[str, Any]:
    return settings.get(name) or settings.get(field.name) or {}
