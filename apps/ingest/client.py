"""A host's side of ingest: batches, retries with jitter, a bounded queue, and no row twice.

It needs `requests` and nothing of the portal: copy it to a host or a CI job. Not for several threads at once.
"""

from __future__ import annotations

import gzip
import json
import random
import time
import uuid
from collections import deque
from typing import Any

import requests

AGAIN = {408, 429, 500, 502, 503, 504, 507}
"""Nothing was stored, or nobody knows: the same batch is sent again. All else is the sender's to mend."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0


class Sender:
    """`add` and `change` put rows into the queue, `flush` sends it. Rows that were refused are in `refused`.

    With more than `most_waiting` rows the oldest batch is dropped and counted in `lost`: an outage of days fills no
    memory.
    """

    def __init__(self, url: str, token: str, *, batch: int = 500, most_waiting: int = 50_000) -> None:
        self._url = url.rstrip("/") + "/api/v1/ingest/"
        self._batch = batch
        self._most_waiting = most_waiting
        self._queue: deque[tuple[str, str, list[dict[str, Any]]]] = deque()
        self._session = requests.Session()
        self._session.headers.update(
            {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/x-ndjson",
                "Content-Encoding": "gzip",
            }
        )
        self.waiting = self.sent = self.lost = 0
        self.refused: deque[dict[str, Any]] = deque(maxlen=1000)

    def add(self, kind: str, row: dict[str, Any]) -> str:
        """A new row. It gets its id here, once, so that it can be sent as often as it takes."""
        row = {"id": str(uuid.uuid4()), **row} if kind not in {"incidents", "device-flags"} else row
        self._put("POST", kind, row)
        return str(row.get("id", ""))

    def change(self, kind: str, row_id: str, **changes: Any) -> None:
        """What became of a row that was added before."""
        self._put("PATCH", kind, {"incident_uuid" if kind == "incidents" else "id": row_id, **changes})

    def flush(self, patience: float = 3600.0) -> bool:
        """Send all that waits; False when `patience` seconds were not enough. Raises requests.HTTPError where a batch
        is refused as a whole (a wrong token, a wrong address): it stays in the queue."""
        deadline = time.monotonic() + patience
        wait = FIRST_WAIT
        while self._queue:
            pause = self._send(*self._queue[0])
            if pause is None:
                _, _, rows = self._queue.popleft()
                self.waiting -= len(rows)
                self.sent += len(rows)
                wait = FIRST_WAIT
                continue
            # Full jitter: after an outage the hosts must not come back all at once.
            pause = max(pause, random.uniform(0, wait))  # noqa: S311 -- chance, not secrecy
            wait = min(LONGEST_WAIT, wait * 2)
            if time.monotonic() + pause > deadline:
                return False
            time.sleep(pause)
        return True

    def close(self) -> None:
        """Give back the connection."""
        self._session.close()

    def _put(self, method: str, kind: str, row: dict[str, Any]) -> None:
        last = self._queue[-1] if self._queue else None
        # Order is kept: a change never overtakes its row.
        if last is None or last[:2] != (method, kind) or len(last[2]) >= self._batch:
            self._queue.append((method, kind, []))
        self._queue[-1][2].append(row)
        self.waiting += 1
        if self.waiting > self._most_waiting and len(self._queue) > 1:
            _, _, dropped = self._queue.popleft()
            self.waiting -= len(dropped)
            self.lost += len(dropped)

    def _send(self, method: str, kind: str, rows: list[dict[str, Any]]) -> float | None:
        """None when the batch was answered; else the seconds that the portal asks to wait, 0 where it says nothing."""
        body = gzip.compress("\n".join(json.dumps(row, default=str) for row in rows).encode(), 1)
        try:
            answer = self._session.request(method, self._url + kind, data=body, timeout=30)
        except (requests.ConnectionError, requests.Timeout):
            return 0.0
        if answer.status_code in AGAIN:
            asked = answer.headers.get("Retry-After", "")
            return float(asked) if asked.isdecimal() else 0.0
        if answer.status_code not in {200, 201, 207, 422}:
            answer.reason = f"{answer.reason}: {answer.text[:500]}"
            answer.raise_for_status()
        for verdict in answer.json().get("rows", []):
            if verdict["status"] == "refused":
                self.refused.append({"kind": kind, "sent": rows[verdict["row"]], **verdict})
        return None
