"""`GET /api/v1/metrics/<name>`: the numbers of the dashboards for programs, as JSON or CSV.

from, to    the range, as a dashboard takes it (`now-7d`, `now/d`, ISO 8601, epoch milliseconds); the last 24 hours
interval    the length of an interval (`5m`, `1h`, `1d`); chosen by the range where left out
tz          the time zone that days are counted in; UTC
team, host, device, campaign    narrow it; each may be repeated
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.access import access
from apps.accounts.models import User
from apps.accounts.openapi import ApiSchema
from apps.accounts.problems import Problem
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.dashboards.api import STATUS, left_of
from apps.dashboards.metrics import METRICS, MOST_POINTS, Asked, BadIntervalError, Metric, read
from apps.mirror.export import csv_lines
from apps.mirror.rest.filters import LONGEST_TEXT, MOST_VALUES, wrong_parameters
from apps.mirror.rest.rendering import CSVRenderer, FastJSONRenderer, PageRenderer
from apps.panels.errors import PanelError
from apps.panels.run import Who
from apps.panels.timerange import BadTimeError

_TEXT: Final = {"type": "string", "maxLength": LONGEST_TEXT}
_TIME: Final = {"type": "string", "format": "date-time"}
_NUMBER: Final = {"type": ["number", "null"]}
_WORD: Final = {"type": ["string", "null"]}
_KINDS: Final[dict[str, dict[str, Any]]] = {
    "time": _TIME, "last_started_at": {**_WORD, "format": "date-time"}, "campaign": _WORD, "incident_type": _WORD,
    "device": _WORD, "model": _WORD, "host": _WORD, "state": _WORD, "capture": _WORD, "monitor": _WORD,
}  # fmt: skip
"""Members that are no numbers."""
_SINGLE: Final = {
    "from": "The range's start: now-7d, now/d, ISO 8601 or epoch milliseconds.",
    "to": "The range's end, likewise.",
    "interval": f"The length of an interval, such as 5m, 1h or 1d; at most {MOST_POINTS} of them in the range.",
    "tz": "The time zone that days are counted in, such as Europe/Zurich.",
}


class MetricSchema(ApiSchema):
    """Describes a metric by its columns."""

    view: Any

    def get_operation_id(self) -> str:
        return f"metrics_{self.view.metric.name.replace('-', '_')}"

    def get_description(self) -> str:  # type: ignore[override]
        return str(self.view.metric.about)

    def _get_parameters(self) -> list[dict[str, Any]]:
        single = [
            {"in": "query", "name": name, "schema": _TEXT, "description": about} for name, about in _SINGLE.items()
        ]
        many: dict[str, Any] = {"type": "array", "items": _TEXT, "maxItems": MOST_VALUES}
        repeated = [
            {
                "in": "query", "name": name, "schema": many, "style": "form", "explode": True,
                "description": f"Only of this {name}{' (an id)' if name == 'team' else ''}; repeat it for several.",
            }
            for name in self.view.metric.filters
        ]  # fmt: skip
        return [*super()._get_parameters(), *single, *repeated]

    def get_response_serializers(self) -> Any:
        members = {name: _KINDS.get(name, _NUMBER) for name in self.view.metric.columns.values()}
        row = {"type": "object", "required": list(members), "properties": members}
        body = {
            "type": "object",
            "required": ["from", "to", "interval", "age_seconds", "notices", "results"],
            "properties": {
                "from": _TIME,
                "to": _TIME,
                "interval": {"type": ["string", "null"], "description": "Null for metrics of the whole range."},
                "age_seconds": {"type": "number", "description": "How old the answer is, where others asked the same."},
                "notices": {"type": "array", "items": {"type": "string"}},
                "results": {"type": "array", "items": row},
            },
        }
        return {200: body}


@access(Role.VIEWER)
class MetricView(APIView):
    """A metric."""

    metric: Metric = METRICS[0]
    schema = MetricSchema()
    schema_tag = "metrics"
    renderer_classes = (FastJSONRenderer, CSVRenderer, PageRenderer)
    problem_statuses: ClassVar = {
        "403": "The caller may not read metrics: see the detail.",
        "422": "The query failed.",
        "504": "The database took too long; ask for a shorter range.",
    }

    def get_view_name(self) -> str:
        return self.metric.name.replace("-", " ").capitalize()

    def get_view_description(self, html: bool = False) -> str:
        return self.metric.about

    def get(self, request: Request) -> HttpResponseBase:
        user = request.user
        assert isinstance(user, User)  # noqa: S101 -- the gate lets nobody else pass
        who = Who(user.get_username(), scope_of(user))
        try:
            answer = read(
                self.metric, _asked(request, self.metric), who, now=timezone.now(), cancelled=left_of(request)
            )
        except BadTimeError as error:
            name = {"timezone": "tz"}.get(error.parameter, error.parameter)
            raise wrong_parameters([{"parameter": name, "detail": str(error).rstrip(".")}]) from None
        except BadIntervalError as error:
            raise wrong_parameters([{"parameter": "interval", "detail": str(error).rstrip(".")}]) from None
        except PanelError as error:
            detail = f"{error.text} {error.fix}".strip()
            raise Problem(STATUS[error.kind], "The metric cannot be read", detail, kind=error.kind) from None
        if request.accepted_renderer.format == "csv":
            return _csv(self.metric, answer.rows)
        body = {
            "from": answer.range.start.isoformat(),
            "to": answer.range.end.isoformat(),
            "interval": answer.interval.text if self.metric.by_interval else None,
            "age_seconds": round(answer.age_seconds, 1),
            "notices": list(answer.notices),
            "results": answer.rows,
        }
        return Response(body, headers={"Cache-Control": "no-store"})


def _asked(request: Request, metric: Metric) -> Asked:
    """What the address asks. Raises Problem (400) for what no metric, or not this one, takes."""
    errors = []
    known = {*_SINGLE, *metric.filters, "format"}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        if name not in known:
            errors.append((name[:100], f"there is no such parameter, but {', '.join(sorted(known))}"))
        elif name in _SINGLE and len(values) > 1:
            errors.append((name, "it may be given once"))
        elif len(values) > MOST_VALUES:
            errors.append((name, f"it may be given {MOST_VALUES} times at most"))
        elif any("\0" in value or len(value) > LONGEST_TEXT for value in values):
            errors.append((name, f"it is a text of at most {LONGEST_TEXT} characters"))
        elif name == "team" and not all(_is_uuid(value) for value in values):
            errors.append((name, "it is a team's id"))
    if errors:
        raise wrong_parameters([{"parameter": name, "detail": detail} for name, detail in errors])
    query = request.query_params
    chosen = {name: query.getlist(name) for name in metric.filters if name in query}
    if "team" in chosen:
        chosen["team"] = [str(UUID(value)) for value in chosen["team"]]
    return Asked(query.get("from", ""), query.get("to", ""), query.get("tz", ""), query.get("interval", ""), chosen)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _csv(metric: Metric, rows: Any) -> StreamingHttpResponse:
    names = list(metric.columns.values())
    lines: Iterator[str] = csv_lines(([row.get(name) for name in names] for row in rows), names)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", status=HTTPStatus.OK)
    response["Content-Disposition"] = f'attachment; filename="{metric.name}-{timezone.now():%Y%m%d-%H%M}.csv"'
    response["Cache-Control"] = "no-store"
    return response
