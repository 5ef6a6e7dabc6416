"""The rows of all tables that the portal owns in a database, written and read by COPY in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.core.management.color import no_style
from django.db import connections, router, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

NOT_KEPT: Final = frozenset({"django_session", "accounts_signinattempt"})
"""Emptied by a restore: who is signed in, and who tried to, belongs to the moment."""


def models_of(alias: str) -> list[type[Model]]:
    """All models with a table of ours in the database, those between two models included, by table name."""
    found = {
        model._meta.db_table: model
        for config in apps.get_app_configs()
        for model in router.get_migratable_models(config, alias, include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }
    return [found[name] for name in sorted(found)]


def columns_of(model: type[Model]) -> list[str]:
    """The columns that are written: all but those that the database works out itself."""
    return [field.column for field in model._meta.concrete_fields if field.column and not field.generated]


def applied(alias: str) -> list[str]:
    """The migrations that the database has, as `app.name`."""
    loader = MigrationLoader(connections[alias])
    return sorted(f"{app}.{name}" for app, name in loader.applied_migrations or ())


def is_behind(alias: str) -> bool:
    """Whether migrations wait to be applied."""
    executor = MigrationExecutor(connections[alias])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def has_rows(alias: str) -> bool:
    """Whether there is anything that a restore would overwrite: a person, in the portal's own database."""
    tables = [model for model in models_of(alias) if model._meta.label in ("accounts.User", "mirror.Team")]
    return any(model._default_manager.using(alias).exists() for model in tables)


def dump(alias: str, folder: Path) -> dict[str, list[str]]:
    """Write each table's rows to a file in `folder`, all as of one moment; the columns of each, by table.

    Raises django.db.Error and OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    columns: dict[str, list[str]] = {}
    connection = connections[alias]
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for model in models_of(alias):
            table = model._meta.db_table
            if table in NOT_KEPT:
                continue
            columns[table] = columns_of(model)
            with (folder / f"{table}.copy").open("wb") as file:
                cursor.copy_expert(f"COPY {_listed(connection, table, columns[table])} TO STDOUT", file)
    return columns


def load(alias: str, folder: Path, columns: Mapping[str, list[str]]) -> None:
    """Replace all rows of all tables by those in `folder`; nothing has changed when this raises.

    Raises django.db.Error and OSError.
    """
    connection = connections[alias]
    models = models_of(alias)
    quoted = [connection.ops.quote_name(model._meta.db_table) for model in models]
    with transaction.atomic(using=alias), connection.cursor() as cursor, _without_triggers(cursor, quoted):
        cursor.execute(f"TRUNCATE {', '.join(quoted)}")
        for table, names in columns.items():
            with (folder / f"{table}.copy").open("rb") as file:
                cursor.copy_expert(f"COPY {_listed(connection, table, names)} FROM STDIN", file)
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
        # Foreign keys are looked at now, and not by the commit, so that the triggers are back by then.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@contextmanager
def _without_triggers(cursor: Any, quoted: Iterable[str]) -> Iterator[None]:
    """Rules of the tables, such as that history is only added to, are for people and not for a restore."""
    tables = list(quoted)
    cursor.execute(
        "SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgenabled = 'O' AND tgrelid = ANY (%s::regclass[])",
        [tables],
    )
    rules = cursor.fetchall()
    for table, name in rules:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
    yield
    for table, name in rules:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")


def _listed(connection: Any, table: str, columns: Iterable[str]) -> str:
    quote = connection.ops.quote_name
    return f"{quote(table)} ({', '.join(map(quote, columns))})"
