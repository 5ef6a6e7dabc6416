"""SQL for a login role that can only read, on a database that somebody else owns."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.panels.reader_role_sql import statements

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Command(BaseCommand):
    """Prints SQL and nothing else, so that it can go straight to psql; the password is new with every call."""

    help = (
        "Print the SQL that makes a role which can only SELECT from the platform's tables, to be run by the database's "
        "owner. Its last line is a comment with what to write into .env. The password is made up with every call."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", default="vptmonitor_grafana", help="the role's name")
        parser.add_argument(
            "--for",
            dest="purpose",
            choices=("grafana", "panels"),
            default="grafana",
            help="whose role it is to be: Grafana's data source (GRAFANA_READER_URL), or the portal's own panels "
            "(SOURCE_READER_URL)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        role: str = options["role"]
        if not NAME.fullmatch(role):
            raise CommandError("--role takes small letters, digits and '_', beginning with no digit, at most 63")
        password = secrets.token_urlsafe(24)
        address = settings.SOURCE_ADDRESS
        database, host, port = (address.name, address.host, address.port) if address else ("DATABASE", "HOST", 5432)
        variable = "GRAFANA_READER_URL" if options["purpose"] == "grafana" else "SOURCE_READER_URL"
        lines = [
            f"-- A role that can only read, for vptmonitor. Run this as the owner of the tables of {database}.",
            "BEGIN;",
            *(f"{statement};" for statement in statements(role, password, database)),
            "COMMIT;",
            "-- Where row-level security is on, the role sees the rows that policies let everybody see.",
            "-- On PostgreSQL 14 and older everybody may make tables: REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
            f"-- {variable}=postgresql://{role}:{password}@{_host(host)}:{port}/{database}",
        ]
        self.stdout.write("\n".join(lines))


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
