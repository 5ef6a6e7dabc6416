"""What somebody writes in the editor: judged before it is saved, and kept meanwhile so that the preview can draw it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from apps.accounts.models import User
from apps.dashboards.bodies import UnreadableFileError, canonical, file_text, parsed
from apps.dashboards.importing import prepared, uid_of
from apps.dashboards.models import Dashboard, Draft
from apps.dashboards.source import UnresolvedInputError
from apps.panels.document import Dashboard as Document
from apps.panels.document import InvalidDocumentError, classic_body, read_dashboard
from apps.panels.json_reader import Problem
from apps.panels.lint import lint
from apps.panels.sql_names import Catalogue


@dataclass(frozen=True)
class Judged:
    """An edited text. `body` is what would be saved, or None when it cannot be: then `problems` say why; else they are
    what the linter and the reading of it found."""

    body: dict[str, Any] | None
    problems: tuple[Problem, ...]


def judged(text: str, dashboard: Dashboard, catalogue: Catalogue | None = None) -> Judged:
    """What an edited text is worth. `catalogue` has the source's tables and columns; without it they are not judged."""
    try:
        document = parsed(text.encode(errors="surrogatepass"))
        if uid_of(document) != dashboard.uid and classic_body(document).get("uid"):
            raise InvalidDocumentError([Problem("uid", f"The uid stays {dashboard.uid}; a clone gets another one")])
        body, warnings = prepared(document, dashboard.uid)
        canonical(body)
    except InvalidDocumentError as error:
        return Judged(None, error.problems)
    except (UnreadableFileError, UnresolvedInputError) as error:
        return Judged(None, (Problem("", str(error)),))
    return Judged(body, (*lint(read_dashboard(body), catalogue), *warnings))


def save_draft(user: User, dashboard: Dashboard, body: dict[str, Any]) -> None:
    """Keep what somebody is writing; the last draft of each dashboard and person counts."""
    Draft.objects.update_or_create(user_id=user.pk, dashboard=dashboard, defaults={"text": canonical(body)})


def drop_draft(user: User, dashboard: Dashboard) -> None:
    """Forget it."""
    Draft.objects.filter(user_id=user.pk, dashboard=dashboard).delete()


def draft_text(user: User, dashboard: Dashboard) -> str:
    """The text of what somebody wrote and did not save, where it differs from what is current; else empty."""
    text = Draft.objects.filter(user_id=user.pk, dashboard=dashboard).values_list("text", flat=True).first()
    return "" if text is None or text == canonical(dashboard.body) else file_text(json.loads(text))


def draft_of(user: User, dashboard: Dashboard) -> Document | None:
    """The document that somebody is writing."""
    text = Draft.objects.filter(user_id=user.pk, dashboard=dashboard).values_list("text", flat=True).first()
    return None if text is None else read_dashboard(json.loads(text))
