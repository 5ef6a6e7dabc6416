"""Interfaces, their maps, and how well the ways on them work."""

from __future__ import annotations

from django.contrib import admin

from apps.mirror.admin_base import HistoryAdmin, MirrorAdmin
from apps.mirror.admin_filters import TeamFilter, TimeFilter, values, yes_or_no
from apps.mirror.models import EdgeMetric, NavigationEdge, NavigationNode, NavigationTree, NodeMetric, UserInterface


@admin.register(UserInterface)
class UserInterfaceAdmin(MirrorAdmin):
    list_display = ("name", "device_models", "min_version", "max_version", "team", "updated_at")
    list_filter = (TeamFilter,)


@admin.register(NavigationTree)
class NavigationTreeAdmin(MirrorAdmin):
    list_display = ("name", "userinterface", "is_root_tree", "tree_depth", "team", "updated_at")
    list_filter = (TeamFilter, yes_or_no("is_root_tree", "root"), TimeFilter)
    portal_page = ("portal:tree",)


@admin.register(NavigationNode)
class NavigationNodeAdmin(MirrorAdmin):
    list_display = ("label", "node_id", "node_type", "tree", "has_subtree", "team", "updated_at")
    list_filter = (TeamFilter, values("node_type", "type"), TimeFilter)
    contains = ("label", "node_id")
    exact = ("tree",)
    ordering = ("label", "pk")


@admin.register(NavigationEdge)
class NavigationEdgeAdmin(MirrorAdmin):
    list_display = ("edge_id", "label", "source_node_id", "target_node_id", "tree", "team", "updated_at")
    list_filter = (TeamFilter, values("edge_type", "type"), TimeFilter)
    contains = ("label", "edge_id", "source_node_id", "target_node_id")
    exact = ("tree",)
    ordering = ("edge_id", "pk")


@admin.register(NodeMetric)
class NodeMetricAdmin(HistoryAdmin):
    list_display = ("node_id", "tree", "total_executions", "success_rate", "avg_execution_time_ms", "team")
    list_filter = (TeamFilter,)
    exact = ("node_id", "tree")


@admin.register(EdgeMetric)
class EdgeMetricAdmin(HistoryAdmin):
    list_display = (
        "edge_id", "action_set_id", "tree", "total_executions", "success_rate", "avg_execution_time_ms", "avg_kpi_ms",
        "team",
    )  # fmt: skip
    list_filter = (TeamFilter,)
    exact = ("edge_id", "tree")
