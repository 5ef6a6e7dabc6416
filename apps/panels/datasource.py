"""References to data sources, as dashboards hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

POSTGRES_TYPES: Final = frozenset({"postgres", "grafana-postgresql-datasource"})
"""The ids that Grafana's PostgreSQL plugin has had."""
BUILT_IN_UIDS: Final = frozenset({"-- Grafana --", "-- Mixed --", "-- Dashboard --", "grafana"})
"""Uids that name no database: they are Grafana's own store, and how a panel combines or borrows queries."""


@dataclass(frozen=True)
class DataSource:
    """A reference to a data source: its plugin's id (`grafana-postgresql-datasource`) and its uid, either may be
    empty. The uid can hold a variable. An old document's name of a data source stands in `uid`."""

    type: str = ""
    uid: str = ""

    @property
    def is_mixed(self) -> bool:
        """Whether each target names its own source."""
        return self.uid == "-- Mixed --"

    @property
    def is_dashboard(self) -> bool:
        """Whether the panel shows another panel's result."""
        return self.uid == "-- Dashboard --"

    @property
    def is_sql(self) -> bool:
        """Whether a PostgreSQL database can be meant: nothing says that it is another kind."""
        return self.uid not in BUILT_IN_UIDS and self.type in {*POSTGRES_TYPES, ""}


def data_source(value: object) -> DataSource | None:
    """The reference that a document's `datasource` field is: null, a name, or an object with type and uid."""
    if isinstance(value, str) and value:
        return DataSource(uid=value)
    if isinstance(value, dict):
        kind, uid = value.get("type"), value.get("uid")
        return DataSource(kind if isinstance(kind, str) else "", uid if isinstance(uid, str) else "")
    return None
