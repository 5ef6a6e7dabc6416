"""From a panel of the dashboards that ship to the portal's list of the rows that it counts.

The links are not in the dashboards' JSON, since a Grafana elsewhere could not follow them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from apps.panels.variables import Selection
from apps.portal import links
from apps.portal.listing import RangeFilter


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of the portal, its filters, and which of them takes the value of which variable."""

    page: str
    filters: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    ranged: bool = False


_PLACES: Final = {"host": "host", "device": "device", "team": "team"}
_SCRIPTS: Final = Rows("runs", {"kind": "script"}, _PLACES, ranged=True)
_FAILING: Final = Rows("runs", {"kind": "script", "state": "failing"}, _PLACES, ranged=True)
_RUNNING: Final = Rows("runs", {"kind": "script", "state": "running"}, _PLACES, ranged=True)
_CAMPAIGNS: Final = Rows("runs", {"kind": "campaign"}, {**_PLACES, "campaign": "q"}, ranged=True)
_RUNNING_CAMPAIGNS: Final = Rows("runs", {"kind": "campaign", "state": "running"}, {**_PLACES, "campaign": "q"}, True)
_ACTIVE_ALERTS: Final = Rows("alerts", {}, _PLACES)
_ALL_ALERTS: Final = Rows("alerts", {"state": "all"}, _PLACES, ranged=True)
_DEVICES: Final = Rows("devices", {"view": "table"}, {"host": "host", "team": "team", "device": "q"})
_SILENT_DEVICES: Final = Rows("devices", {"view": "table", "state": "silent"}, _DEVICES.variables)
_HOSTS: Final = Rows("system", {}, {"host": "q"})

BEHIND: Final[Mapping[str, Mapping[int, Rows]]] = {
    "virtualpytest-overview": {
        **dict.fromkeys((1, 2, 6, 7, 8, 9, 10, 11, 12), _SCRIPTS),
        3: _RUNNING, 4: _RUNNING_CAMPAIGNS, 5: _DEVICES, 13: _CAMPAIGNS, 14: _CAMPAIGNS,
    },
    "virtualpytest-system-health": {
        **dict.fromkeys((2, 12, 13, 14, 15, 16), _HOSTS),
        3: _ACTIVE_ALERTS, 4: _FAILING, 5: _SILENT_DEVICES, 6: _DEVICES, 7: _ALL_ALERTS, 8: _FAILING,
        9: _ACTIVE_ALERTS, 10: _DEVICES, 11: _DEVICES,
    },
}  # fmt: skip
"""By the dashboard's uid and the panel's id."""


def rows_behind(uid: str, panel: int, selections: Mapping[str, Selection], start: datetime, now: datetime) -> str:
    """The address of the list behind a panel, for the values that are chosen one by one and the shortest span of the
    list that begins before `start`; empty for panels that count no rows of the portal's lists."""
    found = BEHIND.get(uid, {}).get(panel)
    if found is None:
        return ""
    query = dict(found.filters)
    for name, parameter in found.variables.items():
        selection = selections.get(name)
        if selection is not None and not selection.is_all and len(selection.values) == 1:
            query[parameter] = selection.values[0]
    if found.ranged:
        # A relative range may count from some seconds ago.
        spans = (name for name, span in RangeFilter.SPANS.items() if (now - start) * 0.99 <= span)
        query["range"] = next(spans, "all")
    return links.page(found.page, query=query)
