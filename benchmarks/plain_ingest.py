"""The control of `ingest.py`: the same server with one more address, a view as REST framework's tutorial has it."""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from rest_framework import generics, serializers
from rest_framework.validators import UniqueValidator

from apps.accounts.access import access
from apps.accounts.models import ApiToken
from apps.accounts.roles import Role
from apps.mirror.models import ScriptResult


class ScriptResultSerializer(serializers.ModelSerializer[ScriptResult]):
    id = serializers.UUIDField(validators=[UniqueValidator(queryset=ScriptResult.objects.all())])

    class Meta:
        model = ScriptResult
        fields = "__all__"


@access(Role.OPERATOR, token=ApiToken.Scope.INGEST)
class Plain(generics.CreateAPIView):  # type: ignore[type-arg]
    """Stores a list of rows, one by one."""

    queryset = ScriptResult.objects.all()
    serializer_class = ScriptResultSerializer

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        return super().get_serializer(*args, many=True, **kwargs)


urlpatterns = [
    path("api/v1/plain", Plain.as_view()),
    path("", include("vptmonitor.urls")),
]
