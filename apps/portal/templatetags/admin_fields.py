"""How the admin shows a value that is not edited: `{{ field|readable }}`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.contrib.admin.helpers import AdminReadonlyField
from django.core.exceptions import FieldDoesNotExist
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.portal import links
from apps.portal.templatetags.components import json_view
from apps.portal.templatetags.formats import exactly

register = template.Library()

LONG_TEXT = 200
"""From so many characters on, or with several lines, a text stands in a box of its own that scrolls."""


@register.filter
def readable(field: AdminReadonlyField) -> SafeString | str:
    """JSON and lists as a tree that folds, moments as `<time>`, addresses as links, long texts in a box: escaped."""
    name, row = field.field["field"], field.form.instance
    try:
        value = getattr(row, row._meta.get_field(name).name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        value = None
    shown = _shown(value)
    return field.contents() if shown is None else shown


def _shown(value: Any) -> SafeString | str | None:
    match value:
        case dict() | list() | tuple():
            return json_view(value)
        case datetime():
            return exactly(value)
        case bool():
            return "yes" if value else "no"
        case str() if url := links.web_address(value):
            return format_html('<a href="{}" rel="noreferrer">{}</a>', url, value)
        case str() if len(value) > LONG_TEXT or "\n" in value:
            return format_html('<pre class="long-text" tabindex="0">{}</pre>', value)
    return None
