"""Django's settings, all from the environment and `.env` (see `.env.example`). A wrong value stops the start.

Nothing here connects to a database or starts a server: the database backend does that on its first connection.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from vptmonitor import database_url, log
from vptmonitor.database_url import Address
from vptmonitor.environment import ConfigurationError, Environment, read
from vptmonitor.redis_url import password_of

ROOT = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

try:
    ENV: Environment = read(ROOT, os.environ)

    # The portal itself --------------------------------------------------------------------------------------------
    DATA_DIR = Path(ENV.text("DATA_DIR") or ROOT / ".data").absolute()
    DEBUG = ENV.flag("DEBUG", False)
    SECRET_KEY = ENV.own_secret("SECRET_KEY", 64)
    PORT = ENV.integer("PORT", 5109, 1, 65535)
    WEB_PORT = int(os.environ.get("VPTMONITOR_WEB_PORT") or PORT)  # what PORT is to the line `web`; see start.py
    SECOND_PORT = ENV.integer("SECOND_PORT", 0, 0, 65535)
    if SECOND_PORT in (WEB_PORT, ENV.integer("GRAFANA_PORT", 3000, 1, 65535)):
        raise ConfigurationError(
            "SECOND_PORT", f"{SECOND_PORT} is PORT or GRAFANA_PORT too", "Take another, or let GRAFANA_PORT be 3001"
        )
    PUBLIC_URL = (ENV.text("PUBLIC_URL") or ENV.text("RENDER_EXTERNAL_URL")).rstrip("/")
    if PUBLIC_URL and (urlsplit(PUBLIC_URL).scheme not in {"http", "https"} or not urlsplit(PUBLIC_URL).hostname):
        raise ConfigurationError("PUBLIC_URL", "it is no web address", "Write it as https://portal.example.org")
    _public_host = urlsplit(PUBLIC_URL).hostname or ""
    ALLOWED_HOSTS = ENV.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]", *filter(None, [_public_host])])
    if "*" in ALLOWED_HOSTS and not DEBUG:
        raise ConfigurationError("ALLOWED_HOSTS", "'*' lets anybody forge the host name", "Name the portal's hosts")
    CSRF_TRUSTED_ORIGINS = ENV.words("CSRF_TRUSTED_ORIGINS", [PUBLIC_URL] if PUBLIC_URL else [])
    for _origin in CSRF_TRUSTED_ORIGINS:
        if "://" not in _origin:
            raise ConfigurationError("CSRF_TRUSTED_ORIGINS", f"{_origin!r} has no scheme", "Write https://host")
    TRUSTED_PROXY_COUNT = ENV.integer("TRUSTED_PROXY_COUNT", 0, 0, 10)
    TIME_ZONE = ENV.text("TIME_ZONE", "UTC")
    if TIME_ZONE not in available_timezones():
        raise ConfigurationError("TIME_ZONE", f"{TIME_ZONE!r} is no time zone", "Write one such as Europe/Paris")
    LOG_LEVEL = ENV.choice("LOG_LEVEL", ("debug", "info", "warning", "error"), "info").upper()
    LOG_FORMAT = ENV.choice("LOG_FORMAT", ("text", "json"), "text")
    HTTP_THREADS = ENV.integer("HTTP_THREADS", 8, 1, 64)
    METRICS_TOKEN = ENV.secret("METRICS_TOKEN")
    API_REQUESTS_PER_MINUTE = ENV.integer("API_REQUESTS_PER_MINUTE", 1200, 0, 1_000_000)
    LIVE_SOCKETS_PER_USER = ENV.integer("LIVE_SOCKETS_PER_USER", 20, 1, 10_000)
    LIVE_KEEP_MINUTES = ENV.integer("LIVE_KEEP_MINUTES", 60, 1, 1440)
    LIVE_KEEP_EVENTS = ENV.integer("LIVE_KEEP_EVENTS", 50_000, 1000, 1_000_000)
    LIVE_POLL_SECONDS = ENV.integer("LIVE_POLL_SECONDS", 2, 1, 60)

    REDIS_URL = ENV.secret("REDIS_URL", raw=True).strip()
    try:
        REDIS_PASSWORD = password_of(REDIS_URL) if REDIS_URL else ""
    except ValueError as error:
        raise ConfigurationError("REDIS_URL", "it is no address of a Redis", str(error)) from None

    # Databases ----------------------------------------------------------------------------------------------------
    _url = ENV.secret("DATABASE_URL", raw=True)
    _url_address = None
    if _url:
        try:
            _url_address = database_url.from_url(_url)
        except ValueError as error:
            raise ConfigurationError("DATABASE_URL", "it cannot be read", str(error)) from None
    _parts_address = None
    _supabase_host = ENV.text("SUPABASE_DB_HOST")
    _supabase_port = ENV.integer("SUPABASE_DB_PORT", 5432, 1, 65535)
    _supabase_name = ENV.text("SUPABASE_DB_NAME", "postgres")
    _supabase_user = ENV.text("SUPABASE_DB_USER", "postgres")
    _supabase_password = ENV.secret("SUPABASE_DB_PASSWORD", raw=True)
    if _supabase_host:
        try:
            _parts_address = database_url.from_parts(
                _supabase_host, _supabase_port, _supabase_name, _supabase_user, _supabase_password
            )
        except ValueError as error:
            raise ConfigurationError("SUPABASE_DB_HOST", "it cannot be used", str(error)) from None
    SOURCE_ADDRESS: Address | None = _url_address or _parts_address
    SOURCE_ADDRESSES_DIFFER = bool(
        _url_address and _parts_address and _url_address.same_place != _parts_address.same_place
    )
    SOURCE_ACCESS = ENV.choice("SOURCE_ACCESS", ("read", "write", "own"), "read" if SOURCE_ADDRESS else "own")
    if SOURCE_ACCESS != "own" and SOURCE_ADDRESS is None:
        raise ConfigurationError("SOURCE_ACCESS", "the embedded database is owned", "Set DATABASE_URL or leave it out")

    def _address(name: str) -> Address | None:
        text = ENV.secret(name, raw=True)
        try:
            return database_url.from_url(text) if text else None
        except ValueError as problem:
            raise ConfigurationError(name, "it cannot be read", str(problem)) from None

    SOURCE_READER_ADDRESS = _address("SOURCE_READER_URL")
    PORTAL_ADDRESS = _address("PORTAL_DATABASE_URL")

    # The neighbours -----------------------------------------------------------------------------------------------
    SUPABASE_URL = ENV.text("NEXT_PUBLIC_SUPABASE_URL")
    SUPABASE_ANON_KEY = ENV.secret("NEXT_PUBLIC_SUPABASE_ANON_KEY", raw=True)
    GRAFANA_ADMIN_USER = ENV.text("GRAFANA_ADMIN_USER", "admin")
    GRAFANA_ADMIN_PASSWORD = ENV.own_secret("GRAFANA_ADMIN_PASSWORD", 20)
    GRAFANA_SECRET_KEY = ENV.own_secret("GRAFANA_SECRET_KEY")
    GRAFANA_DOMAIN = ENV.text("GRAFANA_DOMAIN", "localhost")
    GRAFANA_PORT = ENV.integer("GRAFANA_PORT", 3000, 1, 65535)
    GRAFANA_ROLE_OF_ADMINS = ENV.choice("GRAFANA_ROLE_OF_ADMINS", ("admin", "editor", "viewer"), "admin")
    PANELS = ENV.choice("PANELS", ("auto", "grafana", "portal"), "auto")
    GRAFANA_URL = ENV.text("GRAFANA_URL").rstrip("/")
    if GRAFANA_URL and (urlsplit(GRAFANA_URL).scheme not in {"http", "https"} or not urlsplit(GRAFANA_URL).hostname):
        raise ConfigurationError("GRAFANA_URL", "it is no web address", "Write it as https://grafana.example.org")
    GRAFANA_TOKEN = ENV.secret("GRAFANA_TOKEN", raw=True)
    GRAFANA_CA_BUNDLE = ENV.text("GRAFANA_CA_BUNDLE")
    if GRAFANA_CA_BUNDLE and not Path(GRAFANA_CA_BUNDLE).is_file():
        raise ConfigurationError("GRAFANA_CA_BUNDLE", "there is no such file", "Name a file of certificates (PEM)")
    GRAFANA_ORG_ID = ENV.integer("GRAFANA_ORG_ID", 1, 1, 2**31 - 1)
    SYNC_INTERVAL = ENV.integer("SYNC_INTERVAL", 600, 0, 86_400)
    SYNC_PRUNE_LIMIT = ENV.integer("SYNC_PRUNE_LIMIT", 10, 0, 10_000)
    GRAFANA_HOME = ENV.text("GRAFANA_HOME")
    GRAFANA_DATABASE_ADDRESS = _address("GRAFANA_DATABASE_URL")
    GRAFANA_READER_ADDRESS = _address("GRAFANA_READER_URL")
    DEMO = ENV.flag("DEMO", SOURCE_ADDRESS is None)
    if DEMO and SOURCE_ACCESS != "own":
        raise ConfigurationError("DEMO", "demo rows go into a database of our own only", "Leave DEMO out")
except ConfigurationError as error:
    raise ImproperlyConfigured(str(error)) from error

EMBEDDED_DIR = DATA_DIR / "postgres"
EMBEDDED_DURABLE = True
EMBEDDED_SUPERUSER = "vptmonitor.database.superuser.superuser_parameters"
EMBEDDED_HOLD = "vptmonitor.database.base.hold_embedded"
STATE_DIR = DATA_DIR / "processes"
PROCESS_STATES = "vptmonitor.process_state.read_all"

SOURCE_STATEMENT_TIMEOUT = 30_000
"""Milliseconds that one statement of a page may take on a database that we do not own."""


def _database(address: Address | None, name: str, place: str) -> dict[str, Any]:
    """A DATABASES entry: of a given address, or of the embedded server (which the backend starts and fills in)."""
    entry: dict[str, Any] = {
        "ENGINE": "vptmonitor.database",
        "NAME": address.name if address else name,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "PLACE": place,
        "OPTIONS": {"connect_timeout": 5, "application_name": f"vptmonitor {log.process_name()}"},
    }
    if address:
        entry |= {"HOST": address.host, "PORT": str(address.port), "USER": address.user, "PASSWORD": address.password}
        entry["OPTIONS"] |= address.parameters
    return entry


_portal_place = "given" if PORTAL_ADDRESS else "beside" if SOURCE_ADDRESS else "embedded"
DATABASES = {
    "default": _database(PORTAL_ADDRESS or SOURCE_ADDRESS, "vptmonitor", _portal_place),
    "source": _database(SOURCE_ADDRESS, "virtualpytest", "given" if SOURCE_ADDRESS else "embedded"),
}
DATABASE_ROUTERS = ["vptmonitor.router.SourceRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "apps.accounts",
    "apps.mirror",
    "apps.triage",
    "apps.panels",
    "apps.live",
    "apps.dashboards",
    "apps.grafana",
    "apps.ingest",
    "apps.health",
    "apps.worker",
    "apps.backup",
    "apps.portal",
    "apps.accounts.admin_config.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "drf_spectacular",
]

MIDDLEWARE = [
    "vptmonitor.middleware.RequestLog",
    "apps.health.middleware.RequestMetrics",
    "vptmonitor.middleware.DatabaseAway",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.AccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "vptmonitor.urls"
WSGI_APPLICATION = "vptmonitor.wsgi.application"
ASGI_APPLICATION = "vptmonitor.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "apps.portal.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apps.accounts.backend.LimitedBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "vptmonitor.static_files.ModuleStorage"
    },
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": [
        "apps.mirror.rest.rendering.FastJSONRenderer",
        "apps.mirror.rest.rendering.PageRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.mirror.rest.rendering.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "apps.accounts.openapi.ApiSchema",
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["apps.accounts.throttling.RequestThrottle"],
    # Who may call a view is declared with the view; the gate before all views sees to it.
    "DEFAULT_PERMISSION_CLASSES": [],
    "EXCEPTION_HANDLER": "apps.accounts.problems.handler",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "vptmonitor",
    "DESCRIPTION": "What VirtualPyTest's hosts do and see: rows, metrics, dashboards. docs/api.md tells how to begin.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_NO_READ_ONLY_REQUIRED": True,
}

# Safe by default; what needs TLS follows the public address. ----------------------------------------------------------
BEHIND_TLS = PUBLIC_URL.startswith("https://")
SECURE_SSL_REDIRECT = False  # the proxy that ends TLS does it; the container answers health checks by plain HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SILENCED_SYSTEM_CHECKS = [
    "security.W019",  # pages may show themselves in frames of their own origin, as frame-ancestors says too
    "security.W005",  # whoever runs other sites below the same domain decides about their TLS
    "security.W008",  # see SECURE_SSL_REDIRECT
    "security.W021",  # the same for browsers' preload lists
]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "vptmonitor_session", "vptmonitor_csrf"
X_FRAME_OPTIONS = "SAMEORIGIN"
CSRF_FAILURE_VIEW = "apps.portal.views.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-src": [SELF],
        "frame-ancestors": [SELF],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

LOGGING = log.configuration(LOG_LEVEL, LOG_FORMAT)
LOGGING_CONFIG = "logging.config.dictConfig"

SIGN_IN_LIMIT = {"name_and_address": 5, "address": 30, "name": 50, "window_seconds": 900}
"""Failed sign-ins allowed within the window, per name at an address, per address, per name (all addresses)."""
