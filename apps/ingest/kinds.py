"""What can be written, one declaration per kind. The columns are the mirrored model's; what a kind adds is said here.

A kind that is added here is complete: address, validation, statement, verdicts and the API's document follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from apps.mirror import models
from apps.mirror.models import MirrorModel

Rule = Literal["alerts", "steps"]
"""Names of what is done beside storing rows: one active alert per key; running counts of edges and nodes."""
SERVER_COLUMNS: Final = frozenset({"created_at", "updated_at"})
"""What the database's clock says, whatever a row claims."""


@dataclass(frozen=True)
class Kind:
    """A kind of row.

    * `key`: the columns by which a row is known again: sent twice, stored once;
    * `identity`: what the key of a row without one is derived from (all that the row says, when empty);
    * `mutable`: columns that others change after the row was stored, so that a late second sending, which still has the
      first values, is the same row;
    * `update`: columns that a second sending of the same key changes (the kind is then a state, not an event);
    * `finish`: columns that PATCH may set; `merge` and `append` among them are merged into the JSON, or added to the
      list, that is there;
    * `host`, `team`: the columns that say whose the row is; `owner` names a reference that says it instead.
    """

    name: str
    model: type[MirrorModel]
    says: str
    key: tuple[str, ...] = ("id",)
    identity: tuple[str, ...] = ()
    mutable: frozenset[str] = frozenset()
    update: tuple[str, ...] = ()
    finish: tuple[str, ...] = ()
    merge: frozenset[str] = frozenset()
    append: frozenset[str] = frozenset()
    host: str = ""
    team: str = ""
    owner: str = ""
    rule: Rule | None = None

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def time(self) -> str:
        """The column that tells when it happened, by the sender's clock; empty where none does."""
        return self.model.time_field if self.model.time_field not in {None, *SERVER_COLUMNS} else ""  # type: ignore[return-value]


_REPORTS: Final = ("html_report_r2_path", "html_report_r2_url")
_TRIAGE: Final = ("checked", "check_type", "discard", "discard_comment")
_SCRIPT_END: Final = (
    "success", "completed_at", "execution_time_ms", *_REPORTS, "logs_r2_path", "logs_r2_url", "error_msg", "metadata",
    *_TRIAGE,
)  # fmt: skip
_KPI: Final = (
    "kpi_measurement_success",
    "kpi_measurement_ms",
    "kpi_measurement_error",
    "kpi_report_url",
)
_CAMPAIGN_END: Final = (
    "status", "completed_at", "execution_time_ms", "success", "error_message", "script_result_ids", *_REPORTS,
)  # fmt: skip
_ALERT_END: Final = ("status", "end_time", "consecutive_count", "metadata", *_TRIAGE)
_TEST_END: Final = ("status", "start_time", "end_time", "duration")
_TURN_END: Final = (
    "started_at", "completed_at", "status", "skip_reason", "success", "error_message", "script_result_id",
)  # fmt: skip
_SCHEDULE: Final = (
    "status", "parameters", "cron_expression", "start_date", "end_date", "max_executions", "scheduled_today",
    "execution_count", "last_executed_at",
)  # fmt: skip
_COUNTS: Final = ("total_executions", "successful_executions", "success_rate", "avg_execution_time_ms")
_KPI_COUNTS: Final = (
    "total_kpi_measurements", "successful_kpi_measurements", "avg_kpi_ms", "min_kpi_ms", "max_kpi_ms",
    "kpi_success_rate",
)  # fmt: skip
_INCIDENT_END: Final = (
    "status", "acknowledged_at", "resolved_at", "closed_at", "detection_to_ack_minutes", "ack_to_resolution_minutes",
    "total_duration_minutes", "root_cause", "resolution_notes",
)  # fmt: skip

KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind(
            "alerts", models.PlatformAlert, "what a host saw in a device's picture or sound",
            identity=("host_name", "device_id", "incident_type", "start_time"), mutable=frozenset(_ALERT_END),
            finish=_ALERT_END, merge=frozenset({"metadata"}), host="host_name", rule="alerts",
        ),
        Kind(
            "script-results", models.ScriptResult, "runs of scripts, sent at their start",
            mutable=frozenset(_SCRIPT_END), finish=_SCRIPT_END, host="host_name", team="team_id",
        ),
        Kind(
            "execution-results", models.ExecutionResult, "single actions and verifications",
            mutable=frozenset(_KPI), finish=_KPI, host="host_name", team="team_id", rule="steps",
        ),
        Kind(
            "campaign-executions", models.CampaignExecution, "runs of campaigns, sent at their start",
            mutable=frozenset(_CAMPAIGN_END), finish=_CAMPAIGN_END, append=frozenset({"script_result_ids"}),
            host="host_name", team="team_id",
        ),
        Kind(
            "system-metrics", models.SystemMetric, "pings of hosts and servers",
            identity=("host_name", "server_name", "timestamp"), host="host_name",
        ),
        Kind(
            "device-metrics", models.SystemDeviceMetric, "the part of a ping about one device",
            identity=("host_name", "device_id", "timestamp"), host="host_name",
        ),
        Kind(
            "test-executions", models.TestExecution, "runs of tests",
            mutable=frozenset(_TEST_END), finish=_TEST_END, team="team_id",
        ),
        Kind("test-results", models.TestResult, "what runs of tests found", team="team_id"),
        Kind("zap-results", models.ZapResult, "channel changes", host="host_name", team="team_id"),
        Kind(
            "heatmaps", models.Heatmap, "mosaics of all hosts", identity=("team_id", "job_id", "timestamp"),
            team="team_id",
        ),
        Kind(
            "incidents", models.SystemIncident, "trouble of capture and monitoring services",
            key=("incident_uuid",), identity=("host_name", "device_id", "incident_type", "detected_at"),
            mutable=frozenset({*_INCIDENT_END, "description"}), finish=_INCIDENT_END, host="host_name",
        ),
        Kind(
            "device-flags", models.DeviceFlag, "labels of devices",
            key=("host_name", "device_id"), update=("device_name", "flags"), host="host_name",
        ),
        Kind(
            "deployments", models.Deployment, "scripts that run on a schedule",
            mutable=frozenset(_SCHEDULE), finish=_SCHEDULE, host="host_name", team="team_id",
        ),
        Kind(
            "deployment-executions", models.DeploymentExecution, "each time that a schedule came due",
            identity=("deployment_id", "scheduled_at"), mutable=frozenset(_TURN_END), finish=_TURN_END,
            owner="deployment_id",
        ),
        Kind(
            "edge-metrics", models.EdgeMetric, "running counts of edges, for those who keep them themselves",
            key=("edge_id", "tree_id", "action_set_id"), update=(*_COUNTS, *_KPI_COUNTS), team="team_id",
        ),
        Kind(
            "node-metrics", models.NodeMetric, "running counts of nodes, for those who keep them themselves",
            key=("node_id", "tree_id", "team_id"), update=_COUNTS, team="team_id",
        ),
    )
}  # fmt: skip
"""By the name that stands in the address."""
