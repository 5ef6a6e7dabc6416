"""Each row as a column of its own, with a configuration from the other cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from apps.panels.fields.javascript import text_of, to_number
from apps.panels.fields.names import display_name
from apps.panels.frames import Field, Frame
from apps.panels.transform.base import Frames, Options, mapping, objects

_NAME, _VALUE, _LABEL, _IGNORE = "field.name", "field.value", "field.label", "__ignore"
_SETTINGS = ("max", "min", "unit", "decimals", "displayName", "color", "threshold1")
_LOWER = {"displayname": "displayName"}


def rows_to_fields(options: Options, frames: Frames) -> Frames:
    """A frame of one row: a column for each row, called after its name and holding its value.

    `mappings` say which column is the name, which the value, and what the others are: a setting (`max`, `unit`, …), a
    label, or nothing. Without them the first text is the name, the first number the value, a column called like a
    setting is one, and the rest are labels. A frame without a name or a value stays as it is.
    """
    return [_turned(frame, objects(options.get("mappings"))) for frame in frames]


def _turned(frame: Frame, items: Sequence[Mapping[str, Any]]) -> Frame:
    roles = _roles(frame, items)
    name = next((field for field, role, _ in roles if role == _NAME), None)
    value = next((field for field, role, _ in roles if role == _VALUE), None)
    if name is None or value is None:
        return frame
    fields = []
    for row in range(frame.length):
        labels = {display_name(f, frame): text_of(f.values[row]) for f, role, _ in roles if role == _LABEL}
        config: dict[str, Any] = {}
        for field, role, arguments in roles:
            _configure(config, role, field.values[row], arguments)
        labels = {key: text for key, text in labels.items() if text}
        fields.append(Field(text_of(name.values[row]), value.type, [value.values[row]], labels, config))
    return Frame(tuple(fields), ref_id=frame.ref_id)


def _roles(frame: Frame, items: Sequence[Mapping[str, Any]]) -> list[tuple[Field, str, Mapping[str, Any]]]:
    by_name = {item.get("fieldName"): item for item in items}
    wanted = {item.get("handlerKey") for item in items}
    taken: set[str] = set()
    roles = []
    for field in frame.fields:
        shown = display_name(field, frame)
        item = by_name.get(shown)
        key = shown.lower() if item is None else str(item.get("handlerKey") or _LABEL)
        role = _LOWER.get(key, key)
        if role not in (_NAME, _VALUE, _IGNORE, *_SETTINGS):
            role = _LABEL
        if item is None and role == _LABEL:
            for kind, guess in (("string", _NAME), ("number", _VALUE)):
                if field.type == kind and guess not in wanted and guess not in taken:
                    role = guess
        taken.add(role)
        roles.append((field, role, mapping(item.get("handlerArguments")) if item else {}))
    return roles


def _configure(config: dict[str, Any], role: str, value: Any, arguments: Mapping[str, Any]) -> None:
    if value is None:
        return
    number = to_number(value)
    match role:
        case "unit" | "displayName":
            config[role] = text_of(value)
        case "color":
            config["color"] = {"mode": "fixed", "fixedColor": text_of(value)}
        case "max" | "min" | "decimals" if math.isfinite(number):
            config[role] = number
        case "threshold1" if math.isfinite(number):
            color = mapping(arguments.get("threshold")).get("color") or "red"
            below = {"value": None, "color": "green"}
            steps = config.setdefault("thresholds", {"mode": "absolute", "steps": [below]})["steps"]
            steps.append({"value": number, "color": color})
