"""An embedded PostgreSQL: starts with the first process that needs it, stops after the last one.

    cluster = EmbeddedCluster(root / ".data" / "postgres")
    where = cluster.ensure_running()               # milliseconds when it runs, about a second on an empty folder
    cluster.ensure_database("vptmonitor")
    psycopg2.connect(host=where.host, port=where.port, user=where.user, password=where.password, dbname="vptmonitor")

`ensure_running` may be called by any number of processes and threads at once, and again before every connection. The
calling process holds the server up until it ends, however it ends. When the server crashes, the keeper starts it
again; a caller that loses its connection calls `ensure_running` and connects anew.

Everything that cannot work raises `EmbeddedError`, whose text is one sentence for people, with the remedy.
"""

from vptmonitor.embedded.cluster import ConnectionInfo, EmbeddedCluster
from vptmonitor.embedded.errors import EmbeddedError
from vptmonitor.embedded.server import OWNER

__all__ = ["OWNER", "ConnectionInfo", "EmbeddedCluster", "EmbeddedError"]
