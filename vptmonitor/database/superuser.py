"""The embedded server's superuser, for what only it may do: close PostgreSQL's own functions to everybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from vptmonitor.database.base import placement
from vptmonitor.embedded.layout import Layout
from vptmonitor.embedded.server import SUPERUSER, read_passwords


def superuser_parameters(alias: str) -> dict[str, Any] | None:
    """libpq's parameters of the superuser on the database of `alias`; None where that is no server of ours.

    Starts the embedded server. Raises EmbeddedError, and OSError when its secrets cannot be read.
    """
    if placement(alias) != "embedded":
        return None
    parameters = connections[alias].get_connection_params()
    passwords = read_passwords(Layout(Path(settings.EMBEDDED_DIR).resolve()))
    return {**parameters, "user": SUPERUSER, "password": passwords[SUPERUSER]}
