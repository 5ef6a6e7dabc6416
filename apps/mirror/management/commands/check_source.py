"""`manage.py check_source`: how the connected VirtualPyTest database differs from what the portal knows."""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError

from apps.mirror.differences import Differences, differences
from apps.mirror.shape import forget, shape_of

SAME: Final = 0
UNREACHABLE: Final = 1
DIFFERS: Final = 3


class Command(BaseCommand):
    """Reads the catalogue only. Exit code 0: nothing differs; 3: something does; 1: the database cannot be asked."""

    help = "Compare the source database with the portal's models. Exit code: 0 same, 3 differs, 1 unreachable."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        as_json = options["format"] == "json"
        forget()
        try:
            found = differences(shape_of())
        except (DatabaseError, InterfaceError) as error:
            reason = str(error).strip().splitlines()[0]
            if as_json:
                self.stdout.write(json.dumps({"same": None, "error": reason}, indent=2))
            else:
                self.stderr.write(f"The source database cannot be asked: {reason}")
            sys.exit(UNREACHABLE)
        self.stdout.write(json.dumps(found.as_json(), indent=2) if as_json else text(found))
        sys.exit(DIFFERS if found else SAME)


def text(found: Differences) -> str:
    """The differences for people, the verdict in the last line."""
    lines = [f"missing table    {table}" for table in found.missing_tables]
    lines += [f"missing column   {table}.{name}" for table, names in found.missing_columns.items() for name in names]
    for table, names in found.extra_columns.items():
        required = found.required_columns.get(table, [])
        lines += [
            f"unknown column   {table}.{name}"
            + (" (needs a value: rows cannot be added here)" if name in required else "")
            for name in names
        ]
    lines += [
        f"other type       {kind.table}.{kind.column} is {kind.found}, not {kind.expected}" for kind in found.types
    ]
    count = len(lines)
    if found.missing_indexes:
        lines += ["", "Advice: these indexes make pages faster on big tables."]
        lines += [f"{index.statement};" for index in found.missing_indexes]
        lines.append("")
    lines.append(
        f"{count} difference{'s' if count != 1 else ''}. The portal lives with them: what is missing reads as unknown."
        if count
        else "Nothing differs."
    )
    return "\n".join(lines)
