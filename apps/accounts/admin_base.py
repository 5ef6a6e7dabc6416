"""What the admin's lists and forms share: every change in the audit trail, and no COUNT over a whole table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.paginator import Paginator
from django.db import models, router, transaction
from django.http import HttpRequest, HttpResponse

from apps.accounts import audit
from apps.accounts.audit import snapshot
from apps.accounts.models import AuditEntry

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    AnyPaginator = Paginator[Any]
else:
    ModelAdmin = admin.ModelAdmin
    AnyPaginator = Paginator

Action = AuditEntry.Action
State = Mapping[str, Any]
HISTORY: Final = 100
"""The most entries that the history of an object shows."""


class BoundedPaginator(AnyPaginator):
    """Counts no further than `LIMIT` rows, so that a list of millions opens as fast as one of thousands.

    Older rows are reached by filters. Use it with `show_full_result_count = False`.
    """

    LIMIT: Final = 10_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, models.QuerySet):
            return rows.order_by()[: self.LIMIT].count()
        return len(rows)


class AuditedModelAdmin(ModelAdmin):
    """Records who added, changed and deleted what, with the values before and after, of forms, inlines and list edits.

    A change in the portal's own database and its entry are one transaction. A change in the platform's database is
    recorded once it was committed. Actions of subclasses record what they do themselves (`audit.record`).
    """

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # Kept on the form, which is this request's alone; this object serves all requests.
        form.state_before = self._stored([obj.pk]).get(obj.pk, (obj, None))[1] if change else None
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        obj = form.instance
        _, after = self._stored([obj.pk]).get(obj.pk, (obj, None))
        before = form.state_before
        if before != after:
            self._record(request, Action.CHANGE if change else Action.ADD, obj, before, after)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        keys = [initial.instance.pk for initial in formset.initial_forms if initial.instance.pk is not None]
        before = self._stored(keys, formset.model)
        super().save_formset(request, form, formset, change)
        added = [obj.pk for obj in formset.new_objects]
        after = self._stored([*keys, *added], formset.model)
        for key, (obj, state) in before.items():
            if key not in after:
                self._record(request, Action.DELETE, obj, state, None)
            elif after[key][1] != state:
                self._record(request, Action.CHANGE, after[key][0], state, after[key][1])
        for key in added:
            if key in after:
                self._record(request, Action.ADD, after[key][0], None, after[key][1])

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        stored = self._stored([obj.pk])
        super().delete_model(request, obj)
        self._record_deleted(request, stored.values())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        with transaction.atomic(using=router.db_for_write(self.model)):
            stored = self._stored(list(queryset.order_by().values_list("pk", flat=True)))
            super().delete_queryset(request, queryset)
            self._record_deleted(request, stored.values())

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the audit trail tells of the object, newest first."""
        entries = AuditEntry.objects.filter(kind=self.model._meta.label_lower, object_id=unquote(object_id))
        context = {"entries": entries[:HISTORY], "most_entries": HISTORY, **(extra_context or {})}
        return super().history_view(request, object_id, context)

    def _stored(
        self, keys: Iterable[Any], model: type[models.Model] | None = None
    ) -> dict[Any, tuple[models.Model, dict[str, Any]]]:
        """The rows with these primary keys as the database has them, each with its state."""
        model = model or self.model
        rows = model._base_manager.using(router.db_for_write(model)).filter(pk__in=list(keys))
        return {row.pk: (row, snapshot(row, many=True)) for row in rows}

    def _record_deleted(self, request: HttpRequest, rows: Iterable[tuple[models.Model, State]]) -> None:
        for obj, state in rows:
            self._record(request, Action.DELETE, obj, state, None)

    def _record(
        self,
        request: HttpRequest,
        action: AuditEntry.Action,
        obj: models.Model,
        before: State | None,
        after: State | None,
    ) -> None:
        record_change(action, request=request, obj=obj, before=before, after=after)


def record_change(action: AuditEntry.Action, *, obj: models.Model, **details: Any) -> None:
    """`audit.record` for a change of `obj`: now where both are in one database, else once the change is committed."""
    using = router.db_for_write(type(obj))
    # The label and key are taken now: a deleted object has none later.
    write = partial(audit.record, action, kind=obj._meta.label_lower, object_id=str(obj.pk), label=str(obj), **details)
    if using == router.db_for_write(AuditEntry):
        write()
    else:
        transaction.on_commit(write, using=using)
