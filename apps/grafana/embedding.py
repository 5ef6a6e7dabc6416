"""Who draws a dashboard's panels for somebody: Grafana in frames, or the portal's engine."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal

import requests
from django.conf import settings

from apps.accounts.models import User
from apps.grafana import availability
from apps.grafana.availability import State
from apps.grafana.identity import HEADER, NotForGrafanaError, identity_of, reason_against, token_of
from apps.grafana.versions import Version

PREFIX: Final = "/grafana/"
"""Where people find Grafana below the portal's address."""
DASHBOARDS: Final = f"{PREFIX}d/"
"""Where its dashboards are, each under its uid."""
WORDS_SINCE: Final = (11, 3, 0)
"""From here on panels are named `panel-3` in addresses; up to then they are numbers."""
MOVES_SINCE: Final = (12, 4, 0)
"""From here on a page of one panel follows its address without loading anew; seen with 12.4, not with older ones."""
ASK_SECONDS: Final = 1.5
KEEP_FOUND: Final = 60.0
KEEP_MISSING: Final = 5.0
"""Seconds that it is believed that Grafana has a dashboard, or has not."""
MOST_KEPT: Final = 1_000


@dataclass(frozen=True)
class Drawer:
    """Who draws. `panel` stands before a panel's number in Grafana's addresses; `moves` says whether a panel's page can
    be taken to another range without loading anew; `reachable` whether the viewer may go to Grafana at all; `follows`
    whether all this can change while a page is open."""

    by: Literal["grafana", "portal"]
    panel: str = ""
    moves: bool = False
    reachable: bool = False
    follows: bool = False


def drawer_for(uid: str, user: User) -> Drawer:
    """Who draws the panels of that dashboard for `user`: by PANELS, Grafana's health, what the user may, and whether
    Grafana has the dashboard. Takes at most about three seconds, and nearly always none."""
    here = availability.current(ASK_SECONDS)
    if here.state is State.ABSENT or reason_against(user):
        return Drawer("portal")
    panel = panel_prefix(here.version)
    moves = here.version is not None and here.version.numbers >= MOVES_SINCE
    if settings.PANELS == "portal":
        return Drawer("portal", panel, moves, reachable=True)
    if settings.PANELS == "grafana":
        return Drawer("grafana", panel, moves, reachable=True)
    drawn = here.is_healthy and has_dashboard(uid, user)
    return Drawer("grafana" if drawn else "portal", panel, moves, reachable=True, follows=True)


def is_reachable(user: User) -> bool:
    """Whether there is a Grafana that `user` may go to."""
    return not reason_against(user) and availability.current(0).state is not State.ABSENT


def panel_prefix(version: Version | None) -> str:
    """`panel-` where Grafana calls its panels so in addresses. A version that hides itself is taken for a new one."""
    return "" if version is not None and version.numbers < WORDS_SINCE else "panel-"


_lock = threading.Lock()
_known: OrderedDict[str, tuple[float, bool]] = OrderedDict()


def has_dashboard(uid: str, user: User) -> bool:
    """Whether Grafana has that dashboard and shows it to `user`, at most `KEEP_FOUND` seconds old.

    Every viewer may see every dashboard there, so one's answer holds for all. False while Grafana does not answer.
    """
    with _lock:
        until, found = _known.get(uid, (0.0, False))
    if until > time.monotonic():
        return found
    found = _ask(uid, user)
    with _lock:
        _known[uid] = (time.monotonic() + (KEEP_FOUND if found else KEEP_MISSING), found)
        _known.move_to_end(uid)
        while len(_known) > MOST_KEPT:
            _known.popitem(last=False)
    return found


def forget() -> None:
    """Drop what is known; for tests."""
    with _lock:
        _known.clear()


def _ask(uid: str, user: User) -> bool:
    url = availability.current(0).url.removesuffix(PREFIX.rstrip("/"))
    try:
        headers = {HEADER: token_of(identity_of(user))}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                f"{url}{PREFIX}api/dashboards/uid/{uid}",
                headers=headers,
                timeout=ASK_SECONDS,
                allow_redirects=False,
                stream=True,
            )
            answer.close()
    except (requests.RequestException, NotForGrafanaError):
        return False
    return answer.status_code == HTTPStatus.OK
