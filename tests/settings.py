"""The settings of the test suite: the portal's own, on a PostgreSQL of its own that need not survive a power cut.

No variable that configures the portal reaches the tests; TEST_DATA_DIR moves their database. Each process of a parallel
run has a server of its own, since roles belong to the whole server.
"""

import os
import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
for _name in re.findall(r"^#?([A-Z_]+)=", (_ROOT / ".env.example").read_text(), re.MULTILINE):
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)
os.environ["ENV_FILE"] = ""
_place = Path(os.environ.get("TEST_DATA_DIR", _ROOT / ".data" / "test"))
os.environ["DATA_DIR"] = str(_place / os.environ.get("PYTEST_XDIST_WORKER", ""))

from vptmonitor.settings import *  # noqa: E402, F403
from vptmonitor.settings import DATABASES, STATIC_ROOT, STORAGES  # noqa: E402

EMBEDDED_DURABLE = False
DEMO = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
for _entry in DATABASES.values():
    _entry["CONN_MAX_AGE"] = 0
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # else whitenoise warns, and warnings are errors
