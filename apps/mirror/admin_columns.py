"""Columns of the admin's lists: states, moments, numbers and yes or no as the portal shows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from django.contrib import admin
from django.db import models
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.mirror import states


def badge(state: str | None, word: str = "") -> SafeString:
    """A state of `apps.mirror.states` as the portal's badge: its shape, and `word` or its own."""
    state = state or states.UNKNOWN
    shape_of_state = format_html('<svg class="shape" aria-hidden="true"><use href="#s-{}"/></svg>', state)
    return format_html('<span class="badge badge-quiet is-{}">{}{}</span>', state, shape_of_state, word or state)


@cache
def column_of(field: models.Field[Any, Any]) -> Callable[[Any], str] | str:
    """A column of a list that shows the values of `field` as the portal does; its name where Django's own way will do.

    Always the same function for a field: a list's columns and those that sort it are compared.
    """
    shown: Callable[[Any], str]
    match field:
        case models.DateTimeField():
            shown = _moment
        case models.BooleanField():
            shown = _yes_or_no
        case models.IntegerField() | models.FloatField() if not field.primary_key:
            shown = partial(_number, unit="ms" if field.name.endswith("_ms") else "")
        case _:
            return field.name

    @admin.display(description=str(field.verbose_name), ordering=field.name)
    def column(row: Any) -> str:
        value = getattr(row, field.name)
        return "" if value is None else shown(value)

    column.__name__ = field.name
    column.numeric = isinstance(field, models.IntegerField | models.FloatField)  # type: ignore[attr-defined]
    return column


def _moment(value: datetime) -> SafeString:
    """As `<time>`, which the portal's script keeps fresh and tells in the viewer's zone."""
    return format_html(
        '<time datetime="{}" data-show="relative">{}</time>',
        value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}",
    )


def _yes_or_no(value: bool) -> str:
    # Django's green and red marks would say that "no" is bad, which it seldom is here.
    return "yes" if value else "no"


def _number(value: float, unit: str) -> SafeString:
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    text = text.replace(",", "\u2009")
    return format_html('{}<span class="muted">\u2009{}</span>', text, unit) if unit else format_html("{}", text)
