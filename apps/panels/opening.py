"""A dashboard opened for a viewer: its range of time, the options of its variables, and what is chosen of each.

What an address asks wrongly becomes a `Fault` and the dashboard's own default takes its place; a page shows faults as
notices, the API answers 400. A variable whose query fails has no options and a `trouble`, which its panels then show.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from apps.panels.cache import Stop, keep_seconds, steady
from apps.panels.compose import globals_for, variable_query
from apps.panels.document import Dashboard
from apps.panels.errors import PanelError
from apps.panels.interpolate import Globals, InterpolationError, names_in
from apps.panels.interval import BadDurationError, Interval, calculate_interval
from apps.panels.layout import Layout, laid_out
from apps.panels.macros import MacroError
from apps.panels.run import Limits, Query, Who, run
from apps.panels.timerange import BadTimeError, Calendar, TimeRange, parse_range, zone_named
from apps.panels.variables import (
    Option,
    Selection,
    UnknownValueError,
    Variable,
    choose,
    dependencies,
    follow_range,
    in_order,
    options_from_rows,
    static_options,
)

OPTION_SECONDS: Final = 30
"""How long the options of a variable are shown again, at least."""
LOWEST_INTERVAL: Final = "1m"
"""The shortest interval of panels that set none, as Grafana's SQL data sources have it."""
ALL_VARIABLES: Final = "__all_variables"

_WEEKDAYS: Final = {"monday": 0, "saturday": 5, "sunday": 6}


@dataclass(frozen=True)
class Viewer:
    """Who looks: for the log and the rights, and what dashboards can say about them (`${__user.login}`)."""

    who: Who
    id: int = 0
    email: str = ""


@dataclass(frozen=True)
class Asked:
    """What an address asks of a dashboard; empty means the dashboard's own. `values` and `scoped` are by variable:
    what is chosen, and the one value of each variable that a copied panel or row stands for."""

    from_: str = ""
    to: str = ""
    zone: str = ""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    scoped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """A parameter of the address that cannot be, and why."""

    parameter: str
    text: str


@dataclass(frozen=True)
class Opened:
    """A dashboard with what is chosen. `selections` lacks variables that cannot be filled in; `failures` say, by
    variable, why its options are missing. `now` is the moment that relative times count from."""

    dashboard: Dashboard
    viewer: Viewer
    now: datetime
    calendar: Calendar
    zone_name: str
    range: TimeRange
    selections: Mapping[str, Selection]
    options: Mapping[str, Sequence[Option]]
    faults: Sequence[Fault] = ()
    failures: Mapping[str, PanelError] = field(default_factory=dict)

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why the options of a variable are missing, in words."""
        return {name: failure.text for name, failure in self.failures.items()}

    @property
    def keep_seconds(self) -> int:
        """How long answers for this range are shown again."""
        return keep_seconds(self.range.span_seconds)

    def laid_out(self, toggled: Collection[int] = frozenset()) -> Layout:
        """The panels in their places, repeated; `toggled` has the rows that the viewer opened or closed."""
        values = {name: selection.values for name, selection in self.selections.items()}
        return laid_out(self.dashboard, values, toggled=toggled)

    def globals(self, time_range: TimeRange, interval: Interval) -> Globals:
        """The built-in variables for a range and an interval between points."""
        chosen = [(f"var-{name}", value) for name, one in self.selections.items() for value in one.url_values]
        built_in = globals_for(
            time_range,
            interval,
            dashboard={"uid": self.dashboard.uid, "title": self.dashboard.title},
            user={"id": self.viewer.id, "login": self.viewer.who.name, "email": self.viewer.email},
            organisation="vptmonitor",
            zone_name=self.zone_name,
        )
        return {**built_in, ALL_VARIABLES: urlencode(chosen)}


def open_dashboard(
    dashboard: Dashboard,
    asked: Asked,
    viewer: Viewer,
    *,
    now: datetime,
    only: Iterable[str] | None = None,
    cancelled: Stop | None = None,
    limits: Limits | None = None,
) -> Opened:
    """`dashboard` as `asked`, at the moment `now`, its variables' queries run for `viewer`.

    `only` names the variables that matter, when not all do: these and what they depend on are filled in, and what the
    address says of others is not looked at.
    """
    faults: list[Fault] = []
    zone_name = asked.zone or dashboard.timezone
    try:
        zone = zone_named(zone_name)
    except BadTimeError as error:
        # The document's own zone may be wrong too; a page in UTC is better than none.
        faults.append(Fault("tz", str(error)))
        zone, zone_name = UTC, "utc"
    calendar = Calendar(zone, _WEEKDAYS.get(dashboard.week_start.lower(), 6), dashboard.fiscal_year_start_month + 1)
    time_range, moment = _range(dashboard, asked, calendar, now, faults)
    opened = Opened(dashboard, viewer, moment, calendar, zone_name, time_range, {}, {})
    filling = _Filling(opened, asked, faults, cancelled, limits or Limits())
    wanted = _needed(dashboard, only)
    for variable in in_order(dashboard.variables):
        if variable.is_supported and (wanted is None or variable.name in wanted):
            filling.fill(variable)
    return replace(
        opened, selections=filling.selections, options=filling.options, faults=tuple(faults), failures=filling.failures
    )


def names_used(*parts: object) -> frozenset[str]:
    """The names of variables in any text of some parts of a dashboard."""
    return names_in("\n".join(repr(part) for part in parts))


def _range(
    dashboard: Dashboard, asked: Asked, calendar: Calendar, now: datetime, faults: list[Fault]
) -> tuple[TimeRange, datetime]:
    """The range, and the moment it counts from: rounded down, so that all who look now ask the same."""
    from_, to = asked.from_ or dashboard.time.from_, asked.to or dashboard.time.to
    try:
        found = parse_range(from_, to, now=now, calendar=calendar)
    except BadTimeError as error:
        faults.append(Fault(error.parameter if asked.from_ or asked.to else "dashboard", str(error)))
        from_, to = "now-6h", "now"
        found = parse_range(from_, to, now=now, calendar=calendar)
    if not found.is_relative:
        return found, now
    moment = datetime.fromtimestamp(steady(now.timestamp(), found.span_seconds), UTC)
    return parse_range(from_, to, now=moment, calendar=calendar), moment


def _needed(dashboard: Dashboard, only: Iterable[str] | None) -> set[str] | None:
    if only is None:
        return None
    named = {variable.name: variable for variable in dashboard.variables}
    waiting = set(only)
    if ALL_VARIABLES in waiting:
        return None
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in named and name not in needed:
            needed.add(name)
            waiting |= dependencies(named[name], named)
    return needed


class _Filling:
    """Fills in one variable after the other, each with what those before it have."""

    def __init__(
        self, opened: Opened, asked: Asked, faults: list[Fault], cancelled: Stop | None, limits: Limits
    ) -> None:
        self._opened = opened
        self._asked = asked
        self._faults = faults
        self._cancelled = cancelled
        self._limits = limits
        self.selections: dict[str, Selection] = {}
        self.options: dict[str, Sequence[Option]] = {}
        self.failures: dict[str, PanelError] = {}

    def fill(self, variable: Variable) -> None:
        name = variable.name
        try:
            options = self._options(variable)
        except PanelError as error:
            self._fail(name, error)
            return
        except (InterpolationError, MacroError, BadDurationError, ValueError) as error:
            self._fail(name, PanelError("refused", f"{error}."))
            return
        self.options[name] = options
        chosen = self._chosen(variable, options)
        try:
            self.selections[name] = follow_range(variable, chosen, self._opened.range)
        except BadDurationError as error:
            self._fail(name, PanelError("refused", f"{error}."))

    def _fail(self, name: str, error: PanelError) -> None:
        self.options[name], self.selections[name], self.failures[name] = (), Selection(name), error

    def _options(self, variable: Variable) -> Sequence[Option]:
        if variable.kind == "datasource":
            # There is one source; the document's reference has been mapped to it.
            return variable.current[:1] or static_options(variable)
        if variable.kind != "query":
            return static_options(variable)
        if variable.refresh == 0 and variable.options:
            return static_options(variable)
        if variable.datasource is not None and not (variable.datasource.is_sql or "$" in variable.datasource.uid):
            raise ValueError(
                f"It asks a data source of type {variable.datasource.type}, which the portal does not have"
            )
        opened = replace(self._opened, selections=self.selections)
        interval = calculate_interval(opened.range, None, LOWEST_INTERVAL)
        built_in = opened.globals(opened.range, interval)
        statement = variable_query(variable.query, self.selections, opened.range, interval, built_in)
        result = run(
            Query(
                statement.sql,
                f"{opened.dashboard.uid}/{variable.name}",
                max(OPTION_SECONDS, opened.keep_seconds),
            ),
            who=opened.viewer.who,
            limits=self._limits,
            cancelled=self._cancelled,
        )
        return options_from_rows(variable, [column.name for column in result.columns], result.rows)

    def _chosen(self, variable: Variable, options: Sequence[Option]) -> Selection:
        name = variable.name
        for parameter, requested in (
            (f"scope-{name}", [self._asked.scoped[name]] if name in self._asked.scoped else None),
            (f"var-{name}", self._asked.values.get(name)),
        ):
            if requested is None or variable.kind == "datasource":
                continue
            try:
                return choose(variable, options, requested)
            except UnknownValueError as error:
                self._faults.append(Fault(parameter, str(error)))
        return choose(variable, options)
