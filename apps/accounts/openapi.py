"""How every view of the API is described in its schema: problem documents for what can go wrong, tokens, no guesses."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import serializers

from apps.accounts.problems import CONTENT_TYPE

ALWAYS: Final = {
    "401": "Neither signed in nor a valid token.",
    "403": "The role, or the token's scope, is not enough.",
    "406": "The address does not answer in the format asked for.",
    "429": "Too many requests; Retry-After says in how many seconds one more passes.",
    "500": "A fault of the portal; `reference` finds it in its log.",
    "503": "A database cannot be reached, or the portal is at its limit; Retry-After says when to ask again.",
}
READING: Final = {"400": "A parameter is wrong; `parameter` and `errors` name it."}
FINDING: Final = {"404": "There is no such thing, or it belongs to another team, or this database has no such table."}
WRITING: Final = {"400": "What was sent is wrong.", "415": "What was sent is in no format that is taken."}

SHARED: Final = {**ALWAYS, **READING, **FINDING}


class Problem(serializers.Serializer[Any]):
    """What went wrong (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What is wrong, and what to do about it.")
    parameter = serializers.CharField(required=False, help_text="The parameter at fault.")
    errors = serializers.ListField(  # type: ignore[assignment]  # the name of a member, as in the documents
        required=False, child=serializers.JSONField(), help_text="Each fault by itself."
    )
    reference = serializers.CharField(required=False, help_text="Of a fault of the portal: its number in the log.")


class ApiSchema(AutoSchema):
    """Describes a view with the problem documents that any view may answer with.

    A view may say which others it has in `problem_statuses` (status -> when), and under which heading it stands in
    `schema_tag`; else that is the first word of its address.
    """

    def get_tags(self) -> list[str]:
        own = getattr(self.view, "schema_tag", None)
        return [own] if own else list(super().get_tags())

    def problems(self) -> dict[str, str]:
        """When each status of a problem document is answered."""
        found = {**ALWAYS, **READING}
        if "{" in self.path:
            found |= FINDING
        if self.method not in {"GET", "HEAD"}:
            found |= WRITING
        return found | getattr(self.view, "problem_statuses", {})

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for body in bodies.values():
            for media_type, content in body.get("content", {}).items():
                if media_type in {"text/csv", "text/html"}:
                    content["schema"] = {"type": "string"}
        for status, when in self.problems().items():
            bodies.setdefault(status, self._problem(status, when))
        return dict(sorted(bodies.items()))

    def _problem(self, status: str, when: str) -> dict[str, Any]:
        """The answer with a problem document; described once where many views share it."""
        problem = self.resolve_serializer(Problem, "response").ref
        answer = {"description": when, "content": {CONTENT_TYPE: {"schema": problem}}}
        if SHARED.get(status) != when:
            return answer
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=f"Problem{status}", type=ResolvedComponent.RESPONSE, schema=answer, object=f"problem {status}"
        )
        self.registry.register_on_missing(component)
        return dict(component.ref)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """`Authorization: Bearer vpt_...`."""

    target_class = "apps.accounts.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token, made in the admin: vpt_..."}
