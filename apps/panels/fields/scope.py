"""`${__field.…}`, `${__value.…}`, `${__data.…}` and `${__series.name}` in display names, link titles and addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from apps.panels.fields.javascript import text_of
from apps.panels.fields.names import display_name, format_labels, frame_name
from apps.panels.formats import format_selection
from apps.panels.frames import Field, Frame
from apps.panels.variables import Option, Selection

_HOLE = re.compile(r"\$\{(__(?:field|series|value|data|cell)\w*)((?:\.[^:}\[\]]+|\[[^\]}]*\])*)(?::([^}]+))?\}")
_STEP = re.compile(r"\.([^.\[\]]+)|\[[\"']?([^\]\"']*)[\"']?\]")

Show = Callable[[Field, Any], str]


def fill_scope(
    text: str,
    field: Field,
    frame: Frame,
    row: int | None = None,
    *,
    show: Show | None = None,
    address: bool = False,
) -> str:
    """The text with what it says about a field and one of its rows; unknown names stay as they are.

    `show` writes a value as the field's configuration wants it (`${__value.text}`, `${__data.fields.x}`). In an
    `address` values are percent-encoded unless they say otherwise (`:raw`); a value that it begins with is the start
    of an address itself.
    """
    if "${__" not in text:
        return text
    write = show or (lambda _, value: text_of(value))

    def fill(hole: re.Match[str]) -> str:
        part = _part(hole[1], field, frame, row, write)
        value = _walk(part, [a or b for a, b in _STEP.findall(hole[2])])
        if value is _MISSING:
            return hole[0]
        return _formatted(value, hole[3] or ("percentencode" if address and text[: hole.start()].strip() else ""))

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
    if name == "__data":
        return {"": "", "name": frame.name, "refId": frame.ref_id, "fields": _cells(frame, row, show)}
    return None


def _cells(frame: Frame, row: int, show: Show) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for index, other in enumerate(frame.fields):
        raw = other.values[row]
        shown = _Late(show, other, raw)
        cell = {"": shown, "raw": raw, "numeric": raw, "text": shown}
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


def _formatted(value: Any, how: str) -> str:
    text = str(value) if isinstance(value, _Labels | _Late) else text_of(value)
    if not how:
        return text
    form, *arguments = how.split(":")
    return format_selection(Selection("", (Option(text, text),)), form, arguments)
