"""Scripts that are made of modules."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Final

from django import template
from django.contrib.staticfiles import finders
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.portal.templatetags.components import asset

register = template.Library()

_IMPORT: Final = re.compile(r'^(?:import|export)\b[^;]*?\bfrom "(\.[^"]+)"', re.MULTILINE)


@register.simple_tag
def module(path: str) -> SafeString:
    """A module script, and all modules that it needs at once: the browser would find them one after the other."""
    needed = format_html_join("", '<link rel="modulepreload" href="{}">', ((asset(one),) for one in imported(path)))
    return format_html('<script type="module" src="{}"></script>{}', asset(path), needed)


@cache
def imported(path: str) -> tuple[str, ...]:
    """The modules that a module imports, and those that they do; without what is loaded later by `import()`."""
    found: dict[str, None] = {}
    waiting = [path]
    while waiting:
        here = waiting.pop(0)
        place = finders.find(here)
        for other in _IMPORT.findall(Path(place).read_text(encoding="utf-8")) if place else ():
            name = posixpath.normpath(posixpath.join(posixpath.dirname(here), other))
            if name != path and name not in found:
                found[name] = None
                waiting.append(name)
    return tuple(found)
