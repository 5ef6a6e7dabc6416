"""Quick questions of machines: are the databases there. Each is asked once a second at most, whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

from apps.health.checks import PORTAL_PROBE, SOURCE_PROBE
from apps.health.findings import State, run, worst

KEPT_SECONDS = 1.0


@dataclass(frozen=True)
class Readiness:
    """The portal is ready when its own database is there; without the source it is degraded, and still answers."""

    portal: State
    source: State

    @property
    def ready(self) -> bool:
        return self.portal is not State.FAILING

    @property
    def word(self) -> str:
        """`ok`, `degraded` or `unavailable`."""
        if not self.ready:
            return "unavailable"
        return "ok" if self.source is not State.FAILING else "degraded"


def readiness() -> Readiness:
    """Both states, within a second."""
    findings = run((PORTAL_PROBE, SOURCE_PROBE), max_age=KEPT_SECONDS)
    return Readiness(worst(findings[:1]), worst(findings[1:]))
