"""What an address chooses of a dashboard: its range, its variables' values, and where its panels then stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils import timezone

from apps.panels.document import Dashboard, read_dashboard
from apps.panels.layout import Layout, laid_out
from apps.panels.timerange import BadTimeError, TimeRange, parse_range, zone_named
from apps.panels.variables import Option, Selection, UnknownValueError, choose, in_order, static_options


@dataclass(frozen=True)
class Opened:
    """A dashboard with what is chosen. `troubles` say, by variable, why its options are missing."""

    dashboard: Dashboard
    range: TimeRange
    selections: Mapping[str, Selection]
    options: Mapping[str, Sequence[Option]]
    layout: Layout
    notices: Sequence[str] = ()
    troubles: Mapping[str, str] = field(default_factory=dict)


def open_dashboard(body: object, query: QueryDict, *, toggled: Collection[int]) -> Opened:
    dashboard = read_dashboard(body)
    notices: list[str] = []
    now = timezone.now()
    try:
        zone = zone_named(query.get("tz", "") or dashboard.timezone)
        chosen = parse_range(
            query.get("from", dashboard.time.from_), query.get("to", dashboard.time.to), now=now, zone=zone
        )
    except BadTimeError as error:
        notices.append(str(error))
        chosen = parse_range(dashboard.time.from_, dashboard.time.to, now=now)
    selections: dict[str, Selection] = {}
    options: dict[str, Sequence[Option]] = {}
    for variable in in_order(dashboard.variables):
        options[variable.name] = static_options(variable)
        asked = query.getlist(f"var-{variable.name}") if f"var-{variable.name}" in query else None
        try:
            selections[variable.name] = choose(variable, options[variable.name], asked)
        except UnknownValueError as error:
            notices.append(str(error))
            selections[variable.name] = choose(variable, options[variable.name])
    values = {name: one.values for name, one in selections.items()}
    return Opened(dashboard, chosen, selections, options, laid_out(dashboard, values, toggled=toggled), notices)
