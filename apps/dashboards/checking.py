"""Runs a registered dashboard against the source, panel by panel, as a viewer would see it with its own defaults."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from apps.dashboards.models import Dashboard
from apps.dashboards.reading import document_of
from apps.dashboards.viewing import view_of
from apps.panels.document import Dashboard as Document
from apps.panels.document import Panel
from apps.panels.json_reader import Problem
from apps.panels.lint import lint
from apps.panels.opening import Asked, Opened, Viewer, open_dashboard
from apps.panels.panel import Answer, ask_panel
from apps.panels.run import Query, run
from apps.panels.sql_names import Catalogue
from apps.panels.view import encode, needs_data
from apps.panels.view.model import Nothing

logger = logging.getLogger(__name__)

CHECKED_POINTS: Final = 1000
"""As wide as a panel is drawn."""
Verdict = Literal["ok", "no data", "failed"]

_CATALOGUE: Final = """
SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ANY (current_schemas(false))
"""


@dataclass(frozen=True)
class Line:
    """What became of a panel or of a variable. `ms` is the time of all its queries and of what the portal made of
    them; `text` has what is to be said about it."""

    what: Literal["panel", "variable"]
    name: str
    verdict: Verdict
    rows: int = 0
    ms: float = 0.0
    text: str = ""


@dataclass(frozen=True)
class Report:
    """What a dashboard's check found."""

    dashboard: Dashboard
    lines: tuple[Line, ...]
    findings: tuple[Problem, ...]

    @property
    def failed(self) -> int:
        """How many panels and variables failed."""
        return sum(line.verdict == "failed" for line in self.lines)


def catalogue_for(viewer: Viewer) -> Catalogue:
    """The tables and columns of the source that panels may read. Raises PanelError."""
    found: dict[str, set[str]] = {}
    for table, column in run(Query(_CATALOGUE, "catalogue"), who=viewer.who).rows:
        found.setdefault(table, set()).add(column)
    return found


def check(row: Dashboard, asked: Asked, viewer: Viewer, *, now: datetime, catalogue: Catalogue) -> Report:
    """Every variable and panel of a dashboard, asked for now, and what reading its queries finds."""
    document = document_of(row)
    opened = open_dashboard(document, asked, viewer, now=now)
    lines = (*_variables(opened), *_panels(document, opened))
    return Report(row, lines, lint(document, catalogue))


def _variables(opened: Opened) -> Iterator[Line]:
    for variable in opened.dashboard.variables:
        if variable.kind != "query":
            continue
        count = len(opened.options.get(variable.name, ()))
        trouble = opened.troubles.get(variable.name, "")
        verdict: Verdict = "failed" if trouble else "ok" if count else "no data"
        yield Line("variable", variable.name, verdict, count, text=trouble)


def _panels(document: Document, opened: Opened) -> Iterator[Line]:
    for panel in document.all_panels():
        answer = ask_panel(opened, panel, max_data_points=CHECKED_POINTS)
        name = f"{panel.id} {answer.title}".strip()
        rows = sum(ran.rows for ran in answer.ran)
        verdict, text = _judged(opened, panel, answer)
        yield Line("panel", name, verdict, rows, answer.ms, text)


def _judged(opened: Opened, panel: Panel, answer: Answer) -> tuple[Verdict, str]:
    for failure in answer.failures:
        where = f" (query {failure.ref_id}" + (f", character {failure.position})" if failure.position else ")")
        return "failed", failure.text + where
    try:
        view = view_of(opened, answer, width=CHECKED_POINTS)
        json.dumps(view, default=encode, allow_nan=False)
    except Exception as error:
        # Whatever a document holds, the check goes on to the next panel.
        logger.exception("panel %s of %s cannot be drawn", panel.id, opened.dashboard.uid)
        return "failed", f"It cannot be drawn: {type(error).__name__}. The log says more."
    notices = " ".join(dict.fromkeys((*answer.notices, *view.notices)))
    if isinstance(view, Nothing) or (needs_data(panel) and not any(frame.length for frame in answer.frames)):
        return "no data", notices
    return "ok", notices
