"""What was configured, and what of it does not fit together. Values that nobody could work with never get this far."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from apps.health.findings import Verdict, ok, warning

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


def given(name: str) -> bool:
    """Whether somebody set the variable, or the file that holds it."""
    return settings.ENV.given(name) or settings.ENV.given(f"{name}_FILE")


def addresses() -> Verdict:
    """Where the databases are said to be; two addresses of the source that disagree are told."""
    details: dict[str, object] = {
        "source": settings.SOURCE_ADDRESS.masked if settings.SOURCE_ADDRESS else "embedded",
        "source_access": settings.SOURCE_ACCESS,
        "portal": settings.PORTAL_ADDRESS.masked if settings.PORTAL_ADDRESS else "not given",
        "reader": settings.SOURCE_READER_ADDRESS.masked if settings.SOURCE_READER_ADDRESS else "not given",
        "data_dir": str(settings.DATA_DIR),
    }
    if settings.SOURCE_ADDRESSES_DIFFER:
        return warning(
            "DATABASE_URL and the SUPABASE_DB_* variables name different databases; DATABASE_URL is used.",
            "Remove the one that you do not mean.",
            **details,
        )
    if settings.SOURCE_ADDRESS is None:
        return ok("No database was given: the embedded server is used, and owned.", **details)
    words = {"read": "only read", "write": "read and its rows written", "own": "owned: migrated and written"}
    return ok(f"A source database was given; it is {words[settings.SOURCE_ACCESS]}.", **details)


def secrets() -> Verdict:
    """Which secrets were given, and which the portal made for itself."""
    names = ("SECRET_KEY", "GRAFANA_ADMIN_PASSWORD", "GRAFANA_SECRET_KEY")
    made = [name for name in names if not given(name)]
    details: dict[str, object] = {name: "made" if name in made else "given" for name in names}
    details["REDIS_URL"] = "given" if settings.REDIS_URL else "not given"
    details["METRICS_TOKEN"] = "given" if settings.METRICS_TOKEN else "not given"
    if made:
        details["kept_in"] = str(settings.DATA_DIR / "secrets.env")
        return ok(f"{len(made)} of {len(names)} were made by the portal and are kept in its data directory.", **details)
    return ok("All were given.", **details)


def debug() -> Verdict:
    """DEBUG shows settings and source to whoever causes an error."""
    if settings.DEBUG:
        return warning(
            "DEBUG is on: error pages show code and settings to every visitor.",
            "Remove DEBUG, but on your own machine.",
        )
    return ok("Off.")


def public_address() -> Verdict:
    """The address that people type, without which cookies are not marked for TLS and links cannot be whole."""
    elsewhere = [host for host in settings.ALLOWED_HOSTS if host not in LOCAL_HOSTS]
    details: dict[str, object] = {
        "public_url": settings.PUBLIC_URL or "not given",
        "allowed_hosts": ", ".join(settings.ALLOWED_HOSTS),
        "trusted_proxy_count": settings.TRUSTED_PROXY_COUNT,
    }
    if not settings.PUBLIC_URL:
        if elsewhere:
            return warning(
                "The portal answers beyond this machine without a PUBLIC_URL: its cookies are not bound to TLS.",
                "Set PUBLIC_URL to the address that people type, such as https://portal.example.org.",
                **details,
            )
        return ok("The portal answers on this machine alone.", **details)
    if urlsplit(settings.PUBLIC_URL).scheme == "http" and elsewhere:
        return warning(
            "PUBLIC_URL is not encrypted: passwords and sessions can be read on the way.",
            "Put a proxy with TLS in front, and write https:// in PUBLIC_URL.",
            **details,
        )
    if settings.BEHIND_TLS and settings.TRUSTED_PROXY_COUNT == 0:
        return warning(
            "PUBLIC_URL says https, so a proxy stands in front, and TRUSTED_PROXY_COUNT is 0: every visitor seems to "
            "come from the proxy, and sign-ins are limited for all of them together.",
            "Set TRUSTED_PROXY_COUNT to the number of proxies, usually 1.",
            **details,
        )
    return ok("Given.", **details)
