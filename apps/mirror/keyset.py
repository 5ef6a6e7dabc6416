"""Cursor pagination by keys: pages that cost the same on a million rows as on a hundred, and that never shift.

A page is told by the last row that its reader saw, not by a number of rows to skip. The order is the key's, newest
first, and the key ends with a unique column, so that rows of the same moment are neither lost nor shown twice.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)
T = TypeVar("T")
Direction = Literal["older", "newer"]


class BadCursorError(ValueError):
    """The cursor in the address is not one of ours: the page starts anew."""


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One page of rows in the list's order, with the cursors of the pages beside it (empty where there is none)."""

    rows: Sequence[T]
    newer: str
    older: str


def slice_of(rows: QuerySet[M], key: Sequence[str], size: int, cursor: str = "") -> Slice[M]:
    """At most `size` rows of `rows`, in descending order of `key` (field names; the last one unique).

    `cursor` is one that an earlier slice gave, else the newest rows are taken. Rows whose key holds NULL come first, as
    in PostgreSQL's own order. Raises BadCursorError for a cursor that does not fit. One query, no COUNT.
    """
    walk = walk_of(rows, key, cursor)
    found = list(walk.rows[: size + 1])
    cut = walk.cut(found, size)
    return walk.slice(cut, lambda row: [getattr(row, name) for name in key])


@dataclass(frozen=True, slots=True)
class Walk(Generic[M]):
    """A query for the page that a cursor means: take one row more than the page holds, then `cut`, then `slice`.

    `starts` is the direction of a walk without a cursor: `older` for lists that show the newest first, `newer` for
    those that show the oldest first.
    """

    rows: QuerySet[M]
    key: Sequence[str]
    direction: Direction
    starts: Direction
    resumed: bool

    def cut(self, found: Sequence[T], size: int) -> Cut[T]:
        """The page's rows in the list's order, and whether there were more."""
        kept = list(found[:size])
        if self.direction != self.starts:
            kept.reverse()
        return Cut(kept, len(found) > size)

    def slice(self, cut: Cut[T], key_of: Callable[[T], Sequence[Any]]) -> Slice[T]:
        """The page with the cursors on both sides; `key_of` reads a row's key."""
        if not cut.rows:
            return Slice([], "", "")
        back, forth = opposite(self.starts), self.starts
        if self.direction == forth:
            before, after = self.resumed, cut.more
        else:
            before, after = cut.more, True
        first = _encode(back, self.key, key_of(cut.rows[0])) if before else ""
        last = _encode(forth, self.key, key_of(cut.rows[-1])) if after else ""
        return Slice(cut.rows, first, last) if forth == "older" else Slice(cut.rows, last, first)


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """A page's rows, and whether the walk goes on behind them."""

    rows: Sequence[T]
    more: bool


def opposite(direction: Direction) -> Direction:
    """The way back."""
    return "newer" if direction == "older" else "older"


def walk_of(rows: QuerySet[M], key: Sequence[str], cursor: str = "", starts: Direction = "older") -> Walk[M]:
    """The rows of `rows` behind `cursor`, ordered by `key` the way the walk goes. Raises BadCursorError."""
    direction = starts
    if cursor:
        direction, values = _decode(rows.model, key, cursor)
        rows = rows.filter(_beyond(rows, key, values, direction))
    ordering = [f"-{name}" if direction == "older" else name for name in key]
    return Walk(rows.order_by(*ordering), key, direction, starts, bool(cursor))


def _nullable(model: type[Model], name: str) -> bool:
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return bool(getattr(field, "null", False))


def _beyond(rows: QuerySet[Any], key: Sequence[str], values: Sequence[Any], direction: Direction) -> Q:
    """The rows after `values` in the walk's direction: (a < x) or (a = x and b < y) ... with PostgreSQL's NULLs first.

    PostgreSQL sorts NULL as larger than everything: descending, NULLs come first.
    """
    condition, equal = Q(pk__in=[]), Q()
    for name, value in zip(key, values, strict=True):
        nullable = _nullable(rows.model, name)
        if direction == "older":
            beyond = Q(**{f"{name}__isnull": False}) if value is None else Q(**{f"{name}__lt": value})
        elif value is None:
            beyond = Q(pk__in=[])
        else:
            beyond = Q(**{f"{name}__gt": value})
            if nullable:
                beyond |= Q(**{f"{name}__isnull": True})
        condition |= equal & beyond
        equal &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    first, value = key[0], values[0]
    if value is not None and not (_nullable(rows.model, first) and direction == "newer"):
        # Implied by the rest, and what lets an index on the first column bound the scan.
        condition &= Q(**{f"{first}__{'lte' if direction == 'older' else 'gte'}": value})
    return condition


def _encode(direction: Direction, key: Sequence[str], values: Sequence[Any]) -> str:
    plain = [
        value.isoformat() if isinstance(value, datetime) else None if value is None else str(value) for value in values
    ]
    return base64.urlsafe_b64encode(json.dumps([direction, ",".join(key), *plain]).encode()).decode().rstrip("=")


def _decode(model: type[Model], key: Sequence[str], cursor: str) -> tuple[Direction, list[Any]]:
    try:
        direction, names, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if direction not in ("older", "newer") or names != ",".join(key) or len(values) != len(key):
            raise BadCursorError(cursor)
        # to_python of the model's own field: a value of another type never reaches the database.
        fields: list[Any] = [model._meta.pk if name == "pk" else model._meta.get_field(name) for name in key]
        return direction, [
            None if value is None else field.to_python(value) for field, value in zip(fields, values, strict=True)
        ]
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError, TypeError, ValueError, ValidationError) as error:
        raise BadCursorError(cursor) from error
