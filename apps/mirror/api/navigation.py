"""Maps of interfaces and their metrics, over REST."""

from __future__ import annotations

from apps.mirror.models import EdgeMetric, NavigationEdge, NavigationNode, NavigationTree, NodeMetric, UserInterface
from apps.mirror.rest.filters import ids, team, text, words
from apps.mirror.rest.views import RowsViewSet


class UserInterfaceList(RowsViewSet):
    """An application under test, as it looks on some device models."""

    model = UserInterface
    fields = ("id", "name", "device_models", "min_version", "max_version", "team_id", "created_at", "updated_at")
    filters = {**team(), **text("name")}


class NavigationTreeList(RowsViewSet):
    """A map of an interface's screens; a subtree hangs on a node of its parent."""

    model = NavigationTree
    fields = (
        "id", "name", "userinterface_id", "team_id", "description", "created_at", "updated_at", "root_node_id",
        "parent_tree_id", "parent_node_id", "tree_depth", "is_root_tree", "viewport_x", "viewport_y",
        "viewport_zoom",
    )  # fmt: skip
    filters = {**team(), **ids("interface", "userinterface_id"), **text("name")}


class NavigationNodeList(RowsViewSet):
    """A screen."""

    model = NavigationNode
    fields = (
        "id", "tree_id", "node_id", "label", "position_x", "position_y", "node_type", "style", "data",
        "verifications", "has_subtree", "subtree_count", "is_system_protected", "is_read_only", "team_id",
        "created_at", "updated_at",
    )  # fmt: skip
    filters = {**team(), **ids("tree", "tree_id"), **words("node", "node_id"), **text("label")}


class NavigationEdgeList(RowsViewSet):
    """The way from a screen to another: sets of actions."""

    model = NavigationEdge
    fields = (
        "id", "tree_id", "edge_id", "source_node_id", "target_node_id", "label", "edge_type", "style", "data",
        "action_sets", "default_action_set_id", "final_wait_time", "is_system_protected", "team_id",
        "created_at", "updated_at",
    )  # fmt: skip
    filters = {**team(), **ids("tree", "tree_id"), **words("edge", "edge_id"), **text("label")}


class NodeMetricList(RowsViewSet):
    """Running counts of a node's verifications; they outlive the rows that they count."""

    model = NodeMetric
    fields = (
        "id", "node_id", "tree_id", "team_id", "created_at", "total_executions", "successful_executions",
        "success_rate", "avg_execution_time_ms",
    )  # fmt: skip
    filters = {**team(), **ids("tree", "tree_id"), **words("node", "node_id")}


class EdgeMetricList(RowsViewSet):
    """Running counts of an edge's actions; they outlive the rows that they count."""

    model = EdgeMetric
    fields = (
        "id", "edge_id", "tree_id", "team_id", "created_at", "total_executions", "successful_executions",
        "success_rate", "avg_execution_time_ms", "action_set_id", "total_kpi_measurements",
        "successful_kpi_measurements", "avg_kpi_ms", "min_kpi_ms", "max_kpi_ms", "kpi_success_rate",
    )  # fmt: skip
    filters = {**team(), **ids("tree", "tree_id"), **words("edge", "edge_id")}
