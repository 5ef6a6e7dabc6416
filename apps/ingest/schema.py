"""What the API's document says of ingest: shapes of requests and answers, by hand, since no serializer makes them."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiResponse

from apps.ingest.body import NDJSON
from apps.ingest.verdicts import STATUSES

_ROW: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A row of the kind, as the platform's hosts write it. docs/ingest.md lists the fields.",
    "additionalProperties": True,
}
_COUNT: Final = {"type": "integer", "minimum": 0}
_VERDICT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["row", "status"],
    "properties": {
        "row": {**_COUNT, "description": "The number of the row in the request, from 0."},
        "status": {"type": "string", "enum": list(STATUSES)},
        "id": {"description": "The row's key, as it was given or derived."},
        "field": {"type": "string", "description": "The field at fault; empty where it is the whole row."},
        "problem": {"type": "string"},
        "fix": {"type": "string"},
        "clock_skew_seconds": {"type": "integer", "description": "How far the row's time is ahead of the database's."},
    },
}
_ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["kind", "received_at", "counts", "rows", "notes"],
    "properties": {
        "kind": {"type": "string"},
        "received_at": {"type": "string", "description": "The database's time."},
        "counts": {
            "type": "object",
            "properties": dict.fromkeys(("received", *(status.replace(" ", "_") for status in STATUSES)), _COUNT),
        },
        "rows": {"type": "array", "items": _VERDICT},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
_SAYS: Final = {
    200: "Nothing new: all of it was there already, or was updated.",
    201: "Everything is stored.",
    207: "Some rows are stored, some were refused; each says which.",
    422: "Every row was refused.",
}
_FAILS: Final = {
    400: "The body is no JSON, or a parameter is wrong.",
    401: "Not signed in.",
    403: "Not allowed, or the source database may only be read.",
    404: "No such kind, or the connected database has no such table.",
    405: "Rows of this kind are written once.",
    413: "Too large: send smaller batches.",
    415: "Neither JSON nor lines of JSON, or an encoding other than gzip.",
    429: "Too many requests: send again after Retry-After seconds.",
    503: "Nothing was stored: send the same batch again after Retry-After seconds.",
    507: "The database has no room left.",
}


def request_of() -> dict[str, Any]:
    """The body of a request."""
    one_or_many = {"oneOf": [_ROW, {"type": "array", "items": _ROW}]}
    return {"application/json": one_or_many, NDJSON[0]: {"type": "string", "description": "An object per line."}}


def responses(*statuses: int) -> dict[Any, Any]:
    """What is answered: verdicts with these statuses, and problems."""
    told = {(status, "application/json"): OpenApiResponse(_ANSWER, _SAYS[status]) for status in statuses}
    return told | {
        (status, "application/problem+json"): OpenApiResponse(_PROBLEM, text) for status, text in _FAILS.items()
    }
