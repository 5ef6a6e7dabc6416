"""The values that say what to draw. `encode` writes them as JSON, without what is empty.

Times are epoch milliseconds. A colour is a CSS value, for both themes at once (`light-dark(…)`) where Grafana has two.
Lists that belong together (`values`, `texts`, `colors`, `urls`) have the same length; empty, they say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, ClassVar, Literal

Number = float | None


@dataclass(frozen=True, slots=True)
class View:
    """What every panel type has in common. `notices` are sentences for the viewer."""

    kind: ClassVar[str] = "empty"
    notices: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Link:
    """Where a mark leads: an address that was checked."""

    title: str
    url: str
    new_tab: bool = False


@dataclass(frozen=True, slots=True)
class Nothing(View):
    """There is nothing to draw; `text` says why."""

    kind: ClassVar[str] = "nothing"
    text: str = "No data"


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, and what stands there."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale of values from `low` to `high`. An axis that is `hidden` only scales; `log` is the base, 0 for linear."""

    low: float
    high: float
    ticks: tuple[Tick, ...]
    side: Literal["left", "right"] = "left"
    label: str = ""
    hidden: bool = False
    grid: bool = True
    log: float = 0


@dataclass(frozen=True, slots=True)
class Level:
    """A threshold: a line at `value`, or an area from `value` to `until`."""

    axis: int
    value: float
    color: str
    until: Number = None
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a legend: a series by its index, its name and figures (`Max: 3 s`)."""

    index: int
    name: str
    color: str
    figures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Legend:
    """The legend; empty when the panel shows none."""

    entries: tuple[Entry, ...] = ()
    placement: Literal["bottom", "right"] = "bottom"
    figures: tuple[str, ...] = ()
    table: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A series over time. `clock` is the index of its times; `base` is where its area starts (stacks).

    `gap` is the longest time without a value, in milliseconds, that a line crosses; -1 crosses all.
    """

    name: str
    color: str
    clock: int
    axis: int
    values: Sequence[Number]
    texts: Sequence[str]
    base: Sequence[Number] = ()
    draw: Literal["line", "bars", "points"] = "line"
    curve: Literal["linear", "smooth", "stepBefore", "stepAfter"] = "linear"
    width: float = 1
    fill: float = 0
    points: Literal["auto", "always", "never"] = "auto"
    point_size: float = 5
    dash: tuple[float, ...] = ()
    gap: float = 0
    in_tooltip: bool = True


@dataclass(frozen=True, slots=True)
class TimeSeries(View):
    """Series over the range from `start` to `end`. `order` is that of the values that a tooltip tells."""

    kind: ClassVar[str] = "timeseries"
    start: float
    end: float
    clocks: tuple[Sequence[float], ...]
    lines: tuple[Line, ...]
    axes: tuple[Axis, ...]
    levels: tuple[Level, ...] = ()
    legend: Legend = Legend()
    tooltip: Literal["single", "multi", "none"] = "single"
    order: Literal["", "asc", "desc"] = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """A series of bars, one for each category. `values` are the ends and `base` the starts of stacked ones."""

    name: str
    color: str
    axis: int
    values: Sequence[Number]
    texts: Sequence[str]
    base: Sequence[Number] = ()
    colors: Sequence[str] = ()
    links: Sequence[tuple[Link, ...]] = ()
    fill: float = 0.8


@dataclass(frozen=True, slots=True)
class BarChart(View):
    """Bars by category. `rotate` is the labels' angle in degrees (0: as it fits)."""

    kind: ClassVar[str] = "barchart"
    labels: tuple[str, ...]
    series: tuple[Bars, ...]
    axes: tuple[Axis, ...]
    horizontal: bool = False
    stacked: bool = False
    show_values: Literal["auto", "always", "never"] = "auto"
    rotate: float = 0
    group_width: float = 0.7
    bar_width: float = 0.97
    radius: float = 0
    levels: tuple[Level, ...] = ()
    legend: Legend = Legend()


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with its name. `spark` is its history; `percent` lies between 0 and 1."""

    title: str
    text: str
    prefix: str = ""
    suffix: str = ""
    color: str = ""
    ink: str = ""
    spark: Sequence[Number] = ()
    spark_times: Sequence[float] = ()
    links: tuple[Link, ...] = ()
    percent: Number = None
    change: str = ""
    rising: bool = False
    low: str = ""
    high: str = ""
    steps: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Stat(View):
    """Figures beside each other. `color` says what takes a tile's colour."""

    kind: ClassVar[str] = "stat"
    tiles: tuple[Tile, ...]
    color: Literal["value", "background", "none"] = "value"
    show: Literal["value", "value_and_name", "name", "none"] = "value"
    center: bool = False
    vertical: Literal["", "yes", "no"] = ""


@dataclass(frozen=True, slots=True)
class Gauge(View):
    """Arcs from the lowest to the highest value, with the steps of their thresholds."""

    kind: ClassVar[str] = "gauge"
    tiles: tuple[Tile, ...]
    markers: bool = True
    labels: bool = False


@dataclass(frozen=True, slots=True)
class BarGauge(View):
    """Bars that fill from the lowest to the highest value."""

    kind: ClassVar[str] = "bargauge"
    tiles: tuple[Tile, ...]
    vertical: bool = False
    mode: Literal["basic", "gradient", "lcd"] = "gradient"
    unfilled: bool = True


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a whole; `share` lies between 0 and 1."""

    name: str
    text: str
    color: str
    share: float
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Pie(View):
    """Slices of a pie or a donut; `labels` names what stands on them."""

    kind: ClassVar[str] = "piechart"
    slices: tuple[Slice, ...]
    donut: bool = False
    labels: tuple[str, ...] = ()
    legend: Legend = Legend()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, cell by cell. `ranks` order its rows, `shares` fill gauges (0 to 1); width in pixels."""

    name: str
    texts: Sequence[str]
    ranks: Sequence[int]
    cell: Literal["text", "color", "background", "gauge", "json", "link", "image"] = "text"
    colors: Sequence[str] = ()
    inks: Sequence[str] = ()
    links: Sequence[tuple[Link, ...]] = ()
    shares: Sequence[Number] = ()
    align: Literal["left", "center", "right"] = "left"
    width: Number = None
    min_width: Number = None
    wrap: bool = False
    numeric: bool = False
    footer: str = ""


@dataclass(frozen=True, slots=True)
class Sort:
    """The column that orders a table at first."""

    column: int
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Table(View):
    """Rows and columns. `rows` counts what stands here; `total` what the query gave."""

    kind: ClassVar[str] = "table"
    columns: tuple[Column, ...]
    rows: int
    total: int
    sort: Sort | None = None
    header: bool = True
    footer: bool = False
    height: Literal["sm", "md", "lg"] = "sm"


@dataclass(frozen=True, slots=True)
class Text(View):
    """HTML that was made harmless."""

    kind: ClassVar[str] = "text"
    html: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A bar of a Gantt chart or a state: from `start` to `end` on a line of its lane."""

    start: float
    end: float
    text: str
    color: str
    lane: int
    line: int = 0
    lines: tuple[str, ...] = ()
    open: bool = False
    links: tuple[Link, ...] = ()
    ink: str = ""


@dataclass(frozen=True, slots=True)
class Gantt(View):
    """Spans in lanes from `start` to `end`; `depths` says how many lines each lane has. Also states over time."""

    kind: ClassVar[str] = "gantt"
    start: float
    end: float
    lanes: tuple[str, ...]
    depths: tuple[int, ...]
    spans: tuple[Span, ...]
    legend: Legend = Legend()
    states: bool = False
    show_values: Literal["auto", "always", "never"] = "auto"
    row_height: float = 0.9
    gap: float = 0


@dataclass(frozen=True, slots=True)
class Ring:
    """A closed line around a radar, one value for each spoke; `shares` lie between 0 and 1."""

    name: str
    color: str
    values: Sequence[Number]
    texts: Sequence[str]
    shares: Sequence[Number]


@dataclass(frozen=True, slots=True)
class Radar(View):
    """Spokes around a centre. `ticks` name the rings of the grid, innermost first; `title` stands above."""

    kind: ClassVar[str] = "radar"
    labels: tuple[str, ...]
    rings: tuple[Ring, ...]
    ticks: tuple[str, ...]
    legend: Legend = Legend()
    title: str = ""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A cell of a heatmap between two times and two values."""

    start: float
    end: float
    row: int
    text: str
    color: str


@dataclass(frozen=True, slots=True)
class Heatmap(View):
    """Cells over time; `rows` name the buckets, lowest first."""

    kind: ClassVar[str] = "heatmap"
    start: float
    end: float
    rows: tuple[str, ...]
    cells: tuple[HeatCell, ...]


def encode(value: Any) -> dict[str, Any]:
    """The hook of `json.dumps(view, default=encode)`. Raises TypeError for what is no value of this module."""
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"{type(value).__name__} is not JSON")
    found: dict[str, Any] = {"kind": value.kind} if isinstance(value, View) else {}
    for one in fields(value):
        content = getattr(value, one.name)
        # 0 is a value; what is empty says nothing.
        if content is None or content is False or (not isinstance(content, int | float) and not content):
            continue
        found[one.name] = content
    return found
