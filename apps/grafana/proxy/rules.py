"""Who may reach which of Grafana's addresses. What no rule names is refused to everybody.

Paths are those of `paths.clean_path`. Whoever is no administrator reads, and asks the questions of registered
dashboards; nothing else. For nobody: whatever makes or changes people, their rights, service accounts, tokens,
organisations, data sources and plugins; what sends Grafana to addresses of somebody's choice (`/render`, the data
source and plugin proxies, avatars); what shows data without a sign-in (snapshots, public dashboards); and Grafana's own
sign-in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from apps.accounts.roles import Role

READS: Final = frozenset({"GET", "HEAD"})
WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SOCKET: Final = "/api/live/ws"
"""Grafana Live, the only WebSocket."""


class Verdict(Enum):
    """What becomes of a request."""

    THROUGH = "goes through"
    QUERY = "goes through when its SQL is that of a registered dashboard"
    REFUSE = "is refused"


@dataclass(frozen=True)
class Rule:
    """People with `role` or a higher one may send `methods` to the paths that `pattern` matches as a whole."""

    role: Role
    methods: frozenset[str]
    pattern: re.Pattern[str]
    verdict: Verdict = Verdict.THROUGH


_UID: Final = r"[A-Za-z0-9_-]{1,100}"
_SLUG: Final = r"[^/]{1,300}"
_NAMESPACE: Final = r"(?:default|org-\d{1,9})"
_VERSION: Final = r"v\d+(?:(?:alpha|beta)\d+)?"


def _rules(role: Role, methods: Iterable[str], *patterns: str, verdict: Verdict = Verdict.THROUGH) -> list[Rule]:
    return [Rule(role, frozenset(methods), re.compile(pattern), verdict) for pattern in patterns]


def _resource(group: str, resources: str) -> str:
    """A resource of Grafana's newer API."""
    return rf"/apis/{re.escape(group)}/{_VERSION}/namespaces/{_NAMESPACE}/{resources}"


_DASHBOARDS: Final = _resource("dashboard.grafana.app", rf"dashboards(?:/{_UID}(?:/(?:dto|access))?)?")
_FOLDERS: Final = _resource("folder.grafana.app", rf"folders(?:/{_UID}(?:/(?:access|parents|children|counts))?)?")

RULES: Final[tuple[Rule, ...]] = (
    # Pages and what they are made of.
    *_rules(
        Role.VIEWER,
        READS,
        r"/",
        rf"/d/{_UID}(?:/{_SLUG})?/?",
        rf"/d-solo/{_UID}(?:/{_SLUG})?/?",
        rf"/dashboards(?:/f/{_UID}(?:/{_SLUG})?)?/?",
        r"/public/(?:build|fonts|img|css|views|lib|app|gazetteer|maps|locales|plugins)/.+",
        r"/public/emotion/.+",
    ),
    # What the pages ask: dashboards, folders, who one is oneself.
    *_rules(
        Role.VIEWER,
        READS,
        r"/api/health",
        r"/api/frontend/(?:settings|assets)/?",
        r"/api/login/ping",
        r"/api/user(?:/(?:orgs|preferences|stars|teams))?",
        r"/api/org",
        r"/api/access-control/user/(?:actions|permissions)",
        r"/api/dashboards/(?:home|tags)",
        rf"/api/dashboards/uid/{_UID}",
        r"/api/search/?",
        r"/api/search/sorting",
        rf"/api/folders(?:/{_UID})?/?",
        r"/api/annotations(?:/tags)?",
        rf"/api/library-elements(?:/{_UID})?",
        r"/api/plugins",
        rf"/api/plugins/{_UID}/settings",
        r"/api/prometheus/grafana/api/v1/(?:rules|alerts)",
        r"/apis/(?:dashboard|folder)\.grafana\.app",
        _DASHBOARDS,
        _FOLDERS,
        _resource("dashboard.grafana.app", "search"),
        _resource("dashboard.grafana.app", rf"librarypanels(?:/{_UID})?"),
        _resource("preferences.grafana.app", "preferences/merged"),
        SOCKET,
    ),
    # The questions themselves.
    *_rules(
        Role.VIEWER,
        ("POST",),
        r"/api/ds/query",
        _resource("query.grafana.app", "query"),
        verdict=Verdict.QUERY,
    ),
    # What the pages send without changing anything: how long they took, and which features are on.
    *_rules(
        Role.VIEWER,
        ("POST",),
        r"/api/frontend-metrics",
        _resource("features.grafana.app", rf"ofrep/v1/evaluate/flags(?:/{_SLUG})?"),
    ),
    # Administrators of the portal: Grafana's other pages,
    *_rules(
        Role.ADMIN,
        READS,
        r"/(?:admin|org|connections|datasources|plugins|alerting|dashboard|dashboards|profile)(?:/.*)?",
        r"/(?:explore|library-panels)/?",
    ),
    # what they show,
    *_rules(
        Role.ADMIN,
        READS,
        rf"/api/datasources(?:/(?:uid/{_UID}|name/{_SLUG}|id/{_SLUG}))?",
        rf"/api/datasources/uid/{_UID}/health",
        rf"/api/dashboards/uid/{_UID}/(?:versions(?:/\d+)?|permissions)",
        rf"/api/folders/{_UID}/(?:permissions|counts)",
        r"/api/org/(?:users|preferences)(?:/search)?",
        r"/api/teams/(?:search|\d+|\d+/members)",
        rf"/api/library-elements/(?:name/{_SLUG}|{_UID}/connections/?)",
        r"/api/plugins/errors",
        rf"/api/plugins/{_UID}/markdown/{_SLUG}",
        r"/api/ruler/grafana/api/v1/rules?(?:/.*)?",
        r"/api/alertmanager/grafana/(?:api/v2/(?:alerts|silences|status)(?:/.*)?|config/api/v1/receivers)",
        r"/api/v1/ngalert(?:/.*)?",
        r"/api/query-history",
    ),
    # and dashboards, folders, annotations and library panels to be written.
    *_rules(
        Role.ADMIN,
        ("POST",),
        r"/api/dashboards/(?:db|calculate-diff)",
        rf"/api/dashboards/uid/{_UID}/restore",
        r"/api/folders/?",
        rf"/api/folders/{_UID}/move",
        r"/api/annotations",
        r"/api/library-elements",
        r"/api/query-history",
    ),
    *_rules(Role.ADMIN, ("DELETE",), rf"/api/dashboards/uid/{_UID}"),
    *_rules(Role.ADMIN, ("PUT", "PATCH", "DELETE"), rf"/api/folders/{_UID}", r"/api/annotations/\d+"),
    *_rules(Role.ADMIN, ("PATCH", "DELETE"), rf"/api/library-elements/{_UID}"),
    *_rules(Role.ADMIN, ("POST", "DELETE"), rf"/api/user/stars/dashboard/uid/{_UID}"),
    *_rules(
        Role.ADMIN,
        WRITES,
        _resource("dashboard.grafana.app", rf"dashboards(?:/{_UID})?"),
        _resource("folder.grafana.app", rf"folders(?:/{_UID})?"),
    ),
)


@lru_cache(maxsize=4096)
def judge(method: str, path: str, role: Role) -> Verdict:
    """What becomes of a request of somebody with `role`. Administrators' queries pass: a role of the database that can
    only SELECT stands behind them."""
    for rule in RULES:
        if role >= rule.role and method in rule.methods and rule.pattern.fullmatch(path):
            return Verdict.THROUGH if role >= Role.ADMIN else rule.verdict
    return Verdict.REFUSE


def is_page(method: str, path: str) -> bool:
    """Whether a person's browser asks for a page of Grafana's, rather than its script for data."""
    return method in READS and not path.startswith(("/api/", "/apis/", "/public/"))
