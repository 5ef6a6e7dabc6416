"""The registered dashboards as their list shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from apps.accounts.models import User
from apps.accounts.scope import TeamScope
from apps.dashboards.folders import titles_of
from apps.dashboards.models import Dashboard, Favourite, Folder
from apps.grafana import standing
from apps.grafana.models import Placement
from apps.portal import links


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a dashboard in a Grafana: a state of the portal's vocabulary, its word, and a sentence."""

    state: str
    word: str
    text: str
    placement: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A dashboard of the list. `folder` has the titles from the top, with ` / ` between; empty for the top itself."""

    uid: str
    title: str
    folder: str
    tags: Sequence[str]
    team: str
    favourite: bool
    changed: datetime
    url: str
    troubles: tuple[Trouble, ...] = ()

    @property
    def tag_text(self) -> str:
        """The tags in one text."""
        return " ".join(self.tags)


def entries(*, scope: TeamScope, user: User) -> list[Entry]:
    """The dashboards that `scope` may see, by folder and title. Four queries."""
    troubles = standing.troubles()
    folders = Folder.objects.in_bulk()
    liked = set(Favourite.objects.filter(user=user).values_list("dashboard_id", flat=True))
    found = [
        Entry(
            row.uid, row.title, " / ".join(titles_of(row.folder_id, folders)), row.tags, row.team_name, row.pk in liked,
            row.updated_at, links.page("dashboard", row.uid), tuple(map(_trouble, troubles.get(row.pk, ()))),
        )
        for row in Dashboard.objects.visible_to(scope)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.folder.casefold(), one.folder, one.title.casefold(), one.uid))


def _trouble(row: Placement) -> Trouble:
    return Trouble(*standing.badge_of(row), f"{row.instance}: {row.error or row.words}", row.pk)


def by_folder(found: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """The favourites first, as a folder of their own, then each folder with all of its dashboards."""
    rows = list(found)
    groups = [(folder, list(inside)) for folder, inside in groupby(rows, key=lambda one: one.folder)]
    favourites = [one for one in rows if one.favourite]
    return [("Favourites", favourites), *groups] if favourites else groups


def answer(found: Sequence[Entry]) -> str:
    """The sentence above the list."""
    if not found:
        return "There is no dashboard that you may see."
    folders = len({one.folder for one in found if one.folder})
    favourites = sum(one.favourite for one in found)
    said = f"{len(found)} dashboard{'' if len(found) == 1 else 's'}"
    said += f" in {folders} folder{'' if folders == 1 else 's'}" if folders else ""
    wrong = sum(bool(one.troubles) for one in found)
    said += f", {wrong} of them not as registered in Grafana" if wrong else ""
    return f"{said}, {favourites} of them your favourite{'' if favourites == 1 else 's'}." if favourites else f"{said}."
