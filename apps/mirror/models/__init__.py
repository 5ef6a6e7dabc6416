"""VirtualPyTest's tables as models, by domain: fleet, execution, navigation, monitoring."""

from apps.mirror.models.base import DOMAINS, MirrorModel
from apps.mirror.models.deployments import Deployment, DeploymentExecution
from apps.mirror.models.execution import (
    Campaign,
    CampaignExecution,
    ExecutionResult,
    ScriptResult,
    TestCase,
    TestExecution,
    TestResult,
    ZapResult,
)
from apps.mirror.models.fleet import Controller, Device, DeviceModel, EnvironmentProfile, Team
from apps.mirror.models.monitoring import (
    DeviceFlag,
    Heatmap,
    PlatformAlert,
    SystemDeviceMetric,
    SystemIncident,
    SystemMetric,
)
from apps.mirror.models.navigation import (
    EdgeMetric,
    NavigationEdge,
    NavigationNode,
    NavigationTree,
    NodeMetric,
    UserInterface,
)

__all__ = [
    "DOMAINS",
    "Campaign",
    "CampaignExecution",
    "Controller",
    "Deployment",
    "DeploymentExecution",
    "Device",
    "DeviceFlag",
    "DeviceModel",
    "EdgeMetric",
    "EnvironmentProfile",
    "ExecutionResult",
    "Heatmap",
    "MirrorModel",
    "NavigationEdge",
    "NavigationNode",
    "NavigationTree",
    "NodeMetric",
    "PlatformAlert",
    "ScriptResult",
    "SystemDeviceMetric",
    "SystemIncident",
    "SystemMetric",
    "Team",
    "TestCase",
    "TestExecution",
    "TestResult",
    "UserInterface",
    "ZapResult",
]
