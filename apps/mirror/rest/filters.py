"""Filters of the API's lists: declared with the view, checked one by one, and never half applied.

A parameter that no filter knows is refused: a misspelt filter must not answer with everything. A filter is *cheap*
where an index of the table begins with its column; others read whole tables, so in a big one they need a time range.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.accounts.problems import Problem
from apps.mirror import shape, states
from apps.mirror.models import MirrorModel

MOST_VALUES: Final = 50
LONGEST_TEXT: Final = 200
_RELATIVE: Final = re.compile(r"now(?:-(\d{1,6})([smhdw]))?", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LOST_PLUS: Final = re.compile(r" (?=\d\d:?\d\d\Z)")


class Declared(django_filters.Filter):  # type: ignore[misc]  # it brings no types
    """What the filters below share: a parameter that may be given once, or `many` times for one of several values."""

    many = False
    schema: Mapping[str, Any] = {"type": "string"}

    def __init__(self, field_name: str, lookup_expr: str = "exact", **kwargs: Any) -> None:
        super().__init__(field_name, lookup_expr, **{"required": True, **kwargs})

    def read(self, values: Sequence[str]) -> Any:
        """The checked value of the parameter's texts. Raises ValidationError."""
        if len(values) > (MOST_VALUES if self.many else 1):
            raise ValidationError(f"it may be given {MOST_VALUES if self.many else 'one'} times at most")
        found = [self.field.clean(text) for text in values]
        return found if self.many else found[0]

    def names(self) -> tuple[str, ...]:
        """The fields that it looks at."""
        return (str(self.field_name),)

    def cheap(self, model: type[Model], values: Sequence[str]) -> bool:
        """Whether an index serves it, for these values."""
        return all(_leads_an_index(model, name) for name in self.names())

    def filter(self, qs: Any, value: Any) -> Any:
        return qs.filter(**{f"{self.field_name}__in" if self.many else str(self.field_name): value})


class WordFilter(Declared):
    """One of the texts given."""

    field_class = forms.CharField
    many = True

    def __init__(self, field_name: str, words: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(field_name, max_length=LONGEST_TEXT, strip=False, **kwargs)
        self.words = words
        self.schema = {"type": "string", "maxLength": LONGEST_TEXT} | ({"enum": list(words)} if words else {})

    def read(self, values: Sequence[str]) -> Any:
        if self.words and (strangers := [value for value in values if value not in self.words]):
            raise ValidationError(f"{strangers[0][:40]!r} is none of {', '.join(self.words)}")
        return super().read(values)


class StateFilter(WordFilter):
    """Runs in one of the states given."""

    def __init__(self) -> None:
        super().__init__("state", states.STATES, help_text="How the run is, worked out from its columns.")

    def names(self) -> tuple[str, ...]:
        return ()

    def cheap(self, model: type[Model], values: Sequence[str]) -> bool:
        return False

    def filter(self, qs: Any, value: Any) -> Any:
        return qs.in_state(*value)


class IdFilter(Declared):
    """One of the ids given."""

    field_class = forms.UUIDField
    many = True
    schema: Mapping[str, Any] = {"type": "string", "format": "uuid"}


class FlagField(forms.Field):
    """`true` or `false`."""

    def to_python(self, value: Any) -> Any:
        if value not in {"true", "false"}:
            raise ValidationError("it is true or false")
        return value == "true"


class FlagFilter(Declared):
    """Whether it is so."""

    field_class = FlagField
    schema: Mapping[str, Any] = {"type": "boolean"}


class MomentField(forms.Field):
    """A moment: ISO 8601, in UTC where it names no zone, or `now-6h` (s, m, h, d, w)."""

    def to_python(self, value: Any) -> datetime:
        text = _LOST_PLUS.sub("+", str(value).strip())
        if found := _RELATIVE.fullmatch(text):
            span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found[1] else timedelta()
            try:
                return timezone.now() - span
            except OverflowError:
                raise ValidationError("it is too long ago") from None
        try:
            moment = parse_datetime(text)
            if moment is None and (day := parse_date(text)):
                moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            raise ValidationError("it is no moment; write 2026-03-01T12:00:00Z, 2026-03-01 or now-6h")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class MomentFilter(Declared):
    """Rows from a moment on, or before one."""

    field_class = MomentField

    def filter(self, qs: Any, value: Any) -> Any:
        return qs.filter(**{f"{self.field_name}__{self.lookup_expr}": value})


class TextFilter(Declared):
    """Text that any of the fields contains, whatever its case."""

    field_class = forms.CharField
    schema: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}

    def __init__(self, *fields: str) -> None:
        said = f"Text in {' or '.join(fields)}, whatever its case."
        super().__init__(fields[0], help_text=said, max_length=LONGEST_TEXT)
        self.fields = fields

    def names(self) -> tuple[str, ...]:
        return self.fields

    def cheap(self, model: type[Model], values: Sequence[str]) -> bool:
        return False

    def filter(self, qs: Any, value: Any) -> Any:
        condition = Q()
        for name in self.fields:
            condition |= Q(**{f"{name}__icontains": value})
        return qs.filter(condition)


Filters = Mapping[str, Declared]


def moments(field: str) -> dict[str, Declared]:
    """`from` and `to`: rows whose `field` is in [from, to)."""
    said = "ISO 8601 (UTC where it names no zone), or now-6h with s, m, h, d or w."
    return {
        "from": MomentFilter(field, "gte", help_text=f"Rows whose {field} is at or after this moment. {said}"),
        "to": MomentFilter(field, "lt", help_text=f"Rows whose {field} is before this moment. {said}"),
    }


def apply(rows: QuerySet[Any], filters: Filters, given: Mapping[str, Sequence[str]]) -> QuerySet[Any]:
    """`rows` narrowed by the parameters in `given` that `filters` declares.

    Raises Problem (400) for a value that cannot be read, all of them named, and for a filter by a column that the
    connected database lacks.
    """
    errors: list[dict[str, str]] = []
    for name, declared in filters.items():
        values = given.get(name)
        if not values:
            continue
        try:
            value = declared.read(values)
        except ValidationError as error:
            errors.append({"parameter": name, "detail": " ".join(error.messages).rstrip(".")})
            continue
        if absent := _absent(rows.model, declared):
            detail = f"the connected database has no column {absent}; leave the parameter out"
            errors.append({"parameter": name, "detail": detail})
            continue
        if not errors:
            rows = declared.filter(rows, value)
    if errors:
        raise wrong_parameters(errors)
    return rows


def wrong_parameters(errors: Sequence[Mapping[str, str]]) -> Problem:
    """The problem document about parameters of the address, each with what is wrong and how to mend it."""
    detail = " ".join(f"{error['parameter']}: {error['detail']}." for error in errors)
    return Problem(
        HTTPStatus.BAD_REQUEST, "A parameter is wrong", detail, parameter=errors[0]["parameter"], errors=list(errors)
    )


def expensive(model: type[Model], filters: Filters, given: Mapping[str, Sequence[str]]) -> list[str]:
    """The parameters in `given` that no index serves."""
    return [name for name, declared in filters.items() if given.get(name) and not declared.cheap(model, given[name])]


def _absent(model: type[Model], declared: Declared) -> str:
    if not issubclass(model, MirrorModel):
        return ""
    for name in declared.names():
        if "__" not in name and not shape.has_field(model, name):
            return name
    return ""


def _leads_an_index(model: type[Model], name: str) -> bool:
    if "__" in name:
        return True  # by the key of another table, which the join starts from
    field = model._meta.get_field(name)
    if getattr(field, "primary_key", False):
        return True
    leading = {index.fields[0].lstrip("-") for index in model._meta.indexes if index.fields and not index.condition}
    return field.name in leading


def team(field: str = "team_id") -> dict[str, Declared]:
    """`team`: rows of one of these teams."""
    return {"team": IdFilter(field, help_text="Ids of teams; repeat it for several.")}


def words(name: str, field: str, *among: str) -> dict[str, Declared]:
    """`name`: rows whose `field` is one of the texts given, of `among` where that says which there are."""
    return {name: WordFilter(field, among, help_text=f"Values of {field}; repeat it for several.")}


def ids(name: str, field: str) -> dict[str, Declared]:
    """`name`: rows whose `field` is one of the ids given."""
    return {name: IdFilter(field, help_text=f"Values of {field}; repeat it for several.")}


def flag(name: str, field: str) -> dict[str, Declared]:
    """`name`: rows whose `field` is so, or not."""
    return {name: FlagFilter(field, help_text=f"Whether {field}.")}


def text(*fields: str) -> dict[str, Declared]:
    """`q`: rows that contain the text."""
    return {"q": TextFilter(*fields)}


def state() -> dict[str, Declared]:
    """`state`: runs that are in one of these states."""
    return {"state": StateFilter()}
