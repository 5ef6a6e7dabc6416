"""The one class that all lists of the API are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, cast

import orjson
from django.db import OperationalError
from django.db.models import QuerySet, UUIDField
from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.access import access
from apps.accounts.audit import without_secrets
from apps.accounts.problems import Problem
from apps.accounts.roles import Role
from apps.accounts.scope import TeamScope, scope_of
from apps.mirror import export, shape
from apps.mirror.keyset import BadCursorError, Cut, walk_of
from apps.mirror.models import MirrorModel
from apps.mirror.querysets import RunQuerySet
from apps.mirror.rest import filters as filtering
from apps.mirror.rest.filters import Filters, wrong_parameters
from apps.mirror.rest.paging import PARAMETERS, USUAL_ROWS, Asked, CursorPages, Order, asked_of, orders_of
from apps.mirror.rest.rendering import CSVRenderer, FastJSONRenderer, Json, Negotiation, PageRenderer
from apps.mirror.rest.rows import RowShape, serializer_of, state_field
from apps.mirror.rest.schema import RowsSchema

_TIMED_OUT = "57014"


@access(Role.VIEWER)
class RowsViewSet(GenericViewSet[Any]):
    """Rows of one table: a list by cursor, and single rows.

    A subclass says `model`, `fields` (attribute names, which are the names in the answer) and `filters`; `big` tables
    want a time range where no index helps. Rows are those that are `visible_to` the caller's scope.
    """

    model: ClassVar[type[Any]]
    fields: ClassVar[tuple[str, ...]]
    filters: ClassVar[Filters] = {}
    big: ClassVar[bool] = False

    renderer_classes = (FastJSONRenderer, CSVRenderer, PageRenderer)
    content_negotiation_class = Negotiation
    pagination_class = CursorPages
    filter_backends = ()
    http_method_names = ("get", "head", "options")
    schema = RowsSchema()

    lookup_value_converter: ClassVar[str]
    shape: ClassVar[RowShape]
    orders: ClassVar[Mapping[str, Order]]
    row_serializer: ClassVar[Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "model" not in cls.__dict__:
            return
        cls.shape = RowShape(cls.model, cls.fields)
        pk = cls.model._meta.pk.attname
        if "orders" not in cls.__dict__:
            cls.orders = orders_of(getattr(cls.model, "time_field", None) if cls.big else None, pk)
        cls.row_serializer = serializer_of(cls.__name__.removesuffix("List"), cls.shape, cls.computed())
        cls.queryset = cls.model._default_manager.none()
        if "lookup_value_converter" not in cls.__dict__:
            cls.lookup_value_converter = "uuid" if isinstance(cls.model._meta.pk, UUIDField) else "int"

    # What a subclass may add ------------------------------------------------------------------------------------------

    @classmethod
    def computed(cls) -> dict[str, Any]:
        """Names and descriptions of values that no column holds; `expressions` gives them."""
        return {"state": state_field()} if _is_run(cls.model) else {}

    @classmethod
    def expressions(cls, now: datetime) -> Mapping[str, Any]:
        """The SQL of each computed value, as of `now`. Its moments must be as far from `now` whenever that is."""
        rows = cls.model._default_manager.all()
        return {"state": rows.state_expression(now)} if isinstance(rows, RunQuerySet) else {}

    def decorated(self, texts: Sequence[str]) -> Sequence[str]:
        """The page's rows once more, for what only another database knows."""
        return texts

    def decorated_values(self, names: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """The same for CSV: rows of values under these names."""
        return rows

    # The two actions --------------------------------------------------------------------------------------------------

    def list(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """Newest first where the table has a time; see `ordering`."""
        given = {name: request.query_params.getlist(name) for name in request.query_params}
        self._refuse_unknown(given)
        missing = self._missing()
        asked = asked_of(given, self.orders)
        as_csv = request.accepted_renderer.format == "csv"
        self._refuse_scans(given, whole=as_csv and asked.limit is None)
        rows = filtering.apply(self._visible(request), self.filters, given)
        if as_csv:
            return self._csv(rows, asked, missing)
        return Response(self._page(request, rows, asked, missing), headers={"Cache-Control": "no-store"})

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """One row; 404 where there is none that the caller may see."""
        missing = self._missing()
        found = {self.lookup_field: kwargs[self.lookup_field]}
        texts = self._read(self._visible(request).filter(**found), missing)
        if not texts:
            raise Http404("There is no such row, or it belongs to another team.")
        text = self.decorated(texts)[0]
        return Response(Json(text.encode()), headers={"Cache-Control": "no-store"})

    # What both are made of --------------------------------------------------------------------------------------------

    def get_view_name(self) -> str:
        """The heading of the page."""
        options = self.model._meta
        return str(options.verbose_name_plural if self.action == "list" else options.verbose_name).capitalize()

    def get_serializer_class(self) -> Any:
        """For the schema alone."""
        return self.row_serializer

    def get_renderers(self) -> Any:
        found = super().get_renderers()
        return found if self.action == "list" else [one for one in found if one.format != "csv"]

    def _visible(self, request: Request) -> QuerySet[Any]:
        return self.rows_of(scope_of(request.user))

    def rows_of(self, scope: TeamScope) -> QuerySet[Any]:
        """The rows that `scope` may see."""
        return cast("QuerySet[Any]", self.model._default_manager.all().visible_to(scope))

    def _missing(self) -> Sequence[str]:
        """Names that no row has here. Raises Problem (404) where the whole table is missing."""
        if issubclass(self.model, MirrorModel) and not shape.has_table(self.model):
            table = self.model._meta.db_table
            detail = f"The connected database has no table {table}, or does not let the portal read it."
            raise Problem(HTTPStatus.NOT_FOUND, "Not in this database", detail, table=table)
        return self.shape.missing()

    def _refuse_unknown(self, given: Mapping[str, Any]) -> None:
        known = {*self.filters, *PARAMETERS}
        if strangers := sorted(name for name in given if name not in known):
            names = ", ".join(sorted(known))
            raise wrong_parameters(
                [{"parameter": name[:100], "detail": f"there is no such parameter, but {names}"} for name in strangers]
            )

    def _refuse_scans(self, given: Mapping[str, Sequence[str]], *, whole: bool) -> None:
        """A question that only reading the whole of a big table answers needs a time range."""
        if not self.big or given.get("from"):
            return
        slow = filtering.expensive(self.model, self.filters, given)
        if whole or slow:
            what = f"The filter {' and '.join(slow)} has no index" if slow else "The whole table is much"
            detail = f"{what}, and {self.model._meta.db_table} is large. Add from, such as from=now-24h."
            if whole and not slow:
                detail += " Or add limit for a page."
            raise Problem(HTTPStatus.BAD_REQUEST, "The question is too wide", detail, parameter="from")

    def _page(self, request: Request, rows: QuerySet[Any], asked: Asked, missing: Sequence[str]) -> Json:
        size = asked.limit or USUAL_ROWS
        key = [name for name in asked.order.key if name not in missing] or [asked.order.key[-1]]
        try:
            walk = walk_of(rows, key, asked.cursor, asked.order.starts)
        except BadCursorError:
            detail = "it is none that a page of this list gave in this order; leave it out to start anew"
            raise wrong_parameters([{"parameter": "cursor", "detail": detail}]) from None
        descending = walk.direction == "older"
        found = self._read(walk.rows, missing, key=key, descending=descending, limit=size + 1)
        cut: Cut[str] = walk.cut(found, size)
        page = walk.slice(cut, lambda text: _key_of(text, key))
        forth, back = (page.older, page.newer) if asked.order.starts == "older" else (page.newer, page.older)
        texts = self.decorated(cut.rows)
        head = orjson.dumps({"next": _address(request, forth), "previous": _address(request, back), "missing": missing})
        return Json(head[:-1] + b',"results":[' + ",".join(texts).encode() + b"]}")

    def _csv(self, rows: QuerySet[Any], asked: Asked, missing: Sequence[str]) -> StreamingHttpResponse:
        if asked.cursor:
            detail = "CSV has no pages: leave it out, and limit too for all rows"
            raise wrong_parameters([{"parameter": "cursor", "detail": detail}])
        sign = "-" if asked.order.starts == "older" else ""
        ordered = rows.order_by(*(f"{sign}{name}" for name in asked.order.key if name not in missing))
        names = tuple(name for name in self.fields if name not in missing)
        extra = self.expressions(timezone.now())
        values = ordered.values_list(*names, *extra.values())
        names += tuple(extra)
        found = self.decorated_values(names, _one_by_one(values, asked.limit))
        lines = export.csv_lines(found, names, limit=asked.limit)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        name = f"{self.model._meta.db_table}-{timezone.now():%Y%m%d-%H%M}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response

    def _read(self, rows: QuerySet[Any], missing: Sequence[str], **order: Any) -> Sequence[str]:
        try:
            return self.shape.texts(rows, self.expressions, missing, **order)
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) != _TIMED_OUT:
                raise
            detail = "The database took too long. Narrow the time range, or filter by host or team."
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "Too slow", detail, parameter="from") from None


def _one_by_one(values: QuerySet[Any, Any], limit: int | None) -> Iterator[Sequence[Any]]:
    """The rows by a server-side cursor, one more than a file holds; secrets in JSON hidden."""
    for row in values[: limit or export.MOST_ROWS + 1].iterator(chunk_size=export.CHUNK):
        yield [without_secrets(value) if isinstance(value, dict | list) else value for value in row]


def _key_of(text: str, key: Sequence[str]) -> list[Any]:
    row = orjson.loads(text)
    return [row[name] for name in key]


def _address(request: Request, cursor: str) -> str | None:
    if not cursor:
        return None
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _is_run(model: type[Any]) -> bool:
    return isinstance(model._default_manager.all(), RunQuerySet)
