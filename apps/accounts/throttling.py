"""How often a token, or a signed-in person, may call the API: `settings.API_REQUESTS_PER_MINUTE`, in each process.

A bucket per caller that holds a minute's requests and fills evenly: bursts pass, and who is refused is told in how many
seconds one more passes. It is counted in the process's memory, since a count in the database would cost every request a
write; with several web processes, each grants the whole number.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from django.conf import settings
from rest_framework.throttling import BaseThrottle

from apps.accounts.models import ApiToken

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

_MOST_CALLERS: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


_buckets: dict[str, _Bucket] = {}
_lock = Lock()


def take(caller: str, now: float | None = None) -> float:
    """Count a request of `caller` at `now` (seconds of a steady clock). Returns 0 when it passes, else the seconds to
    wait; one that has to wait is not counted."""
    most = settings.API_REQUESTS_PER_MINUTE
    if not most:
        return 0.0
    now = time.monotonic() if now is None else now
    with _lock:
        if len(_buckets) >= _MOST_CALLERS:
            # Whoever has not called for a minute has a full bucket, which is what a new one gets.
            for key in [key for key, one in _buckets.items() if now - one.at > 60]:
                del _buckets[key]
        bucket = _buckets.setdefault(caller, _Bucket(most, now))
        bucket.left = min(most, bucket.left + (now - bucket.at) * most / 60)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0.0
        return (1 - bucket.left) * 60 / most


def forget() -> None:
    """Everybody's bucket is full again."""
    with _lock:
        _buckets.clear()


class RequestThrottle(BaseThrottle):
    """REST framework's throttle of all views of the API that say nothing else."""

    def __init__(self) -> None:
        self._wait = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        caller = f"token {request.auth.pk}" if isinstance(request.auth, ApiToken) else f"user {request.user.pk}"
        self._wait = take(caller)
        return not self._wait

    def wait(self) -> float:
        return self._wait
