"""Every address of the portal."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.portal.urls")),
    path("", include("apps.health.urls")),
    path("account/", include("apps.accounts.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "vptmonitor.middleware.server_error"
