"""Texts of findings on a page. `{% load findings %}`."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_COMMAND = re.compile(r"`([^`]+)`")


@register.filter
def with_code(text: str) -> SafeString:
    """The text escaped, and what stands between backticks as code."""
    return mark_safe(_COMMAND.sub(r"<code>\1</code>", escape(text)))  # noqa: S308 -- escaped first
