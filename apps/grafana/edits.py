"""What differs about a dashboard, in words: between the registry and Grafana, or what somebody edited there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.dashboards.differences import differences
from apps.grafana.canonical import canonical
from apps.grafana.mapping import BlockedError
from apps.grafana.plan import Item
from apps.grafana.verdict import State

Side = tuple[str, list[str]]
"""A heading, and one sentence per difference."""


def differences_of(item: Item) -> list[Side]:
    """What a push would change in Grafana, and what was edited there; nothing for what is in sync."""
    state, placement = item.verdict.state, item.placement
    base = placement.base.document if placement.base is not None else {}
    sent = placement.sent.document if placement.sent is not None else {}
    found: list[Side] = []
    if state in (State.AHEAD, State.CONFLICT, State.BLOCKED):
        try:
            words = _words(sent, item.desired_body)
        except BlockedError:
            words = []
        folder = placement.sent_key.rpartition(":")[2]
        now = placement.dashboard.folder.uid if placement.dashboard.folder else ""
        found.append(("changed in the registry", words + _moved(folder, now, known=bool(placement.base_id))))
    if state in (State.DRIFTED, State.CONFLICT, State.FLAPPING) and item.live is not None:
        words = _words(base, item.live.body)
        found.append(("edited in Grafana", words + _moved(placement.base_folder_uid, item.live.folder_uid)))
    return found


def _words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return differences(canonical(before), canonical(after)).words if before else ["all of it is new"]


def _moved(before: str, after: str, *, known: bool = True) -> list[str]:
    if not known or before == after:
        return []
    return [f"moved from the folder {before or 'at the top'} to {after or 'the top'}"]
