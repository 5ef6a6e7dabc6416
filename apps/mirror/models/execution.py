"""What runs: tests, scripts, campaigns, and the single steps and zaps within them."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import Q

from apps.mirror.fields import NumericField, Reference, UpdatedAtField
from apps.mirror.models.base import MirrorModel, PlatformIndex, RunModel, known
from apps.mirror.querysets import (
    CampaignExecutionQuerySet,
    ScriptResultQuerySet,
    StepQuerySet,
    TestRunQuerySet,
)


class Campaign(MirrorModel):
    """A campaign as it is defined. Many installations have no such table, only its runs."""

    domain = "execution"
    team_lookup = "team_id"
    time_field = "updated_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    team = Reference("mirror.Team", related_name="campaigns")
    name = models.TextField()
    description = models.TextField(null=True, blank=True)
    status = models.TextField(null=True, blank=True, db_default="active", help_text="active, paused or archived.")
    created_by = models.UUIDField(null=True, blank=True, help_text="The platform's user id.")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    class Meta:
        db_table = "campaigns"
        verbose_name = "campaign"
        indexes = [
            PlatformIndex(fields=["team"], name="vpt_campaigns_team"),
            PlatformIndex(fields=["name"], name="vpt_campaigns_name"),
        ]

    def __str__(self) -> str:
        return known(self.name)


class TestCase(MirrorModel):
    """A test as it is defined."""

    __test__ = False
    domain = "execution"
    team_lookup = "team_id"

    test_id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    name = models.CharField()
    test_type = models.CharField()
    start_node = models.CharField()
    steps = models.JSONField(db_default=[])
    team = Reference("mirror.Team", related_name="test_cases")
    creator_id = models.UUIDField(null=True, blank=True, help_text="The platform's user id.")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())
    device = Reference("mirror.Device", related_name="test_cases", null=True, blank=True)
    environment_profile = Reference("mirror.EnvironmentProfile", related_name="test_cases", null=True, blank=True)
    verification_conditions = models.JSONField(null=True, blank=True, db_default=[])
    expected_results = models.JSONField(null=True, blank=True, db_default={})
    execution_config = models.JSONField(null=True, blank=True, db_default={})
    tags = ArrayField(models.TextField(), null=True, blank=True, db_default=[])
    priority = models.IntegerField(null=True, blank=True, db_default=1, help_text="1 (lowest) to 5.")
    estimated_duration = models.IntegerField(null=True, blank=True, db_default=60, help_text="Seconds.")
    creator = models.CharField(null=True, blank=True, db_default="manual")
    original_prompt = models.TextField(null=True, blank=True)
    ai_analysis = models.JSONField(null=True, blank=True, db_default={})
    compatible_devices = models.JSONField(null=True, blank=True, db_default=["all"])
    compatible_userinterfaces = models.JSONField(null=True, blank=True, db_default=["all"])
    device_adaptations = models.JSONField(null=True, blank=True, db_default={})

    class Meta:
        db_table = "test_cases"
        verbose_name = "test case"
        indexes = [
            PlatformIndex(fields=["team"], name="idx_test_cases_team_id"),
            PlatformIndex(fields=["test_type"], name="idx_test_cases_test_type"),
            PlatformIndex(fields=["device"], name="idx_test_cases_device_id"),
            PlatformIndex(fields=["priority"], name="idx_test_cases_priority"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(creator__in=["ai", "manual"]), name="test_cases_creator_check"),
            models.CheckConstraint(condition=Q(priority__gte=1, priority__lte=5), name="test_cases_priority_check"),
            models.CheckConstraint(
                condition=Q(test_type__in=["functional", "performance", "endurance", "robustness"]),
                name="test_cases_test_type_check",
            ),
        ]

    def __str__(self) -> str:
        return known(self.name)


class TestExecution(RunModel):
    """One run of a test."""

    __test__ = False
    domain = "execution"
    team_lookup = "team_id"
    time_field = "created_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    test = Reference(TestCase, related_name="test_executions", null=True, blank=True)
    execution_id = models.CharField()
    status = models.CharField(null=True, blank=True, db_default="pending")
    campaign = Reference("mirror.Campaign", related_name="test_executions", null=True, blank=True)
    start_time = models.DateTimeField(null=True, blank=True)
    end_time = models.DateTimeField(null=True, blank=True)
    duration = models.IntegerField(null=True, blank=True, help_text="Seconds, as a rule: the platform binds no unit.")
    device = Reference("mirror.Device", related_name="test_executions", null=True, blank=True)
    environment_profile = Reference("mirror.EnvironmentProfile", related_name="test_executions", null=True, blank=True)
    team = Reference("mirror.Team", related_name="test_executions")
    executed_by = models.UUIDField(null=True, blank=True, help_text="The platform's user id.")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())

    objects = TestRunQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        db_table = "test_executions"
        verbose_name = "test run"
        ordering = ["-created_at", "-id"]
        indexes = [
            PlatformIndex(fields=["team"], name="idx_test_executions_team_id"),
            PlatformIndex(fields=["test"], name="idx_test_executions_test_id"),
            PlatformIndex(fields=["status"], name="idx_test_executions_status"),
            PlatformIndex(fields=["start_time"], name="idx_test_executions_start_time"),
            PlatformIndex(fields=["-created_at", "-id"], name="vpt_test_executions_latest"),
            PlatformIndex(fields=["team", "-created_at", "-id"], name="vpt_test_executions_team_latest"),
            PlatformIndex(fields=["campaign", "-created_at"], name="vpt_test_executions_campaign_created"),
            PlatformIndex(fields=["device", "-created_at"], name="vpt_test_executions_device_created"),
        ]

    def __str__(self) -> str:
        return known(self.execution_id)


class TestResult(RunModel):
    """What a run of a test found."""

    __test__ = False
    domain = "execution"
    team_lookup = "team_id"
    time_field = "created_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    execution = Reference(TestExecution, related_name="test_results", null=True, blank=True)
    test = Reference(TestCase, related_name="test_results", null=True, blank=True)
    status = models.CharField()
    result_data = models.JSONField(null=True, blank=True, db_default={})
    error_message = models.TextField("error", null=True, blank=True)
    stack_trace = models.TextField(null=True, blank=True)
    screenshots = ArrayField(models.TextField(), null=True, blank=True, db_default=[])
    logs = models.TextField(null=True, blank=True)
    metrics = models.JSONField(null=True, blank=True, db_default={})
    team = Reference("mirror.Team", related_name="test_results")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())

    objects = TestRunQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        db_table = "test_results"
        verbose_name = "test result"
        ordering = ["-created_at", "-id"]
        indexes = [
            PlatformIndex(fields=["team"], name="idx_test_results_team_id"),
            PlatformIndex(fields=["execution"], name="idx_test_results_execution_id"),
            PlatformIndex(fields=["status"], name="idx_test_results_status"),
            PlatformIndex(fields=["-created_at", "-id"], name="vpt_test_results_latest"),
            PlatformIndex(fields=["team", "-created_at", "-id"], name="vpt_test_results_team_latest"),
            PlatformIndex(fields=["test"], name="vpt_test_results_test"),
        ]

    def __str__(self) -> str:
        return f"{known(self.status)} ({known(self.pk)})"


class ScriptResult(RunModel):
    """One run of a script, written when it starts and updated when it ends."""

    domain = "execution"
    team_lookup = "team_id"
    time_field = "started_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    team = Reference("mirror.Team", related_name="script_results")
    script_name = models.TextField()
    script_type = models.TextField()
    userinterface_name = models.TextField("user interface", null=True, blank=True)
    host_name = models.TextField("host")
    device_name = models.TextField("device")
    success = models.BooleanField(help_text="False while the script runs, too.")
    execution_time_ms = models.IntegerField("duration", null=True, blank=True, help_text="Milliseconds.")
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField(help_text="Equal to the start while the script runs.")
    html_report_r2_path = models.TextField("report path", null=True, blank=True)
    html_report_r2_url = models.TextField("report", null=True, blank=True, help_text="Address of the HTML report.")
    discard = models.BooleanField(
        "discarded", null=True, blank=True, db_default=False, help_text="A false alarm, by the AI or a person."
    )
    error_msg = models.TextField("error", null=True, blank=True)
    metadata = models.JSONField(
        null=True, blank=True, help_text="What the script measured; the platform replaces it at the end."
    )
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())
    logs_r2_path = models.TextField("logs path", null=True, blank=True)
    logs_r2_url = models.TextField("logs", null=True, blank=True, help_text="Address of the log.")
    checked = models.BooleanField(
        null=True, blank=True, db_default=False, help_text="Somebody, or the AI, has looked at it."
    )
    check_type = models.CharField(null=True, blank=True, help_text="ai, manual or ai_and_human.")
    discard_comment = models.TextField(null=True, blank=True)

    objects = ScriptResultQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        db_table = "script_results"
        verbose_name = "script run"
        ordering = ["-started_at", "-id"]
        indexes = [
            PlatformIndex(fields=["team"], name="idx_script_results_team_id"),
            PlatformIndex(fields=["script_name"], name="idx_script_results_script_name"),
            PlatformIndex(fields=["host_name"], name="idx_script_results_host_name"),
            PlatformIndex(fields=["discard"], name="idx_script_results_discard"),
            PlatformIndex(fields=["-started_at", "-id"], name="vpt_script_results_latest"),
            PlatformIndex(fields=["team", "-started_at", "-id"], name="vpt_script_results_team_latest"),
            PlatformIndex(fields=["script_name", "started_at"], name="vpt_script_results_script_started"),
            PlatformIndex(fields=["host_name", "device_name", "-started_at"], name="vpt_script_results_device_started"),
        ]

    def __str__(self) -> str:
        return f"{known(self.script_name)} on {known(self.device_name)}"


class ExecutionResult(RunModel):
    """One action or verification of a run: an edge walked or a node checked."""

    domain = "execution"
    team_lookup = "team_id"
    time_field = "executed_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    team = Reference("mirror.Team", related_name="execution_results")
    tree = Reference("mirror.NavigationTree", related_name="execution_results", null=True, blank=True)
    edge_id = models.TextField(null=True, blank=True)
    node_id = models.TextField(null=True, blank=True)
    execution_type = models.TextField(help_text="action or verification.")
    host_name = models.TextField("host")
    device_model = models.TextField(null=True, blank=True)
    device_name = models.TextField("device", null=True, blank=True)
    success = models.BooleanField()
    execution_time_ms = models.IntegerField("duration", null=True, blank=True, help_text="Milliseconds.")
    message = models.TextField(null=True, blank=True)
    error_details = models.JSONField(null=True, blank=True)
    executed_at = models.DateTimeField(db_default=TransactionNow())
    created_at = models.DateTimeField("created", db_default=TransactionNow())
    script_result = Reference(ScriptResult, related_name="execution_results", null=True, blank=True)
    script_context = models.TextField(
        null=True, blank=True, db_default="direct", help_text="script, testcase or direct."
    )
    action_set_id = models.TextField(null=True, blank=True)
    kpi_measurement_ms = models.IntegerField(
        "KPI", null=True, blank=True, help_text="Milliseconds; it arrives some time after the row."
    )
    kpi_measurement_success = models.BooleanField("KPI success", null=True, blank=True)
    kpi_measurement_error = models.TextField("KPI error", null=True, blank=True)
    kpi_report_url = models.TextField("KPI report", null=True, blank=True)

    objects = StepQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        db_table = "execution_results"
        verbose_name = "step"
        ordering = ["-executed_at", "-id"]
        indexes = [
            PlatformIndex(fields=["team"], name="idx_execution_results_team_id"),
            PlatformIndex(fields=["tree"], name="idx_execution_results_tree_id"),
            PlatformIndex(fields=["host_name"], name="idx_execution_results_host_name"),
            PlatformIndex(fields=["executed_at"], name="idx_execution_results_executed_at"),
            PlatformIndex(fields=["device_name"], name="idx_execution_results_device_name"),
            PlatformIndex(
                fields=["team", "device_name", "executed_at"],
                name="idx_execution_results_kpi_query",
                condition=Q(kpi_measurement_ms__isnull=False),
            ),
            PlatformIndex(
                fields=["kpi_measurement_success"],
                name="idx_execution_results_kpi_success",
                condition=Q(kpi_measurement_success__isnull=False),
            ),
            PlatformIndex(
                fields=["kpi_measurement_ms"],
                name="idx_execution_results_kpi_ms",
                condition=Q(kpi_measurement_ms__isnull=False),
            ),
            PlatformIndex(
                fields=["kpi_report_url"],
                name="idx_execution_results_kpi_report",
                condition=Q(kpi_report_url__isnull=False),
            ),
            PlatformIndex(fields=["-executed_at", "-id"], name="vpt_execution_results_latest"),
            PlatformIndex(fields=["team", "-executed_at", "-id"], name="vpt_execution_results_team_latest"),
            PlatformIndex(fields=["script_result"], name="vpt_execution_results_script_result"),
        ]

    def __str__(self) -> str:
        return f"{known(self.execution_type)} {known(self.edge_id or self.node_id or self.pk)}"


class CampaignExecution(RunModel):
    """One run of a campaign: a list of scripts on a device."""

    domain = "execution"
    team_lookup = "team_id"
    time_field = "started_at"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    team = Reference("mirror.Team", related_name="campaign_executions")
    campaign_name = models.CharField()
    campaign_description = models.TextField(null=True, blank=True)
    campaign_execution_id = models.CharField()
    userinterface_name = models.CharField("user interface", null=True, blank=True)
    host_name = models.CharField("host")
    device_name = models.CharField("device")
    status = models.CharField(null=True, blank=True, db_default="pending")
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    execution_time_ms = models.IntegerField("duration", null=True, blank=True, help_text="Milliseconds.")
    success = models.BooleanField(db_default=False)
    error_message = models.TextField("error", null=True, blank=True)
    script_configurations = models.JSONField(db_default=[])
    execution_config = models.JSONField(null=True, blank=True, db_default={})
    script_result_ids = ArrayField(models.UUIDField(), null=True, blank=True, db_default=[])
    html_report_r2_path = models.TextField("report path", null=True, blank=True)
    html_report_r2_url = models.TextField("report", null=True, blank=True, help_text="Address of the HTML report.")
    executed_by = models.UUIDField(null=True, blank=True, help_text="The platform's user id.")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    updated_at = UpdatedAtField("updated", null=True, blank=True, db_default=TransactionNow())

    objects = CampaignExecutionQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        db_table = "campaign_executions"
        verbose_name = "campaign run"
        ordering = ["-started_at", "-id"]
        indexes = [
            PlatformIndex(fields=["team"], name="idx_campaign_executions_team_id"),
            PlatformIndex(fields=["campaign_name"], name="idx_campaign_executions_campaign_name"),
            PlatformIndex(fields=["host_name"], name="idx_campaign_executions_host_name"),
            PlatformIndex(fields=["status"], name="idx_campaign_executions_status"),
            PlatformIndex(fields=["-started_at", "-id"], name="vpt_campaign_executions_latest"),
            PlatformIndex(fields=["team", "-started_at", "-id"], name="vpt_campaign_executions_team_latest"),
            PlatformIndex(fields=["campaign_name", "started_at"], name="vpt_campaign_executions_campaign_started"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "running", "completed", "failed", "cancelled"]),
                name="campaign_executions_status_check",
            ),
            models.UniqueConstraint(
                fields=["campaign_execution_id"], name="campaign_executions_campaign_execution_id_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{known(self.campaign_name)} on {known(self.device_name)}"


class ZapResult(MirrorModel):
    """One channel change and what was seen and heard after it."""

    domain = "execution"
    team_lookup = "team_id"
    time_field = "execution_date"

    id = models.UUIDField("id", primary_key=True, default=uuid4, db_default=RandomUUID(), editable=False)
    script_result = Reference(ScriptResult, related_name="zap_results", null=True, blank=True)
    team = Reference("mirror.Team", related_name="zap_results")
    host_name = models.TextField("host")
    device_name = models.TextField("device")
    device_model = models.TextField(null=True, blank=True)
    execution_date = models.DateTimeField()
    iteration_index = models.IntegerField()
    action_command = models.TextField()
    duration_seconds = NumericField("duration", help_text="Seconds.")
    motion_detected = models.BooleanField(null=True, blank=True, db_default=False)
    subtitles_detected = models.BooleanField(null=True, blank=True, db_default=False)
    audio_speech_detected = models.BooleanField(null=True, blank=True, db_default=False)
    blackscreen_freeze_detected = models.BooleanField(null=True, blank=True, db_default=False)
    subtitle_language = models.TextField(null=True, blank=True)
    subtitle_text = models.TextField(null=True, blank=True)
    audio_language = models.TextField(null=True, blank=True)
    audio_transcript = models.TextField(null=True, blank=True)
    blackscreen_freeze_duration_seconds = NumericField("black or frozen", null=True, blank=True, help_text="Seconds.")
    detection_method = models.TextField(null=True, blank=True)
    channel_name = models.TextField(null=True, blank=True)
    channel_number = models.TextField(null=True, blank=True)
    program_name = models.TextField(null=True, blank=True)
    program_start_time = models.TextField(null=True, blank=True)
    program_end_time = models.TextField(null=True, blank=True)
    audio_silence_duration = NumericField("silence", null=True, blank=True, help_text="Seconds.")
    created_at = models.DateTimeField("created", null=True, blank=True, db_default=TransactionNow())
    userinterface_name = models.TextField("user interface", null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    action_params = models.JSONField(null=True, blank=True)
    time_since_action_ms = models.IntegerField(
        "time since the action", null=True, blank=True, help_text="Milliseconds."
    )
    total_zap_duration_ms = models.IntegerField("total duration", null=True, blank=True, help_text="Milliseconds.")

    class Meta:
        db_table = "zap_results"
        verbose_name = "zap"
        ordering = ["-execution_date", "-id"]
        indexes = [
            PlatformIndex(fields=["team"], name="idx_zap_results_team_id"),
            PlatformIndex(fields=["script_result"], name="idx_zap_results_script_result_id"),
            PlatformIndex(fields=["host_name"], name="idx_zap_results_host_name"),
            PlatformIndex(fields=["execution_date"], name="idx_zap_results_execution_date"),
            PlatformIndex(fields=["-execution_date", "-id"], name="vpt_zap_results_latest"),
            PlatformIndex(fields=["team", "-execution_date", "-id"], name="vpt_zap_results_team_latest"),
            PlatformIndex(fields=["created_at"], name="vpt_zap_results_created_at"),
            PlatformIndex(fields=["started_at"], name="vpt_zap_results_started_at"),
        ]

    def __str__(self) -> str:
        return f"{known(self.action_command)} on {known(self.device_name)}"
