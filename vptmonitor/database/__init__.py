"""The portal's PostgreSQL backend: Django's own, plus the embedded server, read-only sessions and reduced schemas."""
