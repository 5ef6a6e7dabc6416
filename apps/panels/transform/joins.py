"""Several frames into one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from apps.panels.fields.names import VALUE_NAME, display_name
from apps.panels.frames import Field, Frame
from apps.panels.transform.base import Frames, Options, common_type, find_field, row_key
from apps.panels.transform.rows import sort_key


def join_by_field(options: Options, frames: Frames) -> Frames:
    """One frame with a column of keys and the other columns of all frames beside it.

    `outer` has every key once, sorted; `inner` the keys that all frames have; `outerTabular` every pair of rows with
    equal keys, as SQL's full join. Frames without the column are left out. Without a name the time column joins.
    """
    if len(frames) < 2:
        return frames
    name = str(options.get("byField") or "")
    mode = str(options.get("mode") or "outer")
    keyed = [(frame, key) for frame in frames if (key := _key_field(frame, name, frames)) is not None]
    if not keyed:
        return frames
    if mode == "inner":
        return [_tabular(keyed, outer=False)]
    return [_tabular(keyed, outer=True) if mode == "outerTabular" else outer_join(keyed)]


def outer_join(keyed: Sequence[tuple[Frame, Field]]) -> Frame:
    """Every key once, ascending; of rows with the same key in one frame the last one counts."""
    known = {row_key(value): value for _, key in keyed for value in key.values if value is not None}
    order = sorted(known.values(), key=sort_key)
    place = {row_key(value): row for row, value in enumerate(order)}
    columns = [_keys(keyed, order)]
    for frame, key in keyed:
        rows: list[int | None] = [None] * len(order)
        for row, value in enumerate(key.values):
            if value is not None:
                rows[place[row_key(value)]] = row
        columns += [
            field.with_values([None if row is None else field.values[row] for row in rows])
            for field in _with_frame_label(frame, key, several=len(keyed) > 1)
        ]
    return _joined(keyed, columns)


def merge(options: Options, frames: Frames) -> Frames:
    """One table with all columns, by their names in the data; labels and names on the screen go.

    A row whose values do not contradict rows with equal values in the columns that all frames have becomes one with
    each of them. Frames with nothing in common stay apart.
    """
    filled = [frame for frame in frames if frame.fields]
    if len(filled) < 2:
        return filled
    named = [{field.name: field for field in frame.fields} for frame in filled]
    names = list(dict.fromkeys(name for fields in named for name in fields))
    keys = [name for name in names if all(name in fields for fields in named)]
    if not keys:
        return frames
    rows: list[dict[str, Any]] = []
    by_key: dict[Any, list[dict[str, Any]]] = {}
    for frame, fields in zip(filled, named, strict=True):
        for number in range(frame.length):
            row = {name: field.values[number] for name, field in fields.items()}
            same = by_key.setdefault(tuple(row_key(row[name]) for name in keys), [])
            partners = [other for other in same if _agree(other, row)]
            for partner in partners:
                partner.update(row)
            if not partners:
                rows.append(row)
                same.append(row)
    columns = []
    for name in names:
        parts = [fields[name] for fields in named if name in fields]
        config = {key: value for key, value in parts[0].config.items() if key != "displayName"}
        column = parts[0].with_values([row.get(name) for row in rows])
        columns.append(_retyped(replace(column, labels={}, config=config), parts))
    return [Frame(tuple(columns), ref_id=filled[0].ref_id)]


def concatenate(options: Options, frames: Frames) -> Frames:
    """All columns side by side, shorter ones filled with nothing."""
    if len(frames) < 2:
        return frames
    height = max(frame.length for frame in frames)
    mode, label = options.get("frameNameMode", "field"), str(options.get("frameNameLabel") or "frame")
    columns = []
    for frame in frames:
        for field in frame.fields:
            if frame.name and mode == "field":
                bare = field.name in ("", VALUE_NAME)
                field = field.renamed(frame.name if bare else f"{frame.name} · {field.name}")
            elif frame.name and mode == "label":
                field = replace(field, labels={**field.labels, label: frame.name})
            columns.append(field.with_values(field.values + [None] * (height - len(field.values))))
    return [Frame(tuple(columns), ref_id=frames[0].ref_id)]


def series_to_rows(options: Options, frames: Frames) -> Frames:
    """All series as rows of time, name and value, newest first. One frame alone stays as it is, as in Grafana."""
    if len(frames) < 2:
        return frames
    rows: list[tuple[Any, str, Any]] = []
    values: list[Field] = []
    time: Field | None = None
    for frame in frames:
        index = frame.first_of_type("time")
        if index is None:
            return frames
        key = frame.fields[index]
        time = time or key
        for field in frame.fields:
            if field is not key:
                values.append(field)
                name = display_name(field, frame, frames)
                rows += [(moment, name, value) for moment, value in zip(key.values, field.values, strict=True)]
    if time is None or not values:
        return frames
    rows.sort(key=lambda row: float("-inf") if row[0] is None else row[0], reverse=True)
    config = {key: value for key, value in values[0].config.items() if not key.startswith("displayName")}
    columns = (
        replace(time, name="Time", values=[row[0] for row in rows]),
        Field("Metric", "string", [row[1] for row in rows]),
        Field("Value", common_type(values), [row[2] for row in rows], config=config),
    )
    return [Frame(columns, ref_id=frames[0].ref_id)]


def _key_field(frame: Frame, name: str, frames: Frames) -> Field | None:
    if name:
        return find_field(frame, name, frames)
    index = frame.first_of_type("time")
    return None if index is None else frame.fields[index]


def _keys(keyed: Sequence[tuple[Frame, Field]], values: list[Any]) -> Field:
    fields = [key for _, key in keyed]
    return _retyped(fields[0].with_values(values), fields)


def _retyped(field: Field, parts: Sequence[Field]) -> Field:
    kind = common_type(parts)
    return field if kind == field.type else replace(field, type=kind, frame_type="")


def _with_frame_label(frame: Frame, key: Field, *, several: bool) -> list[Field]:
    others = [field for field in frame.fields if field is not key]
    if not (several and frame.name):
        return others
    return [
        replace(
            field,
            name=frame.name if field.name == VALUE_NAME else field.name,
            labels={**field.labels, "name": frame.name},
        )
        for field in others
    ]


def _tabular(keyed: Sequence[tuple[Frame, Field]], *, outer: bool) -> Frame:
    places = []
    for _, key in keyed:
        rows: dict[Any, list[int]] = {}
        for row, value in enumerate(key.values):
            rows.setdefault(row_key(value), []).append(row)
        places.append(rows)
    values = {row_key(value): value for _, key in keyed for value in key.values}
    keys: list[Any] = []
    picks: list[tuple[int | None, ...]] = []
    for name, value in values.items():
        if outer or all(name in rows for rows in places):
            found: list[list[int | None]] = [[*rows.get(name, [])] or [None] for rows in places]
            for pick in itertools.product(*found):
                keys.append(value)
                picks.append(pick)
    columns = [_keys(keyed, keys)]
    for number, (frame, key) in enumerate(keyed):
        for field in _with_frame_label(frame, key, several=len(keyed) > 1):
            places_of = [pick[number] for pick in picks]
            columns.append(field.with_values([None if place is None else field.values[place] for place in places_of]))
    return _joined(keyed, columns)


def _joined(keyed: Sequence[tuple[Frame, Field]], columns: Sequence[Field]) -> Frame:
    return Frame(tuple(columns), ref_id="-".join(dict.fromkeys(frame.ref_id for frame, _ in keyed if frame.ref_id)))


def _agree(known: dict[str, Any], row: dict[str, Any]) -> bool:
    """Does the row say nothing else than what is known, where something is known?"""
    return all(known.get(name) is None or row_key(known[name]) == row_key(value) for name, value in row.items())
