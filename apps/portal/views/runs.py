"""Runs: the timeline of tests, scripts and campaigns, and one run of each kind."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.mirror import states
from apps.mirror.keyset import BadCursorError, Slice
from apps.portal import components, formatting, links
from apps.portal.components import Choice, Column, Crumb, Fact, KeyFigure
from apps.portal.listing import PER_PAGE, ChoiceFilter, ListPage, RangeFilter, TextFilter
from apps.portal.selectors import recent, run_details
from apps.portal.selectors import runs as selectors
from apps.portal.selectors.recent import Kind
from apps.portal.selectors.run_details import RunDetails
from apps.portal.selectors.runs import Timeline, TimelineRun
from apps.portal.templatetags.formats import exactly
from apps.portal.views import choices

COLUMNS = (
    Column("State"), Column("Run", fixed=True), Column("Device"), Column("Host"), Column("Interface", hidden=True),
    Column("Duration", numeric=True), Column("Started"), Column("Evidence"),
)  # fmt: skip
ZAP_COLUMNS = (
    Column("#", numeric=True), Column("Channel"), Column("Programme"), Column("Key"), Column("Zap", numeric=True),
    Column("Black or frozen", numeric=True), Column("Motion"), Column("Speech"), Column("Subtitles"),
)  # fmt: skip
RUN_COLUMNS = (
    Column("State"), Column("Run", fixed=True), Column("Device"), Column("Duration", numeric=True), Column("Started"),
)  # fmt: skip
CSV = (
    "kind", "id", "name", "state", "host", "device", "interface", "started_at", "duration_ms", "error", "report_url",
    "logs_url",
)  # fmt: skip
STRIP = 23
"""Earlier runs in the strip: one line of squares beside the facts."""
WHY_EMPTY = "A run appears when a host starts a script, a test or a campaign, within a second."


class SinceFilter(RangeFilter):
    """The range of a timeline."""

    def apply(self, rows: Timeline, request: HttpRequest) -> Timeline:
        span = self.SPANS.get(self.value(request))
        return rows if span is None else rows.since(timezone.now() - span)


class NameFilter(TextFilter):
    """Text in the name of a run."""

    def apply(self, rows: Timeline, request: HttpRequest) -> Timeline:
        value = self.value(request)
        return rows.named(value) if value else rows


class DeviceFilter(TextFilter):
    """Text in the name of a run's device."""

    def apply(self, rows: Timeline, request: HttpRequest) -> Timeline:
        value = self.value(request)
        return rows.on_device(value) if value else rows


FILTERS = (
    SinceFilter("at", "7d"),
    ChoiceFilter("kind", "Kind", [Choice(kind, f"{kind.capitalize()}s") for kind in selectors.KINDS], Timeline.of_kind),
    ChoiceFilter(
        "state", "State",
        [
            Choice(state, state.capitalize())
            for state in (states.OK, states.FAILING, states.RUNNING, states.QUEUED, states.SKIPPED, states.UNKNOWN)
        ],
        Timeline.in_state,
    ),
    ChoiceFilter("host", "Host", choices.hosts, Timeline.on_host),
    ChoiceFilter("interface", "Interface", choices.interfaces, Timeline.of_interface),
    ChoiceFilter("team", "Team", choices.teams, Timeline.of_team),
    DeviceFilter("device", "Device", (), "Name or part of it"),
    NameFilter("q", "Name", (), "Script, campaign or test"),
)  # fmt: skip


@access(Role.VIEWER)
def runs(request: HttpRequest) -> HttpResponseBase:
    """`/runs/`"""
    page = _page(request)
    if page.wants_csv:
        return page.csv()
    return render(
        request,
        "portal/runs/list.html",
        {
            "title": "Runs",
            "answer": _answer(page),
            "page": page,
            "columns": COLUMNS,
            "missing_kinds": selectors.missing_kinds(),
        },
    )


@access(Role.VIEWER)
def run(request: HttpRequest, kind: str, id: UUID) -> HttpResponse:
    """`/runs/<kind>/<uuid>/`: kind is test, script or campaign."""
    if kind not in selectors.KINDS:
        raise Http404("Runs are tests, scripts and campaigns.")
    found = run_details.DETAILS[cast(Kind, kind)](scope=scope_of(request.user), now=timezone.now(), id=id)
    if found is None:
        raise Http404("There is no such run, or it belongs to another team.")
    return render(
        request,
        f"portal/runs/{kind}.html",
        {
            "title": found.run.name,
            "crumbs": [Crumb("Runs", links.page("runs")), Crumb(found.run.name)],
            "seen": found,
            "run": found.run,
            "facts": _facts(found),
            "figures": _figures(found),
            "strip": recent.cells([found.run, *found.previous[:STRIP]]),
            "zap_columns": ZAP_COLUMNS,
            "run_columns": RUN_COLUMNS,
            "same_url": links.page("runs", query={"kind": kind, "q": found.run.name, "range": "30d"}),
        },
    )


def _page(request: HttpRequest) -> ListPage[TimelineRun]:
    """The filtered timeline's page that the address asks for."""
    rows = selectors.timeline(scope=scope_of(request.user), now=timezone.now())
    for entry in FILTERS:
        rows = entry.apply(rows, request)
    cut: Slice[TimelineRun] = Slice([], "", "")
    if request.GET.get("format") != "csv":
        try:
            cut = rows.page(PER_PAGE, request.GET.get("cursor", ""))
        except BadCursorError:
            cut = rows.page(PER_PAGE)
    return ListPage(
        request=request,
        filters=FILTERS,
        noun="runs",
        rows=cut.rows,
        newer=cut.newer,
        older=cut.older,
        everything=rows.everything,
        columns=CSV,
        name="runs",
        newest=max((one.started_at for one in cut.rows if one.started_at), default=None),
        why_empty=WHY_EMPTY,
    )


def _answer(page: ListPage[TimelineRun]) -> str:
    running = sum(one.state == states.RUNNING for one in page.rows)
    ended = [one for one in page.rows if one.state in states.FINISHED]
    failed = sum(one.state == states.FAILING for one in ended)
    words = []
    if running:
        words.append(f"{running} run{'s' if running == 1 else ''} now")
    if ended:
        words.append(f"of the {len(ended)} shown that ended, {failed or 'none'} failed")
    text = "; ".join(words)
    return f"{text[0].upper()}{text[1:]}." if text else "No run has ended here."


def _figures(found: RunDetails) -> list[KeyFigure]:
    run, count = found.run, len(found.previous)
    good = [one.state == states.OK for one in found.previous if one.state in states.FINISHED]
    figures = [
        KeyFigure(
            "Duration", formatting.duration(found.duration_ms),
            delta=components.delta(
                found.duration_ms, found.median_ms, better="lower", unit="duration", versus="the median before"
            ) if run.state == states.OK else None,
            note=f"median before: {formatting.duration(found.median_ms)}",
            spark=[one.duration_ms for one in reversed(found.previous)],
        ),
        KeyFigure(
            "Success before", formatting.percent(sum(good) / len(good) if good else None),
            note=f"of {len(good)} runs that ended" if count else "the first run",
        ),
    ]  # fmt: skip
    if found.branches:
        note = f"{found.failed_steps} failed" if found.failed_steps else "none failed"
        figures.append(KeyFigure("Steps", f"{found.step_count}{'+' if found.more_steps else ''}", note=note))
    if found.scripts or found.not_started:
        bad = sum(one.state == states.FAILING for one in found.scripts)
        waiting = f", {len(found.not_started)} not started" if found.not_started else ""
        figures.append(KeyFigure("Scripts", str(len(found.scripts)), note=f"{bad} failed{waiting}"))
    return figures


def _facts(found: RunDetails) -> list[Fact]:
    run, row = found.run, found.row
    more: dict[str, list[Fact]] = {
        "script": [Fact("Type", getattr(row, "script_type", None)), Fact("Looked at", _checked(row))],
        "campaign": [
            Fact("Status", getattr(row, "status", None)),
            Fact("Campaign", run.name, links.page("campaign-by-name", run.name) if run.kind == "campaign" else ""),
        ],
        "test": [Fact("Status", getattr(row, "status", None)), *_of_test(row)],
    }
    return [
        Fact("Kind", run.kind),
        *more[run.kind],
        Fact("Interface", getattr(row, "userinterface_name", None)),
        Fact("Device", run.device or None, links.page("devices", query={"q": run.device}) if run.device else ""),
        Fact("Host", run.host or None, links.page("host", run.host) if run.host else ""),
        Fact("Started", exactly(run.started_at)),
        Fact("Ended", exactly(found.ended_at)),
        *(Fact("Part of", one.name, one.url) for one in found.part_of),
        Fact("Id", run.id, code=True),
    ]


def _of_test(row: Any) -> list[Fact]:
    campaign = getattr(row, "campaign", None)
    profile = getattr(row, "environment_profile", None)
    return [
        Fact("Execution", getattr(row, "execution_id", None), code=bool(getattr(row, "execution_id", None))),
        Fact("Campaign", campaign.name if campaign else None, links.page("campaign", campaign.pk) if campaign else ""),
        Fact("Environment", profile.name if profile else None),
    ]


def _checked(row: Any) -> str:
    if not getattr(row, "checked", False):
        return "not yet"
    by = {"ai": "by the AI", "manual": "by a person", "ai_and_human": "by the AI and a person"}
    found = by.get(row.check_type or "", "yes")
    return f"{found}: a false alarm" if row.discard else found
