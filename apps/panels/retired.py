"""Panel types that Grafana has retired, as what took their place there: graph, singlestat, the old table, the pie chart
plugin. Also the options that gauges and stats had before Grafana 7.

Grafana does so when it loads a panel, whatever the document's version. What the new type cannot show is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Json = dict[str, Any]

_REDUCERS: Final = {
    "avg": "mean", "current": "lastNotNull", "total": "sum", "min": "min", "max": "max", "first": "firstNotNull",
    "delta": "delta", "diff": "diff", "range": "range", "count": "count",
}  # fmt: skip
_SEVERITIES: Final = {"critical": "red", "warning": "orange", "ok": "green"}


def renew(panel: Json) -> None:
    """Change a panel of a retired type in place; other panels stay as they are."""
    kind = panel.get("type")
    change = _TYPES.get(kind) if isinstance(kind, str) else None
    if change is not None and not (kind == "table" and not isinstance(panel.get("styles"), list)):
        change(panel)


def _graph(panel: Json) -> None:
    left, right = _axes(panel)
    if _object(panel.get("xaxis")).get("mode") == "series":
        value = _REDUCERS.get(str(next(iter(_list(panel["xaxis"].get("values"))), "total")), "sum")
        panel["type"] = "bargauge"
        panel["options"] = {"orientation": "vertical", "reduceOptions": {"calcs": [value], "values": False}}
        panel["fieldConfig"] = {"defaults": {**left["plain"], "color": {"mode": "palette-classic"}}, "overrides": []}
        return
    fill, gradient = _number(panel.get("fill"), 1), _number(panel.get("fillGradient"), 0)
    custom: Json = {
        "drawStyle": "bars" if panel.get("bars") else "line" if panel.get("lines", True) else "points",
        "lineWidth": _number(panel.get("linewidth"), 1),
        "fillOpacity": 100 if panel.get("bars") else 10 * (gradient or fill),
        "gradientMode": "opacity" if gradient else "none",
        "lineInterpolation": "stepAfter" if panel.get("steppedLine") else "linear",
        "showPoints": "always" if panel.get("points") else "never",
        "pointSize": 2 * _number(panel.get("pointradius"), 2) + 1,
        "spanNulls": panel.get("nullPointMode") == "connected",
        **left["custom"],
    }
    if panel.get("dashes"):
        lengths = [_number(panel.get("dashLength"), 10), _number(panel.get("spaceLength"), 10)]
        custom["lineStyle"] = {"fill": "dash", "dash": lengths}
    if panel.get("stack"):
        custom["stacking"] = {"mode": "percent" if panel.get("percentage") else "normal", "group": "A"}
    defaults: Json = {"custom": custom, "color": {"mode": "palette-classic"}, **left["plain"]}
    steps, style = _graph_thresholds(panel)
    if steps:
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        custom["thresholdsStyle"] = {"mode": style}
    overrides = [*_alias_colors(panel), *_series_overrides(panel, right)]
    tooltip = _object(panel.get("tooltip"))
    panel["type"] = "timeseries"
    panel["fieldConfig"] = {"defaults": defaults, "overrides": overrides}
    panel["options"] = {
        "legend": _legend(panel),
        "tooltip": {
            "mode": "single" if tooltip.get("shared") is False else "multi",
            "sort": {1: "asc", 2: "desc"}.get(int(_number(tooltip.get("sort"), 0)), "none"),
        },
    }


def _axes(panel: Json) -> tuple[Json, Json]:
    """Both axes of a graph: what a field says of itself (`plain`) and of its drawing (`custom`)."""
    found = []
    for axis, side in zip((*_objects(panel.get("yaxes")), {}, {}), ("left", "right"), strict=False):
        plain: Json = {"unit": axis["format"]} if isinstance(axis.get("format"), str) else {}
        for name in ("min", "max", "decimals"):
            if (number := _number(axis.get(name), None)) is not None:
                plain[name] = number
        custom: Json = {"axisPlacement": "hidden" if axis.get("show") is False else side}
        if side == "left" and custom["axisPlacement"] == "left":
            custom["axisPlacement"] = "auto"
        if isinstance(axis.get("label"), str):
            custom["axisLabel"] = axis["label"]
        if (base := _number(axis.get("logBase"), 1)) > 1:
            custom["scaleDistribution"] = {"type": "log", "log": base}
        found.append({"plain": plain, "custom": custom})
    return found[0], found[1]


def _graph_thresholds(panel: Json) -> tuple[list[Json], str]:
    """The steps of a graph's thresholds, and how they are drawn."""
    found: list[tuple[float, str, bool]] = []
    style = "off"
    for one in _objects(panel.get("thresholds")):
        value = _number(one.get("value"), None)
        if value is None:
            continue
        own = one.get("fillColor") or one.get("lineColor")
        color = _SEVERITIES.get(str(one.get("colorMode")), str(own or "red"))
        found.append((value, color, one.get("op") == "lt"))
        style = "line+area" if one.get("fill") and one.get("line") else "area" if one.get("fill") else "line"
    if not found:
        return [], style
    found.sort(key=lambda each: each[0])
    below = next((color for _, color, lower in found if lower), "transparent")
    steps: list[Json] = [{"color": below, "value": None}]
    for index, (value, color, lower) in enumerate(found):
        following = next((after for _, after, low in found[index + 1 :] if low), "transparent")
        steps.append({"color": following if lower else color, "value": value})
    return steps, style


def _series_overrides(panel: Json, right: Json) -> Iterator[Json]:
    for one in _objects(panel.get("seriesOverrides")):
        alias = one.get("alias")
        if not isinstance(alias, str):
            continue
        properties: list[Json] = []
        for name, value in one.items():
            if name in _SERIES:
                properties += _properties(_SERIES[name](value))
        if one.get("yaxis") == 2:
            drawn = {f"custom.{name}": value for name, value in right["custom"].items()}
            properties += _properties({**right["plain"], **drawn})
        if properties:
            yield {"matcher": _by_name(alias), "properties": properties}


_SERIES: Final[Mapping[str, Callable[[Any], Json]]] = {
    "fill": lambda value: {"custom.fillOpacity": 10 * _number(value, 0)},
    "linewidth": lambda value: {"custom.lineWidth": _number(value, 1)},
    "lines": lambda value: {} if value else {"custom.lineWidth": 0},
    "bars": lambda value: {"custom.drawStyle": "bars", "custom.fillOpacity": 100} if value else {},
    "points": lambda value: {"custom.showPoints": "always" if value else "never"},
    "pointradius": lambda value: {"custom.pointSize": 2 * _number(value, 2) + 1},
    "steppedLine": lambda value: {"custom.lineInterpolation": "stepAfter" if value else "linear"},
    "dashes": lambda value: {"custom.lineStyle": {"fill": "dash", "dash": [10, 10]}} if value else {},
    "stack": lambda value: {"custom.stacking": {"mode": "normal" if value else "none", "group": str(value)}},
    "nullPointMode": lambda value: {"custom.spanNulls": value == "connected"},
    "transform": lambda value: {"custom.transform": value},
    "color": lambda value: {"color": {"mode": "fixed", "fixedColor": value}},
    "legend": lambda value: {} if value else {"custom.hideFrom": {"legend": True, "viz": False, "tooltip": False}},
}
"""What a graph says of some of its series -> the properties that say so today."""


def _singlestat(panel: Json) -> None:
    gauge, name = _object(panel.get("gauge")), str(panel.get("valueName") or "avg")
    reduced: Json = {"calcs": [_REDUCERS.get(name, "lastNotNull")], "values": False}
    if isinstance(panel.get("tableColumn"), str) and panel["tableColumn"]:
        reduced["fields"] = panel["tableColumn"]
    defaults: Json = {"mappings": _maps(panel), "color": {"mode": "thresholds"}}
    _take(panel, defaults, {"format": "unit", "decimals": "decimals", "nullText": "noValue"})
    if steps := _steps(panel.get("thresholds"), panel.get("colors")):
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    options: Json = {"reduceOptions": reduced}
    if gauge.get("show"):
        panel["type"] = "gauge"
        _take(gauge, defaults, {"minValue": "min", "maxValue": "max"})
        options["showThresholdMarkers"] = bool(gauge.get("thresholdMarkers", True))
        options["showThresholdLabels"] = bool(gauge.get("thresholdLabels"))
    else:
        panel["type"] = "stat"
        ground, value = panel.get("colorBackground"), panel.get("colorValue")
        options["colorMode"] = "background" if ground else "value" if value else "none"
        options["graphMode"] = "area" if _object(panel.get("sparkline")).get("show") else "none"
        options["textMode"] = "name" if name == "name" else "auto"
    panel["fieldConfig"], panel["options"] = {"defaults": defaults, "overrides": []}, options


def _table(panel: Json) -> None:
    overrides = []
    for style in _objects(panel.get("styles")):
        pattern = style.get("pattern")
        properties = _properties(_column(style))
        if isinstance(pattern, str) and properties:
            overrides.append({"matcher": _by_name(pattern), "properties": properties})
    # In the old table the first style that fits is taken, today the last.
    overrides.reverse()
    transform = {
        "timeseries_to_rows": {"id": "seriesToRows", "options": {}},
        "timeseries_to_columns": {"id": "joinByField", "options": {"byField": "Time", "mode": "outer"}},
        "table": {"id": "merge", "options": {}},
        "timeseries_aggregations": {
            "id": "reduce",
            "options": {
                "reducers": [_REDUCERS.get(str(one.get("value")), "mean") for one in _objects(panel.get("columns"))],
                "includeTimeField": False,
            },
        },
    }.get(str(panel.get("transform")))
    queries = [target for target in _objects(panel.get("targets")) if not target.get("hide")]
    if transform and (panel.get("transform") != "table" or len(queries) > 1):
        panel["transformations"] = [transform, *_list(panel.get("transformations"))]
    panel["type"] = "table"
    panel["fieldConfig"] = {"defaults": {}, "overrides": overrides}
    panel["options"] = {"showHeader": panel.get("showHeader", True) is not False}


def _column(style: Json) -> Json:
    """A style of the old table as properties of a field."""
    kind, found = style.get("type"), dict[str, Any]()
    if style.get("alias"):
        found["displayName"] = style["alias"]
    if style.get("align") not in (None, "", "auto"):
        found["custom.align"] = style["align"]
    if kind == "hidden":
        found["custom.hidden"] = True
    elif kind == "date" and isinstance(style.get("dateFormat"), str):
        found["unit"] = f"time:{style['dateFormat']}"
    elif kind == "number":
        _take(style, found, {"unit": "unit", "decimals": "decimals"})
    elif kind == "string" and (mappings := _maps(style)):
        found["mappings"] = mappings
    colored = {"cell": "color-background", "row": "color-background", "value": "color-text"}.get(
        str(style.get("colorMode"))
    )
    if colored:
        found["custom.cellOptions"] = {"type": colored}
        found["color"] = {"mode": "thresholds"}
        if steps := _steps(style.get("thresholds"), style.get("colors")):
            found["thresholds"] = {"mode": "absolute", "steps": steps}
    if style.get("link") and isinstance(style.get("linkUrl"), str):
        url = style["linkUrl"].replace("${__cell:raw}", "${__value.raw}").replace("$__cell:raw", "${__value.raw}")
        url = url.replace("${__cell}", "${__value.text}")
        title = str(style.get("linkTooltip") or "")
        found["links"] = [{"title": title, "url": url, "targetBlank": bool(style.get("linkTargetBlank"))}]
    return found


def _pie(panel: Json) -> None:
    legend = _object(panel.get("legend"))
    aside = panel.get("legendType") == "Right side"
    shown = legend.get("show", True) is not False and panel.get("legendType") != "On graph"
    defaults: Json = {"color": {"mode": "palette-classic"}}
    _take(panel, defaults, {"format": "unit", "decimals": "decimals"})
    panel["type"] = "piechart"
    panel["fieldConfig"] = {"defaults": defaults, "overrides": list(_alias_colors(panel))}
    panel["options"] = {
        "pieType": "donut" if panel.get("pieType") == "donut" else "pie",
        "reduceOptions": {"calcs": [_REDUCERS.get(str(panel.get("valueName")), "lastNotNull")], "values": False},
        "displayLabels": ["name"] if panel.get("legendType") == "On graph" else [],
        "legend": {
            "showLegend": shown,
            "displayMode": "table" if legend.get("values") or legend.get("percentage") else "list",
            "placement": "right" if aside else "bottom",
            "values": [new for old, new in (("values", "value"), ("percentage", "percent")) if legend.get(old)],
        },
    }


def _field_options(panel: Json) -> None:
    """Before Grafana 7, gauges, bar gauges and stats kept the fields' configuration among their options."""
    options = panel.get("options")
    old = options.get("fieldOptions") if isinstance(options, dict) else None
    if not isinstance(options, dict) or not isinstance(old, dict):
        return
    del options["fieldOptions"]
    options["reduceOptions"] = {key: old[key] for key in ("calcs", "values", "limit") if key in old}
    defaults = dict(_object(old.get("defaults")))
    for name in ("thresholds", "mappings"):
        if name in old:
            defaults.setdefault(name, old[name])
    if isinstance(defaults.get("thresholds"), list):
        defaults["thresholds"] = {"mode": "absolute", "steps": defaults["thresholds"]}
    panel.setdefault("fieldConfig", {"defaults": defaults, "overrides": _list(old.get("overrides"))})


_TYPES: Final[Mapping[str, Callable[[Json], None]]] = {
    "graph": _graph,
    "singlestat": _singlestat,
    "grafana-singlestat-panel": _singlestat,
    "table": _table,
    "table-old": _table,
    "grafana-piechart-panel": _pie,
    "gauge": _field_options,
    "bargauge": _field_options,
    "stat": _field_options,
}


def _legend(panel: Json) -> Json:
    legend = _object(panel.get("legend"))
    return {
        "showLegend": legend.get("show", True) is not False,
        "displayMode": "table" if legend.get("alignAsTable") else "list",
        "placement": "right" if legend.get("rightSide") else "bottom",
        "calcs": [new for old, new in _REDUCERS.items() if legend.get(old)] if legend.get("values") else [],
    }


def _alias_colors(panel: Json) -> Iterator[Json]:
    for name, color in _object(panel.get("aliasColors")).items():
        fixed = {"color": {"mode": "fixed", "fixedColor": color}}
        yield {"matcher": {"id": "byName", "options": name}, "properties": _properties(fixed)}


def _by_name(pattern: str) -> Json:
    """A matcher for a name, or for a pattern between slashes."""
    return {"id": "byRegexp" if pattern.startswith("/") else "byName", "options": pattern}


def _maps(owner: Json) -> list[Json]:
    """The value or range mappings of a singlestat or of a style, whichever is turned on."""
    if owner.get("mappingType", 1) == 2:
        return [_range(one) for one in _objects(owner.get("rangeMaps"))]
    found: list[Json] = []
    values: Json = {}
    for one in _objects(owner.get("valueMaps")):
        result = {"text": str(one.get("text", ""))}
        if one.get("value") in (None, "null"):
            found.append({"type": "special", "options": {"match": "null", "result": result}})
        else:
            values[str(one["value"])] = result
    return [{"type": "value", "options": values}, *found] if values else found


def _range(one: Json) -> Json:
    ends = {name: _number(one.get(name), None) for name in ("from", "to")}
    return {"type": "range", "options": {**ends, "result": {"text": str(one.get("text", ""))}}}


def _steps(limits: object, colors: object) -> list[Json]:
    """`50,80` (or a list) and three colours as steps."""
    words = limits.split(",") if isinstance(limits, str) else _list(limits)
    values = [None, *(number for word in words if (number := _number(word, None)) is not None)]
    names = [color for color in _list(colors) if isinstance(color, str)]
    return [{"color": color, "value": value} for color, value in zip(names, values, strict=False)]


def _properties(values: Json) -> list[Json]:
    return [{"id": name, "value": value} for name, value in values.items()]


def _take(owner: Json, into: Json, names: Mapping[str, str]) -> None:
    for old, new in names.items():
        if owner.get(old) not in (None, ""):
            into[new] = owner[old]


def _number(value: object, otherwise: Any) -> Any:
    """A number, also one in words; `otherwise` for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return otherwise
    try:
        return int(value) if not isinstance(value, str) and value == int(value) else float(value)
    except (ValueError, OverflowError):
        return otherwise


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: object) -> list[Json]:
    return [item for item in _list(value) if isinstance(item, dict)]
