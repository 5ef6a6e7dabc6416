"""The API's front door: what there is, its schema, and the page that documents it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.portal.selectors import api_schema


@access(Role.NONE)
class Root(APIView):
    """The addresses of the API that can be looked at."""

    schema_tag = "api"

    @extend_schema(
        operation_id="root", responses=inline_serializer("Addresses", {"script-results": serializers.URLField()})
    )
    def get(self, request: Request) -> Response:
        names = api_schema.collections()
        return Response({name: request.build_absolute_uri(f"{api_schema.PREFIX}{name}") for name in names})


@access(Role.NONE)
def schema_yaml(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    return HttpResponse(api_schema.as_yaml(), content_type="application/yaml; charset=utf-8")


@access(Role.NONE)
def docs(request: HttpRequest) -> HttpResponse:
    """What the API can do, from its schema."""
    groups = api_schema.groups()
    count = sum(len(group.operations) for group in groups)
    context: dict[str, Any] = {
        "title": "The API",
        "answer": f"{count} operations below {request.build_absolute_uri(api_schema.PREFIX)}, as version 1.",
        "groups": groups,
    }
    return render(request, "portal/api/docs.html", context)
