"""The three bodies of a dashboard in one Grafana, compared panel by panel: what was changed here, and what there.

Ours is compared with what we sent last, theirs with what Grafana returned then: a server writes a body in its own way,
and that is nobody's change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from apps.dashboards.differences import Difference, PanelDifference, differences
from apps.dashboards.line_differences import Line, line_differences
from apps.grafana.mapping import BlockedError, for_instance
from apps.grafana.models import Placement

MOST_LINES: Final = 1000
"""The most lines of each side that a page shows."""
Body = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """The dashboard itself (`name` empty) or one of its panels: what each side did to it, in words."""

    name: str
    here: tuple[str, ...]
    there: tuple[str, ...]

    @property
    def both(self) -> bool:
        """Whether both sides changed it."""
        return bool(self.here and self.there)


@dataclass(frozen=True)
class Comparison:
    """What differs. `without_base`: nothing was sent yet, so that the two sides are compared with each other."""

    parts: tuple[Part, ...]
    lines_here: tuple[Line, ...]
    lines_there: tuple[Line, ...]
    without_base: bool = False
    blocked: str = ""

    @property
    def sentence(self) -> str:
        """For the head of a page."""
        if self.without_base:
            return "Grafana's differs from the registered one." if self.parts else "Both are the same."
        here, there = sum(bool(part.here) for part in self.parts), sum(bool(part.there) for part in self.parts)
        both = sum(part.both for part in self.parts)
        if not here and not there:
            return "Nothing differs from what both had last."
        return f"Changed here in {_places(here)}, in Grafana in {_places(there)}; {_places(both)} by both."


def compare(row: Placement) -> Comparison:
    """The registered body and Grafana's as it was read last, each against what both had after our last write."""
    blocked = ""
    try:
        ours: Body = for_instance(row.dashboard.body, row.instance.datasources)
    except BlockedError as problem:
        ours, blocked = row.dashboard.body, str(problem)
    ours = {**ours, "uid": row.dashboard.uid}
    read = row.live or row.base
    theirs = None if read is None else read.document
    if row.base is None or row.sent is None:
        if theirs is None:
            return Comparison((), (), (), True, blocked)
        changed = differences(ours, theirs)
        return Comparison(_parts(Difference((), ()), changed), (), _cut(line_differences(ours, theirs)), True, blocked)
    sent, base = row.sent.document, row.base.document
    here = differences(sent, ours)
    there = differences(base, theirs or {})
    return Comparison(
        _parts(here, there),
        _cut(line_differences(sent, ours)),
        _cut(line_differences(base, theirs or {})),
        False,
        blocked,
    )


def _parts(here: Difference, there: Difference) -> tuple[Part, ...]:
    found = []
    if here.dashboard or there.dashboard:
        found.append(Part("", here.dashboard, there.dashboard))
    ours = {str(one.id): one for one in here.panels}
    theirs = {str(one.id): one for one in there.panels}
    for key in dict.fromkeys((*ours, *theirs)):
        one = ours.get(key) or theirs[key]
        name = f"Panel {one.id} {one.title}".rstrip() if one.id is not None else f"Panel {one.title}".rstrip()
        found.append(Part(name, _told(ours.get(key)), _told(theirs.get(key))))
    if here.moved or there.moved:
        found.append(Part("Places", _moved(here), _moved(there)))
    return tuple(found)


def _told(one: PanelDifference | None) -> tuple[str, ...]:
    if one is None:
        return ()
    return one.changes if one.kind == "changed" else (one.kind,)


def _moved(side: Difference) -> tuple[str, ...]:
    return (f"panels {', '.join(map(str, side.moved))} moved",) if side.moved else ()


def _cut(lines: list[Line]) -> tuple[Line, ...]:
    return tuple(lines[:MOST_LINES])


def _places(count: int) -> str:
    return "1 place" if count == 1 else f"{count} places"
