"""A host that sends: a client with a token, and the answer as a value."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.test import Client

from apps.accounts import tokens
from apps.accounts.models import ApiToken, User

T = TypeVar("T")


def sure(value: T | None) -> T:
    """The value, which is there."""
    assert value is not None
    return value


@dataclass
class Answered:
    """An answer of ingest."""

    status: int
    document: dict[str, Any]
    headers: Any

    @property
    def statuses(self) -> list[str]:
        """What became of each row."""
        return [row["status"] for row in self.document["rows"]]

    @property
    def row(self) -> dict[str, Any]:
        """The verdict about the only row."""
        (found,) = self.document["rows"]
        return dict(found)

    @property
    def fields(self) -> list[str]:
        """The field at fault, row by row; None where none is."""
        return [row.get("field") for row in self.document["rows"]]


class Host:
    """Sends with a token of `owner`, limited as `limits` say."""

    def __init__(self, owner: User, **limits: Any) -> None:
        self.token = tokens.issue(owner=owner, name="rack", scopes=[ApiToken.Scope.INGEST], **limits)[1]
        self._client = Client(headers={"authorization": f"Bearer {self.token}"})

    def send(self, kind: str, rows: Any, **options: Any) -> Answered:
        """POST rows (or bytes as they are)."""
        return self._ask("post", f"/api/v1/ingest/{kind}", rows, **options)

    def lines(self, kind: str, rows: list[Any], **options: Any) -> Answered:
        """The same as lines, packed."""
        body = gzip.compress(b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows))
        headers = {"Content-Encoding": "gzip"}
        return self._ask(
            "post", f"/api/v1/ingest/{kind}", body, type_="application/x-ndjson", headers=headers, **options
        )

    def change(self, kind: str, key: UUID | str | None, changes: Any, **options: Any) -> Answered:
        """PATCH one row, or a batch."""
        return self._ask("patch", f"/api/v1/ingest/{kind}" + (f"/{key}" if key else ""), changes, **options)

    def _ask(
        self,
        method: str,
        address: str,
        body: Any,
        *,
        zone: str = "",
        query: str = "",
        type_: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Answered:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = (headers or {}) | ({"X-Time-Zone": zone} if zone else {})
        answer = getattr(self._client, method)(address + query, data, content_type=type_, headers=headers)
        return Answered(answer.status_code, json.loads(answer.content), answer.headers)
