"""The transformations by their ids, and the chain that a panel names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from apps.panels.fields.javascript import PatternError, compile_pattern
from apps.panels.fields.matchers import MatcherError
from apps.panels.frames import Frame
from apps.panels.transform import calculate, columns, convert, groups, joins, rows, rows_to_fields, series
from apps.panels.transform.base import Frames, Options, Transform, TransformError, mapping

TRANSFORMATIONS: Mapping[str, Transform] = {
    "organize": columns.organize,
    "filterFieldsByName": columns.filter_fields_by_name,
    "filterByRefId": columns.filter_by_ref_id,
    "renameByRegex": columns.rename_by_regex,
    "filterByValue": rows.filter_by_value,
    "sortBy": rows.sort_by,
    "limit": rows.limit,
    "reduce": groups.reduce,
    "groupBy": groups.group_by,
    "groupingToMatrix": groups.grouping_to_matrix,
    "partitionByValues": groups.partition_by_values,
    "joinByField": joins.join_by_field,
    "seriesToColumns": joins.join_by_field,
    "merge": joins.merge,
    "concatenate": joins.concatenate,
    "seriesToRows": joins.series_to_rows,
    "calculateField": calculate.calculate_field,
    "convertFieldType": convert.convert_field_type,
    "prepareTimeSeries": series.prepare_time_series,
    "labelsToFields": series.labels_to_fields,
    "rowsToFields": rows_to_fields.rows_to_fields,
}
"""Grafana's id of a transformation, old ones too, to the function."""

_Matcher = Callable[[Frame], bool]


def apply(transformations: Iterable[Mapping[str, Any]], frames: Frames) -> tuple[tuple[Frame, ...], tuple[str, ...]]:
    """The frames after a panel's transformations, in their order, and notices for the panel's viewer.

    A transformation that is not known, or that cannot be done with this data, is skipped and named in a notice. One
    with a `filter` works on the frames that it chooses and leaves the others where they are.
    """
    notices: list[str] = []
    for item in transformations:
        if item.get("disabled"):
            continue
        name = str(item.get("id") or "")
        transform = TRANSFORMATIONS.get(name)
        if transform is None:
            notices.append(f"The transformation {name!r} is not known and was skipped.")
            continue
        try:
            frames = _apply_one(transform, mapping(item.get("options")), item.get("filter"), frames)
        except (TransformError, MatcherError) as error:
            notices.append(f"The transformation {name!r} was skipped. {error}")
    return tuple(frames), tuple(notices)


def _apply_one(transform: Transform, options: Options, chosen: object, frames: Frames) -> Frames:
    if not isinstance(chosen, Mapping):
        return transform(options, frames)
    matches = _frame_matcher(chosen)
    others = [frame for frame in frames if not matches(frame)]
    place = next((index for index, frame in enumerate(frames) if not matches(frame)), 0)
    changed = list(transform(options, [frame for frame in frames if matches(frame)]))
    return [*changed[:place], *others, *changed[place:]]


def _frame_matcher(config: Mapping[str, Any]) -> _Matcher:
    kind, options = config.get("id"), str(config.get("options") or "")
    if kind != "byRefId":
        raise TransformError(f"The frame matcher {kind!r} is not known.")
    try:
        pattern = compile_pattern(options)
    except PatternError as error:
        raise TransformError(str(error)) from error
    return lambda frame: pattern.search(frame.ref_id) is not None
