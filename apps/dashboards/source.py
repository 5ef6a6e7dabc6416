"""The portal's data source, and how an imported document's references are brought to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from apps.panels.datasource import BUILT_IN_UIDS, POSTGRES_TYPES, data_source
from apps.panels.json_reader import JsonObject, Problem

SOURCE_TYPE: Final = "grafana-postgresql-datasource"
SOURCE_UID: Final = "virtualpytest-postgres"
"""The uid of the data source in every Grafana that the portal configures, and in every dashboard that it keeps."""


class UnresolvedInputError(ValueError):
    """An exported dashboard asks for a value that nobody gave."""


def resolved(body: JsonObject, inputs: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A copy of an exported dashboard with `__inputs` filled in and the library panels of `__elements` put in place.

    A data source that is asked for becomes the portal's when it is a PostgreSQL one; constants take their stored value;
    `inputs` (name -> text) goes before both. Raises UnresolvedInputError for what remains open.
    """
    given = dict(inputs or {})
    values: dict[str, str] = {}
    for entry in body.get("__inputs") or ():
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            continue
        name = entry["name"]
        if name in given:
            values[name] = given[name]
        elif entry.get("type") == "datasource" and entry.get("pluginId") in POSTGRES_TYPES:
            values[name] = SOURCE_UID
        elif entry.get("type") == "constant" and isinstance(entry.get("value"), str):
            values[name] = entry["value"]
        else:
            wanted = entry.get("pluginId") or entry.get("type") or "a value"
            raise UnresolvedInputError(f"__inputs asks for {name} ({entry.get('label') or wanted}); give {name}=VALUE")
    result: dict[str, Any] = _filled({key: value for key, value in body.items() if key not in _EXPORT_KEYS}, values)
    elements = body.get("__elements")
    if isinstance(elements, dict):
        for panel in _panels(result):
            library = panel.get("libraryPanel")
            element = elements.get(library.get("uid")) if isinstance(library, dict) else None
            if isinstance(element, dict) and isinstance(element.get("model"), dict):
                panel.update({key: _filled(value, values) for key, value in element["model"].items() if key != "id"})
                del panel["libraryPanel"]
    return result


def mapped(body: JsonObject) -> tuple[dict[str, Any], list[Problem]]:
    """A copy of `body` in which every reference to a PostgreSQL source means the portal's, and warnings about others.

    References to Grafana's own store and by variable stay. A panel with SQL that names no source gets the portal's.
    """
    result: dict[str, Any] = copy.deepcopy(dict(body))
    problems: list[Problem] = []

    def bring(owner: dict[str, Any], path: str, has_sql: bool) -> None:
        found = owner.get("datasource")
        reference = data_source(found)
        if reference is None or not (reference.uid or reference.type):
            if has_sql:
                owner["datasource"] = {"type": SOURCE_TYPE, "uid": SOURCE_UID}
            return
        if reference.uid in BUILT_IN_UIDS or reference.type in ("datasource", "grafana"):
            return
        if reference.uid.startswith(("$", "[[")):
            return
        if reference.is_sql or has_sql:
            owner["datasource"] = {"type": SOURCE_TYPE, "uid": SOURCE_UID}
        else:
            text = f"This asks a data source of type {reference.type}, which the portal does not have"
            problems.append(Problem(f"{path}.datasource", text, "warning"))

    for index, panel in _numbered(result.get("panels")):
        for path, each in ((f"panels[{index}]", panel), *_children(panel, f"panels[{index}]")):
            targets = list(_numbered(each.get("targets")))
            bring(each, path, any(isinstance(target.get("rawSql"), str) for _, target in targets))
            for number, target in targets:
                if "datasource" in target:
                    bring(target, f"{path}.targets[{number}]", isinstance(target.get("rawSql"), str))
    for key in ("templating", "annotations"):
        holder = result.get(key)
        for index, entry in _numbered(holder.get("list") if isinstance(holder, dict) else None):
            if key == "annotations" or entry.get("type") in ("query", "adhoc"):
                bring(
                    entry, f"{key}.list[{index}]", has_sql=entry.get("type") == "query" and not entry.get("datasource")
                )
            elif entry.get("type") == "datasource" and entry.get("query") in POSTGRES_TYPES:
                entry["current"] = {"text": SOURCE_UID, "value": SOURCE_UID}
    return result, problems


_EXPORT_KEYS: Final = frozenset({"__inputs", "__requires", "__elements"})


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace("${" + name + "}", text)
        return value
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    return value


def _numbered(value: object) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(value, list):
        yield from ((index, item) for index, item in enumerate(value) if isinstance(item, dict))


def _children(panel: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((f"{path}.panels[{index}]", child) for index, child in _numbered(panel.get("panels")))


def _panels(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for _, panel in _numbered(body.get("panels")):
        yield panel
        yield from (child for _, child in _numbered(panel.get("panels")))
