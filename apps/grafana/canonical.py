"""When two bodies of a dashboard are the same: the form in which they are compared.

The form leaves out what a server rewrites by itself, and nothing else: the numbers it gives (`id`, `version`), the
schema's version, white space around the title, what it fills into a reference to a library panel, a threshold's
`value: null`, `8.0` for `8`, and the ids of panels to which our body gave none. An id that ours has counts, since
links to single panels name it.

Everything else that a server rewrites is learned: what Grafana returned after our write is what its next answers are
compared with (`Placement.base`), so that no list of rewrites has to be complete.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from typing import Any, Final

from apps.panels.json_reader import JsonObject

RULES: Final = 1
"""Counts up when the form changes: digests of older rules are worked out anew."""

_NUMBERED_BY_SERVER: Final = frozenset({"id", "version", "schemaVersion"})
_OF_A_REFERENCE: Final = ("id", "gridPos", "repeat", "repeatDirection", "maxPerRow")
"""What a panel that shows a library panel has of its own; the rest is the library's, and old servers copy it in."""


def canonical(body: JsonObject, *, without_ids: Collection[str] = (), values: bool = True) -> dict[str, Any]:
    """A copy of `body` in the form that is compared.

    `without_ids` has the places of the panels whose ids do not count, see `unnumbered`. Without `values`, the values
    that viewers chose and saved in variables do not count either.
    """
    form: dict[str, Any] = {key: _plain(value) for key, value in body.items() if key not in _NUMBERED_BY_SERVER}
    if isinstance(form.get("title"), str):
        form["title"] = form["title"].strip()
    for owner, place, index, panel in list(_panels(form)):
        library = panel.get("libraryPanel")
        if isinstance(library, dict):
            panel = {key: panel[key] for key in _OF_A_REFERENCE if key in panel}
            panel["libraryPanel"] = {key: library[key] for key in ("uid", "name") if key in library}
            owner[index] = panel
        if place in without_ids:
            panel.pop("id", None)
    if not values:
        _forget_values(form)
    return form


def unnumbered(body: JsonObject) -> frozenset[str]:
    """The places (`3`, in rows `3.0`) of the panels to which `body` gives no id."""
    return frozenset(place for _, place, _, panel in _panels(body) if panel.get("id") is None)


def digest(body: JsonObject, *, folder_uid: str = "", without_ids: Collection[str] = (), values: bool = True) -> str:
    """What stands for a body in a folder: equal exactly when both are the same. 64 hexadecimal digits."""
    form = {"folder": folder_uid, "body": canonical(body, without_ids=without_ids, values=values)}
    text = json.dumps(form, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def same(ours: JsonObject, theirs: JsonObject, *, folders: tuple[str, str] = ("", ""), values: bool = True) -> bool:
    """Whether a server that was given `ours` may answer `theirs` without anybody having changed it."""
    places = unnumbered(ours)
    first, second = folders
    return digest(ours, folder_uid=first, without_ids=places, values=values) == digest(
        theirs, folder_uid=second, without_ids=places, values=values
    )


def _plain(value: Any) -> Any:
    """A copy with whole numbers as such, and thresholds without their `value: null`."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        copied = {key: _plain(item) for key, item in value.items()}
        steps = copied.get("steps")
        if isinstance(steps, list) and "mode" in copied:
            copied["steps"] = [
                {key: item for key, item in step.items() if key != "value" or item is not None}
                if isinstance(step, dict)
                else step
                for step in steps
            ]
        return copied
    return value


def _panels(body: JsonObject) -> Iterator[tuple[list[Any], str, int, dict[str, Any]]]:
    """Each panel with the list that it stands in, its place, and its index in that list; rows before their panels."""
    panels = _list(body.get("panels"))
    for index, panel in enumerate(panels):
        if not isinstance(panel, dict):
            continue
        yield panels, str(index), index, panel
        inside = _list(panel.get("panels"))
        for number, child in enumerate(inside):
            if isinstance(child, dict):
                yield inside, f"{index}.{number}", number, child


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _forget_values(form: dict[str, Any]) -> None:
    holder = form.get("templating")
    for variable in _list(holder.get("list") if isinstance(holder, dict) else None):
        if not isinstance(variable, dict):
            continue
        variable.pop("current", None)
        for option in _list(variable.get("options")):
            if isinstance(option, dict):
                option.pop("selected", None)
