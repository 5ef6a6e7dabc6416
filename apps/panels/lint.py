"""What will go wrong with a dashboard, found without running it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from apps.panels.document import Dashboard, Panel, Target
from apps.panels.interpolate import names_in
from apps.panels.json_reader import Problem
from apps.panels.sql_names import Catalogue, missing, names_of
from apps.panels.sqltext import Kind, SqlTextError, single_statement, strip_comments, tokens
from apps.panels.variables import Variable, circular

DRAWN_TYPES: Final = frozenset({
    "timeseries", "stat", "gauge", "bargauge", "table", "barchart", "piechart", "state-timeline", "status-history",
    "heatmap", "text", "row", "marcusolsson-gantt-panel", "volkovlabs-echarts-panel",
})  # fmt: skip
"""The panel types that the portal draws; it shows the data of any other as a table."""
LITERALS: Final = frozenset({Kind.STRING, Kind.ESCAPE_STRING, Kind.UNICODE_STRING, Kind.IDENTIFIER})
WITHOUT_QUERY: Final = frozenset({"text", "row", "library", "news", "dashlist", "annolist", "welcome"})

_BOUND: Final = re.compile(
    r"\$__(?:timeFilter|timeFrom|timeTo|unixEpoch\w*)\b|\$\{?__(?:from|to)\b|\b(?:now|clock_timestamp)\s*\("
    r"|\bcurrent_(?:timestamp|date)\b|\b(?:status|state)\b\s*(?:=|\bin\b)",
    re.IGNORECASE,
)
"""What bounds the rows that are read: a time, or a state that few rows are in."""
_EMPTY_LIST: Final = re.compile(r"\bIN\s*\(\s*\)", re.IGNORECASE)
_NESTED: Final = re.compile(r"(\$__\w+)\([^()]*\(")
_IN_VARIABLE: Final = re.compile(
    r"\bIN\s*\(\s*(?:\$(\w+)|\$\{(\w+)(?::(?:sqlstring|singlequote))?\}|\[\[(\w+)\]\])\s*\)", re.IGNORECASE
)
_TESTED_TEXT: Final = re.compile(r"'\$\{(\w+):csv\}'\s*(?:=|<>|!=)\s*''")


def lint(dashboard: Dashboard, catalogue: Catalogue | None = None) -> tuple[Problem, ...]:
    """The findings, in the document's order; those of reading it come first.

    `catalogue` has the tables and columns of the database that will be asked; without it they are not judged.
    """
    return (*dashboard.problems, *_of_variables(dashboard, catalogue), *_of_panels(dashboard, catalogue))


def _of_variables(dashboard: Dashboard, catalogue: Catalogue | None) -> Iterator[Problem]:
    loops = circular(dashboard.variables)
    used = names_in("\n".join(_texts(dashboard)))
    for variable in dashboard.variables:
        path = f"templating.list[{variable.name}]"
        if not variable.is_supported:
            yield Problem(path, f"The portal does not fill in variables of type {variable.kind}", "warning")
        if variable.name in loops:
            yield Problem(path, "The variable depends on itself")
        if variable.name not in used:
            yield Problem(path, f"Nothing uses the variable {variable.name}", "warning")
        if variable.kind == "query":
            yield from _of_sql(variable.query, f"{path}.query", dashboard, catalogue)


def _texts(dashboard: Dashboard) -> Iterator[str]:
    """All texts in which a variable may stand."""
    for variable in dashboard.variables:
        yield from (variable.query, variable.regex, variable.datasource.uid if variable.datasource else "")
    for annotation in dashboard.annotations:
        yield annotation.raw_sql
    for panel in (each for top in dashboard.panels for each in (top, *top.children)):
        yield from (panel.title, panel.description, panel.interval, panel.time_from, panel.time_shift)
        yield f"${{{panel.repeat}}}" if panel.repeat else ""
        yield panel.datasource.uid if panel.datasource else ""
        yield from (str(part) for part in (panel.options, panel.field_config, panel.transformations))
        yield from (f"{link.title} {link.url}" for link in panel.links)
        for target in panel.targets:
            yield target.raw_sql
            yield target.datasource.uid if target.datasource else ""


def _of_panels(dashboard: Dashboard, catalogue: Catalogue | None) -> Iterator[Problem]:
    for panel in (each for top in dashboard.panels for each in (top, *top.children)):
        if panel.library is not None:
            text = f"The library panel {panel.library.name or panel.library.uid} is not part of this document"
            yield Problem(panel.path, text, "warning")
        elif panel.type not in DRAWN_TYPES:
            text = f"The panel type {panel.type} is unknown; its data are shown as a table"
            yield Problem(f"{panel.path}.type", text, "warning")
        if panel.repeat and dashboard.variable(panel.repeat) is None:
            yield Problem(f"{panel.path}.repeat", f"There is no variable {panel.repeat}")
        if panel.type not in WITHOUT_QUERY and not panel.targets:
            yield Problem(f"{panel.path}.targets", "The panel asks nothing", "warning")
        for target in panel.targets:
            yield from _of_target(panel, target, dashboard, catalogue)


def _of_target(panel: Panel, target: Target, dashboard: Dashboard, catalogue: Catalogue | None) -> Iterator[Problem]:
    path = f"{target.path}.rawSql"
    source = target.datasource or panel.datasource
    if source is not None and not source.is_sql and not source.is_mixed:
        yield Problem(f"{target.path}.datasource", "This query asks no SQL database", "warning")
        return
    if not target.raw_sql.strip():
        if panel.type not in WITHOUT_QUERY:
            yield Problem(path, "The query is empty", "warning")
        return
    yield from _of_sql(target.raw_sql, path, dashboard, catalogue)
    try:
        plain = strip_comments(target.raw_sql)
        if names_of(plain).tables and not _BOUND.search(plain):
            yield Problem(path, "The query has no time filter: it reads its tables whole", "warning")
    except SqlTextError:
        return  # told by _of_sql


def _of_sql(sql: str, path: str, dashboard: Dashboard, catalogue: Catalogue | None) -> Iterator[Problem]:
    try:
        statement = strip_comments(single_statement(sql))
        absent, columns = missing(statement, catalogue) if catalogue is not None else ([], [])
    except SqlTextError as error:
        yield Problem(path, str(error))
        return
    for table in absent:
        yield Problem(path, f"The database has no table {table}")
    for column in columns:
        yield Problem(path, f"The database has no column {column}")
    code = [token for token in tokens(statement) if token.kind is not Kind.DOLLAR_STRING]
    for name in sorted(names_in("".join(token.text for token in code))):
        if dashboard.variable(name) is None and not name.startswith("__") and not name.isdigit():
            yield Problem(path, f"There is no variable {name}")
    if _EMPTY_LIST.search("".join("''" if token.kind in LITERALS else token.text for token in code)):
        yield Problem(path, "IN () is no SQL")
    if nested := _NESTED.search(statement):
        yield Problem(path, f"{nested[1]} ends at the first parenthesis that closes: its argument can hold none")
    for match in _IN_VARIABLE.finditer(statement):
        variable = dashboard.variable(next(filter(None, match.groups())))
        if variable is not None and _can_be_empty(variable):
            text = f"While {variable.name} has no options, Grafana makes this IN (), an error; the portal writes NULL"
            yield Problem(path, text, "warning")
            break
    for match in _TESTED_TEXT.finditer(statement):
        text = f"A value of {match[1]} with an apostrophe breaks this comparison in Grafana; the portal escapes it"
        yield Problem(path, text, "warning")
        break


def _can_be_empty(variable: Variable) -> bool:
    """Whether All may stand for no value at all."""
    return variable.kind == "query" and variable.include_all and not variable.all_value
