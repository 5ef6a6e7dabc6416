"""The portal's settings with the address of the control, and no throttle."""

from vptmonitor.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.plain_ingest"
API_REQUESTS_PER_MINUTE = 0
