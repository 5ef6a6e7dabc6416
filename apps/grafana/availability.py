"""Is there a Grafana, and does it answer: asked of pages, proxy, health page and doctor alike.

There are three kinds: one of somebody else at `GRAFANA_URL`; the portal's own, which the Procfile's line `grafana` runs
(it tells in a file what it does, see `run_state`); or none, and the portal draws every panel itself.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import requests
from django.conf import settings

from apps.grafana import run_state
from apps.grafana.versions import Version, parse

logger = logging.getLogger(__name__)

SUB_PATH: Final = "/grafana"
"""Below it the portal's own Grafana serves, and the portal's proxy with it."""
KEPT_SECONDS: Final = 3.0
"""How long an answer is taken as it is."""
PROBE_SECONDS: Final = 1.5


class State(StrEnum):
    """`absent`: none is configured or installed; `starting`: the portal's own runs and does not answer yet."""

    ABSENT = "absent"
    STARTING = "starting"
    HEALTHY = "healthy"
    DOWN = "down"


class Kind(StrEnum):
    """Whose it is."""

    NONE = "none"
    OWN = "own"
    EXTERNAL = "external"


@dataclass(frozen=True)
class Availability:
    """What is known. `url` is where the portal itself reaches it, without a slash at the end; it is for no visitor.
    `version` is None where it is not known. `reason` says, for administrators, why it is not healthy."""

    state: State
    kind: Kind
    url: str = ""
    version: Version | None = None
    reason: str = ""

    @property
    def is_healthy(self) -> bool:
        """Whether it answers and its database is well."""
        return self.state is State.HEALTHY


def own_url() -> str:
    """Where the portal's own Grafana answers, on loopback alone."""
    return f"http://127.0.0.1:{settings.GRAFANA_PORT}{SUB_PATH}"


def look(seconds: float = PROBE_SECONDS) -> Availability:
    """Ask now; takes at most about `seconds`. Never raises."""
    if settings.GRAFANA_URL:
        return _ask(Kind.EXTERNAL, settings.GRAFANA_URL, seconds)
    told = run_state.read()
    if told is None or told.status == run_state.ABSENT:
        return Availability(State.ABSENT, Kind.NONE)
    found = _ask(Kind.OWN, told.url, seconds)
    version = found.version or parse(told.version)
    if not found.is_healthy and told.status == run_state.STARTING:
        return Availability(State.STARTING, Kind.OWN, told.url, version, found.reason)
    return Availability(found.state, Kind.OWN, told.url, version, found.reason)


_changed = threading.Condition()
_known: Availability | None = None
_asked_at = 0.0
_asking = False


def current(wait: float = PROBE_SECONDS) -> Availability:
    """What is known, at most `KEPT_SECONDS` old while somebody keeps asking; cheap, safe from any thread.

    An older answer is returned at once while a thread asks anew. Only the first caller of a process waits, at most
    `wait` seconds (0: it gets `starting` or `absent`, whichever is the better guess).
    """
    global _asking, _asked_at
    with _changed:
        if (_known is None or time.monotonic() - _asked_at > KEPT_SECONDS) and not _asking:
            _asking, _asked_at = True, time.monotonic()
            threading.Thread(target=_refresh, name="grafana-availability", daemon=True).start()
        if _known is None and wait:
            _changed.wait(wait)
        return _known or _guess()


def forget() -> None:
    """Drop what is known, so that the next call asks; for tests."""
    global _known
    with _changed:
        _known = None


def _refresh() -> None:
    global _known, _asking
    found: Availability | None = None
    try:
        found = look()
    finally:
        with _changed:
            if found is not None and _known is not None and found.state is not _known.state:
                logger.info("Grafana is %s now (it was %s)", found.state, _known.state)
            _known, _asking = found or _known, False
            _changed.notify_all()


def _guess() -> Availability:
    if settings.GRAFANA_URL:
        return Availability(State.STARTING, Kind.EXTERNAL, settings.GRAFANA_URL)
    return Availability(State.ABSENT, Kind.NONE)


def _ask(kind: Kind, url: str, seconds: float) -> Availability:
    """`GET /api/health`: 200 or 503 with `{"database": "ok" or "failing", "version": …}`; the version may be hidden."""
    session = requests.Session()
    # A proxy of the environment is for the world outside; and nobody's ~/.netrc is to be sent.
    session.trust_env = False
    session.verify = settings.GRAFANA_CA_BUNDLE or True
    try:
        with session.get(f"{url}/api/health", timeout=seconds, allow_redirects=False) as answer:
            body = json.loads(answer.content[:4096])
            version = parse(str(body.get("version", "")))
            if answer.status_code == 200 and body.get("database", "ok") == "ok":
                return Availability(State.HEALTHY, kind, url, version)
            reason = f"it answers {answer.status_code}, and its database is {body.get('database', 'not known')}"
    except requests.Timeout:
        version, reason = None, f"it does not answer within {seconds:g} s"
    except requests.RequestException as error:
        version, reason = None, f"it cannot be reached ({type(error).__name__})"
    except (ValueError, AttributeError):
        version, reason = None, "what answers there is no Grafana"
    finally:
        session.close()
    return Availability(State.DOWN, kind, url, version, reason)


def _after_fork() -> None:
    # A thread that asked does not live in the child.
    global _asking
    _asking = False


os.register_at_fork(after_in_child=_after_fork)
