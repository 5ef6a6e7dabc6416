"""Databases that are somebody else's, as the health checks have them."""

from tests.health.conftest import given, owner, superuser  # noqa: F401 -- fixtures
