"""`GET /api/v1/dashboards/<uid>/panels/<id>/data`: what a panel shows.

    from, to        the range, as Grafana's picker takes it; the dashboard's own where left out
    tz              the viewer's time zone (`Europe/Zurich`, `utc`); the dashboard's own where left out
    maxDataPoints   the width of the drawing in pixels
    var-NAME        a value of a variable; repeated for several, `$__all` for all
    scope-NAME      the value that a copy of a repeated panel or row stands for; `<id>` stays that of the document
    as=view         what to draw, worked out; `height` is the drawing's in pixels

The answer has `frames` in Grafana's data frame JSON, `fieldConfig` as the dashboard has it, `notices` and `timing`; a
query that failed is a problem document. With `as=view` it has `view`, `title`, `notices`, `timing`, `sql` (as it ran)
and `error`: there a failed query is part of what to show.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from apps.accounts.access import access
from apps.accounts.models import User
from apps.accounts.problems import Problem
from apps.accounts.roles import Role
from apps.accounts.scope import TeamScope, scope_of
from apps.dashboards import reading
from apps.dashboards.editing import draft_of
from apps.dashboards.models import Dashboard
from apps.dashboards.viewing import view_of
from apps.panels.document import Dashboard as Document
from apps.panels.errors import Kind
from apps.panels.frames import to_json
from apps.panels.opening import Asked, Fault, Opened, open_dashboard
from apps.panels.panel import Answer, Failure, ask_panel, variables_of
from apps.panels.view import View, encode

MOST_POINTS: Final = 20_000

STATUS: Final[dict[Kind, HTTPStatus]] = {
    "refused": HTTPStatus.FORBIDDEN,
    "sql": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "timeout": HTTPStatus.GATEWAY_TIMEOUT,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "cancelled": HTTPStatus.SERVICE_UNAVAILABLE,
}


class _Encoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        return encode(obj) if isinstance(obj, View) or hasattr(obj, "__dataclass_fields__") else super().default(obj)


class ViewRenderer(JSONRenderer):
    """JSON in which views may stand."""

    encoder_class = _Encoder


PARAMETERS: Final = [
    OpenApiParameter("from", str, description="The range's start: now-6h, ISO 8601; or else the dashboard's."),
    OpenApiParameter("to", str, description="The range's end, likewise."),
    OpenApiParameter("tz", str, description="The viewer's time zone, such as Europe/Zurich or utc."),
    OpenApiParameter("maxDataPoints", int, description="The width of the drawing in pixels."),
    OpenApiParameter("as", str, enum=["frames", "view"], description="Rows, or what to draw, worked out."),
    OpenApiParameter("height", int, description="With as=view: the height of the drawing in pixels."),
]
"""Values of variables come as `var-NAME`, of repeated panels as `scope-NAME`, which no schema can list."""


@access(Role.VIEWER)
class PanelData(APIView):
    """What a panel of a dashboard shows: data frames as Grafana gives them, or with as=view what to draw."""

    renderer_classes = (ViewRenderer,)
    problem_statuses: ClassVar = {
        "403": "The query may not run for the caller.",
        "404": "There is no such dashboard or panel, or it belongs to another team.",
        "422": "The query is wrong, or its answer too large.",
        "504": "The query took too long.",
    }

    def document_of(self, row: Dashboard, user: User) -> Document:
        """The document whose panel is asked for."""
        del user
        return reading.document_of(row)

    def find(self, uid: str, scope: TeamScope) -> Dashboard | None:
        """The dashboard that the address names."""
        return reading.find(uid, scope)

    @extend_schema(
        operation_id="panel_data",
        parameters=PARAMETERS,
        responses=inline_serializer(
            "PanelAnswer",
            {
                "title": serializers.CharField(),
                "frames": serializers.ListField(required=False, child=serializers.JSONField()),
                "fieldConfig": serializers.JSONField(required=False),
                "view": serializers.JSONField(required=False),
                "sql": serializers.ListField(required=False, child=serializers.JSONField()),
                "error": serializers.JSONField(required=False),
                "notices": serializers.ListField(child=serializers.JSONField()),
                "timing": serializers.JSONField(),
            },
        ),
    )
    def get(self, request: Request, uid: str, panel: int) -> Response:
        began = time.perf_counter()
        user = request.user
        assert isinstance(user, User)  # noqa: S101 -- the gate lets nobody else pass
        row = self.find(uid, scope_of(user))
        if row is None:
            raise Http404("There is no such dashboard, or it belongs to another team.")
        document = self.document_of(row, user)
        found = document.panel(panel)
        if found is None or found.is_row:
            raise Http404(f"The dashboard has no panel {panel}.")
        as_view = _choice(request, "as", ("", "frames", "view")) == "view"
        points = _number(request, "maxDataPoints", MOST_POINTS)
        height = _number(request, "height", MOST_POINTS)
        left = left_of(request)
        opened = open_dashboard(
            document,
            asked_by(request),
            reading.viewer_of(user),
            now=timezone.now(),
            only=variables_of(document, found),
            cancelled=left,
        )
        _refuse(opened.faults)
        answer = ask_panel(opened, found, max_data_points=points, cancelled=left)
        body = view_body(opened, answer, width=points, height=height) if as_view else frames_body(answer)
        body["timing"] = timing(answer, time.perf_counter() - began)
        return Response(body, headers={"Cache-Control": "no-store"})


@extend_schema(exclude=True)
@access(Role.ADMIN)
class DraftPanelData(PanelData):
    """The same of what the viewer is writing in the editor: `/api/v1/dashboards/<uid>/draft/panels/<id>/data`."""

    def document_of(self, row: Dashboard, user: User) -> Document:
        found = draft_of(user, row)
        if found is None:
            raise Http404("There is no draft of this dashboard.")
        return found

    def find(self, uid: str, scope: TeamScope) -> Dashboard | None:
        return reading.find_managed(uid, scope)


def asked_by(request: Request) -> Asked:
    """What the address asks of a dashboard."""
    query = request.query_params
    return Asked(
        query.get("from", ""),
        query.get("to", ""),
        query.get("tz", ""),
        {name.removeprefix("var-"): query.getlist(name) for name in query if name.startswith("var-")},
        {name.removeprefix("scope-"): query[name] for name in query if name.startswith("scope-")},
    )


def left_of(request: Request) -> Callable[[], bool] | None:
    """Tells whether the one who asked has closed the connection, where the server can know."""
    left: Callable[[], bool] | None = request.META.get("asgi.scope", {}).get("vptmonitor.left")
    return left


def frames_body(answer: Answer) -> dict[str, Any]:
    """The answer for programs. Raises Problem where a query failed."""
    for failure in answer.failures:
        raise _failed(failure)
    return {
        "title": answer.title,
        "frames": [to_json(frame) for frame in answer.frames],
        "fieldConfig": answer.panel.field_config,
        "notices": list(answer.notices),
    }


def view_body(opened: Opened, answer: Answer, *, width: int | None, height: int | None) -> dict[str, Any]:
    """The answer for pages."""
    view = view_of(opened, answer, width=width, height=height)
    return {
        "title": answer.title,
        "view": view,
        "notices": [*answer.notices, *view.notices],
        "error": asdict(answer.failures[0]) if answer.failures else None,
        "sql": [asdict(one) for one in answer.ran],
    }


def timing(answer: Answer, seconds: float) -> dict[str, Any]:
    """How long it all took, how long the database took for the panel's queries, and the age of what comes from memory;
    the interval between points and the range that the queries were asked with."""
    return {
        "total_ms": round(seconds * 1000, 1),
        "query_ms": round(sum(one.ms for one in answer.ran if not one.age_seconds), 1),
        "age_seconds": round(answer.age_seconds, 1),
        "interval": answer.interval.text,
        "from": answer.range.start.isoformat(),
        "to": answer.range.end.isoformat(),
    }


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        errors = [asdict(fault) for fault in faults]
        detail = " ".join(f"{fault.parameter}: {fault.text}." for fault in faults)
        raise Problem(
            HTTPStatus.BAD_REQUEST, "A parameter is wrong", detail, parameter=faults[0].parameter, errors=errors
        )


def _failed(failure: Failure) -> Problem:
    detail = f"{failure.text} {failure.fix}".strip()
    return Problem(
        STATUS[failure.kind],
        "The panel's query failed",
        detail,
        kind=failure.kind,
        ref_id=failure.ref_id,
        position=failure.position,
    )


def _number(request: Request, name: str, most: int) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 10 and 0 < int(text) <= most:
        return int(text)
    detail = f"{name} is a whole number from 1 to {most}."
    raise Problem(HTTPStatus.BAD_REQUEST, "A parameter is wrong", detail, parameter=name)


def _choice(request: Request, name: str, words: Sequence[str]) -> str:
    text = request.query_params.get(name, "")
    if text not in words:
        detail = f"{name} is one of {', '.join(filter(None, words))}."
        raise Problem(HTTPStatus.BAD_REQUEST, "A parameter is wrong", detail, parameter=name)
    return text
