"""Filters of the admin's lists that cost nothing on a table of millions: their choices never come from its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.scope import scope_of
from apps.mirror import shape, states
from apps.mirror.models import DeviceFlag, Team

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList

Choices = Iterable[tuple[str, str]]
MOST_CHOICES: Final = 100
SPANS: Final[Mapping[str, tuple[str, timedelta]]] = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}


class TimeFilter(admin.ListFilter):
    """Rows of the last hour, day, week or month, or from one moment to another, by the model's `time_field`.

    In the address: `since` is a key of `SPANS`; `from` and `to` are ISO 8601, in the server's zone unless they name
    one. `to` is not included.
    """

    title = "time"
    template = "admin/time_filter.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: type[models.Model], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.field: str = model_admin.model.time_field or ""
        for name in ("since", "from", "to"):
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1].strip()

    def has_output(self) -> bool:
        return bool(self.field)

    def expected_parameters(self) -> list[str | None]:
        return ["since", "from", "to"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        since = str(self.used_parameters.get("since", ""))
        if since in SPANS:
            queryset = queryset.filter(**{f"{self.field}__gte": timezone.now() - SPANS[since][1]})
        for name, lookup in (("from", "gte"), ("to", "lt")):
            if text := str(self.used_parameters.get(name, "")):
                queryset = queryset.filter(**{f"{self.field}__{lookup}": _moment(text)})
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        chosen = self.used_parameters.get("since", "")
        yield {
            "selected": not any(self.used_parameters.values()),
            "query_string": changelist.get_query_string(remove=["since", "from", "to"]),
            "display": "Any",
            "from": self.used_parameters.get("from", ""),
            "to": self.used_parameters.get("to", ""),
            "kept": [
                (name, value)
                for name, values in changelist.filter_params.items()
                if name not in {"since", "from", "to"}
                for value in values
            ],
        }
        for key, (label, _) in SPANS.items():
            yield {
                "selected": chosen == key,
                "query_string": changelist.get_query_string({"since": key}, ["from", "to"]),
                "display": label,
            }


def _moment(text: str) -> datetime:
    """Raises IncorrectLookupParameters for a text that is no moment."""
    try:
        moment = datetime.fromisoformat(text)
        return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    except (ValueError, OverflowError) as error:
        raise IncorrectLookupParameters(str(error)) from error


class ChoiceFilter(admin.SimpleListFilter):
    """A filter by a value; one that is not among the choices finds nothing, and shows that it does."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if value not in {key for key, _ in self.lookup_choices}:
            return queryset.none()
        return self.apply(queryset, value)

    @staticmethod
    def apply(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """The rows that have `value`."""
        raise NotImplementedError


def words(name: str, *choices: str, title: str = "") -> type[ChoiceFilter]:
    """A filter by the field `name`, whose values are known beforehand: `choices`."""

    def lookups(self: ChoiceFilter, request: HttpRequest, model_admin: Any) -> Choices:
        return [(choice, choice) for choice in choices] if shape.has_field(model_admin.model, name) else []

    return _choice_filter(
        name, title or name.replace("_", " "), lookups, lambda rows, value: rows.filter(**{name: value})
    )


def yes_or_no(name: str, title: str = "") -> type[ChoiceFilter]:
    """A filter by a boolean; where it is not known it is neither."""

    def lookups(self: ChoiceFilter, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", "yes"), ("no", "no")] if shape.has_field(model_admin.model, name) else []

    return _choice_filter(
        name, title or name.replace("_", " "), lookups, lambda rows, value: rows.filter(**{name: value == "yes"})
    )


def values(name: str, title: str = "") -> type[ChoiceFilter]:
    """A filter by the values that the visible rows hold. For small tables alone: it reads them all."""

    def lookups(self: ChoiceFilter, request: HttpRequest, model_admin: Any) -> Choices:
        found = model_admin.get_queryset(request).order_by(name).values_list(name, flat=True).distinct()
        return [(str(value), str(value)) for value in found[:MOST_CHOICES] if value not in (None, "")]

    return _choice_filter(
        name, title or name.replace("_", " "), lookups, lambda rows, value: rows.filter(**{name: value})
    )


def _choice_filter(
    name: str,
    title: str,
    lookups: Callable[[ChoiceFilter, HttpRequest, Any], Choices],
    apply: Callable[[QuerySet[Any], str], QuerySet[Any]],
) -> type[ChoiceFilter]:
    members = {"title": title, "parameter_name": name, "lookups": lookups, "apply": staticmethod(apply)}
    return type(f"{name.title().replace('_', '')}Filter", (ChoiceFilter,), members)


class StateFilter(ChoiceFilter):
    """Runs by their state: the word that every page uses."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        shown = (states.OK, states.FAILING, states.RUNNING, states.QUEUED, states.SKIPPED, states.UNKNOWN)
        return [(word, word) for word in shown]

    @staticmethod
    def apply(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(state=value)


class HostFilter(ChoiceFilter):
    """By host: the hosts that registered a device, or the viewer's own."""

    title = "host"
    parameter_name = "host_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        scope = scope_of(request.user)
        if scope.everything:
            names: Iterable[str | None] = (
                DeviceFlag.objects.order_by("host_name").values_list("host_name", flat=True).distinct()[:MOST_CHOICES]
            )
        else:
            names = sorted(scope.host_names)
        return [(name, name) for name in names if name]

    @staticmethod
    def apply(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(host_name=value)


class TeamFilter(ChoiceFilter):
    """By team, of those that the viewer may see; left out where there is only one."""

    title = "team"
    parameter_name = "team"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        found = Team.objects.visible_to(scope_of(request.user)).order_by("name").values_list("id", "name")
        teams = [(str(key), name or str(key)) for key, name in found[:MOST_CHOICES] if key]
        return teams if len(teams) > 1 or self.value() else []

    @staticmethod
    def apply(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(**{rows.model.team_lookup: UUID(value)})
