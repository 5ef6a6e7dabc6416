"""The queries of all registered dashboards that are enabled, against which a viewer's are held.

A dashboard's queries are those of its current revision, and of what was last sent to a Grafana: until the next sync
that is what people see there.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from apps.dashboards.models import Dashboard, StoredBody
from apps.grafana.models import Placement
from apps.grafana.sql_guard import Template, template_of
from apps.panels.document import read_dashboard

KEEP: Final = 1.0
"""Seconds after which it is asked whether a dashboard has changed."""
MOST_ANSWERS: Final = 4_000
LONGEST_KEPT: Final = 20_000
"""Characters of SQL that an answer is kept for."""


class RegisteredQueries:
    """Says whether SQL is that of a registered dashboard. Its methods may be called from several threads; they ask the
    portal's database: one query a second at most, and a few when dashboards have changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checked = 0.0
        self._templates: dict[str, tuple[Template, ...]] = {}
        """By the digest of the body that they stand in."""
        self._written: frozenset[str] = frozenset()
        self._filled: tuple[Template, ...] = ()
        self._answers: OrderedDict[str, bool] = OrderedDict()

    def has(self, sql: str) -> bool:
        """Whether some registered dashboard asks this, with whatever values."""
        with self._lock:
            self._refresh()
            if sql in self._written:
                return True
            answer = self._answers.get(sql)
            filled, answers = self._filled, self._answers
        if answer is None:
            answer = any(one.matches(sql) for one in filled)
            if len(sql) <= LONGEST_KEPT:
                with self._lock:
                    answers[sql] = answer
                    while len(answers) > MOST_ANSWERS:
                        answers.popitem(last=False)
        return answer

    def _refresh(self) -> None:
        if time.monotonic() - self._checked < KEEP:
            return
        rows = Dashboard.objects.registered().filter(enabled=True)
        current = rows.exclude(current=None).order_by().values_list("current__stored_id")
        sent = Placement.objects.filter(dashboard__in=rows, sent__isnull=False).order_by().values_list("sent_id")
        digests = {digest for (digest,) in current.union(sent)}
        if digests != self._templates.keys():
            kept = {digest: templates for digest, templates in self._templates.items() if digest in digests}
            for stored in StoredBody.objects.filter(pk__in=digests - kept.keys()):
                kept[stored.pk] = tuple(_templates(stored.document))
            self._templates = kept
            every = dict.fromkeys(one for templates in kept.values() for one in templates)
            self._written = frozenset(one.sql for one in every)
            self._filled = tuple(one for one in every if one.holes)
            self._answers = OrderedDict()
        self._checked = time.monotonic()


def _templates(body: Any) -> Iterator[Template]:
    variables = read_dashboard(body).variables
    for sql in dict.fromkeys(queries_in(body)):
        yield template_of(sql, variables)


def queries_in(body: Any) -> Iterator[str]:
    """All SQL of a dashboard's document: of panels (also in rows, also library panels), variables and annotations.

    That of panels stands under `rawSql` wherever it is; a variable's query is a text or an object, an annotation's may
    stand under `rawQuery`.
    """
    if isinstance(body, dict):
        for name, value in body.items():
            if name in {"rawSql", "rawQuery"} and isinstance(value, str) and value.strip():
                yield value
            elif name == "templating":
                yield from _of_variables(value)
            else:
                yield from queries_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from queries_in(value)


def _of_variables(templating: Any) -> Iterator[str]:
    entries = templating.get("list") if isinstance(templating, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("type") == "query":
            query = entry.get("query")
            if isinstance(query, dict):
                yield from queries_in(query)
                query = query.get("query")
            if isinstance(query, str) and query.strip():
                yield query
