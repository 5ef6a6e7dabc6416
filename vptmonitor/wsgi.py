"""The WSGI application: all of the portal that speaks plain HTTP."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vptmonitor.settings")

application = get_wsgi_application()
