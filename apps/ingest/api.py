"""`POST /api/v1/ingest/<kind>`: store rows. `PATCH` there, or at `<kind>/<id>`: say what became of them.

    Content-Type        application/json (an object, or an array of them) or application/x-ndjson (an object per line)
    Content-Encoding    gzip, or none
    X-Time-Zone         the zone of times that have none (`UTC`, `Europe/Zurich`); without it such a row is refused
    ?unknown=ignore     leave out fields that there are not, instead of refusing the row

The answer says of every row, in order, whether it was stored, was there already, was updated, or was refused, with the
field and what to do: 201, 200, 207 where some were refused, 422 where all were. 429 and 503 (with Retry-After) mean
that nothing was stored, and that the same batch may be sent again.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.access import access
from apps.accounts.models import ApiToken, User
from apps.accounts.problems import Problem
from apps.accounts.roles import Role
from apps.accounts.tokens import may_write_for
from apps.ingest import body
from apps.ingest.change import NOT_THERE, change
from apps.ingest.kinds import KINDS, Kind
from apps.ingest.rows import ZONE_HEADER
from apps.ingest.schema import request_of, responses
from apps.ingest.store import store
from apps.ingest.verdicts import Answer
from apps.ingest.writers import MayWrite

_PARAMETERS: Final = [
    OpenApiParameter(
        ZONE_HEADER,
        str,
        OpenApiParameter.HEADER,
        description="The zone of times that have none, such as Europe/Zurich.",
    ),
    OpenApiParameter(
        "Content-Encoding", str, OpenApiParameter.HEADER, description="gzip, or none.", enum=["gzip", "identity"]
    ),
]
_KIND: Final = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=sorted(KINDS))
_UNKNOWN: Final = OpenApiParameter(
    "unknown", str, description="ignore: leave out fields that there are not.", enum=["ignore", "refuse"]
)


class _ReadsItself(APIView):
    """REST framework must not read the body: `apps.ingest.body` does, within bounds."""

    parser_classes = ()


@access(Role.OPERATOR, token=ApiToken.Scope.INGEST)
class Ingest(_ReadsItself):
    """Rows of one kind."""

    @extend_schema(
        operation_id="ingest_store", tags=["ingest"], request=request_of(), responses=responses(200, 201, 207, 422),
        parameters=[_KIND, _UNKNOWN, *_PARAMETERS],
    )  # fmt: skip
    def post(self, request: Request, kind: str) -> HttpResponse:
        """Store rows: an object, an array, or an object per line."""
        found = _kind(kind)
        _require_writable()
        answer = store(
            found,
            _rows(request),
            may_write=_rights(request),
            zone=_zone(request),
            leave_out_unknown=_leave_out(request),
        )
        return _answer(answer)

    @extend_schema(
        operation_id="ingest_change", tags=["ingest"], request=request_of(), responses=responses(200, 207, 422),
        parameters=[_KIND, *_PARAMETERS],
    )  # fmt: skip
    def patch(self, request: Request, kind: str) -> HttpResponse:
        """Say what became of rows: each object has the row's id and what is different."""
        found = _changeable(kind)
        _require_writable()
        return _answer(change(found, _rows(request), may_write=_rights(request), zone=_zone(request)))


@access(Role.OPERATOR, token=ApiToken.Scope.INGEST)
class Change(_ReadsItself):
    """One row."""

    @extend_schema(
        operation_id="ingest_change_one", tags=["ingest"], request=request_of(), responses=responses(200, 422),
        parameters=[_KIND, *_PARAMETERS],
    )  # fmt: skip
    def patch(self, request: Request, kind: str, key: UUID) -> HttpResponse:
        """Say what became of a row: finish a script, resolve an alert, add a KPI."""
        found = _changeable(kind)
        _require_writable()
        rows = _rows(request)
        if len(rows) != 1:
            raise Problem(HTTPStatus.BAD_REQUEST, "One row", f"The address names one row, the body has {len(rows)}.")
        answer = change(found, rows, may_write=_rights(request), zone=_zone(request), key=key)
        (verdict,) = answer.verdicts
        missing = verdict.problem == NOT_THERE
        return _answer(answer, HTTPStatus.NOT_FOUND if missing else None)


def _rows(request: Request) -> body.Rows:
    stream: Any = request._request
    read = body.read(
        stream,
        length=request.headers.get("Content-Length", ""),
        encoding=request.headers.get("Content-Encoding", ""),
    )
    return body.split(read, request.headers.get("Content-Type", ""))


def _rights(request: Request) -> MayWrite:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 -- the gate lets nobody else pass

    def may_write(host: str | None, team: UUID | None) -> bool:
        return may_write_for(user, host=host, team_id=team)

    return may_write


def _zone(request: Request) -> ZoneInfo | None:
    name = request.headers.get(ZONE_HEADER, "")
    if not name:
        return None
    if name not in available_timezones():
        detail = f"{ZONE_HEADER} is no time zone: write UTC, or a name such as Europe/Zurich."
        raise Problem(HTTPStatus.BAD_REQUEST, "Unknown time zone", detail, parameter=ZONE_HEADER)
    return ZoneInfo(name)


def _leave_out(request: Request) -> bool:
    word = request.query_params.get("unknown", "refuse")
    if word not in {"ignore", "refuse"}:
        detail = "unknown is refuse (the default) or ignore."
        raise Problem(HTTPStatus.BAD_REQUEST, "A parameter is wrong", detail, parameter="unknown")
    return word == "ignore"


def _kind(name: str) -> Kind:
    found = KINDS.get(name)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "No such kind", f"Rows are of one of these kinds: {', '.join(KINDS)}.")
    return found


def _changeable(name: str) -> Kind:
    found = _kind(name)
    if not found.finish:
        kinds = ", ".join(kind.name for kind in KINDS.values() if kind.finish)
        detail = f"Rows of {name} are written once. These can be changed: {kinds}."
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, "Nothing to change", detail)
    return found


def _require_writable() -> None:
    if settings.SOURCE_ACCESS == "read":
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "The database may only be read",
            "SOURCE_ACCESS is read, so nothing is written to the platform's database. Whoever runs the portal can set"
            " SOURCE_ACCESS=write, with a role that may write.",
            setting="SOURCE_ACCESS",
        )


def _answer(answer: Answer, status: HTTPStatus | None = None) -> HttpResponse:
    found = HttpResponse(
        msgspec.json.encode(answer.document), status=status or answer.status, content_type="application/json"
    )
    found["Cache-Control"] = "no-store"
    # Packing a verdict for each of a thousand rows takes as long as checking them.
    found["Content-Encoding"] = "identity"
    return found
