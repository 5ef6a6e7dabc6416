"""Probes for machines, metrics for Prometheus, and the health page for people.

The probes answer while the databases are away: they touch no session, and ask the databases in a thread of their own,
with a limit. They name no address, no role and no version.
"""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from apps.accounts.access import access, public
from apps.accounts.roles import Role, role_of
from apps.accounts.scope import scope_of
from apps.health import metrics as exposition
from apps.health import probes, processes
from apps.health.checks import CONFIGURATION, GRAFANA, GROUPS, LIVE, MACHINE, PORTAL, READER, SOURCE
from apps.health.findings import Finding, State, run, worst
from apps.mirror import shape

COLUMNS = ((SOURCE, READER, GRAFANA), (PORTAL, CONFIGURATION, LIVE, MACHINE))
"""The cards of the page, side by side where there is room: about the same height, what people ask for first on top."""
PAGE_KEPT_SECONDS = 5.0
"""A reloaded page within this time shows the same findings."""


@public
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """Whether the process answers at all: 200 with `ok`, whatever the databases do."""
    return _never_kept(HttpResponse("ok\n", content_type="text/plain; charset=utf-8"))


@public
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether requests can be served: 503 while the portal's own database is away. Answers within a second."""
    found = probes.readiness()
    body = {
        "status": found.word,
        "dependencies": {
            "portal_database": {"status": _up(found.portal), "required": True},
            "source_database": {"status": _up(found.source), "required": False},
        },
    }
    return _never_kept(JsonResponse(body, status=_status(found)))


@public
@require_safe
def server_health(request: HttpRequest) -> HttpResponse:
    """The address that monitors of the platform's own server know, with the two words that it answers.

    `status` is `ok`, `degraded` (the source is away; 200) or `unavailable` (503); `supabase` tells of the source.
    """
    found = probes.readiness()
    source = "unavailable" if found.source is State.FAILING else "connected"
    body = {"status": found.word, "supabase": source, "service": "vptmonitor", "timestamp": timezone.now().isoformat()}
    return _never_kept(JsonResponse(body, status=_status(found)))


@public
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For a bearer of METRICS_TOKEN and for viewers. The labs' numbers are for who sees all teams.

    A request with a token never touches the session, so that the numbers come while the database is away.
    """
    given = request.headers.get("Authorization", "")
    if given:
        token = settings.METRICS_TOKEN
        if not token or not constant_time_compare(given, f"Bearer {token}"):
            return _who_are_you()
        everything = True
    else:
        if role_of(request.user) < Role.VIEWER:
            return _who_are_you()
        everything = scope_of(request.user).everything
    text = exposition.render(exposition.families(with_fleet=everything))
    return _never_kept(HttpResponse(text, content_type=exposition.CONTENT_TYPE))


@access(Role.VIEWER)
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """The health page: the sentence that answers, then every check with its fix. Details are for administrators."""
    findings = run(GROUPS, max_age=PAGE_KEPT_SECONDS)
    troubles = [finding for finding in findings if finding.state in {State.FAILING, State.WARNING}]
    troubles.sort(key=lambda finding: finding.state is not State.FAILING)
    context = {
        "title": "Health",
        "state": worst(findings),
        "answer": sentence(findings),
        "troubles": troubles,
        "columns": [
            [(group, [finding for finding in findings if finding.group == group.name]) for group in column]
            for column in COLUMNS
        ],
        "processes": processes.read(),
        "gaps": _gaps(findings),
        "with_details": role_of(request.user) >= Role.ADMIN,
        "looked_at": timezone.now(),
    }
    response = render(request, "health/health.html", context)
    return _never_kept(response)


def sentence(findings: list[Finding]) -> str:
    """The answer in a sentence."""
    failing = sum(finding.state is State.FAILING for finding in findings)
    warning = sum(finding.state is State.WARNING for finding in findings)
    if failing and warning:
        return (
            f"{_things(failing, 'does not work', 'do not work')}, {warning} more need{'s' * (warning == 1)} attention."
        )
    if failing:
        return f"{_things(failing, 'does not work', 'do not work')}."
    if warning:
        return f"{_things(warning, 'needs', 'need')} attention."
    return "Everything is well."


def _things(count: int, one: str, many: str) -> str:
    return f"1 thing {one}" if count == 1 else f"{count} things {many}"


def _gaps(findings: list[Finding]) -> list[tuple[str, list[str]]]:
    """What the source lacks: table and missing columns, none for a table that is missing itself."""
    if any(finding.name == "source_database" and finding.state is State.FAILING for finding in findings):
        return []
    found = shape.shape_of()
    return [(table, sorted(columns) if table in found.tables else []) for table, columns in sorted(found.gaps.items())]


def _up(state: State) -> str:
    return "down" if state is State.FAILING else "up"


def _status(found: probes.Readiness) -> HTTPStatus:
    return HTTPStatus.OK if found.ready else HTTPStatus.SERVICE_UNAVAILABLE


def _who_are_you() -> HttpResponse:
    response = HttpResponse("Sign in, or send the token.\n", content_type="text/plain", status=HTTPStatus.UNAUTHORIZED)
    response["WWW-Authenticate"] = 'Bearer realm="metrics"'
    return response


def _never_kept(response: HttpResponse) -> HttpResponse:
    add_never_cache_headers(response)
    return response
