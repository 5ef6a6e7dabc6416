import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.functions
import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

ONLY_ADDED = """
    CREATE FUNCTION accounts_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit trail only grows: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END $$;
    CREATE TRIGGER audit_keeps_entries BEFORE UPDATE OR DELETE ON accounts_auditentry
        FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_only_grows();
    CREATE TRIGGER audit_keeps_table BEFORE TRUNCATE ON accounts_auditentry
        FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_only_grows();
"""
NOT_ONLY_ADDED = """
    DROP TRIGGER audit_keeps_table ON accounts_auditentry;
    DROP TRIGGER audit_keeps_entries ON accounts_auditentry;
    DROP FUNCTION accounts_audit_only_grows();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "all_teams",
                    models.BooleanField(
                        default=False,
                        help_text="Without this, only the rows of the teams listed below are shown.",
                        verbose_name="sees all teams",
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "abstract": False,
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), db_index=True),
                ),
                (
                    "actor_id",
                    models.BigIntegerField(
                        help_text="The user's id; empty for a process or an unknown visitor.", null=True
                    ),
                ),
                ("actor", models.CharField(help_text="The user's name as it was then.", max_length=200)),
                ("address", models.GenericIPAddressField(null=True)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("add", "Add"),
                            ("change", "Change"),
                            ("delete", "Delete"),
                            ("sign-in", "Sign In"),
                            ("sign-in-failed", "Sign In Failed"),
                            ("sign-out", "Sign Out"),
                            ("refused", "Refused"),
                            ("triage", "Triage"),
                            ("command", "Command"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True, help_text="What was touched: a model's label, or a page.", max_length=100
                    ),
                ),
                ("object_id", models.CharField(blank=True, max_length=200)),
                ("label", models.CharField(blank=True, max_length=300)),
                ("before", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True)),
                ("after", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True)),
                ("reason", models.TextField(blank=True)),
                ("request_id", models.CharField(blank=True, max_length=40)),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit trail",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["kind", "object_id", "-id"], name="audit_of_an_object"),
                    models.Index(fields=["actor_id", "-id"], name="audit_of_a_user"),
                ],
            },
        ),
        migrations.CreateModel(
            name="HostTeam",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host_name", models.CharField(max_length=255)),
                ("team_id", models.UUIDField(verbose_name="team")),
                ("team_name", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "verbose_name": "host of a team",
                "verbose_name_plural": "hosts of teams",
                "ordering": ["host_name"],
                "constraints": [
                    models.UniqueConstraint(fields=("host_name", "team_id"), name="one_entry_per_host_and_team")
                ],
            },
        ),
        migrations.CreateModel(
            name="SignInAttempt",
            fields=[
                ("key", models.CharField(max_length=320, primary_key=True, serialize=False)),
                ("window_start", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "sign-in attempt",
                "indexes": [models.Index(fields=["window_start"], name="attempts_by_window")],
            },
        ),
        migrations.CreateModel(
            name="TeamMembership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "team_id",
                    models.UUIDField(help_text="The id in the platform's table of teams.", verbose_name="team"),
                ),
                (
                    "team_name",
                    models.CharField(
                        blank=True, help_text="A copy, for the time when the team is gone.", max_length=200
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["team_name", "team_id"],
                "constraints": [models.UniqueConstraint(fields=("user", "team_id"), name="one_membership_per_team")],
            },
        ),
        migrations.RunSQL(ONLY_ADDED, NOT_ONLY_ADDED),
    ]
