"""What is configured, reachable and wrong."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.health.checks import GROUPS
from apps.health.findings import Finding, State, run, worst

PATIENCE = 5.0
"""Times the limit of a page: an embedded server may have to be made and started first."""
EXIT_CODES = {State.OK: 0, State.FAILING: 1, State.WARNING: 3}


class Command(BaseCommand):
    """Prints every finding, grouped. Secrets never show; addresses do, since this is the administrator's terminal."""

    help = "Say what is configured, reachable and wrong. Exit code 0: all well, 1: something fails, 3: warnings only."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = run(GROUPS, patience=PATIENCE)
        overall = worst(findings)
        if options["format"] == "json":
            self.stdout.write(json.dumps(as_json(findings, overall), indent=2, default=str))
        else:
            self._print(findings, overall)
        if code := EXIT_CODES[overall]:
            raise SystemExit(code)

    def _print(self, findings: list[Finding], overall: State) -> None:
        styles = {
            State.OK: self.style.SUCCESS,
            State.WARNING: self.style.WARNING,
            State.FAILING: self.style.ERROR,
            State.UNKNOWN: self.style.HTTP_INFO,
        }
        for group in GROUPS:
            self.stdout.write(self.style.MIGRATE_HEADING(group.title))
            for finding in findings:
                if finding.group != group.name:
                    continue
                self.stdout.write(f"  {styles[finding.state](f'{finding.state:<8}')} {finding.title}: {finding.text}")
                if finding.fix:
                    self.stdout.write(f"           -> {finding.fix}")
                for name, value in finding.details.items():
                    if value not in ("", None):
                        self.stdout.write(f"           {name} = {value}")
            self.stdout.write("")
        counts = {state: sum(finding.state is state for finding in findings) for state in State}
        said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        self.stdout.write(styles[overall](f"{said}."))


def as_json(findings: list[Finding], overall: State) -> dict[str, Any]:
    """The document for programs."""
    fields = ("name", "title", "group", "state", "text", "fix", "details", "milliseconds")
    return {
        "version": settings.VERSION,
        "state": overall,
        "findings": [{name: getattr(finding, name) for name in fields} for finding in findings],
    }
