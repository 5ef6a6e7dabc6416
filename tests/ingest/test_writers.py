"""Every payload that the platform's hosts write is taken as it is, and stored as they would have stored it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from apps.ingest.kinds import KINDS
from apps.mirror.models import Deployment, NavigationTree, UserInterface
from tests.ingest import rows
from tests.ingest.sending import Host
from tests.people import HOST_A, TEAM_A

pytestmark = pytest.mark.django_db(databases=["default", "source"])

PAYLOADS: dict[str, tuple[str, rows.Payload]] = {
    "alert": ("alerts", rows.alert()),
    "script": ("script-results", rows.script()),
    "testcase": ("script-results", rows.script(script_type="testcase", script_name="Zap test")),
    "action": ("execution-results", rows.action()),
    "verification": ("execution-results", rows.verification()),
    "campaign": ("campaign-executions", rows.campaign()),
    "host ping": ("system-metrics", rows.host_ping()),
    "server ping": ("system-metrics", rows.server_ping()),
    "device ping": ("device-metrics", rows.device_ping()),
    "zap": ("zap-results", rows.zap()),
    "heatmap": ("heatmaps", rows.heatmap()),
    "incident": ("incidents", rows.incident()),
    "flags": ("device-flags", rows.flags()),
    "schedule": ("deployments", rows.schedule()),
    "test run": ("test-executions", rows.test_run()),
    "test result": ("test-results", rows.test_result()),
}


def stored(kind: str) -> dict[str, Any]:
    """The only row of a kind."""
    rows: Any = KINDS[kind].model.objects.values()
    (found,) = rows
    return dict(found)


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_is_stored_as_it_is(host: Host, name: str) -> None:
    kind, payload = PAYLOADS[name]
    answer = host.send(kind, payload)
    assert (answer.status, answer.statuses) == (201, ["stored"]), answer.document
    row = stored(kind)
    for field, value in payload.items():
        assert _same(row[field], value), field
    again = host.send(kind, payload)
    assert (again.status, again.statuses) == (200, ["already there"]), again.document
    assert again.row["id"] == answer.row["id"]
    assert KINDS[kind].model.objects.count() == 1


def test_a_turn_of_a_schedule(host: Host) -> None:
    schedule = Deployment.objects.create(
        team_id=TEAM_A, name="hourly", host_name=HOST_A, device_id="device1", script_name="goto.py",
        userinterface_name="horizon", cron_expression="0 * * * *",
    )  # fmt: skip
    sent = [rows.turn(str(schedule.id)), rows.turn(str(schedule.id), status="skipped", skip_reason="busy")]
    assert host.send("deployment-executions", sent).statuses == ["stored", "stored"]
    lost = host.send("deployment-executions", rows.turn(str(UUID(int=7))))
    assert (lost.status, lost.fields) == (422, ["deployment_id"])


def test_counts_of_those_who_keep_them_themselves(host: Host) -> None:
    tree = str(_tree().id)
    edge = {"edge_id": "e", "tree_id": tree, "action_set_id": "s", "team_id": str(TEAM_A), "total_executions": 1}
    node = {"node_id": "n", "tree_id": tree, "team_id": str(TEAM_A), "total_executions": 1}
    for kind, row in (("edge-metrics", edge), ("node-metrics", node)):
        assert host.send(kind, row).statuses == ["stored"]
        assert host.send(kind, row).statuses == ["already there"]
        assert host.send(kind, row | {"total_executions": 2}).statuses == ["updated"]
        assert stored(kind)["total_executions"] == 2


def _tree() -> NavigationTree:
    interface = UserInterface.objects.create(team_id=TEAM_A, name="horizon")
    return NavigationTree.objects.create(team_id=TEAM_A, userinterface=interface, name="horizon")


def _same(stored: Any, sent: Any) -> bool:
    if hasattr(stored, "isoformat"):
        return bool(stored.isoformat() == sent)
    return bool(str(stored) == sent or stored == sent or (isinstance(stored, float) and abs(stored - sent) < 1e-9))
