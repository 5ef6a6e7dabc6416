"""A dashboard's JSON, edited: with what the linter says beside it, and a preview that the panel engine draws."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.dashboards import revisions
from apps.dashboards.bodies import file_text
from apps.dashboards.checking import catalogue_for
from apps.dashboards.differences import differences
from apps.dashboards.editing import Judged, draft_of, draft_text, drop_draft, judged, save_draft
from apps.dashboards.forms import EditForm
from apps.dashboards.models import Cause, Dashboard, Revision
from apps.dashboards.reading import viewer_of
from apps.dashboards.revisions import StaleRevisionError
from apps.panels.errors import PanelError
from apps.panels.sql_names import Catalogue
from apps.portal import links
from apps.portal.components import Crumb
from apps.portal.selectors.dashboard_page import page_of
from apps.portal.views.registered import crumbs, registration, revision_of, user_of


@access(Role.ADMIN)
def edit(request: HttpRequest, uid: str) -> HttpResponse:
    """`/dashboards/<uid>/edit/`: `do=save` saves, anything else checks and previews; `?draft` goes on with what was
    not saved."""
    row = registration(request, uid)
    if row.current is None:
        raise Http404("The dashboard has no revision yet.")
    if request.method != "POST":
        unsaved = draft_text(user_of(request), row)
        text = unsaved if "draft" in request.GET and unsaved else file_text(row.body)
        form = EditForm(initial={"text": text, "base": row.current.number})
        return _page(request, row, form, judged(text, row, _catalogue(request)), unsaved=unsaved not in ("", text))
    form = EditForm(request.POST)
    found = judged(request.POST.get("text", ""), row, _catalogue(request))
    theirs = None
    if found.body is not None:
        save_draft(user_of(request), row, found.body)
        if form.is_valid() and form.saves:
            theirs = _save(request, row, form, found.body)
            if theirs is None:
                return redirect(links.page("dashboard-history", uid))
    elif form.is_valid() and form.saves:
        form.add_error("text", "Nothing was saved: the JSON is no dashboard yet. What is wrong stands beside it.")
    return _page(request, row, form, found, theirs)


def _save(request: HttpRequest, row: Dashboard, form: EditForm, body: dict[str, Any]) -> Revision | None:
    """Save it; the revision that somebody else made meanwhile, when there is one, and then nothing is saved."""
    before, user = row.current, user_of(request)
    try:
        made = revisions.record(
            row, body, actor=user.get_username(), reason=form.cleaned_data["reason"], cause=Cause.EDIT,
            expected=revision_of(row, form.cleaned_data["base"]), request=request,
        )  # fmt: skip
    except StaleRevisionError as error:
        return error.current
    drop_draft(user, row)
    if made == before:
        messages.info(request, "Nothing differed, and nothing was saved.")
    else:
        messages.success(request, f"Saved as revision {made.number}.")
    return None


@access(Role.ADMIN)
def draft(request: HttpRequest, uid: str) -> HttpResponse:
    """`/dashboards/<uid>/draft/`: the preview of what is being written. A POST keeps the text, and answers with what
    the linter says of it."""
    row = registration(request, uid)
    user = user_of(request)
    if request.method == "POST":
        found = judged(request.POST.get("text", ""), row, _catalogue(request))
        if found.body is not None:
            save_draft(user, row, found.body)
        return render(request, "portal/registry/findings.html", _findings(row, found))
    document = draft_of(user, row)
    if document is None:
        raise Http404("Nothing is being written here: the preview begins with the first check.")
    page = page_of(row, request.GET, user=user, document=document)
    return render(request, "portal/registry/preview.html", {"page": page, "row": row})


def _page(
    request: HttpRequest,
    row: Dashboard,
    form: EditForm,
    found: Judged,
    theirs: Revision | None = None,
    *,
    unsaved: bool = False,
) -> HttpResponse:
    context = {
        "title": f"Edit {row.title}",
        "crumbs": crumbs(row, Crumb("Edit")),
        "answer": "Somebody was faster: nothing of yours is saved yet."
        if theirs
        else f"You are writing what comes after revision {form['base'].value()}.",
        "row": row,
        "form": form,
        "unsaved": unsaved,
        "preview": request.method == "POST" and draft_of(user_of(request), row) is not None,
        "theirs": theirs,
        "their_words": _between(row, form, theirs) if theirs else [],
        "your_words": differences(theirs.body, found.body).words if theirs and found.body else [],
        **_findings(row, found),
    }
    return render(request, "portal/registry/edit.html", context, status=409 if theirs else 200)


def _between(row: Dashboard, form: EditForm, theirs: Revision) -> list[str]:
    return differences(revision_of(row, form.cleaned_data["base"]).body, theirs.body).words


def _findings(row: Dashboard, found: Judged) -> dict[str, Any]:
    current = row.body
    return {
        "sound": found.body is not None,
        "problems": found.problems,
        "errors": sum(one.severity == "error" for one in found.problems),
        "changes": differences(current, found.body).words if found.body is not None else [],
    }


def _catalogue(request: HttpRequest) -> Catalogue | None:
    """The source's tables and columns; None when it cannot be asked, or not for this person."""
    try:
        return catalogue_for(viewer_of(user_of(request)))
    except PanelError:
        return None
