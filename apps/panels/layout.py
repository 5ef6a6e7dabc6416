"""Where each panel stands: rows opened and closed, panels and rows repeated for values of a variable.

The grid has 24 columns. As in Grafana, everything falls upwards until something is in its way; a panel that repeats
horizontally shares the full width among its copies, one that repeats vertically stacks them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from apps.panels.document import COLUMNS, Dashboard, Grid, Panel

MAX_PER_ROW: Final = 4
"""Copies side by side when the panel does not say how many."""
MAX_COPIES: Final = 100
"""Copies of one panel or row; a page of more is of no use to anybody."""


@dataclass(frozen=True)
class Layout:
    """The panels to draw, from top to bottom, in their final places; `notices` say what was left out."""

    panels: tuple[Panel, ...]
    notices: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Grid rows in all."""
        return max((panel.grid.y + panel.grid.h for panel in self.panels), default=0)


def laid_out(
    dashboard: Dashboard, values: Mapping[str, Sequence[str]], *, toggled: Collection[int] = frozenset()
) -> Layout:
    """The layout for the chosen `values` of each variable (All already spelt out).

    `toggled` has the ids of rows that the viewer opened or closed. A copy has an id of its own, for the page only:
    `clone_of` is the panel's id in the document, `scoped` the value that each repeated variable has in it. The first
    copy is the panel itself, with `scoped`. A variable without values repeats nothing.
    """
    builder = _Builder(dashboard, values)
    placed: list[Panel] = []
    skyline = [0] * COLUMNS
    for row, panels in builder.sections():
        if row is not None:
            collapsed = row.collapsed != (row.id in toggled)
            placed.append(_fallen(replace(row, collapsed=collapsed, children=()), skyline))
            if collapsed:
                continue
        placed.extend(_fallen(panel, skyline) for panel in panels)
    return Layout(tuple(placed), tuple(builder.notices))


class _Builder:
    """Makes the copies; ids of copies count on from the document's."""

    def __init__(self, dashboard: Dashboard, values: Mapping[str, Sequence[str]]) -> None:
        self._dashboard = dashboard
        self._values = values
        ids = [each.id for panel in dashboard.panels for each in (panel, *panel.children)]
        self._last_id = max(ids, default=0)
        self.notices: list[str] = []

    def sections(self) -> Iterator[tuple[Panel | None, list[Panel]]]:
        """The panels before the first row, then each row, as often as it repeats, with its panels repeated."""
        for row, panels in _sections(self._dashboard.panels):
            if row is None:
                yield None, self._repeated(panels, {})
                continue
            for index, scoped in enumerate(self._copies(row)):
                if index:
                    copy = replace(row, id=self._next_id(), clone_of=row.id, scoped=scoped)
                    inside = [replace(panel, id=self._next_id(), clone_of=panel.id) for panel in panels]
                else:
                    copy, inside = replace(row, scoped=scoped), list(panels)
                yield copy, self._repeated(inside, scoped)

    def _repeated(self, panels: Sequence[Panel], scope: Mapping[str, str]) -> list[Panel]:
        result: list[Panel] = []
        shift = 0
        ends: list[tuple[int, int]] = []
        for panel in panels:
            while ends and panel.grid.y >= ends[0][0]:
                shift += ends.pop(0)[1]
            base = replace(panel.grid, y=panel.grid.y + shift)
            copies = self._copies(panel)
            places = _places(panel, base, len(copies)) if panel.repeat else [base]
            for index, (scoped, place) in enumerate(zip(copies, places, strict=True)):
                copy = replace(panel, grid=place, scoped={**scope, **scoped})
                if index:
                    copy = replace(copy, id=self._next_id(), clone_of=panel.clone_of or panel.id)
                result.append(copy)
            extra = places[-1].y + places[-1].h - base.y - panel.grid.h
            if extra:
                ends = sorted([*ends, (panel.grid.y + panel.grid.h, extra)])
        return sorted(result, key=_reading_order)

    def _copies(self, panel: Panel) -> list[dict[str, str]]:
        values = self._values.get(panel.repeat, ()) if panel.repeat else ()
        if len(values) > MAX_COPIES:
            name = panel.title or f"panel {panel.id}"
            self.notices.append(f"{name}: the first {MAX_COPIES} of {len(values)} values of {panel.repeat} are shown")
        return [{panel.repeat: value} for value in values[:MAX_COPIES]] or [{}]

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id


def _sections(panels: Sequence[Panel]) -> Iterator[tuple[Panel | None, list[Panel]]]:
    """Rows with the panels that belong to them: those inside a collapsed one, those that follow an open one."""
    row: Panel | None = None
    inside: list[Panel] = []
    for panel in sorted(panels, key=_reading_order):
        if panel.is_row:
            if row is not None or inside:
                yield row, inside
            row, inside = panel, sorted(panel.children, key=_reading_order)
        else:
            inside.append(panel)
    if row is not None or inside:
        yield row, inside


def _places(panel: Panel, base: Grid, count: int) -> list[Grid]:
    if panel.repeat_direction == "v":
        return [replace(base, y=base.y + index * base.h) for index in range(count)]
    in_a_row = max(1, min(count, panel.max_per_row or MAX_PER_ROW, COLUMNS))
    width = COLUMNS // in_a_row
    return [
        Grid(x=index % in_a_row * width, y=base.y + index // in_a_row * base.h, w=width, h=base.h)
        for index in range(count)
    ]


def _fallen(panel: Panel, skyline: list[int]) -> Panel:
    """`panel` as far up as what is placed already allows; raises the skyline (the lowest free row of each column)."""
    columns = range(panel.grid.x, min(panel.grid.x + panel.grid.w, COLUMNS))
    y = max(skyline[column] for column in columns)
    for column in columns:
        skyline[column] = y + panel.grid.h
    return replace(panel, grid=replace(panel.grid, y=y))


def _reading_order(panel: Panel) -> tuple[int, int]:
    return panel.grid.y, panel.grid.x
