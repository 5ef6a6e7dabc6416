"""`${__field.…}`, `${__value.…}`, `${__data.…}` and `${__series.name}` in display names, link titles and addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from apps.panels.fields.javascript import text_of
from apps.panels.fields.names import display_name, format_labels, frame_name
from apps.panels.frames import Field, Frame

_HOLE = re.compile(r"\$\{(__(?:field|series|value|data|cell)\w*)((?:\.[^:}\[\]]+|\[[^\]}]*\])*)(?::([\w:]+))?\}")
_STEP = re.compile(r"\.([^.\[\]]+)|\[[\"']?([^\]\"']*)[\"']?\]")

Show = Callable[[Field, Any], str]


def fill_scope(text: str, field: Field, frame: Frame, row: int | None = None, *, show: Show | None = None) -> str:
    """The text with what it says about a field and one of its rows; unknown names stay as they are.

    `show` writes a value as the field's configuration wants it (`${__value.text}`, `${__data.fields.x.text}`).
    """
    if "${__" not in text:
        return text
    write = show or (lambda _, value: text_of(value))

    def fill(hole: re.Match[str]) -> str:
        part = _part(hole[1], field, frame, row, write)
        value = _walk(part, [a or b for a, b in _STEP.findall(hole[2])])
        return hole[0] if value is _MISSING else _formatted(value, hole[3])

    return _HOLE.sub(fill, text)


_MISSING = object()


class _Labels(dict[str, str]):
    def __str__(self) -> str:
        return format_labels(self)


def _part(name: str, field: Field, frame: Frame, row: int | None, show: Show) -> dict[str, Any] | None:
    """What a template can say about a field or, where there is a row, about its value; None for what it cannot."""
    if name == "__field":
        shown = display_name(field, frame)
        return {"": shown, "name": shown, "displayName": shown, "labels": _Labels(field.labels)}
    if name == "__series":
        return {"": frame_name(frame), "name": frame_name(frame)}
    if row is None or not 0 <= row < frame.length:
        return None
    if name == "__value":
        value = field.values[row]
        formatted = show(field, value)
        time = next((f.values[row] for f in frame.fields if f.type == "time"), None)
        return {
            "": formatted,
            "raw": value,
            "numeric": value,
            "text": formatted,
            "time": "" if time is None else time,
        }
    return {"": "", "fields": _cells(frame, row, show)} if name == "__data" else None


def _cells(frame: Frame, row: int, show: Show) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for index, other in enumerate(frame.fields):
        raw = other.values[row]
        cell = {"": raw, "raw": raw, "numeric": raw, "text": _Late(show, other, raw)}
        for name in (str(index), display_name(other, frame), other.name):
            cells.setdefault(name, cell)
            cells.setdefault(name.lower(), cell)
    return cells


class _Late:
    """A cell's text, written only when a template asks for it."""

    def __init__(self, show: Show, field: Field, value: Any) -> None:
        self._parts = (show, field, value)

    def __str__(self) -> str:
        show, field, value = self._parts
        return show(field, value)


def _walk(value: Any, path: list[str]) -> Any:
    if value is None:
        return _MISSING
    while path:
        if not isinstance(value, Mapping):
            return _MISSING
        # A field's name may hold dots: the longest name that fits is meant.
        for size in range(len(path), 0, -1):
            name = ".".join(path[:size])
            if name in value or name.lower() in value:
                value = value[name] if name in value else value[name.lower()]
                path = path[size:]
                break
        else:
            return _MISSING
    if isinstance(value, Mapping) and not isinstance(value, _Labels):
        return value.get("", _MISSING)
    return value


def _formatted(value: Any, how: str | None) -> str:
    text = str(value) if isinstance(value, _Labels | _Late) else text_of(value)
    return quote(text, safe="") if how in ("percentencode", "uriencode") else text
