"""What the admin of every mirrored table shares: bounded lists, team scope, read-only sources, exports, exact forms.

Installations hold millions of rows without the indexes that one would wish. So a list never counts, is ordered and
searched by what the platform indexes, and ends after `MOST_PAGES` pages: filters lead further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import ForeignKeyRawIdWidget, RelatedFieldWidgetWrapper
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError, InternalError, OperationalError, ProgrammingError, models
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from apps.accounts.admin_base import AuditedModelAdmin, BoundedPaginator
from apps.accounts.scope import EVERYTHING, TeamScope, scope_of
from apps.mirror import export, shape
from apps.mirror.admin_columns import badge, column_of
from apps.mirror.admin_forms import form_field
from apps.mirror.estimate import estimated_rows
from apps.mirror.models import Team

if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Any]
else:
    AnyModelForm = forms.ModelForm

PER_PAGE: Final = 50
MOST_PAGES: Final = 200
"""So deep can a list be paged through; every page costs at most this many times the first."""
LONGEST_SEARCH: Final = 200
_REFUSALS: Final = (IntegrityError, DataError, ProgrammingError, InternalError)
_TIMED_OUT: Final = "57014"


class MirrorChangeList(ChangeList):
    """A page of rows and whether there is another one, by reading one row more: no COUNT.

    `result_count` is how many rows are known of. `about` is PostgreSQL's own estimate of the whole table, for people
    who may see all of it and have not filtered.
    """

    has_newer: bool = False
    has_older: bool = False
    cut: bool = False
    about: int | None = None

    def get_results(self, request: HttpRequest) -> None:
        page = min(max(self.page_num, 1), MOST_PAGES)
        start = (page - 1) * self.list_per_page
        absent = not shape.has_table(self.model)
        found = [] if absent else list(self.queryset[start : start + self.list_per_page + 1])
        more = len(found) > self.list_per_page
        rows = found[: self.list_per_page]
        self.page_num = page
        self.first_row, self.last_row = start + 1, start + len(rows)
        self.has_newer, self.has_older = page > 1, more and page < MOST_PAGES
        self.cut = more and not self.has_older
        self.result_list = rows
        self.result_count = start + len(found)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = self.has_newer or more
        self.paginator = BoundedPaginator(rows, self.list_per_page)
        if not absent and not self.query and not self.filter_params and scope_of(request.user).everything:
            self.about = estimated_rows(self.model)
        cast("MirrorAdmin", self.model_admin).prepare_rows(rows)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.search_help_text = cast("MirrorAdmin", self.model_admin).search_help()
        plural = capfirst(str(self.opts.verbose_name_plural))
        self.title = f"Choose from the {self.opts.verbose_name_plural}" if self.is_popup else plural

    @property
    def numeric(self) -> list[int]:
        """The numbers, from one, of the columns that hold numbers."""
        return [number for number, one in enumerate(self.list_display, 1) if getattr(one, "numeric", False)]

    @property
    def newer_url(self) -> str:
        """The address of the page before this one."""
        return self._page(self.page_num - 1) if self.has_newer else ""

    @property
    def older_url(self) -> str:
        """The address of the page after this one."""
        return self._page(self.page_num + 1) if self.has_older else ""

    def _page(self, number: int) -> str:
        return str(self.get_query_string({"p": number} if number > 1 else {}, ["p"]))


class ChosenRowsForm(ActionForm):
    """Actions take the rows that were ticked, never "all that match": those are not counted, and may be millions."""

    def clean_select_across(self) -> bool:
        return False


class MirrorForm(AnyModelForm):
    """A form whose rows stay within what its user may see."""

    scope: ClassVar[TeamScope] = EVERYTHING

    def _get_validation_exclusions(self) -> set[str]:
        # Their form fields have checked them; the model would refuse an empty text in a list that is there already.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # unknown to the stubs
        return excluded | {one.name for one in self._meta.model._meta.concrete_fields if isinstance(one, ArrayField)}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        host: str | None = self._meta.model.host_lookup
        limited = not self.scope.everything and host in self.cleaned_data
        if limited and self.cleaned_data[str(host)] not in self.scope.host_names:
            self.add_error(host, "This host belongs to none of your teams.")
        return cleaned


class MirrorAdmin(AuditedModelAdmin):
    """A small table: definitions that people write. Every column sorts, and the search looks into texts.

    * `exact`: columns that a search compares as a whole, and the primary key;
    * `contains`: columns in which a search looks for the text anywhere, on small tables alone;
    * `portal_page`: the name of the portal's page about a row, and its arguments before the key;
    * `by_hand`: whether people add rows.
    """

    exact: ClassVar[tuple[str, ...]] = ()
    contains: ClassVar[tuple[str, ...]] = ("name",)
    portal_page: ClassVar[tuple[str, ...]] = ()
    portal_key: ClassVar[str] = "pk"
    by_hand: ClassVar[bool] = True
    fixed: ClassVar[tuple[str, ...]] = ()
    """Fields that are looked at only, since something else writes them."""

    form = MirrorForm
    list_per_page = PER_PAGE
    list_max_show_all = PER_PAGE
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    action_form = ChosenRowsForm
    actions: Any = ("export_csv", "export_json")
    empty_value_display = "–"

    def get_ordering(self, request: HttpRequest) -> Any:
        if self.ordering:
            return self.ordering
        if any(one.name == "name" for one in self.model._meta.concrete_fields):
            return ("name", "pk")
        return (f"-{self.model.time_field}", "-pk") if self.model.time_field else ("-pk",)

    def get_sortable_by(self, request: HttpRequest) -> Any:
        return self.get_list_display(request)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """What makes Django draw a box for a search; `get_search_results` says what it finds."""
        return (self.model._meta.pk.name, *self.exact, *self.contains)

    def get_list_select_related(self, request: HttpRequest) -> tuple[str, ...] | bool:
        shown = {str(name) for name in self.list_display}
        return tuple(one.name for one in self.model._meta.concrete_fields if one.is_relation and one.name in shown)

    def search_help(self) -> str:
        """What a search finds, for people."""
        found = ["an id"]
        if self.exact:
            found.append(f"the whole {_any_of(str(self._field(name).verbose_name) for name in self.exact)}")
        if self.contains:
            found.append(f"a part of the {_any_of(str(self._field(name).verbose_name) for name in self.contains)}")
        return f"Finds {_any_of(found)}."

    def _field(self, name: str) -> models.Field[Any, Any]:
        return cast("models.Field[Any, Any]", self.model._meta.get_field(name))

    @property
    def media(self) -> forms.Media:
        """Only what these pages use: Django's own list would be a megabyte."""
        scripts = ("vendor/jquery/jquery.min.js", "jquery.init.js", "admin/RelatedObjectLookups.js", "actions.js")
        return forms.Media(js=[f"admin/js/{script}" for script in scripts])

    # Rows ------------------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        rows = rows.visible_to(scope_of(request.user))
        found: QuerySet[Any] = rows.with_state() if hasattr(rows, "with_state") else rows
        return found

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return MirrorChangeList

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """The columns that the database has, each shown as the portal shows its kind."""
        gaps = shape.missing_columns(self.model) if shape.has_table(self.model) else ()
        fields = {one.name: one for one in self.model._meta.concrete_fields}
        names = [str(name) for name in self.list_display]
        kept = [name for name in names if name not in fields or fields[name].column not in gaps]
        if self.portal_page:
            kept.append("in_portal")
        return tuple(column_of(fields[name]) if name in fields else name for name in kept) or ("__str__",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows whose key or one of `exact` is the term, or whose `contains` hold it; nothing is split into words."""
        term = search_term.replace("\x00", "").strip()[:LONGEST_SEARCH]
        if not term:
            return queryset, False
        condition = Q(pk__in=[])
        for name in ("pk", *self.exact):
            field = self.model._meta.pk if name == "pk" else self._field(name)
            value = _comparable(term, field)
            if value is not None:
                condition |= Q(**{name: value})
        for name in self.contains:
            condition |= Q(**{f"{name}__icontains": term})
        return queryset.filter(condition), False

    def prepare_rows(self, rows: list[Any]) -> None:
        """Called with the rows of a page before they are drawn, to add what other tables say of them at once."""

    def page_of(self, row: Any) -> str:
        """The address of the portal's page about `row`, empty where there is none."""
        return self.page_at(getattr(row, self.portal_key))

    def page_at(self, key: object) -> str:
        """The address of the portal's page about what has this key, empty where there is none."""
        if not self.portal_page or key is None:
            return ""
        try:
            return reverse(self.portal_page[0], args=[*self.portal_page[1:], key])
        except NoReverseMatch:
            return ""

    def view_on_site(self, row: Any) -> str | None:
        """Django's name for it."""
        return self.page_of(row) or None

    @admin.display(description="page")
    def in_portal(self, row: Any) -> SafeString | str:
        url = self.page_of(row)
        return format_html('<a href="{}">Open</a>', url) if url else ""

    @admin.display(description="state")
    def state(self, row: Any) -> SafeString:
        return badge(row.state)

    # Who may do what -------------------------------------------------------------------------------------------------

    def writable(self) -> bool:
        """Whether the connected database has the table and may be written."""
        return settings.SOURCE_ACCESS in {"write", "own"} and shape.has_field(self.model, self.model._meta.pk.name)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.by_hand and self.writable() and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.writable() and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.writable() and super().has_delete_permission(request, obj)

    def absent(self) -> str:
        """Why the list must be empty: the table is missing. Empty where it is there."""
        if shape.has_table(self.model):
            return ""
        table = self.model._meta.db_table
        return (
            f"This database has no table “{table}”: the connected installation keeps no "
            f"{self.opts.verbose_name_plural}, or the portal's role may not read them."
        )

    def banner(self) -> str:
        """What the reader of a page must know: why nothing can be changed, and what the database lacks."""
        said = []
        if settings.SOURCE_ACCESS == "read":
            said.append(
                "Read only: SOURCE_ACCESS is “read”, so the portal changes nothing in the platform's database. "
                "Whoever runs the portal can set it to “write”."
            )
        gaps = sorted(shape.missing_columns(self.model))
        if gaps and shape.has_table(self.model):
            noun = "column" if len(gaps) == 1 else "columns"
            said.append(f"This database lacks the {noun} {', '.join(gaps)}: unknown, and left out here.")
        return " ".join(said)

    # Forms -----------------------------------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        gaps = shape.missing_columns(self.model)
        own = [one for one in self.model._meta.concrete_fields if one.column not in gaps]
        first = [one.name for one in own if one.primary_key]
        written = [one.name for one in own if not one.primary_key and one.name not in ("created_at", "updated_at")]
        dates = [one.name for one in own if one.name in ("created_at", "updated_at")]
        if obj is None:
            return [name for name in written if name not in self.fixed]
        return [*first, *written, *dates]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        lost = [
            one.name
            for one in self.model._meta.concrete_fields
            if one.related_model is not None and not shape.has_table(one.related_model)
        ]
        primary = self.model._meta.pk.name
        return [primary, "created_at", "updated_at", *self.fixed, *lost]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = form_field(db_field) or super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field.widget, RelatedFieldWidgetWrapper):
            # Four buttons beside each choice lead away from the form; the lists are two clicks away.
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = db_field.related_model.objects.visible_to(scope_of(request.user))
        if db_field.related_model is not Team:
            # A key that is typed or chosen in a small window: a menu would hold a hundred thousand rows.
            kwargs["widget"] = ForeignKeyRawIdWidget(db_field.remote_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.scope = scope_of(request.user)
        return form

    # Pages -----------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        options = self.opts
        view = self.admin_site.admin_view(self.export_view)
        name = f"{options.app_label}_{options.model_name}_export"
        return [path("export/<str:form>/", view, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {**self._page_context(), "downloads": self._downloads(request), **(extra_context or {})}
        try:
            return self._or_refusal(request, partial(super().changelist_view, request, context))
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) != _TIMED_OUT or "since" in request.GET:
                raise
            self.message_user(
                request,
                "The database took too long, so only the last hour is shown. Narrow the filters.",
                messages.WARNING,
            )
            return redirect(f"{request.path}?since=1h")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        context = {**self._page_context(), **(extra_context or {})}
        return self._or_refusal(request, partial(super().changeform_view, request, object_id, form_url, context))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        context = {**self._page_context(), **(extra_context or {})}
        return self._or_refusal(request, partial(super().delete_view, request, object_id, context))

    def export_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """All rows of the list's filters, in its order, up to `export.MOST_ROWS`, as CSV or JSON."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = next((known for known in export.FORMATS if known == form), None)
        if chosen is None:
            raise Http404(f"no export as {form}")
        changelist = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return redirect(changelist)
        return export.export(rows.select_related(None), chosen)

    @admin.action(description="Export the chosen rows as CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase:
        return export.export(queryset.select_related(None), "csv")

    @admin.action(description="Export the chosen rows as JSON", permissions=["view"])
    def export_json(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase:
        return export.export(queryset.select_related(None), "json")

    def _page_context(self) -> dict[str, Any]:
        return {
            "banner": self.banner(),
            "absent": self.absent(),
            "answer": about(self.model),
            "most_rows": export.MOST_ROWS,
            "mirrored": True,
        }

    def _downloads(self, request: HttpRequest) -> list[tuple[str, str]]:
        """The names and addresses of the exports of what the list shows."""
        query = request.GET.copy()
        for name in ("p", "e", "_popup"):
            query.pop(name, None)
        base = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        end = f"?{query.urlencode()}" if query else ""
        return [(form.upper(), reverse(base, args=[form]) + end) for form in export.FORMATS]

    def _or_refusal(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        """The view's answer; what the database refuses to write is told on the page that it came from."""
        try:
            return view()
        except _REFUSALS as error:
            if request.method != "POST":
                raise
            self.message_user(request, f"The database refused: {_reason(error)}. Nothing was changed.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


class HistoryAdmin(MirrorAdmin):
    """A large table that machines write: searched by whole values of indexed columns, and ordered by time alone.

    Nobody adds rows by hand.
    """

    contains = ()
    by_hand = False

    def get_ordering(self, request: HttpRequest) -> Any:
        return (f"-{self.model.time_field}", "-pk") if self.model.time_field else ("-pk",)

    def get_sortable_by(self, request: HttpRequest) -> Any:
        return [column_of(self._field(self.model.time_field))] if self.model.time_field else []


def about(model: type[models.Model]) -> str:
    """What a row of the model is: the first sentence of its docstring."""
    text = " ".join((model.__doc__ or "").split())
    return text.partition(". ")[0].rstrip(".") + "." if text else ""


def _any_of(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _comparable(term: str, field: models.Field[Any, Any] | None) -> Any:
    """The term as a value of the field; None where it cannot be one."""
    if isinstance(field, models.UUIDField) or (field is not None and field.is_relation):
        try:
            return UUID(term)
        except ValueError:
            return None
    if isinstance(field, models.IntegerField):
        return int(term) if term.isascii() and term.isdecimal() and len(term) < 10 else None
    return term


def _reason(error: Exception) -> str:
    """The database's own sentence, without its details, which may quote rows."""
    diagnosis = getattr(error.__cause__, "diag", None)
    told = getattr(diagnosis, "message_primary", None) or str(error).partition("\n")[0]
    return str(told).rstrip(".")
