"""A viewer's questions to Grafana's data sources: read, judged, and written anew.

Grafana is never sent what a viewer sent, but a document that holds only what was read here: its decoder and ours could
see the same bytes differently (names in other letters, a name twice).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from apps.dashboards.source import SOURCE_TYPE, SOURCE_UID
from apps.panels.datasource import POSTGRES_TYPES

LARGEST: Final = 1024 * 1024
"""Bytes of a viewer's question."""
MOST: Final = 50
"""Queries in one question."""
FORMATS: Final = {"table": "table", "time_series": "time_series", 0: "time_series", 1: "table"}


class QueryRefusedError(Exception):
    """A question that does not go through; the text says why, `ref_id` which of its queries."""

    def __init__(self, text: str, ref_id: str = "") -> None:
        super().__init__(text)
        self.ref_id = ref_id


def rewritten(body: bytes, is_registered: Callable[[str], bool]) -> bytes:
    """The question as Grafana gets it: the same queries, and nothing besides. Raises QueryRefusedError."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise QueryRefusedError("The question is no JSON.") from None
    if not isinstance(asked, dict) or not isinstance(asked.get("queries"), list):
        raise QueryRefusedError("The question has no list of queries.")
    if not 1 <= len(asked["queries"]) <= MOST:
        raise QueryRefusedError(f"A question has 1 to {MOST} queries.")
    queries = [_query(one, is_registered) for one in asked["queries"]]
    document = {"from": _time(asked.get("from")), "to": _time(asked.get("to")), "queries": queries}
    return json.dumps(document).encode()


def _query(one: Any, is_registered: Callable[[str], bool]) -> dict[str, Any]:
    if not isinstance(one, dict):
        raise QueryRefusedError("A query is no object.")
    ref_id = one.get("refId")
    if not isinstance(ref_id, str) or not 0 < len(ref_id) <= 200:
        raise QueryRefusedError("A query has no refId.")
    source = one.get("datasource")
    if not isinstance(source, dict) or source.get("uid") != SOURCE_UID:
        raise QueryRefusedError("A query asks a data source that is not the portal's.", ref_id)
    if source.get("type") not in {*POSTGRES_TYPES, None}:
        raise QueryRefusedError("A query asks a data source of another type.", ref_id)
    sql = one.get("rawSql")
    if not isinstance(sql, str) or not is_registered(sql):
        raise QueryRefusedError("Its SQL is not that of a dashboard which is registered in the portal.", ref_id)
    form = one.get("format", "time_series")
    if not isinstance(form, str | int) or form not in FORMATS:
        raise QueryRefusedError("A query has no known format.", ref_id)
    return {
        "refId": ref_id,
        "datasource": {"type": source.get("type") or SOURCE_TYPE, "uid": SOURCE_UID},
        "rawSql": sql,
        "rawQuery": True,
        "format": FORMATS[form],
        "intervalMs": _number(one.get("intervalMs"), 1000),
        "maxDataPoints": _number(one.get("maxDataPoints"), 100),
    }


def _number(value: Any, default: int) -> int | float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e12
    return value if usable else default


def _time(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and 0 < len(value) <= 64 and value.isascii() and value.isprintable():
        return value
    raise QueryRefusedError("The question has no range of times.")
