"""The sync over REST: how each dashboard stands in each Grafana, the runs, and starting one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.access import access
from apps.accounts.models import ApiToken
from apps.accounts.problems import Problem
from apps.accounts.roles import Role
from apps.accounts.scope import TeamScope, scope_of
from apps.dashboards.author import Author
from apps.dashboards.models import Dashboard
from apps.grafana import service
from apps.grafana.models import GrafanaInstance, Placement, SyncRun
from apps.grafana.run_lock import AlreadyRunningError
from apps.grafana.verdict import State
from apps.mirror.rest.filters import Declared, moments, words
from apps.mirror.rest.paging import newest_first
from apps.mirror.rest.views import RowsViewSet

MOST_DASHBOARDS = 1000
WORDS = {"push": service.push, "check": service.check}


@access(Role.OPERATOR)
class PlacementList(RowsViewSet):
    """How a dashboard stands in one Grafana, as of the last check."""

    model = Placement
    schema_tag = "sync"
    fields = (
        "id", "dashboard_id", "instance_id", "state", "released", "checked_at", "pushed_at", "edited_by", "edited_at",
        "base_version", "live_version", "error", "error_status", "error_at",
    )  # fmt: skip
    filters: ClassVar[dict[str, Declared]] = {**words("state", "state", *(state.value for state in State))}

    def rows_of(self, scope: TeamScope) -> QuerySet[Any]:
        return Placement.objects.filter(dashboard__in=Dashboard.objects.all().of_teams(scope))


@access(Role.ADMIN)
class RunList(RowsViewSet):
    """A run of the sync over one Grafana."""

    model = SyncRun
    schema_tag = "sync"
    fields = (
        "id", "instance_id", "what", "status", "cause", "actor", "reason", "started_at", "ended_at", "total", "changed",
        "failed", "counts", "error",
    )  # fmt: skip
    filters: ClassVar[dict[str, Declared]] = {
        **moments("started_at"),
        **words("status", "status", *SyncRun.Status.values),
        **words("what", "what"),
    }
    orders = newest_first("id")

    def rows_of(self, scope: TeamScope) -> QuerySet[Any]:
        return SyncRun.objects.all()


class SyncWishes(serializers.Serializer[Any]):
    """What shall be synced: everything that the caller may see, where nothing is said."""

    what = serializers.ChoiceField(choices=list(WORDS), default="push", help_text="check writes nothing in Grafana.")
    dashboards = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=MOST_DASHBOARDS, help_text="Their uids."
    )
    instances = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=100, help_text="Names of Grafanas."
    )
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


@access(Role.ADMIN, token=ApiToken.Scope.ADMIN)
class StartSync(APIView):
    """Sync dashboards now. The answer comes when the runs have ended, one per Grafana, each with its address."""

    schema_tag = "sync"
    parser_classes = (JSONParser,)
    problem_statuses: ClassVar = {
        "409": "A run over the same Grafana is under way.",
        "422": "There is no such dashboard or Grafana, or none at all.",
    }

    @extend_schema(
        operation_id="sync_start",
        request=SyncWishes,
        responses={
            201: inline_serializer(
                "StartedRuns",
                {
                    "results": serializers.ListField(
                        child=inline_serializer(
                            "StartedRun",
                            {
                                "id": serializers.IntegerField(),
                                "address": serializers.URLField(),
                                "instance": serializers.CharField(),
                                "status": serializers.ChoiceField(choices=SyncRun.Status.values),
                                "total": serializers.IntegerField(),
                                "changed": serializers.IntegerField(),
                                "failed": serializers.IntegerField(),
                                "error": serializers.CharField(allow_blank=True),
                            },
                        )
                    )
                },
            )
        },
    )
    def post(self, request: Request) -> Response:
        asked = SyncWishes(data=request.data)
        if not asked.is_valid():
            raise _wrong(asked.errors)
        wishes = asked.validated_data
        rows = service.placements_of(
            _dashboards(wishes.get("dashboards"), scope_of(request.user)), _instances(wishes.get("instances"))
        )
        if not rows:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Nothing to sync", "No dashboard, or no enabled Grafana.")
        try:
            runs = WORDS[wishes["what"]](rows, Author.of(request._request, wishes["reason"]))
        except AlreadyRunningError as error:
            detail = (
                f"{error or 'Another process is at work on that Grafana'}".rstrip(".") + ". Ask again when it is done."
            )
            raise Problem(HTTPStatus.CONFLICT, "Already running", detail) from None
        results = [_told(request, run) for run in runs]
        return Response({"results": results}, status=HTTPStatus.CREATED, headers={"Location": results[0]["address"]})


def _dashboards(uids: list[str] | None, scope: TeamScope) -> list[Dashboard]:
    rows = Dashboard.objects.visible_to(scope)
    found = list(rows if uids is None else rows.filter(uid__in=uids))
    if uids is not None and (strangers := sorted(set(uids) - {row.uid for row in found})):
        detail = f"There is no dashboard {', '.join(strangers[:10])}, or it belongs to another team."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "No such dashboard", detail, field="dashboards")
    return found


def _instances(names: list[str] | None) -> list[GrafanaInstance] | None:
    if names is None:
        return None
    found = list(GrafanaInstance.objects.filter(enabled=True, name__in=names))
    if strangers := sorted(set(names) - {row.name for row in found}):
        detail = f"There is no enabled Grafana named {', '.join(strangers[:10])}."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "No such Grafana", detail, field="instances")
    return found


def _told(request: Request, run: SyncRun) -> dict[str, Any]:
    return {
        "id": run.pk,
        "address": request.build_absolute_uri(reverse("grafana-api:sync-runs-detail", args=[run.pk])),
        "instance": run.instance.name,
        "status": run.status,
        "total": run.total,
        "changed": run.changed,
        "failed": run.failed,
        "error": run.error,
    }


def _wrong(errors: Any) -> Problem:
    """The problem document about a body's members."""
    faults = [{"field": str(name), "detail": _words(said)} for name, said in errors.items()]
    detail = " ".join(f"{fault['field']}: {fault['detail']}" for fault in faults)
    return Problem(HTTPStatus.BAD_REQUEST, "The body is wrong", detail, field=faults[0]["field"], errors=faults)


def _words(said: Any) -> str:
    if isinstance(said, dict):
        return " ".join(f"{key}: {_words(one)}" for key, one in said.items())
    return " ".join(_words(one) for one in said) if isinstance(said, list) else str(said)
