"""Can the portal work with an instance: everything that a sync will need, asked at once and told in words.

Nothing is written there. What fails first is told as what fails; what would follow from it is not asked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from apps.dashboards.models import Dashboard
from apps.grafana import versions
from apps.grafana.client import Client
from apps.grafana.connect import ONE_TRY, client_for
from apps.grafana.errors import CredentialMissing, Forbidden, GrafanaError, NotFound, ServerFault, Unauthorised
from apps.grafana.mapping import sources_used
from apps.grafana.models import GrafanaInstance
from apps.grafana.transport import Limits

State = Literal["ok", "warning", "failing", "unknown"]

QUICK: Final = Limits(connect=3.0, read=8.0, answer=15.0)
JUDGED: Final = ((12, 4),)
"""Minor releases that the contract suite has passed on; 9.3 is judged by its source (docs/decisions/0008)."""
BY_SOURCE: Final = ((9, 3),)
NEEDED: Final = (
    "dashboards:read", "dashboards:create", "dashboards:write", "folders:read", "folders:create", "folders:write",
)  # fmt: skip
USEFUL: Final = {
    "dashboards:delete": "prune dashboards",
    "folders:delete": "prune folders",
    "folders.permissions:read": "see who may open a folder",
    "folders.permissions:write": "say who may open a folder",
    "teams:read": "find teams",
    "library.panels:read": "see library panels",
    "library.panels:write": "change library panels",
    "datasources:read": "see whether data sources are there",
}
WITHOUT_PLUGIN: Final = frozenset({"row", "grafana", "datasource", "-- Grafana --", "-- Mixed --", "-- Dashboard --"})
"""Types that are Grafana's own and in no list of plugins."""
ALIASES: Final = {"postgres": "grafana-postgresql-datasource"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `fix` says what to do, empty where nothing is to be done."""

    title: str
    state: State
    text: str
    fix: str = ""


@dataclass(frozen=True)
class Report:
    instance: GrafanaInstance
    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        """The worst of what was found."""
        states = {finding.state for finding in self.findings}
        order: tuple[State, ...] = ("failing", "warning", "unknown")
        return next((state for state in order if state in states), "ok")

    @property
    def sentence(self) -> str:
        failing = [finding for finding in self.findings if finding.state == "failing"]
        if failing:
            return f"The portal cannot work with it: {failing[0].text}"
        if self.state == "ok":
            return "Everything that a sync needs is there."
        return "The portal can work with it; some things need a look."


@dataclass(frozen=True)
class Needs:
    """What registered dashboards need of a Grafana: data sources by uid and plugins by id, with how many need each."""

    sources: Mapping[str, int]
    plugins: Mapping[str, int]


def needs(bodies: Iterable[Mapping[str, Any]]) -> Needs:
    """What these bodies need."""
    sources: Counter[str] = Counter()
    plugins: Counter[str] = Counter()
    for body in bodies:
        sources.update(sources_used(body))
        plugins.update(_types(body) - WITHOUT_PLUGIN)
    return Needs(sources, plugins)


def registered_needs() -> Needs:
    """What all registered dashboards that are pushed need."""
    rows = Dashboard.objects.registered().filter(enabled=True).exclude(current=None).select_related("current__stored")
    return needs(row.body for row in rows.iterator(chunk_size=200))


def examine(instance: GrafanaInstance, wanted: Needs) -> Report:
    """Ask it now, for some seconds at most, and remember on the row what it said. Never raises for what is wrong."""
    found: list[Finding] = []
    version = ""
    try:
        with client_for(instance, concurrency=1, limits=QUICK, patience=ONE_TRY) as client:
            version = _server(client, found)
            _account(client, instance, found)
            may = _permissions(client, found)
            _newer_api(client, found)
            _sources(client, instance, wanted, may, found)
            _plugins(client, wanted, found)
    except CredentialMissing as error:
        found.append(
            Finding("Account", "failing", error.text, "Set it where the portal runs, and start the portal again.")
        )
    except GrafanaError as error:
        found.append(Finding(*_refusal(error)))
    report = Report(instance, tuple(found))
    instance.remember(next((finding.text for finding in found if finding.state == "failing"), ""), version)
    return report


def _server(client: Client, found: list[Finding]) -> str:
    began = time.monotonic()
    health = client.health()
    milliseconds = (time.monotonic() - began) * 1000
    found.append(Finding("Reachable", "ok", f"It answers after {milliseconds:.0f} ms, and its database is well."))
    found.append(Finding("Version", *_version(health.version)))
    return health.version


def _version(text: str) -> tuple[State, str, str]:
    version = versions.parse(text)
    if version is None:
        return "unknown", "It does not tell visitors its version.", ""
    if version < versions.OLDEST:
        return "failing", f"{version} is older than {versions.OLDEST}, the oldest that the portal knows.", "Update it."
    flaws = versions.flaws_of(version)
    if flaws:
        names = ", ".join(flaw.name for flaw in flaws)
        return "warning", f"{version} has flaws that are mended in newer releases: {names}.", "Update it."
    if version[:2] in JUDGED:
        return "ok", f"{version}. The portal was judged by a real one of this release.", ""
    if version[:2] in BY_SOURCE:
        return "ok", f"{version}. The portal was judged by its source.", ""
    return "ok", f"{version}. The portal was judged by 12.4 and 9.3; what lies around them should do.", ""


def _account(client: Client, instance: GrafanaInstance, found: list[Finding]) -> None:
    organisation = client.organisation()
    found.append(Finding("Account", "ok", f"The {_kind(instance)} from {instance.variable} is accepted."))
    if organisation.id != instance.org_id:
        # A token belongs to its own organisation, whatever is asked for.
        text = f"The account acts in organisation {organisation.id}, {organisation.name}, and not in {instance.org_id}."
        found.append(
            Finding("Organisation", "failing", text, "Take an account of that organisation, or mend the number.")
        )
        return
    found.append(Finding("Organisation", "ok", f"{organisation.name} (number {organisation.id})"))


def _kind(instance: GrafanaInstance) -> str:
    return "token" if instance.account == GrafanaInstance.Account.TOKEN else f"password of {instance.user_name}"


def _permissions(client: Client, found: list[Finding]) -> frozenset[str]:
    try:
        may = frozenset(client.permissions())
    except NotFound:
        found.append(Finding("Permissions", "unknown", "It does not tell what the account may do."))
        return frozenset()
    missing = [action for action in NEEDED if action not in may]
    lesser = [what for action, what in USEFUL.items() if action not in may]
    fix = "Give the account the role Editor, or Admin to manage permissions of folders."
    if missing:
        found.append(Finding("Permissions", "failing", f"The account may not: {', '.join(missing)}.", fix))
    elif lesser:
        found.append(Finding("Permissions", "warning", f"The account cannot {', '.join(lesser)}.", fix))
    else:
        found.append(Finding("Permissions", "ok", "The account may do all that a sync does."))
    return may


def _newer_api(client: Client, found: list[Finding]) -> None:
    known = client.api_versions()
    text = f"/apis has dashboards in {', '.join(known)}." if known else "It has none; the older one is enough."
    found.append(Finding("Newer API", "ok", text))


def _sources(
    client: Client, instance: GrafanaInstance, wanted: Needs, may: frozenset[str], found: list[Finding]
) -> None:
    if not wanted.sources:
        found.append(Finding("Data sources", "ok", "No registered dashboard names one."))
        return
    if may and "datasources:read" not in may:
        found.append(Finding("Data sources", "unknown", "The account may not see them."))
        return
    there = {source.uid: source for source in client.data_sources()}
    missing, named = [], []
    for uid, count in sorted(wanted.sources.items()):
        target = instance.datasources.get(uid, uid)
        arrow = uid if target == uid else f"{uid} → {target}"
        if target in there:
            named.append(f"{arrow} ({there[target].name})")
        else:
            missing.append(f"{arrow} ({_dashboards(count)})")
    if named:
        found.append(Finding("Data sources", "ok", f"Found: {', '.join(named)}."))
    if missing:
        text = f"Not there: {', '.join(missing)}. These dashboards are not pushed."
        others = ", ".join(f"{source.name} is {source.uid}" for source in there.values()) or "it has none"
        fix = f"Make them, or name others under 'Data sources' of the instance ({others})."
        found.append(Finding("Missing data sources", "warning", text, fix))


def _plugins(client: Client, wanted: Needs, found: list[Finding]) -> None:
    there = {plugin.id for plugin in client.plugins()}
    missing = {name: count for name, count in wanted.plugins.items() if ALIASES.get(name, name) not in there}
    if missing:
        listed = ", ".join(f"{name} ({_dashboards(count)})" for name, count in sorted(missing.items()))
        found.append(Finding("Plugins", "warning", f"Not installed: {listed}.", "Install them there."))
    else:
        found.append(Finding("Plugins", "ok", f"All {len(wanted.plugins)} that registered dashboards need are there."))


def _refusal(error: GrafanaError) -> tuple[str, State, str, str]:
    match error:
        case Forbidden():
            return "Account", "failing", error.text, "Give the account access to this organisation."
        case Unauthorised():
            return "Account", "failing", error.text, "Put a good secret into the variable, and start the portal again."
        case ServerFault():
            return "Reachable", "failing", error.text, "Its own log says why."
        case _:
            return "Reachable", "failing", error.text, "Mend the address, or start that Grafana."


def _dashboards(count: int) -> str:
    return f"{count} dashboard{'' if count == 1 else 's'}"


def _types(body: Mapping[str, Any]) -> set[str]:
    """Types of panels, also of those in rows, and of data sources."""
    found: set[str] = set()
    rows: list[Any] = [body.get("panels")]
    while rows:
        panels = rows.pop()
        for panel in panels if isinstance(panels, list) else ():
            if isinstance(panel, Mapping):
                found.add(str(panel.get("type") or ""))
                rows.append(panel.get("panels"))
    waiting: list[Any] = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, Mapping):
            source = one.get("datasource")
            if isinstance(source, Mapping) and isinstance(source.get("type"), str):
                found.add(source["type"])
            waiting += one.values()
    return {name for name in found if name and not name.startswith(("$", "[["))}
