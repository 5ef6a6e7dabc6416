"""A panel's data: its queries run for what is chosen, as frames with the panel's transformations and configuration.

An error of a query is a value of the answer, not an exception: the other queries of the panel, and the other panels,
are not hurt by it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from apps.panels import transform
from apps.panels.cache import Stop, keep_seconds
from apps.panels.compose import Statement, build_statement
from apps.panels.datasource import DataSource
from apps.panels.document import Dashboard, Panel, Target
from apps.panels.errors import Kind, PanelError
from apps.panels.fields.overrides import apply_field_config
from apps.panels.frames import Fill, Frame, FrameError, from_rows
from apps.panels.interpolate import Globals, InterpolationError, interpolate_text
from apps.panels.interval import BadDurationError, Interval, calculate_interval
from apps.panels.macros import MacroError
from apps.panels.opening import LOWEST_INTERVAL, Opened, names_used
from apps.panels.run import Limits, Query, Result, run
from apps.panels.sql_names import names_of
from apps.panels.sqltext import SqlTextError
from apps.panels.timerange import BadTimeError, TimeRange, panel_range
from apps.panels.view import default_color_mode

DEEPEST: Final = 5
"""How many panels may show each other's results in a row (`-- Dashboard --`)."""
_WHOLE_QUERIES: Final = re.compile(r"\$\{?(__url_time_range|__all_variables)\b\}?", re.ASCII)
"""Built-in variables that are parts of an address, encoded as they are."""


@dataclass(frozen=True)
class Ran:
    """A query as it ran: the SQL, the database's time in milliseconds, and how old the answer was."""

    ref_id: str
    sql: str
    ms: float = 0.0
    rows: int = 0
    age_seconds: float = 0.0


@dataclass(frozen=True)
class Failure:
    """Why a query gave nothing, and what to do about it. `position` is the character of its SQL, counted from 1."""

    text: str
    fix: str = ""
    kind: Kind = "refused"
    ref_id: str = ""
    position: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a panel shows. `title` has its variables filled in, and so has what `text` makes of other texts and
    `address` of the addresses of links.

    `ms` is the time that all of it took, the database's part of it in `ran`.
    """

    panel: Panel
    range: TimeRange
    interval: Interval
    title: str
    text: Callable[[str], str]
    address: Callable[[str], str]
    frames: Sequence[Frame] = ()
    notices: Sequence[str] = ()
    ran: Sequence[Ran] = ()
    failures: Sequence[Failure] = ()
    ms: float = 0.0

    @property
    def age_seconds(self) -> float:
        """The age of the oldest part."""
        return max((one.age_seconds for one in self.ran), default=0.0)


@dataclass(frozen=True)
class _Raw:
    """Frames before the panel's transformations, and how they came."""

    frames: tuple[Frame, ...] = ()
    notices: tuple[str, ...] = ()
    ran: tuple[Ran, ...] = ()
    failures: tuple[Failure, ...] = ()

    def __add__(self, other: _Raw) -> _Raw:
        return _Raw(
            self.frames + other.frames,
            self.notices + other.notices,
            self.ran + other.ran,
            self.failures + other.failures,
        )


@dataclass
class _Asking:
    """What every query of one answer needs."""

    opened: Opened
    points: int | None
    cancelled: Stop | None
    limits: Limits
    notices: list[str] = field(default_factory=list)


def variables_of(dashboard: Dashboard, panel: Panel, depth: int = 0) -> frozenset[str]:
    """The names of the variables that matter to a panel, those of the panels that it borrows from among them."""
    names = names_used(panel)
    for target in panel.targets:
        if (other := _borrowed(dashboard, panel, target)) is not None and depth < DEEPEST:
            names |= variables_of(dashboard, other, depth + 1)
    return names


@lru_cache(maxsize=2048)
def _tables(sql: str) -> frozenset[str]:
    try:
        return frozenset(names_of(sql).tables)
    except SqlTextError:
        return frozenset()


def tables_of(dashboard: Dashboard, panel: Panel, depth: int = 0) -> frozenset[str]:
    """The tables and views that the panel's queries name, and those of panels whose results it shows."""
    found: frozenset[str] = frozenset()
    for target in panel.targets:
        if target.hide:
            continue
        found |= _tables(target.raw_sql)
        if (other := _borrowed(dashboard, panel, target)) is not None and depth < DEEPEST:
            found |= tables_of(dashboard, other, depth + 1)
    return found


def ask_panel(
    opened: Opened,
    panel: Panel,
    *,
    max_data_points: int | None = None,
    cancelled: Stop | None = None,
    limits: Limits | None = None,
) -> Answer:
    """The data of `panel`, which is one of the opened dashboard's, for a drawing `max_data_points` wide.

    `opened` must have the variables that `variables_of` names.
    """
    began = time.perf_counter()
    asking = _Asking(opened, max_data_points, cancelled, limits or Limits())
    time_range, interval = _span(asking, panel, asking.notices)
    built_in = opened.globals(time_range, interval)

    def text(template: str) -> str:
        return interpolate_text(template, opened.selections, built_in, default="text", zone=opened.calendar.zone)

    def address(template: str) -> str:
        template = _WHOLE_QUERIES.sub(r"${\1:raw}", template)
        return interpolate_text(
            template, opened.selections, built_in, default="percentencode", zone=opened.calendar.zone
        )

    if panel.library is not None:
        name = panel.library.name or panel.library.uid
        asking.notices.append(f"This is the library panel {name}, which is not part of the dashboard's document.")
    raw = _raw(asking, panel)
    frames, skipped = transform.apply(_filled(panel.transformations, text), raw.frames)
    frames, left_out = apply_field_config(
        frames, panel.field_config, default_color_mode=default_color_mode(panel), interpolate=text
    )
    return Answer(
        panel,
        time_range,
        interval,
        text(panel.title),
        text,
        address,
        frames,
        tuple(dict.fromkeys((*asking.notices, *raw.notices, *skipped, *left_out))),
        raw.ran,
        raw.failures,
        (time.perf_counter() - began) * 1000,
    )


def _filled(transformations: Iterable[Mapping[str, object]], text: Callable[[str], str]) -> list[dict[str, object]]:
    """The transformations with the dashboard's variables in their options."""

    def fill(value: object) -> object:
        if isinstance(value, str):
            return text(value) if "$" in value or "[[" in value else value
        if isinstance(value, list):
            return [fill(each) for each in value]
        if isinstance(value, Mapping):
            return {key: fill(each) for key, each in value.items()}
        return value

    return [{key: fill(value) for key, value in each.items()} for each in transformations]


def _span(asking: _Asking, panel: Panel, notices: list[str]) -> tuple[TimeRange, Interval]:
    """The panel's own range and interval; what it says wrongly about them becomes a notice."""
    opened = asking.opened
    plain = opened.globals(opened.range, calculate_interval(opened.range, asking.points))

    def text(template: str) -> str:
        return interpolate_text(template, opened.selections, plain).strip()

    time_range = opened.range
    try:
        time_range = panel_range(
            opened.range, text(panel.time_from), text(panel.time_shift), now=opened.now, calendar=opened.calendar
        )
    except BadTimeError as error:
        notices.append(f"The panel's {error.parameter} has no effect: {error}.")
    points = panel.max_data_points or asking.points
    try:
        return time_range, calculate_interval(time_range, points, text(panel.interval) or LOWEST_INTERVAL)
    except BadDurationError as error:
        notices.append(f"The panel's interval has no effect: {error}.")
        return time_range, calculate_interval(time_range, points, LOWEST_INTERVAL)


def _raw(asking: _Asking, panel: Panel, depth: int = 0) -> _Raw:
    time_range, interval = _span(asking, panel, [])
    built_in = asking.opened.globals(time_range, interval)
    found = _Raw()
    for target in panel.targets:
        if target.hide:
            continue
        source = _source(panel, target)
        if source is not None and source.is_dashboard:
            found += _lent(asking, panel, target, depth)
        elif source is not None and not (source.is_sql or source.uid.startswith(("$", "[["))):
            kind = source.type or source.uid
            found += _Raw(
                notices=(f"Query {target.ref_id} asks a data source of type {kind}, which the portal lacks.",)
            )
        elif target.raw_sql.strip():
            found += _asked(asking, panel, target, time_range, interval, built_in)
    return found


def _source(panel: Panel, target: Target) -> DataSource | None:
    """Where a query goes: a mixed panel's queries say it themselves, as others may."""
    if panel.datasource is not None and not panel.datasource.is_mixed and panel.datasource.is_dashboard:
        return panel.datasource
    return target.datasource or panel.datasource


def _borrowed(dashboard: Dashboard, panel: Panel, target: Target) -> Panel | None:
    """The panel whose result a query of another shows."""
    source = _source(panel, target)
    number = target.fields.get("panelId")
    if source is None or not source.is_dashboard or not isinstance(number, int):
        return None
    return dashboard.panel(number)


def _lent(asking: _Asking, panel: Panel, target: Target, depth: int) -> _Raw:
    other = _borrowed(asking.opened.dashboard, panel, target)
    if other is None:
        text = f"Query {target.ref_id} shows the result of another panel, which this dashboard does not have."
        return _Raw(failures=(Failure(text, "Edit the panel.", ref_id=target.ref_id),))
    if depth >= DEEPEST:
        text = f"Query {target.ref_id} shows the result of a panel that shows this one's."
        return _Raw(failures=(Failure(text, "Edit the panel.", ref_id=target.ref_id),))
    lent = _raw(asking, other, depth + 1)
    if target.fields.get("withTransforms"):
        frames, notices = transform.apply(other.transformations, lent.frames)
        lent = replace(lent, frames=tuple(frames), notices=(*lent.notices, *notices))
    return lent


def _asked(
    asking: _Asking, panel: Panel, target: Target, time_range: TimeRange, interval: Interval, built_in: Globals
) -> _Raw:
    opened = asking.opened
    for name in sorted(names_used(target.raw_sql) & opened.failures.keys()):
        met = opened.failures[name]
        text = f"The variable {name} has no values. {met.text}"
        return _Raw(failures=(Failure(text, met.fix, met.kind, target.ref_id),))
    try:
        statement = build_statement(
            target.raw_sql, opened.selections, time_range, interval, built_in, zone=opened.calendar.zone
        )
    except (InterpolationError, MacroError) as error:
        return _Raw(
            failures=(Failure(f"{error}.".replace("..", "."), "Edit the panel's query.", ref_id=target.ref_id),)
        )
    source = f"{opened.dashboard.uid}/{panel.id}/{target.ref_id}"
    query = Query(statement.sql, source, keep_seconds(time_range.span_seconds))
    try:
        result = run(query, who=opened.viewer.who, limits=asking.limits, cancelled=asking.cancelled)
    except PanelError as error:
        failure = Failure(error.text, error.fix, error.kind, target.ref_id, error.position)
        return _Raw(ran=(Ran(target.ref_id, statement.sql),), failures=(failure,))
    ran = Ran(target.ref_id, statement.sql, result.duration_ms, len(result.rows), result.age_seconds)
    try:
        frame = _frame(target, statement, result, time_range)
    except FrameError as error:
        return _Raw(ran=(ran,), failures=(Failure(str(error), kind="sql", ref_id=target.ref_id),))
    said = [str(notice.get("text") or "") for notice in frame.meta.get("notices", ())]
    return _Raw((frame,), (*result.notices, *said), (ran,))


def _frame(target: Target, statement: Statement, result: Result, time_range: TimeRange) -> Frame:
    fill = None
    if (asked := statement.fill) is not None:
        fill = Fill(asked.mode, asked.seconds * 1000, time_range.start_ms, time_range.end_ms, asked.value)
    return from_rows(result.columns, result.rows, format=target.format, fill=fill, ref_id=target.ref_id)
