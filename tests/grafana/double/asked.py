"""A request to the double, and what its parts answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.grafana.double.store import Store

Answer = tuple[int, Any]
"""Status and JSON; a string is sent as a page."""


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    store: Store
    by: str
    search_lags: bool = False

    def changed_search(self) -> None:
        """The search follows a write, unless it lags."""
        if not self.search_lags:
            self.store.settle()


def refused(status: int, message: str, code: str = "") -> Answer:
    return status, {"message": message, **({"status": code} if code else {})}


def denied(needed: str) -> Answer:
    """403, with the words that do not depend on the request."""
    said = f"You'll need additional permissions to perform this action. Permissions needed: {needed}"
    return 403, {"accessErrorId": "ACE0000000000", "message": said, "title": "Access denied"}
