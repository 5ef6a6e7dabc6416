"""The audit trail: who did what, or was refused, with what was there before and after.

An entry is written in the transaction of the caller, so that in the portal's own database there is no change without
its entry. The platform's database is another one: a change there is recorded after it was committed
(`transaction.on_commit(..., using="source")`).
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.http import HttpRequest

from apps.accounts.address import client_address
from apps.accounts.models import AuditEntry, User

State = Mapping[str, Any]
"""The values of an object's fields, by field name."""

HIDDEN: Final = "(hidden)"
LARGEST_VALUE: Final = 20_000
"""Characters of JSON of one field's value that an entry keeps; of longer ones it says how long they were."""
_SECRET: Final = re.compile(
    r"passw|pwd|secret|token|credential|private_?key|api_?key|access_?key|authorization|cookie", re.IGNORECASE
)


def record(
    action: AuditEntry.Action,
    *,
    request: HttpRequest | None = None,
    actor: User | AnonymousUser | str | None = None,
    obj: models.Model | None = None,
    kind: str = "",
    object_id: str = "",
    label: str = "",
    before: State | None = None,
    after: State | None = None,
    reason: str = "",
) -> AuditEntry:
    """Add an entry and return it.

    `actor` defaults to the request's user, else to the process. `obj` fills `kind` (its model), `object_id` and `label`
    where they are not given. With both `before` and `after` (see `snapshot`) only the fields that differ are kept.
    Secrets are hidden by the name of their field, at any depth. Raises what the database raises: the caller's change
    must then not happen either.
    """
    if actor is None:
        actor = f"process {os.environ.get('VPTMONITOR_PROCESS', 'manage')}"
        if request is not None:
            actor = getattr(request, "user", None) or AnonymousUser()
    if before is not None and after is not None:
        differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        before = {name: before[name] for name in differing if name in before}
        after = {name: after[name] for name in differing if name in after}
    if obj is not None:
        kind = kind or obj._meta.label_lower
        object_id = object_id or str(obj.pk)
        label = label or str(obj)
    return AuditEntry.objects.create(
        actor_id=actor.pk if isinstance(actor, User) else None,
        actor=_text(_name(actor), 200),
        address=client_address(request) if request else None,
        action=action,
        kind=_text(kind, 100),
        object_id=_text(object_id, 200),
        label=_text(label, 300),
        before=None if before is None else _shown(before),
        after=None if after is None else _shown(after),
        reason=_text(reason, 4000),
        request_id=getattr(request, "id", ""),
    )


def snapshot(obj: models.Model, *, many: bool = False) -> dict[str, Any]:
    """The values of `obj`'s fields as they are now; with `many` also the names of what its many-to-many fields hold.

    Secrets are in it, so that a change of one is seen; `record` hides them.
    """
    state = {field.name: field.value_from_object(obj) for field in obj._meta.concrete_fields}
    if many:
        for field in obj._meta.many_to_many:
            state[field.name] = sorted(str(other) for other in field.value_from_object(obj))
    return state


def _name(actor: User | AnonymousUser | str) -> str:
    if isinstance(actor, str):
        return actor
    return actor.get_username() if actor.is_authenticated else "a visitor"


def _text(text: str, limit: int) -> str:
    text = text.replace("\0", "")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _shown(state: State) -> dict[str, Any]:
    shown = {}
    for name, value in state.items():
        safe = HIDDEN if _SECRET.search(name) and value not in (None, "") else without_secrets(value)
        length = len(json.dumps(safe))
        shown[name] = safe if length <= LARGEST_VALUE else f"({length} characters)"
    return shown


def without_secrets(value: Any) -> Any:
    """`value` as jsonb takes it (no NaN, no NUL, no types that JSON lacks), with what is secret by its name hidden."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return value.replace("\0", "")
        case Mapping():
            return {
                str(key).replace("\0", ""): HIDDEN
                if _SECRET.search(str(key)) and item not in (None, "")
                else without_secrets(item)
                for key, item in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [without_secrets(item) for item in value]
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | UUID() | timedelta():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return f"({len(value)} bytes)"
        case _:
            return str(value).replace("\0", "")
