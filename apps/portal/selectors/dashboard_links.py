"""Where a dashboard's page leads: its author's links, and the next one of a wall display that goes round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from apps.accounts.models import User
from apps.accounts.scope import TeamScope, scope_of
from apps.dashboards.models import Dashboard
from apps.panels.document import Link
from apps.panels.interpolate import interpolate_text
from apps.panels.variables import Selections
from apps.portal import links

MOST_LINKS: Final = 30
"""The most dashboards that one link by tags leads to."""


@dataclass(frozen=True, slots=True)
class Outward:
    """A link above the panels."""

    title: str
    url: str
    new_tab: bool


def outward(given: Iterable[Link], selections: Selections, chosen: Sequence[tuple[str, str]]) -> Iterator[Outward]:
    """The links that a browser can follow, with the range and the variables (`chosen`) that they take along."""
    for link in given:
        url = links.followable(interpolate_text(link.url, selections)) if link.kind != "dashboards" else ""
        if url:
            title = interpolate_text(link.title, selections, default="text")
            yield Outward(title or url, _with(url, link, chosen), link.new_tab)


def tagged(given: Iterable[Link], uid: str, chosen: Sequence[tuple[str, str]], scope: TeamScope) -> Iterator[Outward]:
    """The other dashboards that the links of the kind `dashboards` mean: those that have all tags of one."""
    for link in given:
        if link.kind == "dashboards":
            named = link.fields.get("tags")
            tags = [tag for tag in named if isinstance(tag, str)] if isinstance(named, list) else []
            others = Dashboard.objects.visible_to(scope).exclude(uid=uid).filter(tags__contains=tags)
            for other in others.only("uid", "title")[:MOST_LINKS]:
                yield Outward(other.title, _with(links.page("dashboard", other.uid), link, chosen), link.new_tab)


def next_favourite(user: User, uid: str, every: str) -> str:
    """The address of the favourite after this dashboard, as a wall display that goes on after `every`; empty when there
    is no other."""
    uids = list(
        Dashboard.objects.visible_to(scope_of(user)).filter(favourites__user_id=user.pk).values_list("uid", flat=True)
    )
    others = [one for one in uids if one != uid]
    if not others:
        return ""
    after = uids.index(uid) + 1 if uid in uids else 0
    return links.page("dashboard", uids[after % len(uids)], query={"kiosk": "1", "cycle": every})


def _with(url: str, link: Link, chosen: Sequence[tuple[str, str]]) -> str:
    """`url` with the range and the variables where the link takes them along."""
    kept = [
        (name, value)
        for name, value in chosen
        if link.fields.get("keepTime" if name in {"from", "to"} else "includeVars")
    ]
    return url + (("&" if "?" in url else "?") + urlencode(kept) if kept else "")
