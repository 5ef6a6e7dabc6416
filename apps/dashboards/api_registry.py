"""The registry over REST: folders, dashboards, their JSON and their revisions, as far as the caller may see them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import TeamScope, scope_of
from apps.dashboards.models import DEEPEST, Dashboard, Folder, Revision
from apps.mirror.rest.filters import Declared, flag, team, text, words
from apps.mirror.rest.paging import newest_first
from apps.mirror.rest.views import RowsViewSet


class FolderList(RowsViewSet):
    """A folder of dashboards, in another one or at the top."""

    model = Folder
    schema_tag = "dashboards"
    fields = ("id", "uid", "title", "parent_id", "team_id", "team_name")
    filters: ClassVar[dict[str, Declared]] = {**team(), **text("title")}

    def rows_of(self, scope: TeamScope) -> QuerySet[Any]:
        if scope.everything:
            return Folder.objects.all()
        rows = Folder.objects.all() if scope.team_ids else Folder.objects.none()
        for depth in range(DEEPEST):
            owner = "__".join(["parent"] * depth + ["team_id"])
            rows = rows.filter(Q(**{owner: None}) | Q(**{f"{owner}__in": scope.team_ids}))
        return rows


class DashboardList(RowsViewSet):
    """A registered dashboard; its JSON and its revisions have addresses of their own."""

    model = Dashboard
    schema_tag = "dashboards"
    lookup_field = "uid"
    lookup_value_converter = "slug"
    fields = (
        "id", "uid", "title", "folder_id", "tags", "origin_kind", "origin", "policy", "paused", "team_id", "team_name",
        "created_at", "updated_at",
    )  # fmt: skip
    filters: ClassVar[dict[str, Declared]] = {
        **team(),
        **words("uid", "uid"),
        **flag("paused", "paused"),
        **text("title", "uid"),
    }


class RevisionList(RowsViewSet):
    """A body that a dashboard had, or that was found in a Grafana and kept: who brought it, when and why."""

    model = Revision
    schema_tag = "dashboards"
    lookup_field = "number"
    lookup_value_converter = "int"
    fields = ("id", "number", "actor", "cause", "reason", "at")
    filters: ClassVar[dict[str, Declared]] = {}
    orders = newest_first("id")

    def rows_of(self, scope: TeamScope) -> QuerySet[Any]:
        seen = Dashboard.objects.visible_to(scope).filter(uid=self.kwargs.get("uid", ""))
        if not seen.exists():
            raise Http404("There is no such dashboard, or it belongs to another team.")
        return Revision.objects.filter(dashboard__in=seen)


@access(Role.VIEWER)
class Document(APIView):
    """The JSON of a dashboard, as Grafana takes it: the current one, or that of a revision."""

    schema_tag = "dashboards"

    @extend_schema(responses={200: {"type": "object", "description": "The dashboard's own JSON."}})
    def get(self, request: Request, uid: str, number: int | None = None) -> Response:
        rows = Dashboard.objects.visible_to(scope_of(request.user)).filter(uid=uid)
        row = rows.select_related("current__stored").first()
        if row is None:
            raise Http404("There is no such dashboard, or it belongs to another team.")
        if number is None:
            return Response(row.body, headers={"Cache-Control": "no-store"})
        revision = row.revisions.select_related("stored").filter(number=number).first()
        if revision is None:
            raise Http404(f"The dashboard has no revision {number}.")
        return Response(revision.body, headers={"Cache-Control": "no-store"})
