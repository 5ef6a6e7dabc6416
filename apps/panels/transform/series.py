"""Time series from one shape into another, and labels as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from apps.panels.fields.javascript import text_of
from apps.panels.fields.names import display_name
from apps.panels.frames import Field, FieldType, Frame
from apps.panels.transform.base import Frames, Options, TransformError, texts
from apps.panels.transform.joins import outer_join


def prepare_time_series(options: Options, frames: Frames) -> Frames:
    """All series as one wide table, as a frame for each (`multi`), or as one table with a row for each value (`long`).

    Frames without a time are left out.
    """
    shape = str(options.get("format") or "wide")
    match shape:
        case "wide":
            keyed = [(frame, frame.fields[i]) for frame in frames if (i := frame.first_of_type("time")) is not None]
            frames = [outer_join(keyed)] if len(keyed) > 1 else [frame for frame, _ in keyed]
            return [_marked(frame, "wide") for frame in frames]
        case "multi" | "many":
            return [single for frame in frames if (rows := _Rows.of(frame)) for single in rows.apart()]
        case "long":
            return [rows.together() for frame in frames if (rows := _Rows.of(frame))]
    raise TransformError(f"The format {shape!r} is not known.")


def labels_to_fields(options: Options, frames: Frames) -> Frames:
    """Labels as columns beside their values, or (`rows`) a frame of labels and values for each series.

    `keepLabels` chooses among the labels; the label `valueLabel` names the column of values.
    """
    keep = texts(options.get("keepLabels"))
    if options.get("mode") == "rows":
        return [_label_rows(field, frame, frames, keep) for frame in frames for field in frame.fields if field.labels]
    named_by = str(options.get("valueLabel") or "")

    def widened(frame: Frame) -> Frame:
        fields: list[Field] = []
        found: dict[tuple[str, str], None] = {}
        for field in frame.fields:
            labels = {key: value for key, value in field.labels.items() if not keep or key in keep}
            name = labels.pop(named_by, field.name)
            found.update(dict.fromkeys(labels.items()))
            fields.append(replace(field, name=name, labels={}, config=_unnamed(field)) if field.labels else field)
        # A label's columns stand together, in the order in which labels and their values come.
        order = list(dict.fromkeys(key for key, _ in found))
        columns = sorted(found, key=lambda item: order.index(item[0]))
        return frame.with_fields([*fields, *(Field(key, "string", [value] * frame.length) for key, value in columns)])

    return [widened(frame) for frame in frames]


def _label_rows(field: Field, frame: Frame, frames: Frames, keep: Sequence[str]) -> Frame:
    names = keep or list(field.labels)
    columns = (Field("label", "string", list(names)), Field("value", "string", [field.labels.get(n) for n in names]))
    return replace(frame, fields=columns, name=display_name(field, frame, frames))


def _unnamed(field: Field) -> Mapping[str, Any]:
    return {key: value for key, value in field.config.items() if key not in ("displayName", "displayNameFromDS")}


def _marked(frame: Frame, shape: str) -> Frame:
    return replace(frame, meta={**frame.meta, "type": f"timeseries-{shape}"})


@dataclass(frozen=True)
class _Rows:
    """A frame's series as rows of time, labels and values by name, oldest first."""

    frame: Frame
    time: Field
    rows: Sequence[tuple[Any, Mapping[str, str], Mapping[str, Any]]]
    types: Mapping[str, FieldType]
    """The names of values, sorted, and their types."""
    labels: Sequence[str]

    @classmethod
    def of(cls, frame: Frame) -> _Rows | None:
        """None without a time. Columns of texts and booleans are labels of their rows."""
        index = frame.first_of_type("time")
        if index is None:
            return None
        time = frame.fields[index]
        factors = [field for field in frame.fields if field.type in ("string", "boolean")]
        values = [field for field in frame.fields if field is not time and field.type not in ("string", "boolean")]
        types = {field.name: field.type for field in reversed(values)}
        series: dict[tuple[tuple[str, str], ...], list[Field]] = {}
        for field in values:
            # One name, one type: the first column of a name decides.
            if field.type == types[field.name]:
                series.setdefault(tuple(sorted(field.labels.items())), []).append(field)
        known = [row for row in range(frame.length) if time.values[row] is not None]
        known.sort(key=lambda row: time.values[row])
        rows = []
        for row in known:
            own = {field.name: text_of(field.values[row]) for field in factors}
            for labels in sorted(series):
                cells = {field.name: field.values[row] for field in series[labels]}
                rows.append((time.values[row], {**own, **dict(labels)}, cells))
        names = {field.name for field in factors} | {key for labels in series for key, _ in labels}
        return cls(frame, time, rows, dict(sorted(types.items())), sorted(names))

    def together(self) -> Frame:
        columns = [self.time.with_values([time for time, _, _ in self.rows])]
        for name, kind in self.types.items():
            columns.append(Field(name, kind, [cells.get(name) for _, _, cells in self.rows]))
        for name in self.labels:
            columns.append(Field(name, "string", [labels.get(name) for _, labels, _ in self.rows]))
        return _marked(self.frame.with_fields(columns), "long")

    def apart(self) -> list[Frame]:
        frames = []
        for name, kind in self.types.items():
            groups: dict[tuple[tuple[str, str], ...], tuple[list[Any], list[Any]]] = {}
            for time, labels, cells in self.rows:
                if name in cells:
                    times, values = groups.setdefault(tuple(sorted(labels.items())), ([], []))
                    times.append(time)
                    values.append(cells[name])
            for key, (times, values) in groups.items():
                fields = (self.time.with_values(times), Field(name, kind, values, dict(key)))
                frames.append(_marked(self.frame.with_fields(fields), "multi"))
        return frames
