"""Brings older dashboard documents to the shapes of schemaVersion 42. Only what is drawn or asked is touched.

Each step knows one version's change, as Grafana's own migrator describes it; a document of version n takes the steps
after n. Field names follow Grafana's classic model.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from apps.panels.json_reader import JsonObject, Problem
from apps.panels.retired import renew

OLDEST: Final = 16
"""The first version with the 24-column grid: older layouts are not read."""
NEWEST: Final = 42
TESTED: Final = 36
"""Documents below this are read with a warning."""

Document = dict[str, Any]


def migrated(document: JsonObject) -> tuple[Document, list[Problem]]:
    """A copy of `document` in the newest shape, and warnings. A document that names no version counts as new."""
    result: Document = copy.deepcopy(dict(document))
    found = result.get("schemaVersion")
    warnings = []
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        version = NEWEST
        if found is not None:
            warnings.append(Problem("schemaVersion", "This is no number; the newest version is assumed", "warning"))
    else:
        version = int(found)
    if version < OLDEST or ("rows" in result and "panels" not in result):
        text = f"Dashboards older than schemaVersion {OLDEST} have no grid; open and save this one in Grafana first"
        warnings.append(Problem("schemaVersion", text))
        result.setdefault("panels", [])
        version = max(version, OLDEST)
    elif version < TESTED:
        text = f"This dashboard has schemaVersion {version}; below {TESTED} details may be drawn differently"
        warnings.append(Problem("schemaVersion", text, "warning"))
    for panel in panels_of(result):
        renew(panel)
    for step, change in _STEPS:
        if version < step:
            change(result)
    if version < NEWEST:
        result["schemaVersion"] = NEWEST
    return result, warnings


def panels_of(document: Document) -> Iterator[Document]:
    """The panels, rows too, and those inside rows."""
    for panel in _objects(document.get("panels")):
        yield panel
        yield from _objects(panel.get("panels"))


def _objects(value: object) -> Iterator[Document]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _child(owner: Document, key: str) -> Document:
    """The object at `key`, put there when it is missing."""
    value = owner.get(key)
    if not isinstance(value, dict):
        value = owner[key] = {}
    return value


def _variables(document: Document) -> Iterator[Document]:
    templating = document.get("templating")
    yield from _objects(templating.get("list") if isinstance(templating, dict) else None)


def _max_per_row(document: Document) -> None:
    """17: `minSpan` (the least width in columns) became `maxPerRow`, which must divide 24."""
    for panel in panels_of(document):
        span = panel.pop("minSpan", None)
        if isinstance(span, int | float) and span > 0:
            wanted = min(24.0, 24 / span)
            panel["maxPerRow"] = next(factor for factor in (1, 2, 3, 4, 6, 8, 12, 24) if factor >= wanted)


def _gauge_options(document: Document) -> None:
    """18: the gauge's `options-gauge` became `options`."""
    for panel in panels_of(document):
        if isinstance(panel.get("options-gauge"), dict):
            options = panel["options"] = panel.pop("options-gauge")
            keys = ("unit", "stat", "decimals", "prefix", "suffix")
            options["valueOptions"] = {key: options.pop(key) for key in keys if key in options}
            for key in ("thresholds",):
                if isinstance(options.get(key), list):
                    options[key].reverse()
            options.pop("options", None)


def _panel_links(document: Document) -> None:
    """19: a panel's links have one `url`."""
    for panel in panels_of(document):
        for link in _objects(panel.get("links")):
            url = link.get("url")
            if not url and link.get("dashboard"):
                url = f"dashboard/db/{re.sub(r'[^a-z0-9]+', '-', str(link['dashboard']).lower()).strip('-')}"
            elif not url and link.get("dashUri"):
                url = f"dashboard/{link['dashUri']}"
            query = [part for part in ("$__url_time_range" if link.get("keepTime") else "",) if part]
            query += ["$__all_variables"] if link.get("includeVars") else []
            query += [str(link["params"])] if link.get("params") else []
            link["url"] = str(url or "/") + (f"{'&' if '?' in str(url) else '?'}{'&'.join(query)}" if query else "")


def _link_variables(document: Document) -> None:
    """20 and 21: names of variables in data links and titles changed."""
    names = {
        "__series_name": "__series.name",
        "$__series_name": "${__series.name}",
        "$__value_time": "${__value.time}",
        "__field_name": "__field.name",
        "$__field_name": "${__field.name}",
        "__series.labels": "__field.labels",
    }

    def renewed(text: object) -> object:
        if isinstance(text, str):
            for old in sorted(names, key=len, reverse=True):
                text = text.replace(old, names[old])
        return text

    for panel in panels_of(document):
        options = panel.get("options")
        options = options if isinstance(options, dict) else {}
        defaults = _path(panel, "fieldConfig", "defaults") or _path(options, "fieldOptions", "defaults") or {}
        for link in (*_objects(options.get("dataLinks")), *_objects(defaults.get("links"))):
            link["url"] = renewed(link.get("url"))
        if "title" in defaults:
            defaults["title"] = renewed(defaults["title"])


def _path(owner: object, *keys: str) -> Document | None:
    for key in keys:
        owner = owner.get(key) if isinstance(owner, dict) else None
    return owner if isinstance(owner, dict) else None


def _current_of_multi(document: Document) -> None:
    """23: what is chosen of a variable is a list exactly where several can be."""
    for variable in _variables(document):
        current = variable.get("current")
        if not isinstance(current, dict) or not current:
            continue
        for key in ("value", "text"):
            value = current.get(key)
            if variable.get("multi"):
                current[key] = value if isinstance(value, list) else [value]
            elif isinstance(value, list):
                current[key] = value[0] if value else ""


def _text_panels(document: Document) -> None:
    """26: the text panel keeps its text in `options`."""
    for panel in panels_of(document):
        if panel.get("type") in ("text", "text2"):
            panel["type"] = "text"
            options = _child(panel, "options")
            for key in ("mode", "content"):
                if key in panel:
                    options[key] = panel.pop(key)


def _without_clones(document: Document) -> None:
    """27: copies that a repeat made are no longer stored; a constant that is shown became a text box."""
    for owner in (document, *_objects(document.get("panels"))):
        if isinstance(owner.get("panels"), list):
            owner["panels"] = [
                panel
                for panel in owner["panels"]
                if not (isinstance(panel, dict) and (panel.get("repeatPanelId") or panel.get("repeatByRow")))
            ]
    for variable in _variables(document):
        if variable.get("type") == "constant" and variable.get("hide") in (0, 1, None):
            variable["type"] = "textbox"


def _refresh_of_queries(document: Document) -> None:
    """29: a query variable is always asked anew; its stored options are nothing to rely on."""
    for variable in _variables(document):
        if variable.get("type") == "query":
            if variable.get("refresh") not in (1, 2):
                variable["refresh"] = 1
            variable["options"] = []


def _mappings(document: Document) -> None:
    """30: value mappings got a type in words and options; the tooltip of a time series moved."""
    for panel in panels_of(document):
        config = panel.get("fieldConfig")
        if isinstance(config, dict):
            defaults = config.get("defaults")
            if isinstance(defaults, dict) and isinstance(defaults.get("mappings"), list):
                defaults["mappings"] = _new_mappings(defaults["mappings"], defaults.get("thresholds"))
            for override in _objects(config.get("overrides")):
                for each in _objects(override.get("properties")):
                    if each.get("id") == "mappings" and isinstance(each.get("value"), list):
                        each["value"] = _new_mappings(each["value"], None)
        options = panel.get("options")
        if isinstance(options, dict) and "tooltipOptions" in options:
            options["tooltip"] = options.pop("tooltipOptions")


def _new_mappings(old: list[Any], thresholds: object) -> list[Document]:
    result: list[Document] = []
    values: Document = {}
    for mapping in _objects(old):
        kind = mapping.get("type")
        if isinstance(kind, str) and "options" in mapping:
            result.append(mapping)
            continue
        outcome: Document = {"text": mapping.get("text")}
        color = _threshold_color(mapping, thresholds)
        if color:
            outcome["color"] = color
        if kind == 1 and mapping.get("value") not in (None, "null"):
            values[str(mapping["value"])] = outcome
        elif kind == 1 or (kind == 2 and "null" in (mapping.get("from"), mapping.get("to"))):
            result.append({"type": "special", "options": {"match": "null", "result": outcome}})
        elif kind == 2:
            ends = {key: _number(mapping.get(key)) for key in ("from", "to")}
            result.append({"type": "range", "options": {**ends, "result": outcome}})
    return [{"type": "value", "options": values}, *result] if values else result


def _threshold_color(mapping: Document, thresholds: object) -> str | None:
    """The threshold's colour for a mapping's text that is a number: before version 30 the colour followed the text."""
    steps = list(_objects(thresholds.get("steps"))) if isinstance(thresholds, dict) else []
    number = _number(mapping.get("text"))
    if not steps or number is None:
        return None
    below = [step for step in steps if step.get("value") is None or (_number(step["value"]) or 0) <= number]
    color = (below or steps)[-1].get("color")
    return color if isinstance(color, str) else None


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        return None


def _merge_after_labels(document: Document) -> None:
    """31: `labelsToFields` no longer merges by itself."""
    for panel in panels_of(document):
        steps = panel.get("transformations")
        if isinstance(steps, list):
            panel["transformations"] = [
                each
                for step in steps
                for each in (
                    (step, {"id": "merge", "options": {}})
                    if isinstance(step, dict) and step.get("id") == "labelsToFields"
                    else (step,)
                )
            ]


def _x_axis(document: Document) -> None:
    """35: hiding the axes of a time series no longer hides the one of time."""
    for panel in panels_of(document):
        custom = _path(panel, "fieldConfig", "defaults", "custom")
        if panel.get("type") == "timeseries" and custom and custom.get("axisPlacement") == "hidden":
            overrides = panel["fieldConfig"].setdefault("overrides", [])
            if isinstance(overrides, list):
                shown = [{"id": "custom.axisPlacement", "value": "auto"}]
                overrides.append({"matcher": {"id": "byType", "options": "time"}, "properties": shown})


def _legend(document: Document) -> None:
    """37: a hidden legend says `showLegend: false`."""
    for panel in panels_of(document):
        legend = _path(panel, "options", "legend")
        if legend is not None:
            shown = legend.get("displayMode") != "hidden" and legend.get("showLegend") is not False
            legend["showLegend"] = shown
            if legend.get("displayMode") == "hidden":
                legend["displayMode"] = "list"


_CELLS: Final[dict[str, Document]] = {
    "basic": {"type": "gauge", "mode": "basic"},
    "gradient-gauge": {"type": "gauge", "mode": "gradient"},
    "lcd-gauge": {"type": "gauge", "mode": "lcd"},
    "color-background": {"type": "color-background", "mode": "gradient"},
    "color-background-solid": {"type": "color-background", "mode": "basic"},
}


def _cells(document: Document) -> None:
    """38: a table's `displayMode` became `cellOptions`."""
    for panel in panels_of(document):
        if panel.get("type") != "table":
            continue
        custom = _path(panel, "fieldConfig", "defaults", "custom")
        if custom and isinstance(custom.get("displayMode"), str):
            mode = custom.pop("displayMode")
            custom["cellOptions"] = dict(_CELLS.get(mode, {"type": mode}))
        for override in _objects((_path(panel, "fieldConfig") or {}).get("overrides")):
            for each in _objects(override.get("properties")):
                if each.get("id") == "custom.displayMode" and isinstance(each.get("value"), str):
                    each["id"] = "custom.cellOptions"
                    each["value"] = dict(_CELLS.get(each["value"], {"type": each["value"]}))


def _refresh_text(document: Document) -> None:
    """40: the refresh interval is text, empty for none."""
    if not isinstance(document.get("refresh", ""), str):
        document["refresh"] = ""


def _hidden_tooltips(document: Document) -> None:
    """42: what is hidden from the picture is hidden from the tooltip too."""
    for panel in panels_of(document):
        for override in _objects((_path(panel, "fieldConfig") or {}).get("overrides")):
            for each in _objects(override.get("properties")):
                hidden = each.get("value")
                if each.get("id") == "custom.hideFrom" and isinstance(hidden, dict) and hidden.get("viz"):
                    hidden["tooltip"] = True


_STEPS: Final[tuple[tuple[int, Callable[[Document], None]], ...]] = (
    (17, _max_per_row),
    (18, _gauge_options),
    (19, _panel_links),
    (21, _link_variables),
    (23, _current_of_multi),
    (26, _text_panels),
    (27, _without_clones),
    (29, _refresh_of_queries),
    (30, _mappings),
    (31, _merge_after_labels),
    (35, _x_axis),
    (37, _legend),
    (38, _cells),
    (40, _refresh_text),
    (42, _hidden_tooltips),
)
"""In order. Versions that are absent changed only what is not drawn here (data sources are mapped at the import)."""
