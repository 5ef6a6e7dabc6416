"""The container's HEALTHCHECK: `python -m vptmonitor.alive` ends with 0 while the web process answers. No Django.

Whether the databases answer too is what `/readyz` says: a container that is ended for that would not bring them back.
"""

from __future__ import annotations

import http.client
import os
import sys


def main() -> int:
    """0 when `/livez` answers 200 on `PORT`."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 5109), timeout=4)
    try:
        connection.request("GET", "/livez")
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
