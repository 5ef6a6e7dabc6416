"""The same events for those who ask by HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db import ProgrammingError, connections

from apps.accounts.scope import TeamScope
from apps.live.cursor import Position, Token
from apps.live.events import AFTER, MOST_EVENTS, Batch, Change, batch_of, changes_for
from apps.live.install import owned, schema_of
from apps.live.tables import PORTAL
from apps.mirror.shape import SOURCE


@dataclass(frozen=True)
class Missed:
    """What happened after a token, by topic, and the token to ask with next. `complete` is False where that is not
    known any more."""

    changes: Mapping[str, Change]
    token: Token
    complete: bool


def missed(after: Token | None, scope: TeamScope, topics: frozenset[str]) -> Missed:
    """What happened after a token; without one, nothing has. Two queries for each database.

    Raises django.db.Error when a database cannot be asked.
    """
    known = {one.identity: one for one in after.positions} if after else {}
    batches = []
    for alias in (PORTAL, SOURCE):
        if owned(alias):
            here = _batch(alias, None)
            if before := known.get(here.position.identity):
                here = _batch(alias, before)
            elif after is not None:
                here = replace(here, complete=False)
            batches.append(here)
    events = [event for batch in batches for event in batch.events]
    return Missed(
        changes_for(events, scope, topics),
        Token(tuple(batch.position for batch in batches)),
        all(batch.complete for batch in batches),
    )


def _batch(alias: str, after: Position | None) -> Batch:
    quote = connections[alias].ops.quote_name
    with connections[alias].cursor() as cursor:
        query = AFTER.format(schema=quote(schema_of(alias)))
        parameters = {"after": after.snapshot if after else "1:1:", "most": MOST_EVENTS if after else -1}
        cursor.execute(query, parameters)
        try:
            return batch_of(cursor.fetchall(), after)
        except LookupError as error:
            raise ProgrammingError(str(error)) from error
