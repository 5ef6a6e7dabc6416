"""A registered body for one Grafana: its data sources' uids there, its inputs filled in; and the way back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from apps.dashboards.source import UnresolvedInputError, resolved
from apps.panels.datasource import BUILT_IN_UIDS
from apps.panels.json_reader import JsonObject

_EVERYWHERE: Final = BUILT_IN_UIDS | {"default"}
"""Sources that every Grafana has."""
_KINDS_EVERYWHERE: Final = BUILT_IN_UIDS | {"default"}


class BlockedError(ValueError):
    """A body cannot go to a Grafana; the text says what is missing there, and how to mend it."""


def for_instance(body: JsonObject, sources: Mapping[str, str]) -> dict[str, Any]:
    """A copy of `body` as that Grafana shall have it. `sources` maps uids and names of inputs to uids there.

    Raises BlockedError for an input that nobody filled in.
    """
    try:
        filled = resolved(body, sources) if body.get("__inputs") else dict(body)
    except UnresolvedInputError as error:
        raise BlockedError(f"{error} in the instance's data sources.") from None
    filled.pop("__requires", None)
    copied: dict[str, Any] = _replaced(filled, sources)
    return copied


def from_instance(body: JsonObject, sources: Mapping[str, str]) -> dict[str, Any]:
    """A copy of a body from that Grafana with the registry's uids. A uid there that stands for two stays as it is."""
    back: dict[str, str] = {}
    for ours, theirs in sources.items():
        back[theirs] = "" if theirs in back else ours
    copied: dict[str, Any] = _replaced(dict(body), {theirs: ours for theirs, ours in back.items() if ours})
    return copied


def key_of(sources: Mapping[str, str]) -> str:
    """A short text that is equal for equal mappings."""
    return hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()[:16] if sources else "-"


def sources_used(body: JsonObject) -> set[str]:
    """The uids (in old bodies: names) of the data sources that `body` names outright."""
    return {
        uid
        for uid, kind in _references(body)
        if uid and uid not in _EVERYWHERE and kind not in _KINDS_EVERYWHERE and not uid.startswith(("$", "[["))
    }


def library_panels_used(body: JsonObject) -> set[str]:
    """The uids of the library panels that `body` shows."""
    found: set[str] = set()
    waiting: list[Any] = [body.get("panels")]
    while waiting:
        panels = waiting.pop()
        for panel in panels if isinstance(panels, list) else ():
            if not isinstance(panel, dict):
                continue
            library = panel.get("libraryPanel")
            if isinstance(library, dict) and isinstance(library.get("uid"), str):
                found.add(library["uid"])
            waiting.append(panel.get("panels"))
    return found


def _references(value: Any) -> Iterator[tuple[str, str]]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            source = one.get("datasource")
            if isinstance(source, str):
                yield source, ""
            elif isinstance(source, dict) and isinstance(source.get("uid"), str):
                yield source["uid"], str(source.get("type") or "")
            waiting += one.values()


def _replaced(value: Any, uids: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_replaced(item, uids) for item in value]
    if not isinstance(value, dict):
        return value
    copied = {key: _replaced(item, uids) for key, item in value.items()}
    source = copied.get("datasource")
    if isinstance(source, str) and source in uids:
        copied["datasource"] = uids[source]
    elif isinstance(source, dict) and source.get("uid") in uids:
        source["uid"] = uids[source["uid"]]
    current = copied.get("current")
    if copied.get("type") == "datasource" and isinstance(current, dict) and isinstance(current.get("value"), str):
        # A variable whose values are data sources.
        for key in ("value", "text"):
            if current.get(key) in uids:
                current[key] = uids[current[key]]
    return copied
