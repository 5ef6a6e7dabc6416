"""Settings of a web process that is killed between commit and answer, now and then: the worst moment there is."""

import os
import random
import signal

from django.http import HttpRequest, HttpResponse

from vptmonitor.settings import *  # noqa: F403
from vptmonitor.settings import MIDDLEWARE as _PORTAL_S

API_REQUESTS_PER_MINUTE = 0
MIDDLEWARE = ["tests.soak.killing.Killed", *_PORTAL_S]
SHARE = float(os.environ.get("KILLED_SHARE", "0"))


class Killed:
    """Ends the process once a write is committed, before anybody hears of it."""

    def __init__(self, get_response):  # type: ignore[no-untyped-def]
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        if request.path.startswith("/api/v1/ingest/") and response.status_code < 300 and random.random() < SHARE:
            os.kill(os.getpid(), signal.SIGKILL)
        return response
