"""Every address of the portal."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from apps.accounts.problems import no_such_address

urlpatterns: list[URLPattern | URLResolver] = [
    # First what programs ask for often: addresses are tried in this order.
    path("api/v1/", include("apps.mirror.api.urls")),
    path("api/v1/", include("apps.triage.urls")),
    path("api/v1/", include("apps.dashboards.urls")),
    path("api/v1/", include("apps.grafana.urls")),
    path("api/v1/", include("apps.ingest.urls")),
    path("api/v1/", include("apps.live.urls")),
    path("", include("apps.portal.urls")),
    path("", include("apps.health.urls")),
    re_path("^api/", no_such_address),
    path("account/", include("apps.accounts.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "vptmonitor.middleware.server_error"
