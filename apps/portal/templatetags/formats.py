"""Filters: instants, durations, numbers as people read them. `{% load formats %}`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.portal import formatting

register = template.Library()


@register.filter(is_safe=True)
def when(value: datetime | None) -> SafeString | str:
    """An instant as `<time>`: relative, absolute on hover; the script puts it in the viewer's zone and keeps it fresh.

    A naive value is taken as UTC, since that is what columns without a zone hold.
    """
    return _time(value, "relative")


@register.filter(is_safe=True)
def exactly(value: datetime | None) -> SafeString | str:
    """An instant as `<time>` in full, in the viewer's zone once the script ran."""
    return _time(value, "full")


@register.filter
def duration(value: object) -> str:
    """Milliseconds (a number) or a timedelta: `1 m 12 s`."""
    if isinstance(value, timedelta):
        return formatting.duration(formatting.milliseconds(value))
    return formatting.duration(_number(value))


@register.filter
def seconds(value: object) -> str:
    """Seconds as a duration: `1 m 12 s`."""
    known = _number(value)
    return formatting.duration(None if known is None else float(known) * 1000)


@register.filter
def number(value: object, decimals: int | None = None) -> str:
    """A number with groups of thousands; `|number:2` keeps two decimals."""
    return formatting.number(_number(value), decimals)


@register.filter
def compact(value: object) -> str:
    """A large number in short: `12.5 k`."""
    return formatting.compact(_number(value))


@register.filter
def percent(value: object, decimals: int = 1) -> str:
    """A ratio from 0 to 1 as a percentage: `94.2 %`."""
    return formatting.percent(_number(value), decimals)


@register.filter
def points(value: object, decimals: int = 1) -> str:
    """A difference of ratios as percentage points: `+1.5 pt`."""
    return formatting.points(_number(value), decimals)


@register.filter
def size(value: object) -> str:
    """Bytes: `3.4 MiB`."""
    return formatting.file_size(_number(value))


def aware(value: datetime) -> datetime:
    """The instant with a zone: UTC where it has none."""
    return value if timezone.is_aware(value) else value.replace(tzinfo=UTC)


def _time(value: datetime | None, show: str) -> SafeString | str:
    if not isinstance(value, datetime):
        return value.isoformat() if isinstance(value, date) else formatting.UNKNOWN
    at = aware(value)
    full = formatting.instant(at, timezone.get_current_timezone())
    return format_html(
        '<time datetime="{}" data-show="{}" title="{}">{}</time>',
        at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        show,
        full,
        formatting.age(at, timezone.now()) if show == "relative" else full,
    )


def _number(value: object) -> formatting.Number | None:
    """Whatever a template holds as a number; what is none is unknown, never an error on a page."""
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, str) and value.strip():
        try:
            return Decimal(value.strip())
        except InvalidOperation:
            return None
    return None
