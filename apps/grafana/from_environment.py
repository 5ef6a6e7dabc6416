"""The instance that the environment describes: `GRAFANA_URL`, or the portal's own Grafana on this machine."""

from __future__ import annotations

from django.conf import settings

from apps.grafana.models import GrafanaInstance

NAME = "default"
PATH = "/grafana"
"""Where the portal's own Grafana is, behind the portal as on its own port."""


def register() -> GrafanaInstance:
    """Make or renew the row; idempotent. What can be chosen in the admin (policy, pause, mapping) is left as it is."""
    given = bool(settings.GRAFANA_URL)
    with_password = not settings.GRAFANA_TOKEN and (not given or _password_given())
    facts = {
        "address": settings.GRAFANA_URL or f"http://127.0.0.1:{settings.GRAFANA_PORT}{PATH}",
        "public_address": "" if given else f"{settings.PUBLIC_URL}{PATH}",
        "org_id": settings.GRAFANA_ORG_ID,
        "account": GrafanaInstance.Account.BASIC if with_password else GrafanaInstance.Account.TOKEN,
        "user_name": settings.GRAFANA_ADMIN_USER if with_password else "",
        "variable": "GRAFANA_ADMIN_PASSWORD" if with_password else "GRAFANA_TOKEN",
        "private_network": True,
    }
    row = GrafanaInstance.objects.filter(from_environment=True).first()
    if row is None:
        return GrafanaInstance.objects.create(name=_free_name(), from_environment=True, **facts)
    if any(getattr(row, name) != value for name, value in facts.items()):
        for name, value in facts.items():
            setattr(row, name, value)
        row.save(update_fields=list(facts))
    return row


def _password_given() -> bool:
    """The password that the portal made for itself is nobody else's."""
    return settings.ENV.given("GRAFANA_ADMIN_PASSWORD") or settings.ENV.given("GRAFANA_ADMIN_PASSWORD_FILE")


def _free_name() -> str:
    taken = set(GrafanaInstance.objects.values_list("name", flat=True))
    return next(name for name in (NAME, *(f"{NAME} {n}" for n in range(2, len(taken) + 3))) if name not in taken)
