"""Heatmap reports: what each saw, and those beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F

from apps.accounts.scope import TeamScope
from apps.mirror.models import Heatmap
from apps.portal import formatting, links
from apps.portal.components import State


@dataclass(frozen=True, slots=True)
class Report:
    """A report with addresses that a browser can follow."""

    row: Heatmap

    @property
    def url(self) -> str:
        return links.page("heatmap", self.row.pk)

    @property
    def state(self) -> State:
        """A warning with incidents, silent when hosts were left out. A report as such does not fail."""
        if self.row.incidents_count is None:
            return "unknown"
        if self.row.incidents_count > 0:
            return "warning"
        return "silent" if self.missing else "ok"

    @property
    def word(self) -> str:
        """What the badge says."""
        words = {"warning": "incidents", "silent": "hosts missing", "ok": "clear"}
        return words.get(self.state, self.state)

    @property
    def missing(self) -> int:
        """How many hosts the report lacks."""
        return max(0, (self.row.hosts_total or 0) - (self.row.hosts_included or 0))

    @property
    def hosts(self) -> str:
        return formatting.number(self.row.hosts_included)

    @property
    def hosts_total(self) -> str:
        return formatting.number(self.row.hosts_total)

    @property
    def words(self) -> str:
        """What the report saw, as a sentence."""
        count = self.row.incidents_count
        seen = (
            "an unknown number of incidents"
            if count is None
            else f"{count or 'no'} incident{'' if count == 1 else 's'}"
        )
        return f"{self.hosts} of {self.hosts_total} hosts, {seen}."

    @property
    def pages(self) -> list[tuple[str, str]]:
        """Name and address of what the platform uploaded."""
        row = self.row
        named = (("Report", row.html_r2_url), ("Mosaic", row.mosaic_r2_url), ("Data", row.metadata_r2_url))
        return [(name, address) for name, url in named if (address := links.web_address(url))]


@dataclass(frozen=True, slots=True)
class ReportDetails:
    """A report and its neighbours in time."""

    report: Report
    newer: Report | None
    older: Report | None


def report(row: Heatmap) -> Report:
    """A row as a report."""
    return Report(row)


def incomplete(rows: Any) -> Any:
    """Reports that lack a host."""
    return rows.filter(hosts_included__lt=F("hosts_total"))


def answer(found: Sequence[Report]) -> str:
    """The sentence that the list opens with: what the newest report shown saw."""
    return f"The newest report here saw {found[0].words}" if found else "No report."


def details(*, scope: TeamScope, id: UUID) -> ReportDetails | None:
    """The report `id`; None when it is not there or not the viewer's. Three queries."""
    rows = Heatmap.objects.visible_to(scope)
    row = rows.select_related("team").filter(pk=id).first()
    if row is None:
        return None
    newer = older = None
    if row.generated_at is not None:
        newer = rows.filter(generated_at__gt=row.generated_at).order_by("generated_at", "pk").first()
        older = rows.filter(generated_at__lt=row.generated_at).order_by("-generated_at", "-pk").first()
    return ReportDetails(Report(row), Report(newer) if newer else None, Report(older) if older else None)
