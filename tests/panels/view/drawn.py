"""Views from small frames, as the engine makes them: field configuration first, then the panel type."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from apps.panels.document import Panel
from apps.panels.fields.overrides import apply_field_config
from apps.panels.fields.units import Clock
from apps.panels.frames import Field, Frame
from apps.panels.view import Drawing, View, default_color_mode, draw, encode

START = 1_772_366_400_000  # 2026-03-01 12:00 UTC
HOUR = 3_600_000


def drawn(
    kind: str,
    *frames: Frame,
    options: dict[str, Any] | None = None,
    defaults: dict[str, Any] | None = None,
    overrides: list[dict[str, Any]] | None = None,
    now: float = START + 6 * HOUR,
    notes: bool = False,
    **drawing: Any,
) -> Any:
    """The view of a panel over six hours from START in UTC. `notes` lets the field configuration have notices."""
    config = {"defaults": defaults or {}, "overrides": overrides or []}
    panel = Panel(id=1, type=kind, options=options or {}, field_config=config)
    configured, notices = apply_field_config(frames, config, default_color_mode=default_color_mode(panel))
    assert not notices or notes
    how: dict[str, Any] = {"start": START, "end": START + 6 * HOUR, "clock": Clock(dt.UTC, now_ms=now)} | drawing
    view = draw(panel, configured, Drawing(**how))
    assert as_json(view)["kind"] == view.kind
    return view


def as_json(view: View) -> Any:
    """What the browser gets."""
    return json.loads(json.dumps(view, default=encode, allow_nan=False))


def frame(**columns: list[Any]) -> Frame:
    """A frame of columns; their types follow from their values, `time` and names that begin with it are times."""
    return Frame(tuple(Field(name, _kind(name, values), values) for name, values in columns.items()), ref_id="A")


def _kind(name: str, values: list[Any]) -> Any:
    if name.startswith("time"):
        return "time"
    known = [value for value in values if value is not None]
    if any(isinstance(value, list | dict) for value in known):
        return "other"
    kinds = {bool: "boolean", int: "number", float: "number"}
    return kinds.get(type(known[0]), "string") if known else "number"
