"""Bodies become revisions; folders and dashboards get what a sync needs to know."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

KEPT = """
    CREATE FUNCTION dashboards_history_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the history of dashboards only grows: % is refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END $$;
    CREATE TRIGGER history_keeps_bodies BEFORE UPDATE OR DELETE ON dashboards_storedbody
        FOR EACH STATEMENT EXECUTE FUNCTION dashboards_history_only_grows();
    CREATE TRIGGER history_keeps_revisions BEFORE UPDATE OR DELETE ON dashboards_revision
        FOR EACH STATEMENT EXECUTE FUNCTION dashboards_history_only_grows();
"""
NOT_KEPT = """
    DROP TRIGGER history_keeps_revisions ON dashboards_revision;
    DROP TRIGGER history_keeps_bodies ON dashboards_storedbody;
    DROP FUNCTION dashboards_history_only_grows();
"""
SHIPPED = "shipped: "


def begin_histories(apps: Any, editor: Any) -> None:
    """Give each dashboard that is there its first revision."""
    dashboard, revision = apps.get_model("dashboards", "Dashboard"), apps.get_model("dashboards", "Revision")
    stored = apps.get_model("dashboards", "StoredBody")
    for row in dashboard.objects.using(editor.connection.alias).all():
        text = json.dumps(row.body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()
        body, _ = stored.objects.get_or_create(digest=digest, defaults={"text": text, "size": len(text.encode())})
        shipped = row.origin.startswith(SHIPPED)
        row.current = revision.objects.create(
            dashboard=row, number=1, stored=body, actor="vptmonitor", cause="shipped" if shipped else "import"
        )
        row.origin_kind = "shipped" if shipped else "file"
        row.origin = row.origin.removeprefix(SHIPPED)
        row.save(update_fields=["current", "origin_kind", "origin"])
    # Later operations alter these tables, which PostgreSQL refuses while checks of foreign keys wait for the commit.
    editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="StoredBody",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("text", models.TextField()),
                ("size", models.PositiveIntegerField(help_text="Bytes of the text.")),
                ("stored_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "stored body",
                "verbose_name_plural": "stored bodies",
            },
        ),
        migrations.AddField(
            model_name="dashboard",
            name="origin_kind",
            field=models.CharField(
                choices=[
                    ("file", "file"),
                    ("upload", "upload"),
                    ("adopted", "adopted"),
                    ("cloned", "clone"),
                    ("shipped", "shipped"),
                ],
                default="file",
                max_length=10,
                verbose_name="came from",
            ),
        ),
        migrations.AddField(
            model_name="dashboard",
            name="paused",
            field=models.BooleanField(default=False, help_text="The scheduled sync leaves it out."),
        ),
        migrations.AddField(
            model_name="dashboard",
            name="policy",
            field=models.CharField(
                blank=True,
                choices=[
                    ("enforce", "Enforce: keep the edit in the history, restore ours"),
                    ("observe", "Observe: report it, change nothing"),
                    ("adopt", "Adopt: take the edit as the new revision"),
                    ("locked", "Locked: nothing is changed here or there"),
                    ("released", "Released: Grafana's alone, no longer synced"),
                ],
                help_text="Empty: the default of the Grafana instance.",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="dashboard",
            name="retired_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="folder",
            name="team_id",
            field=models.UUIDField(
                blank=True,
                help_text="Empty: everybody may see what lies in it; else that team alone.",
                null=True,
                verbose_name="team",
            ),
        ),
        migrations.AddField(
            model_name="folder",
            name="team_name",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AlterField(
            model_name="dashboard",
            name="enabled",
            field=models.BooleanField(default=True, help_text="Without this, nobody sees it and nothing pushes it."),
        ),
        migrations.AlterField(
            model_name="dashboard",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="last change"),
        ),
        migrations.CreateModel(
            name="Revision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(help_text="Counts from 1 in each dashboard.")),
                ("actor", models.CharField(help_text="Who it was, by the name of then.", max_length=200)),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("shipped", "shipped with the portal"),
                            ("import", "imported from a file"),
                            ("upload", "uploaded"),
                            ("paste", "pasted"),
                            ("edit", "edited here"),
                            ("clone", "cloned"),
                            ("restore", "restored"),
                            ("adopt", "taken from a Grafana"),
                            ("found", "found in a Grafana and kept"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "dashboard",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="revisions", to="dashboards.dashboard"
                    ),
                ),
                (
                    "stored",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="dashboards.storedbody",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.AddField(
            model_name="dashboard",
            name="current",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="dashboards.revision",
                verbose_name="revision",
            ),
        ),
        migrations.AddConstraint(
            model_name="revision",
            constraint=models.UniqueConstraint(fields=("dashboard", "number"), name="one_revision_a_number"),
        ),
        migrations.RunPython(begin_histories, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name="dashboard",
            name="body",
        ),
        migrations.RunSQL(KEPT, NOT_KEPT),
    ]
