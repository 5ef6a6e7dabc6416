"""How two bodies of a dashboard differ: in words, panel by panel, and line by line. Pure, and always in the same order.

Words follow the document: first the dashboard's own fields, its variables and annotations, then the panels as the newer
body has them, then those that are gone. Panels are the same when their ids are, queries when their `refId` is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

JsonObject = Mapping[str, Any]
MOST_WORDS: Final = 12
"""The most differences of one panel that are told one by one."""
LONGEST_VALUE: Final = 60
_ABSENT: Final = object()
_PLACE: Final = frozenset({"x", "y", "w", "h"})


@dataclass(frozen=True)
class PanelDifference:
    """A panel that was added, removed or changed; `changes` say how, in words. Its id is as the document has it."""

    id: object
    title: str
    kind: Literal["added", "removed", "changed"]
    changes: tuple[str, ...] = ()

    def __str__(self) -> str:
        name = f"panel {_short(self.id) if self.id is not None else 'without id'}"
        name += f" '{self.title}'" if self.title else ""
        return f"{name}: {'; '.join(self.changes)}" if self.kind == "changed" else f"{name} {self.kind}"


@dataclass(frozen=True)
class Difference:
    """What differs, in words: of the dashboard itself, of its panels, and which panels only moved."""

    dashboard: tuple[str, ...]
    panels: tuple[PanelDifference, ...]
    moved: tuple[object, ...] = ()

    @property
    def words(self) -> list[str]:
        """A sentence for each thing that differs; none for equal bodies."""
        told = [*self.dashboard, *map(str, self.panels)]
        if self.moved:
            told.append(f"panel{'s' if len(self.moved) > 1 else ''} {', '.join(map(_short, self.moved))} moved")
        return told


def differences(before: JsonObject, after: JsonObject) -> Difference:
    """How `after` differs from `before`."""
    old, new = _panels(before), _panels(after)
    panels: list[PanelDifference] = []
    moved: list[object] = []
    for key, panel in new.items():
        if key not in old:
            panels.append(PanelDifference(panel.get("id"), _text(panel, "title"), "added"))
            continue
        changes = tuple(_of_panel(old[key], panel))
        if changes == ("moved",):
            moved.append(panel.get("id"))
        elif changes:
            panels.append(PanelDifference(panel.get("id"), _text(panel, "title"), "changed", _cut(changes)))
    for key, panel in old.items():
        if key not in new:
            panels.append(PanelDifference(panel.get("id"), _text(panel, "title"), "removed"))
    return Difference(tuple(_of_dashboard(before, after)), tuple(panels), tuple(moved))


def _panels(body: JsonObject) -> dict[tuple[str, int], JsonObject]:
    """All panels, those in rows too, under what makes them the same one: the id, or where there is none the title."""
    found: dict[tuple[str, int], JsonObject] = {}
    for top in _objects(body.get("panels")):
        for panel in (top, *_objects(top.get("panels"))):
            name = _short(panel["id"]) if panel.get("id") is not None else f"'{_text(panel, 'title')}'"
            count = 0
            while (name, count) in found:
                count += 1
            found[name, count] = panel
    return found


def _of_dashboard(before: JsonObject, after: JsonObject) -> Iterator[str]:
    yield from _leaves(before, after, leave_out=("panels", "templating", "annotations"))
    for holder, word in (("templating", "variable"), ("annotations", "annotation")):
        old, new = (_inside(body, holder) for body in (before, after))
        yield from _listed(_objects(old.get("list")), _objects(new.get("list")), "name", word)
        yield from _leaves(old, new, f"{holder}.", leave_out=("list",))


def _of_panel(before: JsonObject, after: JsonObject) -> Iterator[str]:
    yield from _leaves(before, after, only=("title", "type"))
    yield from _listed(_objects(before.get("targets")), _objects(after.get("targets")), "refId", "query")
    old, new = _inside(before, "gridPos"), _inside(after, "gridPos")
    changed = {name for name in _PLACE if old.get(name) != new.get(name)}
    if changed & {"x", "y"}:
        yield "moved"
    if changed & {"w", "h"}:
        yield f"size {old.get('w')} × {old.get('h')} → {new.get('w')} × {new.get('h')}"
    # The panels of a row are told by themselves.
    yield from _leaves(before, after, leave_out=("title", "type", "targets", "gridPos", "panels"))


def _listed(before: Iterable[JsonObject], after: Iterable[JsonObject], key: str, word: str) -> Iterator[str]:
    """Entries that are known by a name, such as queries."""
    old = {_text(one, key): one for one in before}
    new = {_text(one, key): one for one in after}
    for name, entry in new.items():
        if name not in old:
            yield f"{word} {name} added"
        elif any(old[name].get(text) != entry.get(text) for text in ("rawSql", "query")):
            yield f"{word} {name} changed"
        else:
            yield from _leaves(old[name], entry, f"{word} {name}: ")
    yield from (f"{word} {name} removed" for name in old if name not in new)
    if list(old) != list(new) and old.keys() == new.keys():
        yield f"order of {'queries' if word == 'query' else word + 's'} changed"


def _leaves(
    before: JsonObject, after: JsonObject, prefix: str = "", *, only: Sequence[str] = (), leave_out: Sequence[str] = ()
) -> Iterator[str]:
    """A sentence for each value that differs, however deep, with its path."""
    for key in only or sorted({*before, *after}):
        if key not in leave_out:
            yield from _leaf(before.get(key, _ABSENT), after.get(key, _ABSENT), prefix + key)


def _leaf(before: Any, after: Any, path: str) -> Iterator[str]:
    if before is after or (type(before) is type(after) and before == after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _leaves(before, after, f"{path}.")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _leaf(old, new, f"{path}[{index}]")
    elif before is _ABSENT:
        yield f"{path} {_short(after)} added"
    elif after is _ABSENT:
        yield f"{path} {_short(before)} removed"
    else:
        yield f"{path} {_short(before)} → {_short(after)}"


def _cut(changes: tuple[str, ...]) -> tuple[str, ...]:
    if len(changes) <= MOST_WORDS:
        return changes
    return (*changes[: MOST_WORDS - 1], f"{len(changes) - MOST_WORDS + 1} more")


def _short(value: object) -> str:
    if isinstance(value, str):
        text = " ".join(value.split())
        return f"'{text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + '…'}'"
    if isinstance(value, dict | list) and value:
        count = len(value)
        noun = "field" if isinstance(value, dict) else "entry"
        return f"({count} {noun if count == 1 else 'fields' if noun == 'field' else 'entries'})"
    return json.dumps(value, ensure_ascii=False)


def _objects(value: object) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _inside(body: JsonObject, key: str) -> JsonObject:
    found = body.get(key)
    return found if isinstance(found, dict) else {}


def _text(body: JsonObject, key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else "" if value is None else str(value)
