"""`GET /api/v1/live/events`: what a socket would have told, for those who have none.

    topics   names of tables, separated by commas
    after    the token of the last answer; without one the answer is where to begin

The answer is one of the messages of `apps.live.consumers`: `events` (possibly none) or `reload`, with the next `token`;
`again` says after how many seconds it is worth asking again.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.access import access
from apps.accounts.models import User
from apps.accounts.problems import Problem
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.live.cursor import BadTokenError, Token
from apps.live.reading import missed
from apps.live.subscriptions import BadTopicsError, wanted

AGAIN_SECONDS: Final = 3


ONE: Final = inline_serializer(
    "LiveChange",
    {
        "topic": serializers.CharField(help_text="The table."),
        "rows": serializers.IntegerField(help_text="How many rows were touched."),
        "added": serializers.ListField(child=serializers.CharField(), help_text="Their ids, up to 50 of each kind."),
        "changed": serializers.ListField(child=serializers.CharField()),
        "removed": serializers.ListField(child=serializers.CharField()),
        "more": serializers.BooleanField(help_text="Not all are named."),
    },
    many=True,
    required=False,
)


@access(Role.VIEWER)
class LiveEvents(APIView):
    """What changed in the rows that the caller may see since a token was given: ids, never what is in the rows."""

    @extend_schema(
        operation_id="live_events",
        parameters=[
            OpenApiParameter("topics", str, required=True, description="Names of tables, separated by commas."),
            OpenApiParameter("after", str, description="The token of the last answer; without it, begin here."),
        ],
        responses=inline_serializer(
            "LiveAnswer",
            {
                "type": serializers.ChoiceField(
                    ["events", "reload"], help_text="reload: what was missed is not known."
                ),
                "events": ONE,
                "reason": serializers.CharField(required=False),
                "token": serializers.CharField(help_text="To ask with next."),
                "again": serializers.IntegerField(help_text="Seconds after which to ask again."),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        user = request.user
        assert isinstance(user, User)  # noqa: S101 -- the gate lets nobody else pass
        try:
            topics = wanted([name for name in request.query_params.get("topics", "").split(",") if name])
        except BadTopicsError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "A parameter is wrong", str(error), parameter="topics") from None
        try:
            after = request.query_params.get("after", "")
            found = missed(Token.read(after) if after else None, scope_of(user), topics)
        except BadTokenError as error:
            raise Problem(
                HTTPStatus.BAD_REQUEST, "A parameter is wrong", f"after: {error} Leave it out to begin anew.",
                parameter="after",
            ) from None  # fmt: skip
        body = {"token": str(found.token), "again": AGAIN_SECONDS}
        if found.complete:
            body |= {"type": "events", "events": [change.as_json() for change in found.changes.values()]}
        else:
            body |= {"type": "reload", "reason": "What happened since then is not known."}
        return Response(body, headers={"Cache-Control": "no-store"})
