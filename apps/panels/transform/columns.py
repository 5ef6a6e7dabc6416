"""Which columns there are, in which order, under which names."""

from __future__ import annotations

import math
import re

from apps.panels.fields.javascript import PatternError, compile_pattern, is_global, substitute, to_number
from apps.panels.fields.matchers import field_matcher
from apps.panels.fields.names import display_name
from apps.panels.frames import Field, Frame
from apps.panels.transform.base import Frames, Options, TransformError, mapping, shown_as


def organize(options: Options, frames: Frames) -> Frames:
    """Leaves columns out, orders and renames them, all by the name on the screen."""
    exclude, include = mapping(options.get("excludeByName")), mapping(options.get("includeByName"))
    order, names = mapping(options.get("indexByName")), mapping(options.get("renameByName"))
    wanted = {name for name, value in include.items() if value}

    def organized(frame: Frame) -> Frame:
        named = [(display_name(field, frame, frames), field) for field in frame.fields]
        kept = [(name, field) for name, field in named if not exclude.get(name) and (not wanted or name in wanted)]
        if order:
            kept.sort(key=lambda item: _place(order.get(item[0])))
        return frame.with_fields(
            shown_as(field, new) if isinstance(new := names.get(name), str) and new else field for name, field in kept
        )

    return [organized(frame) for frame in frames]


def filter_fields_by_name(options: Options, frames: Frames) -> Frames:
    """Keeps the columns that `include` names and drops those that `exclude` names, each by list or pattern."""
    include, exclude = mapping(options.get("include")), mapping(options.get("exclude"))
    keep = field_matcher({"id": "byRegexpOrNames", "options": include}) if _says_something(include) else None
    drop = field_matcher({"id": "byRegexpOrNames", "options": exclude}) if _says_something(exclude) else None

    def wanted(field: Field, frame: Frame) -> bool:
        return (keep is None or keep(field, frame, frames)) and (drop is None or not drop(field, frame, frames))

    filtered = [frame.with_fields(field for field in frame.fields if wanted(field, frame)) for frame in frames]
    return [frame for frame in filtered if frame.fields]


def filter_by_ref_id(options: Options, frames: Frames) -> Frames:
    """Keeps the frames of the queries whose letters fit a pattern such as `A|B`."""
    source = options.get("include")
    if not source:
        return frames
    pattern = _pattern(f"^(?:{source})$" if not str(source).startswith("/") else str(source))
    return [frame for frame in frames if pattern.search(frame.ref_id)]


def rename_by_regex(options: Options, frames: Frames) -> Frames:
    """Renames columns by a pattern with groups (`$1`)."""
    source, template = str(options.get("regex") or ""), str(options.get("renamePattern") or "")
    if not source:
        return frames
    pattern = _pattern(source)

    def renamed(field: Field, frame: Frame) -> Field:
        name = display_name(field, frame, frames)
        new = substitute(pattern, template, name, every=is_global(source))
        return field if new == name else shown_as(field, new)

    return [frame.with_fields(renamed(field, frame) for field in frame.fields) for frame in frames]


def _place(value: object) -> float:
    number = to_number(value)
    return math.inf if math.isnan(number) else number


def _says_something(settings: Options) -> bool:
    return bool(settings.get("names") or settings.get("pattern"))


def _pattern(source: str) -> re.Pattern[str]:
    try:
        return compile_pattern(source)
    except PatternError as error:
        raise TransformError(str(error)) from error
