"""Where hosts and CI jobs write."""

from django.urls import path

from apps.ingest.api import Change, Ingest

app_name = "ingest"

urlpatterns = [
    path("ingest/<slug:kind>", Ingest.as_view(), name="rows"),
    path("ingest/<slug:kind>/<uuid:key>", Change.as_view(), name="row"),
]
