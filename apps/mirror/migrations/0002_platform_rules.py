"""The platform's rules that Django cannot declare: foreign keys with their ON DELETE, checks of JSON shapes.

Names follow PostgreSQL's own, `table_column_fkey`, as in the platform's tables. `deployments.created_by` refers to the
platform's users there; a database of ours has no such table.
"""

from django.db import migrations

OF_A_TEAM = [
    "device_models",
    "device",
    "environment_profiles",
    "campaign_executions",
    "test_cases",
    "test_executions",
    "test_results",
    "execution_results",
    "script_results",
    "zap_results",
    "userinterfaces",
    "navigation_trees",
    "navigation_nodes",
    "navigation_edges",
    "heatmaps",
    "node_metrics",
    "edge_metrics",
    "deployments",
    "controllers",
    "campaigns",
]

REFERENCES = [
    *((table, "team_id", "teams (id)", "CASCADE") for table in OF_A_TEAM),
    ("test_cases", "environment_profile_id", "environment_profiles (id)", "SET NULL"),
    ("test_executions", "environment_profile_id", "environment_profiles (id)", "SET NULL"),
    ("test_executions", "test_id", "test_cases (test_id)", "CASCADE"),
    ("test_results", "execution_id", "test_executions (id)", "CASCADE"),
    ("test_results", "test_id", "test_cases (test_id)", "CASCADE"),
    ("execution_results", "tree_id", "navigation_trees (id)", "SET NULL"),
    ("zap_results", "script_result_id", "script_results (id)", "CASCADE"),
    ("navigation_trees", "parent_tree_id", "navigation_trees (id)", "CASCADE"),
    ("navigation_trees", "userinterface_id", "userinterfaces (id)", "CASCADE"),
    ("navigation_nodes", "tree_id", "navigation_trees (id)", "CASCADE"),
    ("navigation_edges", "tree_id", "navigation_trees (id)", "CASCADE"),
    ("node_metrics", "tree_id", "navigation_trees (id)", "CASCADE"),
    ("edge_metrics", "tree_id", "navigation_trees (id)", "CASCADE"),
    ("deployment_executions", "deployment_id", "deployments (id)", "CASCADE"),
    ("deployment_executions", "script_result_id", "script_results (id)", "NO ACTION"),
    ("controllers", "device_id", "device (id)", "CASCADE"),
    ("test_executions", "campaign_id", "campaigns (id)", "SET NULL"),
]

CHECKS = [
    ("device_models", "device_models_controllers_check", "jsonb_typeof(controllers) = 'object'"),
    ("device_models", "device_models_name_check", "length(TRIM(BOTH FROM name)) > 0"),
    ("device_models", "device_models_types_check", "jsonb_typeof(types) = 'array'"),
    ("navigation_edges", "check_action_sets_not_empty", "jsonb_array_length(action_sets) > 0"),
    (
        "navigation_edges",
        "check_default_action_set_exists",
        "default_action_set_id IS NOT NULL"
        " AND action_sets @> jsonb_build_array(jsonb_build_object('id', default_action_set_id))",
    ),
]


def reference(table: str, column: str, target: str, on_delete: str) -> migrations.RunSQL:
    name = f"{table}_{column}_fkey"
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {target} ON DELETE {on_delete}",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


def check(table: str, name: str, condition: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("mirror", "0001_tables")]
    operations = [
        *(reference(*row) for row in REFERENCES),
        *(check(*row) for row in CHECKS),
    ]
