"""What was configured, without its secrets, and fingerprints that tell whether two secrets are the same."""

from __future__ import annotations

import hashlib
from typing import Final

from django.conf import settings

SECRETS: Final = ("SECRET_KEY", "GRAFANA_SECRET_KEY")
"""Those that stored values depend on: what is signed or sealed with one key is nothing with another."""


def variables() -> dict[str, str]:
    """Each variable that was given and is no secret; secrets are those that can also come from a file."""
    asked = set(settings.ENV.asked)
    plain = [name for name in asked if f"{name}_FILE" not in asked and not name.endswith("_FILE")]
    return {name: settings.ENV.text(name) for name in sorted(plain) if settings.ENV.given(name)}


def fingerprints(salt: str) -> dict[str, str]:
    """By secret. Slow on purpose: somebody may have chosen a short one."""
    return {name: _fingerprint(str(getattr(settings, name)), salt) for name in SECRETS}


def others(theirs: dict[str, str], salt: str) -> list[str]:
    """The secrets that differ from those of which `theirs` tells."""
    mine = fingerprints(salt)
    return [name for name in SECRETS if theirs.get(name) not in (None, mine[name])]


def _fingerprint(secret: str, salt: str) -> str:
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=8).hex()
