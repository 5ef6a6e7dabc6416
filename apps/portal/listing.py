"""Every list of the portal works alike: filters in the address, pages by cursor, CSV, and an explained emptiness.

A page declares a `Listing`; a view asks it for a `ListPage` and draws that with the components:

    RUNS = Listing(ScriptResult, filters=(ChoiceFilter(...), RangeFilter(...)), csv=("started_at", "script_name", ...))

    @access(Role.VIEWER)
    def runs(request):
        page = RUNS.page(request, ScriptResult.objects.visible_to(request.scope))
        return page.csv() if page.wants_csv else render(request, "portal/runs/list.html", {"page": page})
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db import connections, router
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from apps.mirror import shape
from apps.mirror.keyset import BadCursorError, Slice, slice_of
from apps.portal import components
from apps.portal.components import Choice

M = TypeVar("M", bound=Model)
T = TypeVar("T")
Column = str | tuple[str, Callable[[Any], Any]]
Columns = Sequence[Column]

PER_PAGE = 50
CSV_ROWS = 100_000
"""The most rows that one CSV holds; the last line says when there were more."""
LONGEST_TEXT = 200


class RangeFilter:
    """Rows of the last hours or days by the listing's time field; `default` is applied when the address has none.

    With `everything`, "all" is offered too: only for lists that an index on the time serves.
    """

    SPANS: Mapping[str, timedelta] = {
        "1h": timedelta(hours=1), "6h": timedelta(hours=6), "24h": timedelta(hours=24),
        "7d": timedelta(days=7), "30d": timedelta(days=30),
    }  # fmt: skip

    def __init__(self, field: str, default: str = "7d", *, name: str = "range", everything: bool = True) -> None:
        self.field, self.default, self.name, self.everything = field, default, name, everything

    def value(self, request: HttpRequest) -> str:
        """The span that the address asks for, else the default."""
        given = request.GET.get(self.name, "")
        return given if given in self.SPANS or (given == "all" and self.everything) else self.default

    def apply(self, rows: Any, request: HttpRequest) -> Any:
        span = self.SPANS.get(self.value(request))
        return rows if span is None else rows.filter(**{f"{self.field}__gte": timezone.now() - span})

    def draw(self, request: HttpRequest) -> components.Filter:
        choices = [*components.RANGES, Choice("all", "All")] if self.everything else components.RANGES
        return components.TimeRange(self.value(request), self.name, choices=choices, default=self.default)

    def active(self, request: HttpRequest) -> bool:
        return self.value(request) != self.default


class ChoiceFilter:
    """A select: `choices` is a sequence, or a function of the request (teams, hosts that its user may see).

    `apply_value(rows, value)` narrows the rows; by default the field `name` must equal the value. A value that is not
    among the choices is ignored.
    """

    def __init__(
        self,
        name: str,
        label: str,
        choices: Sequence[Choice] | Callable[[HttpRequest], Sequence[Choice]],
        apply_value: Callable[[Any, str], Any] | None = None,
        *,
        empty: str = "Any",
        default: str = "",
    ) -> None:
        self.name, self.label, self._choices, self._apply = name, label, choices, apply_value
        self.empty, self.default = empty, default

    def choices(self, request: HttpRequest) -> Sequence[Choice]:
        """The choices for this request; a function is called once per request."""
        if not callable(self._choices):
            return self._choices
        cache: dict[int, Sequence[Choice]] = request.__dict__.setdefault("_filter_choices", {})
        if id(self) not in cache:
            cache[id(self)] = self._choices(request)
        return cache[id(self)]

    def value(self, request: HttpRequest) -> str:
        """The chosen value, or the default; empty for any."""
        given = request.GET.get(self.name)
        if given is None:
            return self.default
        return given if given in {choice.value for choice in self.choices(request)} else ""

    def apply(self, rows: Any, request: HttpRequest) -> Any:
        value = self.value(request)
        if not value:
            return rows
        return self._apply(rows, value) if self._apply else rows.filter(**{self.name: value})

    def draw(self, request: HttpRequest) -> components.Filter:
        return components.Select(
            self.name, self.label, self.choices(request), self.value(request), self.empty, self.default
        )

    def active(self, request: HttpRequest) -> bool:
        return self.value(request) != self.default


class SwitchFilter:
    """A choice of how rows are shown rather than which: the first of `choices` is the default, none hides a row."""

    def __init__(self, name: str, label: str, choices: Sequence[Choice]) -> None:
        self.name, self.label, self._choices = name, label, choices

    def value(self, request: HttpRequest) -> str:
        """The choice that the address names, else the first."""
        given = request.GET.get(self.name, "")
        return given if given in {choice.value for choice in self._choices} else self._choices[0].value

    def apply(self, rows: Any, request: HttpRequest) -> Any:
        return rows

    def draw(self, request: HttpRequest) -> components.Filter:
        return components.TimeRange(self.value(request), self.name, self.label, self._choices)

    def active(self, request: HttpRequest) -> bool:
        return False


class TextFilter:
    """Typed text that any of `fields` must contain, whatever its case."""

    def __init__(self, name: str, label: str, fields: Sequence[str], placeholder: str = "") -> None:
        self.name, self.label, self.fields, self.placeholder = name, label, fields, placeholder

    def value(self, request: HttpRequest) -> str:
        """What was typed, without NUL (which PostgreSQL's text cannot hold) and cut at 200 characters."""
        return request.GET.get(self.name, "").replace("\x00", "").strip()[:LONGEST_TEXT]

    def apply(self, rows: Any, request: HttpRequest) -> Any:
        value = self.value(request)
        if not value:
            return rows
        condition = Q()
        for name in self.fields:
            condition |= Q(**{f"{name}__icontains": value})
        return rows.filter(condition)

    def draw(self, request: HttpRequest) -> components.Filter:
        return components.Text(self.name, self.label, self.value(request), self.placeholder)

    def active(self, request: HttpRequest) -> bool:
        return bool(self.value(request))


class WordFilter(TextFilter):
    """Typed text that any of the attributes `fields` of a row in memory must contain, whatever its case."""

    def apply(self, rows: Any, request: HttpRequest) -> Any:
        value = self.value(request).casefold()
        if not value:
            return rows
        return [row for row in rows if any(value in str(getattr(row, name) or "").casefold() for name in self.fields)]


class ToggleFilter:
    """Rows of a condition only, when it is on."""

    def __init__(self, name: str, label: str, apply_on: Callable[[Any], Any]) -> None:
        self.name, self.label, self._apply = name, label, apply_on

    def apply(self, rows: Any, request: HttpRequest) -> Any:
        return self._apply(rows) if self.active(request) else rows

    def draw(self, request: HttpRequest) -> components.Filter:
        return components.Toggle(self.name, self.label, self.active(request))

    def active(self, request: HttpRequest) -> bool:
        return request.GET.get(self.name) == "1"


ListFilter = RangeFilter | SwitchFilter | ChoiceFilter | TextFilter | ToggleFilter


@dataclass(frozen=True)
class Listing(Generic[M]):
    """A list of one model's rows. `key` is the order (descending; default: its time field and primary key).

    `csv` names the attributes of a row (dotted paths, or `(heading, function of the row)`) that the CSV holds.
    `why_empty` says what fills the list, for the page of a list that is empty without any filter. After `stale_after`
    seconds without a new row the page calls its data stale; 0 for lists that change only now and then.
    """

    model: type[M]
    filters: Sequence[ListFilter] = ()
    csv: Columns = ()
    key: Sequence[str] = ()
    per_page: int = PER_PAGE
    noun: str = ""
    why_empty: str = ""
    stale_after: int = 0

    def keys(self) -> Sequence[str]:
        """The columns that order the list."""
        if self.key:
            return self.key
        moment = getattr(self.model, "time_field", None)
        return (moment, "pk") if moment else ("pk",)

    def page(self, request: HttpRequest, rows: QuerySet[M]) -> ListPage[M]:
        """Filter `rows` by the address and cut the page that it asks for. At most one query for the rows."""
        for entry in self.filters:
            rows = entry.apply(rows, request)
        # Of the portal's own database the migrations see to it.
        missing = router.db_for_read(self.model) == "source" and not shape.has_table(self.model)
        cut: Slice[M] = Slice([], "", "")
        if not missing and not _asks_for_csv(request):
            try:
                cut = slice_of(rows, self.keys(), self.per_page, request.GET.get("cursor", ""))
            except BadCursorError:
                cut = slice_of(rows, self.keys(), self.per_page)
        return ListPage(
            request=request,
            filters=self.filters,
            noun=self.noun or str(self.model._meta.verbose_name_plural),
            rows=cut.rows,
            newer=cut.newer,
            older=cut.older,
            everything=lambda: _streamed(rows.order_by(*(f"-{name}" for name in self.keys()))),
            columns=self.csv,
            name=self.model._meta.db_table,
            missing_table=self.model._meta.db_table if missing else "",
            newest=_newest(cut.rows, self.keys()[0]),
            why_empty=self.why_empty,
            stale_after=self.stale_after,
        )


@dataclass(frozen=True)
class ShortListing(Generic[T]):
    """A list whose rows were put together in memory from several tables, such as the devices of the fleet.

    Its filters get the sequence of rows instead of a query set; its cursor is the number of the first row.
    """

    name: str
    noun: str
    filters: Sequence[ChoiceFilter | SwitchFilter | ToggleFilter | WordFilter] = ()
    csv: Columns = ()
    per_page: int = 200
    why_empty: str = ""
    stale_after: int = 0

    def page(
        self, request: HttpRequest, rows: Sequence[T], *, newest: datetime | None = None, missing_table: str = ""
    ) -> ListPage[T]:
        """Filter `rows` by the address and cut the page that it asks for. `newest` is the time of the freshest row."""
        kept: Any = rows
        for entry in self.filters:
            kept = entry.apply(kept, request)
        found = list(kept)
        cursor = request.GET.get("cursor", "")
        start = int(cursor) if cursor.isdecimal() and cursor.isascii() and len(cursor) < 9 else 0
        start = start if start < len(found) else 0
        end = start + self.per_page
        return ListPage(
            request=request,
            filters=self.filters,
            noun=self.noun,
            rows=found[start:end],
            newer=str(max(0, start - self.per_page)) if start else "",
            older=str(end) if end < len(found) else "",
            everything=lambda: iter(found),
            columns=self.csv,
            name=self.name,
            missing_table=missing_table,
            newest=newest,
            why_empty=self.why_empty,
            stale_after=self.stale_after,
        )


@dataclass(frozen=True, slots=True)
class Emptiness:
    """Why a list shows nothing, and one way on."""

    title: str
    why: str
    url: str = ""
    action: str = ""


@dataclass(frozen=True)
class ListPage(Generic[T]):
    """What `portal/list.html` draws. `newer` and `older` are cursors, empty at the ends; `everything` is for the CSV.

    `missing_table` names a table that the connected database lacks, without which there is nothing to list.
    """

    request: HttpRequest
    filters: Sequence[ListFilter]
    noun: str
    rows: Sequence[T]
    newer: str
    older: str
    everything: Callable[[], Iterator[T]]
    columns: Columns
    name: str
    missing_table: str = ""
    newest: datetime | None = None
    why_empty: str = ""
    stale_after: int = 0

    @property
    def wants_csv(self) -> bool:
        """Whether the address asks for CSV."""
        return _asks_for_csv(self.request)

    @property
    def missing(self) -> bool:
        """Whether the table of the list is not there."""
        return bool(self.missing_table)

    @property
    def filter_bar(self) -> components.FilterBar:
        """The filters as they stand; what else the address says (but the cursor) is kept."""
        own = {entry.name for entry in self.filters} | {"cursor", "format"}
        kept = {name: str(value) for name, value in self.request.GET.items() if name not in own}
        reset = self.reset_url if self.filtered else ""
        return components.FilterBar([entry.draw(self.request) for entry in self.filters], kept, reset)

    @property
    def filtered(self) -> bool:
        """Whether a filter differs from its default."""
        return any(entry.active(self.request) for entry in self.filters)

    @property
    def reset_url(self) -> str:
        """The same page without filters."""
        query = self.request.GET.copy()
        switches = {entry.name for entry in self.filters if isinstance(entry, SwitchFilter)}
        for name in ({entry.name for entry in self.filters} - switches) | {"cursor", "format"}:
            query.pop(name, None)
        return f"{self.request.path}?{query.urlencode()}" if query else self.request.path

    @property
    def newer_url(self) -> str:
        """The address of the page before this one, or empty."""
        return self.url(cursor=self.newer) if self.newer else ""

    @property
    def older_url(self) -> str:
        """The address of the page after this one, or empty."""
        return self.url(cursor=self.older) if self.older else ""

    @property
    def first_url(self) -> str:
        """The address of the first page, or empty where this is it."""
        return self.url() if self.request.GET.get("cursor") else ""

    @property
    def csv_url(self) -> str:
        """The same filters as CSV; empty for a list without one."""
        return self.url(format="csv") if self.columns and not self.missing else ""

    @property
    def data_at(self) -> datetime | None:
        """The time of the newest row, on the first page alone: later pages are old by design."""
        return None if self.request.GET.get("cursor") else self.newest

    @property
    def emptiness(self) -> Emptiness:
        """Why there are no rows: the table is missing, the filters hide them, the cursor is past the end, or nothing
        was ever written."""
        if self.missing:
            return Emptiness(
                f"This database has no table “{self.missing_table}”",
                f"The connected installation keeps no {self.noun}, or the portal's role may not read them.",
            )
        if self.request.GET.get("cursor"):
            return Emptiness(f"No more {self.noun}", "The list ends here.", self.url(), "To the newest")
        if self.filtered:
            return Emptiness(
                f"No {self.noun} fit these filters", "Other values may show some.", self.reset_url, "Clear the filters"
            )
        spans = [entry for entry in self.filters if isinstance(entry, RangeFilter)]
        if spans and (span := spans[0].value(self.request)) != "all":
            wider = "all" if spans[0].everything else "30d"
            url = self.url(**{spans[0].name: wider}) if span != wider else ""
            return Emptiness(
                f"No {self.noun} in the last {_SPAN_WORDS[span]}",
                self.why_empty,
                url,
                "Look further back" if url else "",
            )
        return Emptiness(f"No {self.noun} yet", self.why_empty)

    def url(self, **parameters: str) -> str:
        """This list's address with other parameters; without a cursor and format unless given, empty ones left out."""
        query = self.request.GET.copy()
        for name in ("cursor", "format"):
            query.pop(name, None)
        for name, value in parameters.items():
            query.pop(name, None)
            if value:
                query[name] = value
        return f"{self.request.path}?{query.urlencode()}" if query else self.request.path

    def csv(self) -> StreamingHttpResponse:
        """All rows of the filter, up to 100,000, as a streamed attachment in the order of the list."""
        rows = iter(()) if self.missing else self.everything()
        response = StreamingHttpResponse(_csv_lines(self.columns, rows), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.name}-{timezone.now():%Y%m%d-%H%M}.csv"'
        return response


_SPAN_WORDS = {"1h": "hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}


def _asks_for_csv(request: HttpRequest) -> bool:
    return request.GET.get("format") == "csv"


def _newest(rows: Sequence[Any], name: str) -> datetime | None:
    found = [getattr(row, name) for row in rows]
    return max((moment for moment in found if isinstance(moment, datetime)), default=None)


def _streamed(rows: QuerySet[M]) -> Iterator[M]:
    """The rows by a server-side cursor, with the connection looked after: the response outlives its view."""
    yield from rows[: CSV_ROWS + 1].iterator(chunk_size=2000)
    connections[rows.db].close_if_unusable_or_obsolete()


class _Echo:
    """A file that gives back what is written, so that csv can stream."""

    def write(self, text: str) -> str:
        return text


def _csv_lines(columns: Columns, rows: Iterator[Any]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow([column if isinstance(column, str) else column[0] for column in columns])
    for count, row in enumerate(rows):
        if count == CSV_ROWS:
            yield writer.writerow([f"cut after {CSV_ROWS} rows: narrow the filter for the rest"])
        elif count < CSV_ROWS:
            yield writer.writerow([csv_cell(_value(row, column)) for column in columns])


def _value(row: Any, column: Column) -> Any:
    if not isinstance(column, str):
        return column[1](row)
    for name in column.split("."):
        row = getattr(row, name, None)
    return row


def csv_cell(value: Any) -> str:
    """A cell that a spreadsheet takes as a value: text that begins like a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value)
    if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + text
    return text
