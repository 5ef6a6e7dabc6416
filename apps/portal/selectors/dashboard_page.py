"""A dashboard as its page shows it: the time range, the variables' choices, and a frame for each panel to come."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.scope import scope_of
from apps.dashboards.models import Dashboard as Row
from apps.dashboards.reading import document_of, viewer_of
from apps.live.subscriptions import subscribable
from apps.panels.document import Dashboard as Document
from apps.panels.document import Panel
from apps.panels.interpolate import interpolate_text
from apps.panels.opening import Asked, Opened, open_dashboard
from apps.panels.panel import tables_of
from apps.panels.reader import may_run
from apps.panels.run import Limits
from apps.panels.timerange import TimeRange
from apps.panels.variables import ALL, ALL_TEXT, Option, Selection, Variable
from apps.portal import links
from apps.portal.selectors import quick_ranges
from apps.portal.selectors.dashboard_links import Outward, outward, tagged
from apps.portal.selectors.panel_rows import rows_behind

SHOWN_OPTIONS: Final = 1000
"""The most options of a variable that a page holds; what is chosen is always among them."""
VARIABLE_SECONDS: Final = 5
"""How long the page waits for the options of one variable."""
REFRESHES: Final = ("5s", "10s", "30s", "1m", "5m", "15m", "30m", "1h", "2h", "1d")


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a variable."""

    text: str
    value: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Control:
    """A variable as the page shows it: a list, a text to type, or none that has an effect. `left_out` counts options
    beyond the page's, which can be `typed`; `trouble` says why there are none."""

    name: str
    label: str
    kind: Literal["list", "text", "none"]
    text: str
    choices: Sequence[Choice] = ()
    multi: bool = False
    typed: bool = False
    changed: bool = False
    left_out: int = 0
    trouble: str = ""
    help: str = ""

    @property
    def parameter(self) -> str:
        """The address's parameter."""
        return f"var-{self.name}"


@dataclass(frozen=True, slots=True)
class Frame:
    """A panel's place (grid columns and rows) and name. `query` is what its data is asked with beyond the page's;
    `panel` is its number in the document, where `id` is the copy's. `url` shows it alone, `solo_url` does so
    without the portal around it.

    `time` says which times it shows where they are its own, `rows_url` leads to the rows that it counts, `links` are
    its author's. `tables` are those whose changes it follows, separated by spaces. Of a row, `url` opens or closes it.
    """

    id: int
    panel: int
    title: str
    x: int
    y: int
    w: int
    h: int
    kind: str = ""
    query: str = ""
    help: str = ""
    bare: bool = False
    is_row: bool = False
    is_open: bool = True
    url: str = ""
    solo_url: str = ""
    rows_url: str = ""
    time: str = ""
    links: Sequence[Outward] = ()
    tables: str = ""


@dataclass(frozen=True, slots=True)
class QuickLink:
    """A range of the picker and this page in it."""

    label: str
    from_: str
    to: str
    url: str


@dataclass(frozen=True, slots=True)
class DashboardPage:
    """What the template draws. `query` asks every panel's data: the range as written and each variable's choice.

    `kept` is what the address says besides the range and the variables; `alone` the panel that fills the page.
    """

    uid: str
    title: str
    description: str
    range: TimeRange
    range_label: str
    zone: str
    refresh: str
    controls: Sequence[Control]
    frames: Sequence[Frame]
    links: Sequence[Outward]
    query: str
    asked_range: Sequence[tuple[str, str]]
    asked_values: Sequence[tuple[str, str]]
    kept: Sequence[tuple[str, str]]
    notices: Sequence[str]
    runs: bool
    quick: Sequence[Sequence[QuickLink]]
    alone: int | None = None

    @property
    def refreshes(self) -> Sequence[str]:
        """The intervals of refreshing that can be chosen, the dashboard's own among them."""
        return REFRESHES if self.refresh in {"", *REFRESHES} else (self.refresh, *REFRESHES)


def page_of(
    row: Row, query: QueryDict, *, user: User, panel: int | None = None, document: Document | None = None
) -> DashboardPage:
    """The page of a dashboard for what an address asks; with `panel`, of that panel alone; with `document`, of that one
    in place of what is saved.

    What the address asks wrongly (an unknown value, a time that is none) becomes a notice and the document's default.
    """
    alone = panel if panel is not None else _number(query.get("viewPanel", ""))
    toggled = {number for text in query.getlist("row") if (number := _number(text)) is not None}
    scope = scope_of(user)
    asked = asked_by(query)
    found = open_dashboard(
        document or document_of(row),
        asked,
        viewer_of(user),
        now=timezone.now(),
        limits=Limits(seconds=VARIABLE_SECONDS),
    )
    layout = found.laid_out(toggled)
    placed = layout.panels
    if panel is not None:
        placed = _copy(found, panel, asked.scoped)
    elif alone is not None:
        placed = tuple(one for one in placed if one.id == alone and not one.is_row)
    return DashboardPage(
        uid=row.uid,
        title=row.title,
        description=found.dashboard.description,
        range=found.range,
        range_label=quick_ranges.label_of(found.range.raw_from, found.range.raw_to),
        zone=query.get("tz", "") or found.dashboard.timezone,
        refresh=_refresh(query.get("refresh", found.dashboard.refresh)),
        controls=[_control(one, found, query) for one in found.dashboard.variables if _is_shown(one)],
        frames=[_frame(row.uid, one, found, query) for one in placed],
        links=[
            *outward(found.dashboard.links, found.selections, _chosen(found)),
            *tagged(found.dashboard.links, row.uid, _chosen(found), scope),
        ],
        query=urlencode(_chosen(found)),
        asked_range=[(name, query.get(name, "")) for name in ("from", "to") if name in query],
        asked_values=[(name, value) for name in query if name.startswith("var-") for value in query.getlist(name)],
        kept=[(name, value) for name in _KEPT for value in query.getlist(name)],
        notices=[*(fault.text for fault in found.faults), *layout.notices],
        runs=may_run(scope),
        quick=[
            [
                QuickLink(one.label, one.from_, one.to, _address(query, **{"from": [one.from_], "to": [one.to]}))
                for one in part
            ]
            for part in (quick_ranges.RECENT, quick_ranges.CALENDAR)
        ],
        alone=alone if placed else None,
    )


def asked_by(query: QueryDict) -> Asked:
    """What an address asks of a dashboard."""
    return Asked(
        query.get("from", ""),
        query.get("to", ""),
        query.get("tz", ""),
        {name.removeprefix("var-"): query.getlist(name) for name in query if name.startswith("var-")},
        {name.removeprefix("scope-"): query.get(name, "") for name in query if name.startswith("scope-")},
    )


_KEPT: Final = ("tz", "refresh", "row", "viewPanel", "kiosk", "cycle")
"""Parameters of the address that a change of the range or of a variable leaves as they are."""


def _chosen(found: Opened) -> list[tuple[str, str]]:
    """What is chosen, as parameters of an address: the range as it was written, and each variable's values."""
    values = [(f"var-{name}", value) for name, one in found.selections.items() for value in one.url_values]
    return [("from", found.range.raw_from), ("to", found.range.raw_to), *values]


def _own_time(panel: Panel, found: Opened) -> str:
    """The times of a panel that has its own, in words; only a relative range is replaced."""
    if panel.hide_time_override:
        return ""
    span = f"last {panel.time_from}" if panel.time_from and found.range.is_relative else ""
    return ", ".join(filter(None, (span, panel.time_shift and f"{panel.time_shift} earlier")))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _refresh(text: str) -> str:
    """An interval of whole seconds (five at least), minutes, hours or days; empty for anything else."""
    found = re.fullmatch(r"([1-9]\d{0,4})([smhd])", text, re.ASCII)
    return text if found and (found[2] != "s" or int(found[1]) >= 5) else ""


def _is_shown(variable: Variable) -> bool:
    return variable.hide != 2 and variable.kind not in {"constant", "datasource"}


def _control(variable: Variable, found: Opened, query: QueryDict) -> Control:
    selection = found.selections.get(variable.name, Selection(variable.name))
    options = found.options.get(variable.name, ())
    kind: Literal["list", "text", "none"] = "text" if variable.kind == "textbox" else "list"
    trouble = found.troubles.get(variable.name, "")
    if not variable.is_supported:
        kind, trouble = "none", f"Variables of type {variable.kind} have no effect here."
    left_out = max(0, len(options) - SHOWN_OPTIONS)
    return Control(
        name=variable.name,
        label="" if variable.hide == 1 else variable.label or variable.name,
        kind=kind,
        text=selection.text,
        choices=_choices(variable, selection, options),
        multi=variable.multi,
        typed=variable.is_typed or left_out > 0,
        changed=f"var-{variable.name}" in query,
        left_out=left_out,
        trouble=trouble,
        help=variable.description,
    )


def _choices(variable: Variable, selection: Selection, options: Sequence[Option]) -> list[Choice]:
    """All, what is chosen though it is no option (somebody typed it), and the options; of too many those that are
    chosen and the first."""
    taken = set() if selection.is_all else set(selection.values)
    known = {option.value for option in options}
    typed = [option for option in selection.chosen if option.value not in known]
    far = [option for option in options[SHOWN_OPTIONS:] if option.value in taken]
    listed = [Choice(one.text, one.value, one.value in taken) for one in (*typed, *far, *options[:SHOWN_OPTIONS])]
    return [Choice(ALL_TEXT, ALL, selection.is_all), *listed] if variable.include_all else listed


def _frame(uid: str, panel: Panel, found: Opened, query: QueryDict) -> Frame:
    here = {**found.selections, **{name: Selection.of(name, value) for name, value in panel.scoped.items()}}
    title = interpolate_text(panel.title, here, default="text")
    grid = panel.grid
    if panel.is_row:
        rows = [text for text in query.getlist("row") if text != str(panel.id)]
        rows += [] if str(panel.id) in query.getlist("row") else [str(panel.id)]
        return Frame(
            panel.id, panel.id, title, grid.x, grid.y, grid.w, grid.h, kind="row", is_row=True,
            is_open=not panel.collapsed, url=_address(query, row=rows),
        )  # fmt: skip
    original = panel.clone_of or panel.id
    scope = urlencode([(f"scope-{name}", value) for name, value in panel.scoped.items()])
    return Frame(
        panel.id, original, title, grid.x, grid.y, grid.w, grid.h, query=scope, help=panel.description,
        kind=panel.type, bare=panel.transparent, url=_address(query, viewPanel=[str(panel.id)]),
        solo_url=links.page("solo", uid, original),
        rows_url=rows_behind(uid, original, here, found.range.start, found.now), time=_own_time(panel, found),
        links=tuple(outward(panel.links, here, _chosen(found))),
        tables=" ".join(sorted(tables_of(found.dashboard, panel) & subscribable())),
    )  # fmt: skip


def _copy(found: Opened, number: int, scoped: Mapping[str, str]) -> tuple[Panel, ...]:
    """The panel of that number in the document, for the values of repeated variables that the address names."""
    panel = found.dashboard.panel(number)
    return () if panel is None or panel.is_row else (replace(panel, scoped=scoped),)


def _address(query: QueryDict, **changes: Sequence[str]) -> str:
    """This page with other values of some parameters."""
    changed = query.copy()
    for name, values in changes.items():
        changed.setlist(name, list(values))
    return f"?{changed.urlencode()}"
