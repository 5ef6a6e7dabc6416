"""The registry changes by hand: dashboards added, cloned, retired and brought back."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.dashboards.adding import add
from apps.dashboards.author import Author
from apps.dashboards.cloning import clone
from apps.dashboards.forms import AddForm, CloneForm, ReasonForm
from apps.dashboards.importing import TakenError, doubled
from apps.dashboards.models import Dashboard
from apps.dashboards.revisions import restore, retire
from apps.portal import links
from apps.portal.components import Column, Crumb
from apps.portal.views.registered import crumbs, registration, revision_of

REPORT_COLUMNS = (Column("File", fixed=True), Column("Outcome"), Column("Dashboard"), Column("What it says"))


@access(Role.ADMIN)
def add_dashboards(request: HttpRequest) -> HttpResponse:
    """`/dashboards/add/`: a file, an archive or pasted JSON; `do=check` says what would come of it."""
    form = AddForm(scope_of(request.user), request.POST or None, request.FILES or None)
    reports = None
    if form.is_valid():
        checks = request.POST.get("do") == "check"
        reports = add(form.cleaned_data, scope_of(request.user), Author.of(request), only_check=checks)
        counts = {word: sum(one.outcome == word for one in reports) for word in ("added", "changed", "refused")}
    return render(
        request,
        "portal/registry/add.html",
        {
            "title": "Add dashboards",
            "crumbs": [Crumb("Dashboards", links.page("dashboards")), Crumb("Add")],
            "form": form,
            "reports": reports,
            "counts": counts if reports is not None else {},
            "only_checked": request.POST.get("do") == "check",
            "columns": REPORT_COLUMNS,
        },
    )


@access(Role.ADMIN)
def clone_dashboard(request: HttpRequest, uid: str) -> HttpResponse:
    """`/dashboards/<uid>/clone/`: `?revision=` names another revision than the current one."""
    row = registration(request, uid)
    number = request.GET.get("revision", "")
    current = row.current.number if row.current else 0
    revision = revision_of(row, int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else current)
    scope = scope_of(request.user)
    start = {"title": f"{row.title} (copy)", "folder": row.folder_id}
    form = CloneForm(scope, request.POST or None, initial=start)
    if form.is_valid():
        values = form.cleaned_data
        by = Author.of(request, values["reason"])
        try:
            made = clone(
                revision, title=values["title"], folder=values["folder"], uid=values["uid"], scope=scope, by=by
            )  # fmt: skip
        except TakenError as error:
            form.add_error("uid", str(error))
        else:
            messages.success(request, f"{made.title} was made from revision {revision.number} of {row.title}.")
            for problem in doubled(made):
                messages.warning(request, f"{problem.text}.")
            return redirect(links.page("dashboard", made.uid))
    answer = f"A dashboard of its own, with the body of revision {revision.number}; later changes of either stay apart."
    return _asked(request, row, form, title=f"Clone {row.title}", crumb="Clone", answer=answer, button="Clone")


@access(Role.ADMIN)
def retire_dashboard(request: HttpRequest, uid: str) -> HttpResponse:
    """`/dashboards/<uid>/retire/`"""
    row = registration(request, uid)

    def act(by: Author) -> str:
        retire(row, actor=by.name, reason=by.reason, request=request)
        messages.success(request, f"{row.title} is retired. Its history stays, and any revision can be restored.")
        return links.page("dashboards")

    answer = "It leaves every list, and nothing pushes it. Its history and its uid stay, and it can be restored."
    return _confirmed(
        request, row, act, title=f"Retire {row.title}?", crumb="Retire", answer=answer, button="Retire", danger=True,
    )  # fmt: skip


@access(Role.ADMIN)
def restore_revision(request: HttpRequest, uid: str, number: int) -> HttpResponse:
    """`/dashboards/<uid>/revisions/<number>/restore/`"""
    row = registration(request, uid)
    revision = revision_of(row, number)

    def act(by: Author) -> str:
        made = restore(row, revision, actor=by.name, reason=by.reason, request=request)
        messages.success(request, f"{row.title} has the body of revision {number} again, as revision {made.number}.")
        return links.page("dashboard-history", row.uid)

    retired = " The dashboard comes back from its retirement." if row.retired_at else ""
    answer = f"Its body becomes current again, as a new revision; what is current now stays in the history.{retired}"
    return _confirmed(
        request, row, act, title=f"Restore revision {number} of {row.title}?", crumb=f"Restore revision {number}",
        answer=answer, button="Restore",
    )  # fmt: skip


def _confirmed(
    request: HttpRequest,
    row: Dashboard,
    act: Callable[[Author], str],
    *,
    title: str,
    crumb: str,
    answer: str,
    button: str,
    danger: bool = False,
) -> HttpResponse:
    """Ask once, with a reason; then do it and go where `act` says."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return redirect(act(Author.of(request, form.cleaned_data["reason"])))
    return _asked(request, row, form, title=title, crumb=crumb, answer=answer, button=button, danger=danger)


def _asked(
    request: HttpRequest,
    row: Dashboard,
    form: ReasonForm,
    *,
    title: str,
    crumb: str,
    answer: str,
    button: str,
    danger: bool = False,
) -> HttpResponse:
    context = {
        "title": title,
        "crumbs": crumbs(row, Crumb(crumb)),
        "answer": answer,
        "form": form,
        "button": button,
        "danger": danger,
        "back": links.page("dashboard-history", row.uid),
    }
    return render(request, "portal/registry/ask.html", context)
