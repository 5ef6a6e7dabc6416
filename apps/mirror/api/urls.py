"""The addresses of the mirrored tables, below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from apps.mirror.api import deployments, execution, fleet, monitoring, navigation

app_name = "mirror-api"

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
for _prefix, _view in {
    "teams": fleet.TeamList,
    "device-models": fleet.DeviceModelList,
    "devices": fleet.DeviceList,
    "controllers": fleet.ControllerList,
    "environment-profiles": fleet.EnvironmentProfileList,
    "campaigns": execution.CampaignList,
    "test-cases": execution.TestCaseList,
    "test-executions": execution.TestExecutionList,
    "test-results": execution.TestResultList,
    "script-results": execution.ScriptResultList,
    "execution-results": execution.ExecutionResultList,
    "campaign-executions": execution.CampaignExecutionList,
    "zap-results": execution.ZapResultList,
    "deployments": deployments.DeploymentList,
    "deployment-executions": deployments.DeploymentExecutionList,
    "user-interfaces": navigation.UserInterfaceList,
    "navigation-trees": navigation.NavigationTreeList,
    "navigation-nodes": navigation.NavigationNodeList,
    "navigation-edges": navigation.NavigationEdgeList,
    "node-metrics": navigation.NodeMetricList,
    "edge-metrics": navigation.EdgeMetricList,
    "heatmaps": monitoring.HeatmapList,
    "system-metrics": monitoring.SystemMetricList,
    "device-metrics": monitoring.DeviceMetricList,
    "system-incidents": monitoring.SystemIncidentList,
    "device-flags": monitoring.DeviceFlagList,
}.items():
    router.register(_prefix, _view, basename=_prefix)

urlpatterns: list[URLPattern | URLResolver] = router.urls
