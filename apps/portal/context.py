"""What the shell of every page needs, whatever the page: navigation, theme, version, the zone of the server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from apps.accounts.roles import Role, role_of
from apps.mirror.demo.presence import demo_rows_present
from apps.portal.selectors.live_topics import topics_of

THEMES = (("system", "System"), ("light", "Light"), ("dark", "Dark"))


@dataclass(frozen=True, slots=True)
class Page:
    """An entry of the navigation: the name of its address, its label, icon, and the key that follows `g`.

    `primary` entries stand in the bottom bar of a phone, the others under "More". `role` is the least that may open it.
    Addresses that begin with `also` belong to it too.
    """

    name: str
    label: str
    icon: str
    key: str
    primary: bool = False
    role: Role = Role.NONE
    also: str = ""


PAGES = (
    Page("portal:overview", "Overview", "overview", "o", primary=True),
    Page("portal:devices", "Devices", "device", "v", primary=True),
    Page("portal:campaigns", "Campaigns", "campaign", "c", primary=True),
    Page("portal:runs", "Runs", "run", "r", primary=True),
    Page("portal:alerts", "Alerts", "alert", "a", primary=True),
    Page("portal:navigation", "Navigation", "navigation", "n"),
    Page("portal:heatmaps", "Heatmaps", "heatmap", "h"),
    Page("portal:system", "System", "system", "s"),
    Page("portal:dashboards", "Dashboards", "dashboard", "d", also="/d/"),
    Page("health", "Health", "health", "e"),
    Page("admin:index", "Admin", "admin", "m", role=Role.OPERATOR),
)
"""The pages of the portal in their order; one whose address does not exist is left out."""


ACCOUNT = (("profile", "Your profile"), ("password_change", "Change your password"), ("portal:api-docs", "The API"))


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class NavEntry:
    """A page as the navigation shows it. `current` is `page` on the page itself, `true` below it, else empty."""

    page: Page
    url: str
    current: str


class Shell:
    """What base.html reads. Everything is worked out when asked for: answers that are no page pay nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def demo(self) -> bool:
        """Whether the rows are made up."""
        return bool(settings.DEMO) and demo_rows_present()

    @property
    def version(self) -> str:
        return str(settings.VERSION)

    @property
    def zone(self) -> str:
        """The name of the server's time zone, in which times stand before the script puts them in the viewer's."""
        return timezone.get_current_timezone_name()

    @cached_property
    def now(self) -> datetime:
        """The server's clock, by which the script corrects the viewer's. In UTC."""
        return timezone.now().astimezone(ZoneInfo("UTC"))

    @property
    def theme(self) -> str:
        """`light` or `dark` when the viewer chose one, else `system`. A cookie, so that no page flashes."""
        theme = self._request.COOKIES.get("theme", "")
        return theme if theme in dict(THEMES) else "system"

    @property
    def themes(self) -> tuple[tuple[str, str], ...]:
        """The themes that can be chosen, with their words."""
        return THEMES

    @property
    def folded(self) -> bool:
        """Whether the viewer folded the navigation to icons."""
        return self._request.COOKIES.get("nav") == "folded"

    @property
    def kiosk(self) -> bool:
        """Whether the page hangs on a wall: no chrome, larger type (`?kiosk`)."""
        return "kiosk" in self._request.GET

    @property
    def live_topics(self) -> str:
        """The tables whose changes the page follows, separated by spaces."""
        match = self._request.resolver_match
        return topics_of(match.view_name) if match is not None and self.nav else ""

    @property
    def is_fragment(self) -> bool:
        """Whether the page asks for itself again, to bring what it shows up to date: the shell is there already."""
        return self._request.headers.get("X-Live") == "1"

    @property
    def search_url(self) -> str:
        return _address("portal:search")

    @property
    def search(self) -> str:
        """What was searched for, kept in the box on the page of results."""
        return self._request.GET.get("q", "") if self.search_url == self._request.path else ""

    @property
    def account(self) -> tuple[Link, ...]:
        """The pages about the viewer that exist."""
        links = (Link(label, _address(name)) for name, label in ACCOUNT)
        return tuple(link for link in links if link.url)

    @property
    def sign_out_url(self) -> str:
        return _address("logout")

    @cached_property
    def nav(self) -> tuple[NavEntry, ...]:
        """The pages that exist and that the viewer may open."""
        user = getattr(self._request, "user", None)
        if user is None or not user.is_authenticated:
            return ()
        role = role_of(user)
        found = []
        for page in PAGES:
            url = _address(page.name) if role >= page.role else ""
            if url:
                found.append(NavEntry(page, url, _current(url, self._request.path, page.also)))
        return tuple(found)

    @property
    def bottom(self) -> tuple[NavEntry, ...]:
        """The entries of the bottom bar."""
        return tuple(entry for entry in self.nav if entry.page.primary)

    @property
    def more(self) -> tuple[NavEntry, ...]:
        """The entries under "More"."""
        return tuple(entry for entry in self.nav if not entry.page.primary)


def shell(request: HttpRequest) -> dict[str, Shell]:
    """The context processor: `shell` in every template."""
    return {"shell": Shell(request)}


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _current(url: str, path: str, also: str) -> str:
    if path == url:
        return "page"
    below = (url != "/" and path.startswith(url)) or (also and path.startswith(also))
    return "true" if below else ""
