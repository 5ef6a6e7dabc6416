"""The rows of a loaded lab agree with each other and look as the platform's own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Count, F, Q, Sum

from apps.mirror.demo.load import Loaded
from apps.mirror.models import (
    CampaignExecution,
    DeploymentExecution,
    EdgeMetric,
    ExecutionResult,
    NodeMetric,
    PlatformAlert,
    ScriptResult,
    SystemDeviceMetric,
    SystemIncident,
    SystemMetric,
    TestExecution,
    ZapResult,
)
from tests.mirror.demo.conftest import UNTIL

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def test_nothing_refers_to_what_is_not_there(loaded: list[Loaded]) -> None:
    """Also where the database has no foreign key: steps to scripts, campaigns to their parts, all to known devices."""
    scripts = ScriptResult.objects.values("id")
    assert not ExecutionResult.objects.exclude(script_result_id__in=scripts).exists()
    known = set(scripts.values_list("id", flat=True))
    for run in CampaignExecution.objects.all():
        assert set(run.script_result_ids or []) <= known
    assert not TestExecution.objects.filter(Q(device__isnull=True) | Q(test__isnull=True)).exists()
    assert ZapResult.objects.filter(script_result__script_name="fullzap").exists()


def test_some_scripts_and_a_campaign_are_running_now(loaded: list[Loaded]) -> None:
    running = ScriptResult.objects.running(UNTIL)
    assert running.count() >= 2
    assert not running.filter(Q(success=True) | Q(execution_time_ms__isnull=False)).exists()
    assert CampaignExecution.objects.running(UNTIL).count() >= 1
    assert all(run.completed_at == run.started_at for run in running)


def test_nothing_is_later_than_the_end(loaded: list[Loaded]) -> None:
    for model, column in (
        (ScriptResult, "completed_at"),
        (ExecutionResult, "executed_at"),
        (PlatformAlert, "end_time"),
        (PlatformAlert, "start_time"),
        (ZapResult, "created_at"),
        (DeploymentExecution, "completed_at"),
        (SystemIncident, "detected_at"),
    ):
        assert not model.objects.filter(**{f"{column}__gt": UNTIL}).exists(), (model, column)


def test_alerts_are_active_once_per_device_and_kind_and_the_others_are_over(loaded: list[Loaded]) -> None:
    active = PlatformAlert.objects.filter(status="active")
    assert 3 <= active.count() <= 9
    keys = active.values("host_name", "device_id", "incident_type").annotate(n=Count("id"))
    assert all(row["n"] == 1 for row in keys)
    assert not active.filter(end_time__isnull=False).exists()
    over = PlatformAlert.objects.filter(status="resolved")
    assert not over.filter(end_time__isnull=True).exists()
    assert not over.filter(end_time__lt=F("start_time") + timedelta(seconds=1)).exists()


def test_hosts_ping_every_five_minutes_and_servers_every_minute(loaded: list[Loaded]) -> None:
    counts = dict(SystemMetric.objects.exclude(host_name="server").values_list("host_name").annotate(Count("id")))
    # 288 pings a day, less one outage of four hours and a silence until now; few are lost otherwise.
    assert {"rack-a1.demo", "rack-a2.demo"} == set(counts)
    assert all(215 <= count <= 289 for count in counts.values())
    servers = dict(SystemMetric.objects.filter(host_name="server").values_list("server_name").annotate(Count("id")))
    assert all(1439 <= count <= 1441 for count in servers.values())
    assert len(servers) == 2
    assert SystemDeviceMetric.objects.count() == 2 * sum(counts.values())


def test_one_host_is_silent_now(loaded: list[Loaded]) -> None:
    late = SystemMetric.objects.filter(timestamp__gt=UNTIL - timedelta(minutes=11)).exclude(host_name="server")
    assert set(late.values_list("host_name", flat=True)) == {"rack-a1.demo"}
    silent = ScriptResult.objects.filter(host_name="rack-a2.demo", started_at__gt=UNTIL - timedelta(minutes=47))
    assert not silent.exists()


def test_running_counts_agree_with_the_steps(loaded: list[Loaded]) -> None:
    steps = ExecutionResult.objects.all()
    for total, good, rows in (
        (*_sums(EdgeMetric), steps.filter(edge_id__isnull=False)),
        (*_sums(NodeMetric), steps.filter(node_id__isnull=False)),
    ):
        assert (total, good) == (rows.count(), rows.filter(success=True).count())
    kpis = EdgeMetric.objects.aggregate(total=Sum("total_kpi_measurements"))["total"]
    assert kpis == steps.filter(kpi_measurement_success__isnull=False).count() > 0
    assert not EdgeMetric.objects.exclude(success_rate__range=(0, 1)).exists()


def _sums(model: type[EdgeMetric | NodeMetric]) -> tuple[int, int]:
    sums = model.objects.aggregate(total=Sum("total_executions"), good=Sum("successful_executions"))
    return sums["total"], sums["good"]


@pytest.mark.parametrize(
    ("script", "keys"),
    [
        ("dns_lookuptime", {"domain", "lookup_time_ms", "dns_server", "dns_server_port", "canonical_name",
                            "ipv4_addresses", "ipv6_addresses"}),
        ("smartping", {"target", "protocol", "smartping_score", "status", "status_label", "rtt_min_ms", "rtt_avg_ms",
                       "rtt_max_ms", "jitter_ms", "packet_loss_percent", "hop_count", "hops"}),
        ("device_get_info", {"info", "extraction_timestamp", "element_count", "device_name"}),
    ],
)  # fmt: skip
def test_scripts_measure_what_their_dashboards_read(loaded: list[Loaded], script: str, keys: set[str]) -> None:
    good = ScriptResult.objects.filter(script_name=script, success=True)
    assert good.exists()
    assert all(set(run.metadata or {}) == keys for run in good)
