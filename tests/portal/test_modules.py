"""The scripts that are modules: found, and free of circles, which storage under names made of content cannot settle."""

from __future__ import annotations

import posixpath
import re
from graphlib import TopologicalSorter
from pathlib import Path

from apps.portal.templatetags.modules import imported

STATIC = Path(__file__).resolve().parents[2] / "apps" / "portal" / "static"
IMPORT = re.compile(r'\b(?:from|import)\b\s*\(?\s*"(\.[^"]+)"')


def graph() -> dict[str, set[str]]:
    """Each module and those that it names, at once or later."""
    found = {}
    for file in sorted(STATIC.rglob("portal/*/*.js")):
        here = file.relative_to(STATIC).as_posix()
        names = IMPORT.findall(file.read_text())
        found[here] = {posixpath.normpath(posixpath.join(posixpath.dirname(here), name)) for name in names}
    return found


def test_modules_exist_and_import_each_other_in_no_circle() -> None:
    modules = graph()
    assert len(modules) > 20
    assert {name for names in modules.values() for name in names} <= modules.keys()
    tuple(TopologicalSorter(modules).static_order())


def test_what_a_page_needs_at_once_is_known_ahead() -> None:
    at_once = imported("portal/dashboard/page.js")
    assert {"portal/dashboard/grid.js", "portal/panels/draw.js", "portal/panels/time.js"} <= set(at_once)
    assert "portal/dashboard/inspect.js" not in at_once
    assert "portal/dashboard/page.js" not in at_once
    assert len(at_once) == len(set(at_once))
