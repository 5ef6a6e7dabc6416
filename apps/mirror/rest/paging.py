"""How much of a list a request asks for, in which order, and behind which row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rest_framework.pagination import BasePagination

from apps.mirror.keyset import Direction
from apps.mirror.rest.filters import wrong_parameters

MOST_ROWS: Final = 1000
USUAL_ROWS: Final = 100
PARAMETERS: Final = ("limit", "cursor", "ordering", "format")
"""Parameters of every list beside its filters."""


@dataclass(frozen=True)
class Order:
    """An order that a list may be asked for: `key` ends with the primary key, `starts` says which end comes first."""

    key: tuple[str, ...]
    starts: Direction


@dataclass(frozen=True)
class Asked:
    """What the address says about the page. `limit` is None where it says nothing."""

    order: Order
    cursor: str
    limit: int | None


def orders_of(time_field: str | None, pk: str) -> dict[str, Order]:
    """The orders of a table, the default first: by its time field, newest first or oldest first; else by its key."""
    if time_field is None:
        return {pk: Order((pk,), "newer"), f"-{pk}": Order((pk,), "older")}
    return {f"-{time_field}": Order((time_field, pk), "older"), time_field: Order((time_field, pk), "newer")}


def newest_first(pk: str) -> dict[str, Order]:
    """The orders of a table whose keys grow with time."""
    return {f"-{pk}": Order((pk,), "older"), pk: Order((pk,), "newer")}


def asked_of(query: Mapping[str, Sequence[str]], orders: Mapping[str, Order]) -> Asked:
    """Read `ordering`, `cursor` and `limit`. Raises Problem (400) that names what is wrong."""
    errors = []
    given = {name: query[name][-1] for name in PARAMETERS if query.get(name)}
    ordering = given.get("ordering", next(iter(orders)))
    if ordering not in orders:
        detail = f"this list is ordered by {' or '.join(orders)}, which an index serves"
        errors.append({"parameter": "ordering", "detail": detail})
    limit = None
    if (text := given.get("limit")) is not None:
        if text.isascii() and text.isdecimal() and len(text) < 6 and 0 < int(text) <= MOST_ROWS:
            limit = int(text)
        else:
            errors.append({"parameter": "limit", "detail": f"it is a whole number from 1 to {MOST_ROWS}"})
    if errors:
        raise wrong_parameters(errors)
    return Asked(orders[ordering], given.get("cursor", ""), limit)


class CursorPages(BasePagination):
    """What the schema says of pages by cursor. The view cuts them itself, from rows that are text already."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "missing", "results"],
            "properties": {
                "next": {**address, "description": "The address of the next page; null on the last one."},
                "previous": {**address, "description": "The address of the page before; null on the first one."},
                "missing": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Members that no row has, since the connected database lacks their column.",
                },
                "results": schema,
            },
        }
