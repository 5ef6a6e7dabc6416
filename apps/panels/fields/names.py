"""What a field is called on the screen (Grafana: `getFieldDisplayName`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from apps.panels.frames import Field, Frame

VALUE_NAME = "Value"
TIME_NAME = "Time"


def format_labels(labels: Mapping[str, str]) -> str:
    """`{a="1", b="2"}`, sorted by name; nothing without labels."""
    return "{" + ", ".join(f'{key}="{labels[key]}"' for key in sorted(labels)) + "}" if labels else ""


def display_name(field: Field, frame: Frame | None = None, frames: Sequence[Frame] = ()) -> str:
    """The configured name, else what tells this field apart: frame name, field name, labels."""
    if field.display_name:
        return field.display_name
    configured = field.config.get("displayName")
    if configured:
        return str(configured)
    if field.type == "time" and not field.labels:
        return field.name or TIME_NAME
    from_source = field.config.get("displayNameFromDS")
    if from_source:
        return str(from_source)
    parts = []
    frame_name = frame.name if frame else ""
    with_frame = bool(frame_name) and len({other.name for other in frames}) > 1
    if with_frame:
        parts.append(frame_name)
    if field.name and field.name != VALUE_NAME:
        parts.append(field.name)
    labels = ""
    if field.labels and frame:
        single = _single_label(frames or (frame,))
        labels = field.labels.get(single, "") if single else format_labels(field.labels)
        if labels:
            parts.append(labels)
    if frame_name and not with_frame and not labels and field.name == VALUE_NAME:
        parts.append(frame_name)
    return " ".join(parts) or field.name or VALUE_NAME


def frame_name(frame: Frame, index: int | None = None) -> str:
    """The frame's name, else its labels or its fields (Grafana: `getFrameDisplayName`)."""
    if frame.name:
        return frame.name
    labelled = [field for field in frame.fields if field.labels]
    if len(labelled) == 1:
        return format_labels(labelled[0].labels)
    if index is None:
        return ", ".join(display_name(field, frame) for field in frame.fields if field.type != "time")
    return f"Series ({frame.ref_id or index})"


def screen_names(frame: Frame, frames: Sequence[Frame] = ()) -> list[str]:
    """What a frame's fields are called; equal names are numbered from 1, unless the dashboard itself gave them."""
    names = [display_name(field, frame, frames) for field in frame.fields]
    given = [bool(field.config.get("displayName") or field.config.get("displayNameFromDS")) for field in frame.fields]
    total = Counter(name for name, mine in zip(names, given, strict=True) if not mine)
    seen: Counter[str] = Counter()
    result = []
    for name, mine in zip(names, given, strict=True):
        seen[name] += not mine
        result.append(f"{name} {seen[name]}" if not mine and total[name] > 1 else name)
    return result


def _single_label(frames: Sequence[Frame]) -> str | None:
    keys = {key for frame in frames for field in frame.fields for key in field.labels}
    return next(iter(keys)) if len(keys) == 1 else None
