"""How often a sign-in may be tried: counted in the database, before any password is hashed.

Three counters, each over a window that begins with its first attempt (`settings.SIGN_IN_LIMIT`): a name at an address,
an address, a name. An attempt is counted first and judged by the count that comes back from the same statement, so that
however many come at once, no more than the limit get through. Each counter sees only what the one before it let
through: hammering one name from one address uses up neither the address for others nor the name for its owner
elsewhere. A good password gives its own attempt back and clears its name at its address.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from apps.accounts.models import SignInAttempt

Counter = Literal["name_and_address", "address", "name"]

_LONGEST_NAME: Final = 150

_COUNT: Final = """
    INSERT INTO accounts_signinattempt AS kept (key, window_start, attempts) VALUES (%(key)s, statement_timestamp(), 1)
    ON CONFLICT (key) DO UPDATE SET
        attempts = CASE WHEN kept.window_start <= statement_timestamp() - %(window)s * interval '1 second'
                        THEN 1 ELSE LEAST(kept.attempts + 1, 1000000000) END,
        window_start = CASE WHEN kept.window_start <= statement_timestamp() - %(window)s * interval '1 second'
                            THEN statement_timestamp() ELSE kept.window_start END
    RETURNING attempts, EXTRACT(EPOCH FROM window_start - statement_timestamp())::float + %(window)s
"""
_LOOK: Final = """
    SELECT attempts, EXTRACT(EPOCH FROM window_start - statement_timestamp())::float + %(window)s
    FROM accounts_signinattempt
    WHERE key = %(key)s AND window_start > statement_timestamp() - %(window)s * interval '1 second'
"""
_PRUNE: Final = """
    DELETE FROM accounts_signinattempt WHERE window_start <= statement_timestamp() - %(window)s * interval '1 second'
"""


@dataclass(frozen=True)
class Refusal:
    """An attempt that was one too many."""

    counter: Counter
    seconds: int
    """How long until the window is over."""
    first: bool
    """Whether it is the first one refused in this window."""

    @property
    def minutes(self) -> int:
        """The wait in whole minutes, at least one."""
        return max(1, -(-self.seconds // 60))


def count(name: str, address: str) -> Refusal | None:
    """Count an attempt to sign in as `name` from `address`; None when it may go on to the password.

    Call it outside a transaction: the count must outlive the attempt, and its row must not stay locked while the
    password is hashed.
    """
    keys = _keys(name, address)
    # A look only, so that an address which is used up cannot fill the table with made-up names.
    if refusal := _judge("address", _LOOK, keys["address"], spare=1):
        return refusal
    counters: tuple[Counter, ...] = ("name_and_address", "address", "name")
    for counter in counters:
        if refusal := _judge(counter, _COUNT, keys[counter]):
            return refusal
    return None


def succeeded(name: str, address: str) -> None:
    """The password was right: forget the name at its address, give the attempt back to the other two counters."""
    keys = _keys(name, address)
    SignInAttempt.objects.filter(key=keys["name_and_address"]).delete()
    for counter in ("address", "name"):
        SignInAttempt.objects.filter(key=keys[counter]).update(attempts=Greatest(F("attempts") - 1, 0))
    prune()


def prune() -> int:
    """Delete the counters whose window is over; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, {"window": settings.SIGN_IN_LIMIT["window_seconds"]})
        return int(cursor.rowcount)


def _judge(counter: Counter, statement: str, key: str, *, spare: int = 0) -> Refusal | None:
    """A refusal when the count that `statement` answers, and `spare` more, is over the counter's limit."""
    limit = settings.SIGN_IN_LIMIT[counter]
    with connection.cursor() as cursor:
        cursor.execute(statement, {"key": key, "window": settings.SIGN_IN_LIMIT["window_seconds"]})
        row = cursor.fetchone()
    if row is None or row[0] + spare <= limit:
        return None
    return Refusal(counter, max(1, round(row[1])), first=statement is _COUNT and row[0] == limit + 1)


def _keys(name: str, address: str) -> dict[Counter, str]:
    # All spellings that look like one name share their counters; the password check itself takes the exact name.
    folded = unicodedata.normalize("NFKC", name).casefold().replace("\0", "")[:_LONGEST_NAME]
    return {"name_and_address": f"both|{address}|{folded}", "address": f"address|{address}", "name": f"name|{folded}"}
