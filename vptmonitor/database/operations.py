"""PostgreSQL operations that compile for the schema which the connected database really has."""

from __future__ import annotations

from django.db.backends.postgresql import operations


class DatabaseOperations(operations.DatabaseOperations):
    """Django's, with the compilers of `vptmonitor.database.compiler`."""

    compiler_module = "vptmonitor.database.compiler"
