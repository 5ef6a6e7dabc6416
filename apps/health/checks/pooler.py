"""Does a pooler in transaction mode stand before a database: it takes away what the portal sets for its session.

Such a pooler lends a server connection for one transaction. A `SET` then acts on whichever connection is lent next:
the read-only session, the time limit and the search path are not kept, and other programs get them instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connections

from apps.health.findings import Verdict, failing, ok

SUPABASE_DOMAINS = (".supabase.com", ".supabase.co")
SUPABASE_TRANSACTION_PORT = 6543
"""Supabase: port 6543 is transaction mode, on the shared and the dedicated pooler; 5432 is session mode or direct."""
ROUNDS = 3


@dataclass(frozen=True)
class Answered:
    """Which server processes answered two connections open at the same time, and which one the first was told of."""

    first: tuple[int, ...]
    second: tuple[int, ...]
    announced: int

    @property
    def shared(self) -> bool:
        """Whether connections are lent for less than a session.

        A server process belongs to one connection as long as that is open. So two open ones that are answered by the
        same process, or one that is answered by several, prove it. A pooler under load may hide it.
        """
        return bool(set(self.first) & set(self.second)) or len(set(self.first)) > 1 or len(set(self.second)) > 1

    @property
    def pooled(self) -> bool:
        """Whether something stands between: it announced another process than the one that answers."""
        return self.announced not in self.first


def known_unfit(host: str, port: int) -> bool:
    """Whether the address is Supabase's pooler in transaction mode."""
    return port == SUPABASE_TRANSACTION_PORT and host.lower().endswith(SUPABASE_DOMAINS)


def check(alias: str) -> Verdict:
    """By the address where it is known, else by behaviour, over a second connection that is closed at once."""
    connection = connections[alias]
    place = getattr(connection, "placement", "given")
    if place == "embedded":
        return ok("None: the embedded server is used directly.")
    address = settings.PORTAL_ADDRESS if alias == "default" and settings.PORTAL_ADDRESS else settings.SOURCE_ADDRESS
    by_address = address is not None and known_unfit(address.host, address.port)
    answered = ask(alias)
    details: dict[str, object] = {"pooled": answered.pooled, "transaction_mode": by_address or answered.shared}
    if by_address or answered.shared:
        return failing(
            "A pooler in transaction mode stands before the database. It is unfit: read-only sessions, time limits and "
            "the search path do not hold through it.",
            "Use the session pooler or the direct address. On Supabase both are on port 5432, not 6543.",
            **details,
        )
    return ok("A pooler that keeps sessions." if answered.pooled else "None is seen.", **details)


def ask(alias: str) -> Answered:
    """Ask both connections in turn who answers them."""
    first = connections[alias]
    second = first.copy()
    try:
        seen: tuple[list[int], list[int]] = ([], [])
        for _ in range(ROUNDS):
            for connection, pids in zip((first, second), seen, strict=True):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    pids.extend(row[0] for row in cursor.fetchall())
        return Answered(tuple(seen[0]), tuple(seen[1]), first.connection.info.backend_pid)
    finally:
        second.close()
