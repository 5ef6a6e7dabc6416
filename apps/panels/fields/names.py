"""What a field is called on the screen (Grafana: `getFieldDisplayName`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from apps.panels.frames import Field, Frame

VALUE_NAME = "Value"
TIME_NAME = "Time"


def format_labels(labels: Mapping[str, str]) -> str:
    """`{a="1", b="2"}`, sorted by name; nothing without labels."""
    return "{" + ", ".join(f'{key}="{labels[key]}"' for key in sorted(labels)) + "}" if labels else ""


def display_name(field: Field, frame: Frame | None = None, frames: Sequence[Frame] = ()) -> str:
    """The configured name, else what tells this field apart: frame name, field name, labels."""
    return field.display_name or _name(field, frame, _Around.of(frames or ([frame] if frame else [])))


def named(frames: Sequence[Frame]) -> list[Frame]:
    """The frames with every field's name on the screen set."""
    around = _Around.of(frames)
    return [
        frame.with_fields(
            field if field.display_name else replace(field, display_name=_name(field, frame, around))
            for field in frame.fields
        )
        for frame in frames
    ]


@dataclass(frozen=True)
class _Around:
    """What a name depends on beside its field: do the frames differ in name, and have they one label in common?"""

    frames_differ: bool
    single_label: str | None

    @classmethod
    def of(cls, frames: Sequence[Frame]) -> _Around:
        keys = {key for frame in frames for field in frame.fields for key in field.labels}
        return cls(len({frame.name for frame in frames}) > 1, next(iter(keys)) if len(keys) == 1 else None)


def _name(field: Field, frame: Frame | None, around: _Around) -> str:
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
    with_frame = bool(frame_name) and around.frames_differ
    if with_frame:
        parts.append(frame_name)
    if field.name and field.name != VALUE_NAME:
        parts.append(field.name)
    labels = ""
    if field.labels and frame:
        single = around.single_label
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


def screen_names(frame: Frame) -> list[str]:
    """What a frame's fields are called; equal names are numbered from 1, unless the dashboard itself gave them."""
    given = [field.config.get("displayName") or field.config.get("displayNameFromDS") for field in frame.fields]
    names = [str(mine or display_name(field, frame)) for field, mine in zip(frame.fields, given, strict=True)]
    total = Counter(name for name, mine in zip(names, given, strict=True) if not mine)
    seen: Counter[str] = Counter()
    result = []
    for name, mine in zip(names, given, strict=True):
        seen[name] += not mine
        result.append(f"{name} {seen[name]}" if not mine and total[name] > 1 else name)
    return result
