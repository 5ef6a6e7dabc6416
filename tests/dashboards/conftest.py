"""A small dashboard in the registry, and a portal that keeps no answers between tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Dashboard
from apps.panels import reader, run

Register = Callable[..., Dashboard]


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """No answer, connection or knowledge of roles goes from one test to the next."""
    run.answers.clear()
    yield
    run.answers.clear()
    run.pool.close()
    reader.forget()


def panel(number: int, sql: str, **fields: Any) -> dict[str, Any]:
    """A table of one query."""
    target = {"refId": "A", "rawSql": sql, "format": "table"}
    place = {"x": 0, "y": 8 * number, "w": 12, "h": 8}
    return {"id": number, "type": "table", "title": f"Panel {number}", "gridPos": place, "targets": [target], **fields}


def query_variable(name: str, sql: str, **fields: Any) -> dict[str, Any]:
    """A variable whose options are the rows of a query."""
    return {"name": name, "type": "query", "query": sql, "refresh": 1, **fields}


@pytest.fixture
def register(db: None) -> Register:
    """Registers a dashboard of these panels and variables under the uid `lab`."""

    def register(*panels: dict[str, Any], variables: tuple[dict[str, Any], ...] = (), **fields: Any) -> Dashboard:
        body = {
            "uid": "lab", "title": "Lab", "schemaVersion": 41, "time": {"from": "now-6h", "to": "now"},
            "panels": list(panels), "templating": {"list": list(variables)}, **fields,
        }  # fmt: skip
        return import_dashboard(body).dashboard

    return register
