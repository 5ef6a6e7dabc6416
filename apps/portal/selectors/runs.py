"""Runs of all three kinds as one timeline: tests, scripts and campaigns, by time, a page of them in one query.

Each kind is cut to a page by an index of its own table before the union sorts what is left, so that a page costs the
same on a million rows as on a hundred.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final, cast
from uuid import UUID

from django.db.models import BigIntegerField, CharField, F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from apps.accounts.scope import TeamScope
from apps.mirror import shape, states
from apps.mirror.keyset import BadCursorError, Direction, Slice
from apps.mirror.models import CampaignExecution, MirrorModel, ScriptResult, TestExecution
from apps.mirror.querysets import CAMPAIGN_MAX_AGE, SCRIPT_MAX_AGE, WORDS_OF_TESTS
from apps.portal import links
from apps.portal.listing import CSV_ROWS
from apps.portal.selectors.recent import Kind, Run

KINDS: Final[Mapping[Kind, type[MirrorModel]]] = {
    "campaign": CampaignExecution, "script": ScriptResult, "test": TestExecution,
}  # fmt: skip
"""The kinds of runs and their tables, in the order of the cursor."""
_MOMENT: Final[Mapping[Kind, str]] = {"campaign": "started_at", "script": "started_at", "test": "created_at"}
_COLUMNS: Final = (
    "run_kind", "run_id", "run_at", "run_name", "state", "run_host", "run_device", "run_interface", "run_ms",
    "run_report", "run_logs", "run_error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimelineRun(Run):
    """A run as the timeline lists it. The addresses are empty where there is none that a browser can follow."""

    interface: str = ""
    report_url: str = ""
    logs_url: str = ""
    error: str = ""


@dataclass(frozen=True)
class Timeline:
    """The runs that a viewer may see, narrowed by whatever the list is filtered by. Nothing is read before `page`."""

    now: datetime
    parts: Mapping[Kind, QuerySet[Any]]

    def of_kind(self, kind: str) -> Timeline:
        """Only one kind."""
        return self._only(*(one for one in self.parts if one == kind))

    def since(self, moment: datetime) -> Timeline:
        """Runs that began at `moment` or later."""
        parts = {kind: rows.filter(**{f"{_MOMENT[kind]}__gte": moment}) for kind, rows in self.parts.items()}
        return replace(self, parts=parts)

    def in_state(self, state: str) -> Timeline:
        """Runs in one state; those that run or wait are looked for by what bounds them."""
        parts: dict[Kind, QuerySet[Any]] = {}
        for kind, rows in self.parts.items():
            if kind == "test":
                words = [case for word in WORDS_OF_TESTS.get(state, ()) for case in (word, word.upper(), word.title())]
                rows = rows.filter(status__in=words) if words else rows
            elif state == states.RUNNING:
                oldest = SCRIPT_MAX_AGE if kind == "script" else CAMPAIGN_MAX_AGE
                rows = rows.filter(started_at__gt=self.now - oldest)
            parts[kind] = rows.filter(state=state)
        return replace(self, parts=parts)

    def on_host(self, host: str) -> Timeline:
        """Runs on a host; tests name none."""
        return self._only("campaign", "script")._filtered(Q(host_name=host))

    def on_device(self, text: str) -> Timeline:
        """Runs on devices whose name contains `text`."""
        condition = Q(device_name__icontains=text)
        return self._filtered(condition, test=Q(device__name__icontains=text))

    def of_interface(self, name: str) -> Timeline:
        """Runs on an interface; tests name none."""
        return self._only("campaign", "script")._filtered(Q(userinterface_name=name))

    def of_team(self, team: str) -> Timeline:
        """Runs of a team."""
        return self._filtered(Q(team_id=UUID(team)), test=Q(team_id=UUID(team)))

    def named(self, text: str) -> Timeline:
        """Runs whose script, campaign or test has `text` in its name."""
        parts: dict[Kind, QuerySet[Any]] = {}
        conditions: dict[Kind, Q] = {
            "script": Q(script_name__icontains=text),
            "campaign": Q(campaign_name__icontains=text),
            "test": Q(test__name__icontains=text) | Q(execution_id__icontains=text),
        }
        for kind, rows in self.parts.items():
            parts[kind] = rows.filter(conditions[kind])
        return replace(self, parts=parts)

    def page(self, size: int, cursor: str = "") -> Slice[TimelineRun]:
        """At most `size` runs, newest first, and the cursors beside them. One query.

        Raises BadCursorError for a cursor that none of our pages gave.
        """
        direction: Direction = "older"
        after = None
        if cursor:
            direction, after = _decode(cursor)
        sign = "-" if direction == "older" else ""
        cut = [
            _columns(kind, rows.filter(_beyond(kind, direction, after)) if after else rows)
            .order_by(f"{sign}{_MOMENT[kind]}", f"{sign}pk")[: size + 1]
            for kind, rows in self.parts.items()
        ]  # fmt: skip
        if not cut:
            return Slice([], "", "")
        whole = cut[0].union(*cut[1:], all=True) if len(cut) > 1 else cut[0]
        ordering = [f"{sign}{name}" for name in ("run_at", "run_kind", "run_id")]
        found = list((whole.order_by(*ordering) if len(cut) > 1 else whole)[: size + 1])
        more = len(found) > size
        found = found[:size]
        if direction == "newer":
            found.reverse()
        if not found:
            return Slice([], "", "")
        has_newer = more if direction == "newer" else bool(cursor)
        has_older = more if direction == "older" else True
        return Slice(
            [_run(row) for row in found],
            _encode("newer", found[0]) if has_newer else "",
            _encode("older", found[-1]) if has_older else "",
        )

    def everything(self) -> Iterator[TimelineRun]:
        """All runs, newest first, read page by page; one more than a CSV holds at the most."""
        return islice(self._walk(), CSV_ROWS + 1)

    def _walk(self) -> Iterator[TimelineRun]:
        cursor = ""
        while True:
            cut = self.page(1000, cursor)
            yield from cut.rows
            cursor = cut.older
            if not cursor:
                return

    def _only(self, *kinds: Kind) -> Timeline:
        return replace(self, parts={kind: rows for kind, rows in self.parts.items() if kind in kinds})

    def _filtered(self, condition: Q, test: Q | None = None) -> Timeline:
        parts = {
            kind: rows.filter(test if kind == "test" and test is not None else condition)
            for kind, rows in self.parts.items()
        }
        return replace(self, parts=parts)


def timeline(*, scope: TeamScope, now: datetime) -> Timeline:
    """All runs that `scope` may see. A run without a time is left out: it has no place in a timeline."""
    parts: dict[Kind, QuerySet[Any]] = {}
    for kind, model in KINDS.items():
        rows: Any = model.objects.visible_to(scope)
        parts[kind] = rows.with_state(now).filter(**{f"{_MOMENT[kind]}__isnull": False})
    return Timeline(now, parts)


def missing_kinds() -> list[str]:
    """The kinds of runs whose table the connected database lacks, in words."""
    return [f"{kind}s ({model._meta.db_table})" for kind, model in KINDS.items() if not shape.has_table(model)]


def _columns(kind: Kind, rows: QuerySet[Any]) -> QuerySet[Any, dict[str, Any]]:
    """The rows with the same columns for every kind."""
    nothing = Value("", output_field=TextField())
    named: dict[Kind, dict[str, Any]] = {
        "script": {
            "run_name": _text("script_name"), "run_host": _text("host_name"), "run_device": _text("device_name"),
            "run_interface": _text("userinterface_name"), "run_report": _text("html_report_r2_url"),
            "run_logs": _text("logs_r2_url"), "run_error": _text("error_msg"),
            "run_ms": Cast("execution_time_ms", BigIntegerField()),
        },
        "campaign": {
            "run_name": _text("campaign_name"), "run_host": _text("host_name"), "run_device": _text("device_name"),
            "run_interface": _text("userinterface_name"), "run_report": _text("html_report_r2_url"),
            "run_logs": nothing, "run_error": _text("error_message"),
            "run_ms": Cast("execution_time_ms", BigIntegerField()),
        },
        "test": {
            "run_name": _text("test__name"), "run_host": nothing, "run_device": _text("device__name"),
            "run_interface": nothing, "run_report": nothing, "run_logs": nothing,
            "run_error": _text("execution_id"),
            "run_ms": Cast(F("duration") * 1000, BigIntegerField()),
        },
    }  # fmt: skip
    same = {
        "run_kind": Value(kind, output_field=CharField()),
        "run_id": F("pk"),
        "run_at": F(_MOMENT[kind]),
    }
    columns: QuerySet[Any, dict[str, Any]] = rows.annotate(**same, **named[kind]).values(*_COLUMNS)
    return columns


def _text(column: str) -> Cast:
    return Cast(column, TextField())


def _run(row: Mapping[str, Any]) -> TimelineRun:
    kind = cast(Kind, row["run_kind"])
    # A test has no error of its own in its row; its execution's name stands in for a missing test.
    name = row["run_name"] or (row["run_error"] if kind == "test" else "") or f"unnamed {kind}"
    return TimelineRun(
        kind=kind,
        id=row["run_id"],
        name=name,
        state=row["state"],
        host=row["run_host"] or "",
        device=row["run_device"] or "",
        started_at=row["run_at"],
        duration_ms=row["run_ms"],
        interface=row["run_interface"] or "",
        report_url=links.web_address(row["run_report"]),
        logs_url=links.web_address(row["run_logs"]),
        error=(row["run_error"] or "") if kind != "test" else "",
    )


def _beyond(kind: Kind, direction: Direction, after: tuple[datetime, str, UUID]) -> Q:
    """The rows of `kind` after the cursor's run, in the order (time, kind, id)."""
    moment, cursor_kind, id = after
    column, word = _MOMENT[kind], "lt" if direction == "older" else "gt"
    if kind == cursor_kind:
        beyond = Q(**{f"{column}__{word}": moment}) | Q(**{column: moment, f"pk__{word}": id})
        # Implied by the rest, and what lets an index bound the scan.
        return beyond & Q(**{f"{column}__{word}e": moment})
    same_moment_too = kind < cursor_kind if direction == "older" else kind > cursor_kind
    return Q(**{f"{column}__{word}{'e' if same_moment_too else ''}": moment})


def _encode(direction: Direction, row: Mapping[str, Any]) -> str:
    values = [direction, row["run_at"].isoformat(), row["run_kind"], str(row["run_id"])]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[Direction, tuple[datetime, str, UUID]]:
    try:
        direction, moment, kind, id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        at = datetime.fromisoformat(moment)
        if direction not in ("older", "newer") or kind not in KINDS or timezone.is_naive(at):
            raise BadCursorError(cursor)
        return direction, (at, kind, UUID(id))
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError, AttributeError, TypeError, ValueError) as error:
        raise BadCursorError(cursor) from error
