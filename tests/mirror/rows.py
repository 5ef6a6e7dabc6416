"""One row of every mirrored model, all belonging together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from apps.mirror.models import (
    Campaign,
    CampaignExecution,
    Controller,
    Deployment,
    DeploymentExecution,
    Device,
    DeviceFlag,
    DeviceModel,
    EdgeMetric,
    EnvironmentProfile,
    ExecutionResult,
    Heatmap,
    MirrorModel,
    NavigationEdge,
    NavigationNode,
    NavigationTree,
    NodeMetric,
    PlatformAlert,
    ScriptResult,
    SystemDeviceMetric,
    SystemIncident,
    SystemMetric,
    Team,
    TestCase,
    TestExecution,
    TestResult,
    UserInterface,
    ZapResult,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Lab:
    """A team with one of everything. `of` finds a row by its model."""

    name: str = "Lab One"
    host: str = "host-1"
    at: datetime = NOON
    rows: dict[type[MirrorModel], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self._make():
            self.rows[type(row)] = row

    def of(self, model: type[MirrorModel]) -> Any:
        """The row of `model`."""
        return self.rows[model]

    @property
    def team_id(self) -> UUID:
        """The id of the lab's team."""
        team: Team = self.of(Team)
        return team.id

    def _make(self) -> list[MirrorModel]:
        at, later = self.at, self.at + timedelta(minutes=2)
        place = {"host_name": self.host, "device_name": "Box"}
        team = Team.objects.create(name=self.name, tenant_id=uuid4())
        device = Device.objects.create(team=team, name="Box", model="stb", status="online")
        profile = EnvironmentProfile.objects.create(team=team, name="Lab")
        campaign = Campaign.objects.create(team=team, name="Nightly")
        case = TestCase.objects.create(
            team=team, name="Zap", test_type="functional", start_node="home", device=device, environment_profile=profile
        )
        run = TestExecution.objects.create(
            team=team, test=case, campaign=campaign, device=device, execution_id="run-1", status="completed"
        )
        script = ScriptResult.objects.create(
            team=team, script_name="zap.py", script_type="zap", success=True, execution_time_ms=120_000,
            started_at=at, completed_at=later, **place,
        )  # fmt: skip
        interface = UserInterface.objects.create(team=team, name="horizon", device_models=["stb"])
        tree = NavigationTree.objects.create(team=team, userinterface=interface, name="horizon")
        schedule = Deployment.objects.create(
            team=team, name="hourly", host_name=self.host, device_id="device1", script_name="zap.py",
            userinterface_name="horizon", cron_expression="0 * * * *",
        )  # fmt: skip
        return [
            team,
            device,
            profile,
            campaign,
            case,
            run,
            script,
            interface,
            tree,
            schedule,
            DeviceModel.objects.create(team=team, name="stb"),
            Controller.objects.create(team=team, device=device, name="remote", type="remote", status="online"),
            TestResult.objects.create(team=team, execution=run, test=case, status="passed"),
            ExecutionResult.objects.create(
                team=team, tree=tree, edge_id="e1", execution_type="action", success=True, script_result=script,
                executed_at=at, **place,
            ),
            CampaignExecution.objects.create(
                team=team, campaign_name="Nightly", campaign_execution_id=f"campaign_{uuid4().hex}", status="completed",
                success=True, started_at=at, completed_at=later, **place,
            ),
            ZapResult.objects.create(
                team=team, script_result=script, execution_date=at, iteration_index=1, action_command="channel_up",
                duration_seconds=2.5, **place,
            ),
            DeploymentExecution.objects.create(
                deployment=schedule, script_result=script, scheduled_at=at, status="completed", success=True
            ),
            NavigationNode.objects.create(team=team, tree=tree, node_id="n1", label="Home"),
            NavigationEdge.objects.create(
                team=team, tree=tree, edge_id="e1", source_node_id="n1", target_node_id="n2",
                action_sets=[{"id": "home_to_live"}], default_action_set_id="home_to_live",
            ),
            NodeMetric.objects.create(team=team, tree=tree, node_id="n1", total_executions=3, success_rate=0.5),
            EdgeMetric.objects.create(team=team, tree=tree, edge_id="e1", action_set_id="home_to_live"),
            PlatformAlert.objects.create(device_id="device1", incident_type="freeze", start_time=at, **place),
            Heatmap.objects.create(team=team, timestamp="1200", job_id=uuid4(), generated_at=at),
            SystemMetric.objects.create(host_name=self.host, timestamp=at, cpu_percent=12.5, load_average_1m=0.25),
            SystemDeviceMetric.objects.create(
                device_id="device1", device_port="1", device_model="stb", capture_folder="capture1", timestamp=at,
                **place,
            ),
            SystemIncident.objects.create(
                device_id="device1", capture_folder="capture1", incident_type="ffmpeg_failure", severity="critical",
                component="ffmpeg", detected_at=at, **place,
            ),
            DeviceFlag.objects.create(device_id="device1", flags=["lab"], **place),
        ]  # fmt: skip
