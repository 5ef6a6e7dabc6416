"""The API's schema, made once per process, and as the page that documents it wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

PREFIX: Final = "/api/v1/"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an address: its kind and values in words."""

    name: str
    kind: str
    about: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address, with the statuses that it answers with and when."""

    id: str
    method: str
    path: str
    about: str
    parameters: Sequence[Parameter]
    answers: Sequence[tuple[str, str]]
    members: Sequence[Parameter]


@dataclass(frozen=True, slots=True)
class Group:
    """The operations under one heading."""

    name: str
    operations: list[Operation] = field(default_factory=list)


@cache
def schema() -> dict[str, Any]:
    """The OpenAPI document, without the address of a server."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


@cache
def as_yaml() -> str:
    """The document as the file that is kept with the code."""
    text: bytes = OpenApiYamlRenderer().render(schema(), renderer_context={})  # type: ignore[no-untyped-call]
    return text.decode()


@cache
def groups() -> Sequence[Group]:
    """What the API can do, by heading."""
    found: dict[str, Group] = {}
    document = schema()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = operation["tags"][0]
            found.setdefault(tag, Group(tag)).operations.append(_operation(document, path, method, operation))
    return [found[name] for name in sorted(found)]


def collections() -> list[str]:
    """The addresses, below the API's own, that take no argument and can be looked at."""
    paths = [path for path, methods in schema()["paths"].items() if "{" not in path and "get" in methods]
    return sorted(path.removeprefix(PREFIX) for path in paths if path != PREFIX)


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> Operation:
    answers = operation["responses"]
    good: Mapping[str, Any] = next((answers[status] for status in sorted(answers) if status.startswith("2")), {})
    body = good.get("content", {}).get("application/json", {}).get("schema", {})
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        about=" ".join(operation.get("description", "").split()),
        parameters=[
            Parameter(one["name"], _kind(document, one["schema"]), one.get("description", ""))
            for one in operation.get("parameters", [])
        ],
        answers=[
            (status, _resolved(document, answer).get("description", "")) for status, answer in sorted(answers.items())
        ],
        members=_members(document, body),
    )


def _members(document: Mapping[str, Any], body: Mapping[str, Any]) -> list[Parameter]:
    """The members of an answer, or of one row of a list."""
    properties = _resolved(document, body).get("properties", {})
    if "results" in properties:
        properties = _resolved(document, properties["results"].get("items", {})).get("properties", {})
    return [Parameter(name, _kind(document, one), one.get("description", "")) for name, one in properties.items()]


def _resolved(document: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
    if reference := body.get("$ref", ""):
        _, _, section, name = reference.split("/")
        found: Mapping[str, Any] = document["components"][section][name]
        return found
    return body


def _kind(document: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    body = _resolved(document, body)
    kind = body.get("type", "any")
    word = " or ".join(str(one) for one in kind) if isinstance(kind, list) else str(kind)
    if "items" in body:
        word = f"list of {_kind(document, body['items'])}"
    if "format" in body:
        word = f"{word} ({body['format']})"
    if words := [str(one) for one in body.get("enum", []) if one is not None]:
        word = ", ".join(words)
    return word
