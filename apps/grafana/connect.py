"""From an instance's row to a client of it."""

from __future__ import annotations

from django.conf import settings

from apps.grafana import address
from apps.grafana.client import Client
from apps.grafana.credentials import credentials_of
from apps.grafana.errors import AddressRefused
from apps.grafana.models import GrafanaInstance
from apps.grafana.transport import Limits, Patience, Transport

ONE_TRY = Patience(tries=1)
"""For people who wait for the page: what fails is told at once."""


def client_for(
    instance: GrafanaInstance, *, concurrency: int = 4, limits: Limits | None = None, patience: Patience | None = None
) -> Client:
    """A client for `concurrency` threads; nothing is sent yet. Raises AddressRefused, CredentialMissing."""
    try:
        place = address.parse(instance.address)
    except ValueError as error:
        raise AddressRefused(str(error)) from None
    transport = Transport(
        place,
        credentials_of(instance),
        org_id=instance.org_id,
        private=instance.from_environment or instance.private_network,
        verify_tls=instance.verify_tls,
        authorities=settings.GRAFANA_CA_BUNDLE,
        concurrency=concurrency,
        limits=limits,
        patience=patience,
    )
    return Client(transport, org_id=instance.org_id)
