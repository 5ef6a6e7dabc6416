"""Words of others, such as a driver's error, freed of our secrets before anybody reads them."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings

from apps.grafana import credentials

HIDDEN = "********"


def error_text(error: BaseException) -> str:
    """The first line of an error without any configured secret; its class where it says nothing."""
    lines = str(error).strip().splitlines()
    return mask(lines[0]) if lines else type(error).__name__


def mask(text: str) -> str:
    """`text` with each configured secret replaced, raw or percent-encoded."""
    # The longest first: one secret may be the beginning of another.
    for secret in sorted(_secrets(), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _secrets() -> set[str]:
    addresses = (
        settings.SOURCE_ADDRESS,
        settings.PORTAL_ADDRESS,
        settings.SOURCE_READER_ADDRESS,
        settings.GRAFANA_READER_ADDRESS,
        settings.GRAFANA_DATABASE_ADDRESS,
    )
    raw = {address.password for address in addresses if address}
    raw |= {str(entry.get("PASSWORD", "")) for entry in settings.DATABASES.values()}
    raw |= {
        settings.SECRET_KEY,
        settings.GRAFANA_ADMIN_PASSWORD,
        settings.GRAFANA_SECRET_KEY,
        settings.GRAFANA_TOKEN,
        settings.SUPABASE_ANON_KEY,
        settings.METRICS_TOKEN,
        settings.REDIS_PASSWORD,
    }
    raw |= credentials.seen()
    raw.discard("")
    return raw | {quote(secret, safe="") for secret in raw}
