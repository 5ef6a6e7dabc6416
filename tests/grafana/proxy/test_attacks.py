"""Requests that must never reach Grafana, among them the lessons of those of its holes that concern a proxy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from apps.accounts.roles import Role
from apps.grafana.proxy.rules import RULES, Verdict, judge
from tests.grafana.proxy.lab import lab


@dataclass(frozen=True)
class Attack:
    path: str
    method: str = "GET"
    who: str = "viewer"
    headers: dict[str, str] = field(default_factory=dict)


FOREIGN = {"Origin": "https://evil.example"}
ATTACKS = {
    # CVE-2022-35957: a data source at localhost, with an identity header, asked through Grafana's own proxy.
    "makes a data source": Attack("/grafana/api/datasources", "POST"),
    "makes a data source, as admin": Attack("/grafana/api/datasources", "POST", "admin"),
    "changes a data source, as admin": Attack("/grafana/api/datasources/uid/x", "PUT", "admin"),
    "deletes a data source, as admin": Attack("/grafana/api/datasources/uid/x", "DELETE", "admin"),
    "data source proxy": Attack("/grafana/api/datasources/proxy/1/api/admin/users"),
    "data source proxy, as admin": Attack("/grafana/api/datasources/proxy/uid/x/api/users", "GET", "admin"),
    "data source resources, as admin": Attack("/grafana/api/datasources/uid/x/resources/y", "GET", "admin"),
    "plugin proxy, as admin": Attack("/grafana/api/plugin-proxy/app/x", "GET", "admin"),
    "plugin resources, as admin": Attack("/grafana/api/plugins/app/resources/x", "GET", "admin"),
    # CVE-2022-21703: another site makes a signed-in browser write.
    "foreign page saves a dashboard": Attack("/grafana/api/dashboards/db", "POST", "admin", FOREIGN),
    "foreign page asks": Attack("/grafana/api/ds/query", "POST", "viewer", FOREIGN),
    "no origin at all": Attack("/grafana/api/dashboards/db", "POST", "admin", {"Origin": ""}),
    "origin null": Attack("/grafana/api/dashboards/db", "POST", "admin", {"Origin": "null"}),
    "another port": Attack("/grafana/api/dashboards/db", "POST", "admin", {"Origin": "http://127.0.0.1:1"}),
    "look-alike host": Attack(
        "/grafana/api/dashboards/db", "POST", "admin", {"Origin": "http://127.0.0.1.evil.example"}
    ),
    "cross-site says the browser": Attack(
        "/grafana/api/dashboards/db", "POST", "admin", {"Origin": "", "Sec-Fetch-Site": "cross-site"}
    ),
    # CVE-2021-43798 and CVE-2025-4123: traversal, plain and encoded, out of static files.
    "traversal": Attack("/grafana/public/plugins/text/../../../../../../etc/passwd"),
    "encoded traversal": Attack("/grafana/public/plugins/text/%2e%2e/%2e%2e/conf/defaults.ini"),
    "encoded slashes": Attack("/grafana/public/..%2f..%2fconf/defaults.ini"),
    "encoded backslashes": Attack("/grafana/public/..%5c..%5cconf"),
    "backslash redirect": Attack("/grafana/public/..%2f%5c127.0.0.1%2f%3f%2f..%2f.."),
    "double encoding": Attack("/grafana/public/%252e%252e/%252e%252e/etc/passwd"),
    "out of the prefix": Attack("/grafana/d/abc/%2e%2e/%2e%2e/%2e%2e/account/"),
    "path parameter": Attack("/grafana/d/abc;/../../api/admin/settings"),
    "zero byte": Attack("/grafana/public/build/app.js%00.png"),
    "overlong dots": Attack("/grafana/public/%c0%ae%c0%ae/conf"),
    "doubled slash": Attack("/grafana//api/admin/settings"),
    "renderer": Attack("/grafana/render/d-solo/abc?panelId=1"),
    "renderer, as admin": Attack("/grafana/render/d/abc", "GET", "admin"),
    # CVE-2023-1387 and others: tokens and identities from outside change nothing about who somebody is.
    "token in the address": Attack("/grafana/api/search?auth_token=x", who=""),
    "identity header": Attack("/grafana/api/search", who="", headers={"X-WEBAUTH-USER": "admin"}),
    "forged assertion": Attack("/grafana/api/search", who="", headers={"X-JWT-Assertion": "a.b.c"}),
    "basic auth": Attack("/grafana/api/admin/settings", who="", headers={"Authorization": "Basic YWRtaW46YWRtaW4="}),
    "Grafana's own session": Attack("/grafana/api/search", who="", headers={"Cookie": "grafana_session=abc"}),
    # Grafana's own sign-in, and what makes people, rights and tokens: for nobody.
    "sign-in page": Attack("/grafana/login"),
    "sign-in": Attack("/grafana/login", "POST", "admin"),
    "sign-out": Attack("/grafana/logout", "GET", "admin"),
    "sign-up": Attack("/grafana/api/user/signup", "POST", "admin"),
    "own password": Attack("/grafana/api/user/password", "PUT", "admin"),
    "own name": Attack("/grafana/api/user", "PUT", "admin"),
    "server settings": Attack("/grafana/api/admin/settings", "GET", "admin"),
    "server users": Attack("/grafana/api/admin/users", "POST", "admin"),
    "users": Attack("/grafana/api/users", "GET", "admin"),
    "organisations": Attack("/grafana/api/orgs", "POST", "admin"),
    "organisation's users": Attack("/grafana/api/org/users", "POST", "admin"),
    "invitations": Attack("/grafana/api/org/invites", "POST", "admin"),
    "service accounts": Attack("/grafana/api/serviceaccounts", "POST", "admin"),
    "service account's token": Attack("/grafana/api/serviceaccounts/1/tokens", "POST", "admin"),
    "API keys": Attack("/grafana/api/auth/keys", "POST", "admin"),
    "teams": Attack("/grafana/api/teams", "POST", "admin"),
    "roles": Attack("/grafana/api/access-control/roles", "POST", "admin"),
    "sign-in settings": Attack("/grafana/api/v1/sso-settings/jwt", "PUT", "admin"),
    "newer API of people": Attack("/grafana/apis/iam.grafana.app/v0alpha1/namespaces/default/users", "GET", "admin"),
    "newer API of data sources": Attack(
        "/grafana/apis/postgres.datasource.grafana.app/v0alpha1/namespaces/default/datasources/x/query", "POST", "admin"
    ),
    "installs a plugin": Attack("/grafana/api/plugins/evil/install", "POST", "admin"),
    "provisioning": Attack("/grafana/api/admin/provisioning/dashboards/reload", "POST", "admin"),
    "alert receivers": Attack("/grafana/api/v1/provisioning/contact-points", "POST", "admin"),
    "tries out a receiver": Attack("/grafana/api/alertmanager/grafana/config/api/v1/receivers/test", "POST", "admin"),
    # Stored scripts (Text, GeoMap, traces, alerting): nobody who is no administrator writes.
    "viewer saves a dashboard": Attack("/grafana/api/dashboards/db", "POST"),
    "operator saves a dashboard": Attack("/grafana/api/dashboards/db", "POST", "operator"),
    "viewer writes an annotation": Attack("/grafana/api/annotations", "POST"),
    "viewer deletes a dashboard": Attack("/grafana/api/dashboards/uid/abc", "DELETE"),
    "viewer saves by the newer API": Attack(
        "/grafana/apis/dashboard.grafana.app/v1beta1/namespaces/default/dashboards/abc", "PUT"
    ),
    "viewer makes a folder": Attack("/grafana/api/folders", "POST"),
    # CVE-2024-9264: SQL expressions run in the server; CVE-2026-33377: an import overwrites who may see.
    "SQL expression": Attack("/grafana/api/ds/query", "POST"),
    "old query API": Attack("/grafana/api/tsdb/query", "POST"),
    "import": Attack("/grafana/api/dashboards/import", "POST", "admin"),
    "permissions of a dashboard": Attack("/grafana/api/dashboards/uid/abc/permissions", "POST", "admin"),
    "permissions of a folder": Attack("/grafana/api/folders/abc/permissions", "POST", "admin"),
    # CVE-2026-27877 and CVE-2026-21722: what shows data without a sign-in.
    "makes a public dashboard": Attack("/grafana/api/dashboards/uid/abc/public-dashboards", "POST", "admin"),
    "public dashboard": Attack("/grafana/public-dashboards/abc"),
    "public dashboard's data": Attack("/grafana/api/public/dashboards/abc/panels/1/query", "POST"),
    "snapshot": Attack("/grafana/api/snapshots", "POST", "admin"),
    "snapshot's page": Attack("/grafana/dashboard/snapshot/abc"),
    "avatar": Attack("/grafana/avatar/abc"),
    "admin pages": Attack("/grafana/admin/users"),
    "explore": Attack("/grafana/explore"),
    "metrics": Attack("/grafana/metrics"),
    "profiles": Attack("/grafana/debug/pprof/heap", "GET", "admin"),
    "swagger": Attack("/grafana/swagger"),
    "live publication": Attack("/grafana/api/live/publish", "POST", "admin"),
    "live push": Attack("/grafana/api/live/push/x", "POST", "admin"),
    # Odd methods and hosts.
    "TRACE": Attack("/grafana/", "TRACE"),
    "CONNECT in disguise": Attack("/grafana/", "PROPFIND", "admin"),
    "method override": Attack("/grafana/api/dashboards/db", "POST", "viewer", {"X-HTTP-Method-Override": "GET"}),
    "foreign host": Attack("/grafana/", headers={"Host": "evil.example"}),
    "no such host": Attack("/grafana/", headers={"Host": "127.0.0.1@evil.example"}),
}


def test_the_corpus_is_large_enough() -> None:
    assert len(ATTACKS) >= 50


def test_no_attack_reaches_grafana() -> None:
    async def run() -> None:
        async with lab() as it:
            for name, attack in ATTACKS.items():
                answer = await it.ask(attack.path, attack.who, attack.method, headers=attack.headers, data=b"{}")
                assert answer.status in {400, 401, 403}, name
                assert it.seen == [], name
                assert b"evil" not in answer.body, name

    asyncio.run(run())


@pytest.mark.parametrize("who", ["", "viewer", "limited", "admin"])
def test_no_cookie_of_the_portals_is_ever_seen_upstream(who: str) -> None:
    async def run() -> None:
        async with lab() as it:
            for path in ("/grafana/", "/grafana/d/abc", "/grafana/api/search", "/grafana/public/build/a.js"):
                await it.ask(path, who)
            for seen in it.seen:
                assert "Cookie" not in seen.headers
                assert not any("vptmonitor" in value for value in seen.headers.values() if "." not in value)

    asyncio.run(run())


VIEWERS_READ = [
    "/", "/d/abc", "/d/abc/", "/d/abc/name-1", "/d-solo/abc/x", "/dashboards", "/dashboards/f/abc/name", "/api/health",
    "/public/build/runtime.1234.js", "/public/fonts/inter/Inter.woff2", "/public/img/grafana_icon.svg",
    "/public/plugins/text/module.js", "/api/frontend/settings", "/api/dashboards/uid/abc", "/api/dashboards/home",
    "/api/search", "/api/folders/abc", "/api/annotations", "/api/user", "/api/user/preferences", "/api/org",
    "/api/library-elements/abc", "/api/plugins/text/settings", "/api/live/ws", "/api/login/ping",
    "/apis/dashboard.grafana.app/v1beta1/namespaces/default/dashboards/abc/dto",
    "/apis/folder.grafana.app/v1/namespaces/default/folders/abc/parents",
]  # fmt: skip
ADMINS_READ = [
    "/admin/users", "/connections/datasources", "/explore", "/alerting/list", "/plugins", "/api/datasources",
    "/api/dashboards/uid/abc/versions", "/api/org/users", "/api/ruler/grafana/api/v1/rules",
]  # fmt: skip
ADMINS_WRITE = [
    ("POST", "/api/dashboards/db"), ("DELETE", "/api/dashboards/uid/abc"), ("POST", "/api/folders"),
    ("PUT", "/api/folders/abc"), ("POST", "/api/annotations"), ("DELETE", "/api/annotations/12"),
    ("POST", "/api/library-elements"), ("PATCH", "/api/library-elements/abc"),
    ("PUT", "/apis/dashboard.grafana.app/v1beta1/namespaces/default/dashboards/abc"),
]  # fmt: skip


@pytest.mark.parametrize("path", VIEWERS_READ)
def test_everybody_with_a_role_reads_dashboards(path: str) -> None:
    assert judge("GET", path, Role.VIEWER) is Verdict.THROUGH
    assert judge("HEAD", path, Role.OPERATOR) is Verdict.THROUGH
    assert judge("GET", path, Role.NONE) is Verdict.REFUSE
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"):
        assert judge(method, path, Role.OPERATOR) is Verdict.REFUSE


@pytest.mark.parametrize("path", ADMINS_READ)
def test_grafanas_other_pages_are_for_administrators(path: str) -> None:
    assert judge("GET", path, Role.ADMIN) is Verdict.THROUGH
    assert judge("GET", path, Role.OPERATOR) is Verdict.REFUSE


@pytest.mark.parametrize(("method", "path"), ADMINS_WRITE)
def test_administrators_alone_write(method: str, path: str) -> None:
    assert judge(method, path, Role.ADMIN) is Verdict.THROUGH
    assert judge(method, path, Role.OPERATOR) is Verdict.REFUSE


@pytest.mark.parametrize("path", ["/api/ds/query", "/apis/query.grafana.app/v0alpha1/namespaces/default/query"])
def test_questions_are_judged_for_all_but_administrators(path: str) -> None:
    assert judge("POST", path, Role.VIEWER) is Verdict.QUERY
    assert judge("POST", path, Role.OPERATOR) is Verdict.QUERY
    assert judge("POST", path, Role.ADMIN) is Verdict.THROUGH
    assert judge("GET", path, Role.VIEWER) is Verdict.REFUSE


def test_what_is_not_for_administrators_only_reads_or_asks() -> None:
    idle = ("frontend-metrics", "evaluate/flags")
    for rule in RULES:
        if rule.role < Role.ADMIN and not rule.methods <= {"GET", "HEAD"}:
            assert rule.verdict is Verdict.QUERY or any(name in rule.pattern.pattern for name in idle)


@pytest.mark.parametrize(
    "path", ["/unheard-of", "/api/unheard-of", "/apis/x.grafana.app/v1/namespaces/default/x", "/dd/abc"]
)
def test_what_no_rule_names_is_for_nobody(path: str) -> None:
    for method in ("GET", "POST"):
        assert judge(method, path, Role.ADMIN) is Verdict.REFUSE
