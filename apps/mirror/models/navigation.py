"""Maps of the interfaces under test, and how well their screens and ways are reached."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import Q

from apps.mirror.fields import NumericField, Reference, UpdatedAtField
from apps.mirror.models.base import MirrorModel, PlatformGinIndex, PlatformIndex, known


class UserInterface(MirrorModel):
    """An application under test, as it looks on some device models."""

    domain = "navigation"
    team_lookup = "team_id"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    name = models.CharField()
    device_models = ArrayField(
        models.TextField(),
        verbose_name="device models",
        null=True,
        blank=True,
        db_default=[],
        db_column="models",
        help_text="Names of the device models that it runs on.",
    )
    min_version = models.CharField(null=True, blank=True)
    max_version = models.CharField(null=True, blank=True)
    team = Reference("mirror.Team", related_name="userinterfaces")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    class Meta:
        db_table = "userinterfaces"
        verbose_name = "user interface"
        indexes = [
            PlatformIndex(fields=["team"], name="vpt_userinterfaces_team"),
        ]

    def __str__(self) -> str:
        return known(self.name)


class NavigationTree(MirrorModel):
    """A map of an interface's screens; a subtree hangs on a node of its parent."""

    domain = "navigation"
    team_lookup = "team_id"
    time_field = "updated_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    name = models.CharField()
    userinterface = Reference(UserInterface, related_name="navigation_trees", null=True, blank=True)
    team = Reference("mirror.Team", related_name="navigation_trees")
    description = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())
    root_node_id = models.UUIDField(null=True, blank=True)
    parent_tree = Reference("self", related_name="subtrees", null=True, blank=True)
    parent_node_id = models.TextField(null=True, blank=True)
    tree_depth = models.IntegerField(null=True, blank=True, db_default=0)
    is_root_tree = models.BooleanField(null=True, blank=True, db_default=True)
    viewport_x = models.FloatField(null=True, blank=True, db_default=0)
    viewport_y = models.FloatField(null=True, blank=True, db_default=0)
    viewport_zoom = models.FloatField(null=True, blank=True, db_default=1)

    class Meta:
        db_table = "navigation_trees"
        verbose_name = "navigation tree"
        indexes = [
            PlatformIndex(fields=["userinterface"], name="idx_navigation_trees_userinterface"),
            PlatformIndex(fields=["team"], name="idx_navigation_trees_team"),
            PlatformIndex(fields=["name"], name="idx_navigation_trees_name"),
            PlatformIndex(fields=["parent_tree"], name="idx_navigation_trees_parent_tree"),
            PlatformIndex(fields=["parent_node_id"], name="idx_navigation_trees_parent_node"),
            PlatformIndex(fields=["tree_depth"], name="idx_navigation_trees_depth"),
            PlatformIndex(fields=["is_root_tree"], name="idx_navigation_trees_is_root"),
            PlatformIndex(fields=["viewport_x", "viewport_y", "viewport_zoom"], name="idx_navigation_trees_viewport"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(parent_tree__isnull=True, parent_node_id__isnull=True, is_root_tree=True)
                | Q(parent_tree__isnull=False, parent_node_id__isnull=False, is_root_tree=False),
                name="check_parent_consistency",
            ),
            models.CheckConstraint(condition=Q(tree_depth__gte=0, tree_depth__lte=5), name="check_tree_depth"),
        ]

    def __str__(self) -> str:
        return known(self.name)


class NavigationNode(MirrorModel):
    """A screen."""

    domain = "navigation"
    team_lookup = "team_id"
    time_field = "updated_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    tree = Reference(NavigationTree, related_name="navigation_nodes")
    node_id = models.TextField()
    label = models.TextField()
    position_x = models.FloatField(db_default=0)
    position_y = models.FloatField(db_default=0)
    node_type = models.TextField(db_default="default")
    style = models.JSONField(db_default={})
    data = models.JSONField(db_default={})
    verifications = models.JSONField(null=True, blank=True, db_default=[])
    has_subtree = models.BooleanField(null=True, blank=True, db_default=False)
    subtree_count = models.IntegerField(null=True, blank=True, db_default=0)
    is_system_protected = models.BooleanField(null=True, blank=True, db_default=False)
    is_read_only = models.BooleanField(null=True, blank=True, db_default=False)
    team = Reference("mirror.Team", related_name="navigation_nodes")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    class Meta:
        db_table = "navigation_nodes"
        verbose_name = "navigation node"
        indexes = [
            PlatformIndex(fields=["tree"], name="idx_navigation_nodes_tree"),
            PlatformIndex(fields=["node_id"], name="idx_navigation_nodes_node_id"),
            PlatformIndex(fields=["team"], name="idx_navigation_nodes_team"),
            PlatformIndex(fields=["position_x", "position_y"], name="idx_navigation_nodes_position"),
            PlatformIndex(fields=["has_subtree"], name="idx_navigation_nodes_has_subtree"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tree", "node_id"], name="navigation_nodes_tree_id_node_id_key"),
        ]

    def __str__(self) -> str:
        return known(self.label)


class NavigationEdge(MirrorModel):
    """The way from a screen to another: sets of actions."""

    domain = "navigation"
    team_lookup = "team_id"
    time_field = "updated_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    tree = Reference(NavigationTree, related_name="navigation_edges")
    edge_id = models.TextField()
    source_node_id = models.TextField()
    target_node_id = models.TextField()
    label = models.TextField(null=True, blank=True)
    edge_type = models.TextField(db_default="default")
    style = models.JSONField(db_default={})
    data = models.JSONField(db_default={})
    action_sets = models.JSONField(db_default=[])
    default_action_set_id = models.TextField()
    final_wait_time = models.IntegerField(null=True, blank=True, db_default=0, help_text="Milliseconds.")
    is_system_protected = models.BooleanField(null=True, blank=True, db_default=False)
    team = Reference("mirror.Team", related_name="navigation_edges")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    class Meta:
        db_table = "navigation_edges"
        verbose_name = "navigation edge"
        indexes = [
            PlatformIndex(fields=["tree"], name="idx_navigation_edges_tree"),
            PlatformIndex(fields=["edge_id"], name="idx_navigation_edges_edge_id"),
            PlatformIndex(fields=["source_node_id"], name="idx_navigation_edges_source"),
            PlatformIndex(fields=["target_node_id"], name="idx_navigation_edges_target"),
            PlatformGinIndex(fields=["action_sets"], name="idx_navigation_edges_action_sets"),
            PlatformIndex(fields=["default_action_set_id"], name="idx_navigation_edges_default_action_set"),
            PlatformIndex(fields=["team"], name="idx_navigation_edges_team"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tree", "edge_id"], name="navigation_edges_tree_id_edge_id_key"),
        ]

    def __str__(self) -> str:
        return self.label or f"{known(self.source_node_id)} → {known(self.target_node_id)}"


class NodeMetric(MirrorModel):
    """Running counts of a node's verifications; they outlive the rows that they count."""

    domain = "navigation"
    team_lookup = "team_id"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    node_id = models.CharField()
    tree = Reference(NavigationTree, related_name="node_metrics", null=True, blank=True)
    team = Reference("mirror.Team", related_name="node_metrics")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    total_executions = models.IntegerField(null=True, blank=True, db_default=0)
    successful_executions = models.IntegerField(null=True, blank=True, db_default=0)
    success_rate = NumericField(null=True, blank=True, db_default=0, help_text="0 to 1.")
    avg_execution_time_ms = models.IntegerField(
        "average duration", null=True, blank=True, db_default=0, help_text="Milliseconds."
    )

    class Meta:
        db_table = "node_metrics"
        verbose_name = "node metric"
        indexes = [
            PlatformIndex(fields=["team"], name="idx_node_metrics_team_id"),
            PlatformIndex(fields=["node_id"], name="idx_node_metrics_node_id"),
            PlatformIndex(fields=["tree"], name="idx_node_metrics_tree_id"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["node_id", "tree", "team"], name="node_metrics_unique"),
        ]

    def __str__(self) -> str:
        return known(self.node_id)


class EdgeMetric(MirrorModel):
    """Running counts of an edge's actions; they outlive the rows that they count."""

    domain = "navigation"
    team_lookup = "team_id"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    edge_id = models.CharField()
    tree = Reference(NavigationTree, related_name="edge_metrics", null=True, blank=True)
    team = Reference("mirror.Team", related_name="edge_metrics")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    total_executions = models.IntegerField(null=True, blank=True, db_default=0)
    successful_executions = models.IntegerField(null=True, blank=True, db_default=0)
    success_rate = NumericField(null=True, blank=True, db_default=0, help_text="0 to 1.")
    avg_execution_time_ms = models.IntegerField(
        "average duration", null=True, blank=True, db_default=0, help_text="Milliseconds."
    )
    action_set_id = models.CharField(null=True, blank=True)
    total_kpi_measurements = models.IntegerField("KPI measurements", null=True, blank=True, db_default=0)
    successful_kpi_measurements = models.IntegerField(
        "successful KPI measurements", null=True, blank=True, db_default=0
    )
    avg_kpi_ms = models.IntegerField("average KPI", null=True, blank=True, db_default=0, help_text="Milliseconds.")
    min_kpi_ms = models.IntegerField("lowest KPI", null=True, blank=True, help_text="Milliseconds.")
    max_kpi_ms = models.IntegerField("highest KPI", null=True, blank=True, help_text="Milliseconds.")
    kpi_success_rate = NumericField("KPI success rate", null=True, blank=True, db_default=0, help_text="0 to 1.")

    class Meta:
        db_table = "edge_metrics"
        verbose_name = "edge metric"
        indexes = [
            PlatformIndex(fields=["team"], name="idx_edge_metrics_team_id"),
            PlatformIndex(fields=["edge_id"], name="idx_edge_metrics_edge_id"),
            PlatformIndex(fields=["tree"], name="idx_edge_metrics_tree_id"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["edge_id", "tree", "action_set_id"], name="edge_metrics_edge_id_tree_id_action_set_id_key"
            ),
        ]

    def __str__(self) -> str:
        return known(self.edge_id)
