"""A panel's field configuration put on its frames: defaults, then overrides in their order (Grafana:
`applyFieldOverrides`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from apps.panels.fields.display import DEFAULT_SPAN, configured_ends
from apps.panels.fields.matchers import FieldMatcher, MatcherError, field_matcher
from apps.panels.fields.names import named, screen_names
from apps.panels.fields.reducers import finite_numbers
from apps.panels.fields.scope import fill_scope
from apps.panels.frames import Field, Frame


@dataclass(frozen=True)
class _Rule:
    match: FieldMatcher
    properties: tuple[tuple[str, Any], ...]


def apply_field_config(
    frames: Sequence[Frame],
    field_config: Mapping[str, Any],
    *,
    default_color_mode: str = "thresholds",
    interpolate: Callable[[str], str] = str,
) -> tuple[tuple[Frame, ...], tuple[str, ...]]:
    """The frames with each field's configuration, name on the screen, place among the series and span; and notices.

    `default_color_mode` is the panel type's own: Grafana's time series and bar charts have "palette-classic".
    `interpolate` puts the dashboard's variables into names, units and the text for no value.
    """
    defaults = _object(field_config.get("defaults"))
    rules, notices = _read_rules(_objects(field_config.get("overrides")))
    # The names that matchers and templates go by; a configured one comes after them.
    frames = named(frames)
    configured = [
        frame.with_fields(
            replace(field, config=_config(field, frame, frames, defaults, rules, default_color_mode, interpolate))
            for field in frame.fields
        )
        for frame in frames
    ]
    return _finished(configured), tuple(notices)


def _read_rules(overrides: Iterable[Mapping[str, Any]]) -> tuple[list[_Rule], list[str]]:
    rules: list[_Rule] = []
    notices: list[str] = []
    for override in overrides:
        try:
            match = field_matcher(_object(override.get("matcher")))
        except MatcherError as error:
            notices.append(f"An override is left out. {error}")
            continue
        properties = tuple(
            (str(item["id"]), item.get("value")) for item in _objects(override.get("properties")) if item.get("id")
        )
        rules.append(_Rule(match, properties))
    return rules, notices


def _config(
    field: Field,
    frame: Frame,
    frames: Sequence[Frame],
    defaults: Mapping[str, Any],
    rules: Sequence[_Rule],
    color_mode: str,
    interpolate: Callable[[str], str],
) -> dict[str, Any]:
    # What the query itself says about a field wins over the panel's defaults, never over an override.
    config: dict[str, Any] = {**defaults, **{k: v for k, v in field.config.items() if v is not None}}
    config["custom"] = {**_object(defaults.get("custom")), **_object(field.config.get("custom"))}
    for rule in rules:
        if rule.match(field, frame, frames):
            for path, value in rule.properties:
                _set(config, path.split("."), value)
    _shape(config)
    if not isinstance(config["color"].get("mode"), str) or not config["color"]["mode"]:
        config["color"] = {**config["color"], "mode": color_mode}
    for name in ("displayName", "unit", "noValue"):
        if isinstance(config.get(name), str):
            config[name] = interpolate(config[name])
    if config.get("displayName"):
        config["displayName"] = fill_scope(str(config["displayName"]), field, frame)
    return config


def _shape(config: dict[str, Any]) -> None:
    """Leave out what the document's author gave another shape than it has in Grafana."""
    for name in ("color", "custom"):
        config[name] = _object(config.get(name))
    for name in ("mappings", "links"):
        if name in config:
            config[name] = _objects(config[name])
    if "thresholds" in config:
        thresholds = _object(config["thresholds"])
        config["thresholds"] = {**thresholds, "steps": _objects(thresholds.get("steps"))}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _set(config: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set or remove one value; objects on the way to it are copied, since all fields share the dashboard's own."""
    for name in path[:-1]:
        child = config.get(name)
        config[name] = child = dict(child) if isinstance(child, Mapping) else {}
        config = child
    if value is None:
        config.pop(path[-1], None)
    else:
        config[path[-1]] = value


def _finished(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    shared = _numbers_span(field for frame in frames for field in frame.fields)
    series = 0
    result = []
    for frame in frames:
        fields = []
        for field, name in zip(frame.fields, screen_names(frame), strict=True):
            fields.append(replace(field, display_name=name, series_index=series, span=_span(field, shared)))
            series += field.type in ("number", "boolean")
        result.append(frame.with_fields(fields))
    return tuple(result)


def _span(field: Field, shared: tuple[float, float] | None) -> tuple[float, float] | None:
    if field.type != "number":
        return None
    own = _numbers_span((field,)) if field.config.get("fieldMinMax") else shared
    low, high = configured_ends(field)
    ends = own or DEFAULT_SPAN
    return (ends[0] if low is None else low, ends[1] if high is None else high)


def _numbers_span(fields: Iterable[Field]) -> tuple[float, float] | None:
    lows, highs = [], []
    for field in fields:
        if field.type == "number":
            numbers = finite_numbers(field.values)
            if numbers:
                lows.append(min(numbers))
                highs.append(max(numbers))
    return (min(lows), max(highs)) if lows else None
