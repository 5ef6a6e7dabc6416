"""The secrets of instances: read from the environment at each use, by a name that only some variables can have.

Whoever may add an instance could else have any variable sent to an address of their own. So a row may name a variable
that begins with GRAFANA_TOKEN_ or GRAFANA_PASSWORD_ and no other; GRAFANA_TOKEN and the administrator's password are
for the instance that the environment itself describes, whose address no form can change.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings

from apps.grafana.errors import CredentialMissing
from apps.grafana.models import OWN_VARIABLE, GrafanaInstance
from apps.grafana.transport import Credentials

OF_THE_ENVIRONMENT: Final = ("GRAFANA_TOKEN", "GRAFANA_ADMIN_PASSWORD")

_seen: set[str] = set()


def credentials_of(instance: GrafanaInstance) -> Credentials:
    """Raises CredentialMissing when the variable may not be named, or holds nothing."""
    name = instance.variable
    if not (OWN_VARIABLE.fullmatch(name) or (instance.from_environment and name in OF_THE_ENVIRONMENT)):
        raise CredentialMissing(f"{name} is no variable that an instance may name.")
    secret = _value(name)
    if not secret:
        raise CredentialMissing(f"{name} is not set where the portal runs, or its file cannot be read.")
    _seen.add(secret)
    return Credentials(secret, instance.user_name if instance.account == GrafanaInstance.Account.BASIC else "")


def described(instance: GrafanaInstance) -> str:
    """Where the secret comes from and whether it is there, without it."""
    try:
        credentials_of(instance)
    except CredentialMissing:
        return f"from {instance.variable} (not set)"
    return f"from {instance.variable} (set)"


def seen() -> set[str]:
    """All secrets that were used in this process, so that they can be masked."""
    return set(_seen)


def _value(name: str) -> str:
    if name == "GRAFANA_ADMIN_PASSWORD":
        return settings.GRAFANA_ADMIN_PASSWORD  # made once where nobody gave one
    return settings.ENV.passed(name)
