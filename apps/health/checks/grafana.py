"""The Grafana beside the portal: whose it is, whether it answers, and what is to be said of its version."""

from __future__ import annotations

from django.conf import settings

from apps.grafana import availability, run_state
from apps.grafana.availability import Kind, State
from apps.grafana.installation import BadHomeError, find
from apps.grafana.models import GrafanaInstance
from apps.grafana.starting import warnings
from apps.health import processes
from apps.health.findings import Verdict, failing, ok, unknown, warning

WHOSE = {Kind.OWN: "The portal's own Grafana", Kind.EXTERNAL: "The Grafana of GRAFANA_URL"}


def check() -> Verdict:
    """Is there one, and is it well. Without one nothing of the portal's own is missing."""
    found = availability.look()
    if found.state is State.ABSENT:
        return _absent()
    told = run_state.read()
    details: dict[str, object] = {"whose": str(found.kind), "address": found.url}
    if found.kind is Kind.OWN and told is not None:
        details["home"] = told.home
        details["database"] = (
            settings.GRAFANA_DATABASE_ADDRESS.masked if settings.GRAFANA_DATABASE_ADDRESS else "SQLite"
        )
    if found.reason:
        details["reason"] = found.reason
    whose = f"{WHOSE[found.kind]}{f', {found.version},' if found.version else ''}"
    if found.state is State.STARTING:
        return warning(f"{whose} is starting; the portal draws the dashboards itself meanwhile.", "Wait.", **details)
    if found.state is State.DOWN:
        fix = "Its log lines say why." if found.kind is Kind.OWN else "Start it, or mend GRAFANA_URL."
        return failing(f"{whose} does not answer; the portal draws the dashboards itself.", fix, **details)
    if told_of := warnings(found.version):
        details["warnings"] = "; ".join(told_of)
        return warning(
            f"{whose} answers, and should be updated.", "`manage.py install_grafana` fetches one.", **details
        )
    return ok(f"{whose} answers.", **details)


def others() -> Verdict:
    """What the Grafanas that were added in the admin said when they were last asked, by a sync or a test."""
    rows = list(GrafanaInstance.objects.filter(enabled=True, from_environment=False))
    if not rows:
        return ok("None was added in the admin.")
    wrong = {row.name: row.problem for row in rows if row.problem}
    if wrong:
        names = ", ".join(sorted(wrong))
        return warning(
            f"When last asked, {len(wrong)} of {len(rows)} had a problem: {names}.",
            "'Test connection' in the admin says what it is.",
            **wrong,
        )
    silent = [row.name for row in rows if row.answered_at is None]
    if silent:
        return unknown(f"Not asked yet: {', '.join(silent)}.", "'Test connection' in the admin asks them.")
    return ok(f"All {len(rows)} answered when they were last asked.")


def _absent() -> Verdict:
    try:
        installed = find()
    except BadHomeError as error:
        return failing(
            "GRAFANA_HOME names no installation; the portal draws the dashboards itself.",
            "Mend GRAFANA_HOME, or leave it out.",
            reason=str(error),
        )
    if installed is not None:
        details: dict[str, object] = {"home": str(installed.home), "found_by": installed.found_by}
        text = "One is installed and does not run; the portal draws the dashboards itself."
        if any(row.name == "grafana" and row.says not in {"gone", "stopped"} for row in processes.read()):
            return warning(text, "Start the portal again: its process `grafana` runs it.", **details)
        return unknown(text, "Start the portal with `make run`.", **details)
    return ok("None is installed or configured, and none is needed: the portal draws the dashboards itself.")
