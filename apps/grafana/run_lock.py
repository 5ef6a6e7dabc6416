"""One run at a time over each Grafana, whichever process it is in.

The lock belongs to a transaction on a connection of its own, which is held open while the run lasts: it ends with the
process however that ends, and works through poolers that share sessions between clients.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from django.db import DatabaseError, InterfaceError, connections

NAMESPACE: Final = 0x5653
"""Of the portal's advisory locks, the first number of the pair."""


class AlreadyRunningError(RuntimeError):
    """Another process is at work on that Grafana."""


@contextmanager
def alone(instance_id: int) -> Iterator[None]:
    """Raises AlreadyRunningError instead of waiting."""
    connection = connections.create_connection("default")
    try:
        connection.set_autocommit(False)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [NAMESPACE, instance_id])
            (taken,) = cursor.fetchone()
        if not taken:
            raise AlreadyRunningError("another sync of this Grafana is running")
        yield
    finally:
        # Closing alone would end the transaction a moment later.
        with suppress(DatabaseError, InterfaceError):
            connection.rollback()
        connection.close()
